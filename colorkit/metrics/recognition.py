"""Measure how well a network that was trained on true colors recognizes colored images.

The metrics cannot be restored from a config, which would not hold the weights of the network.
"""

import keras
import numpy as np
from keras import ops

from colorkit.metrics.mean import MeanMetric, checked, image_weights


class FeaturePreservation(MeanMetric):
    """Compute the accuracy on colored images of a classifier that was trained on true colors.

    `update_state` takes labels `(N,)` as `y_true` and RGB images as `y_pred`.

    Args:
        classifier: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits of at least
            two classes.

    Raises:
        ValueError: If the classifier, its input or the images do not fit.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 4.1.

    Example:
        >>> metric = FeaturePreservation(ck.models.build_residual_classifier(widths=(4, 4, 4, 4)))
        >>> metric.update_state(np.array([3, 7]), np.zeros((2, 32, 32, 3)))
        >>> 0 <= float(metric.result()) <= 1
        True
    """

    def __init__(self, classifier, name="feature_preservation", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_classes = _count_classes("classifier", classifier, "(N, classes)")
        self.classifier = classifier

    def measure(self, y_true, y_pred):
        (rgb,) = checked(y_pred)
        labels = _checked_classes(y_true, rgb.shape[:1], self.num_classes)
        return ops.equal(ops.argmax(self.classifier(rgb, training=False), axis=-1), labels)


class MaskIoU(keras.metrics.MeanIoU):
    """Compute the mean intersection over union of true masks and of a segmenter's predictions.

    `update_state` takes masks `(N, height, width)` as `y_true` and RGB images as `y_pred`.

    Args:
        segmenter: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits of at least
            two classes, of the same height and width.
        ignore_class: Class of pixels that do not count, such as those on a border, or `None`.

    Raises:
        ValueError: If the segmenter, the masks or the images do not fit.

    References:
        Sinigaglia, Bertipaglia, Colato, section "Evaluation metrics": quality of segmentation.

    Example:
        >>> rgb = keras.Input((8, 8, 3))
        >>> metric = MaskIoU(keras.Model(rgb, keras.layers.Conv2D(2, 1)(rgb)))
        >>> metric.update_state(np.zeros((1, 8, 8), "int32"), np.zeros((1, 8, 8, 3)))
        >>> 0 <= float(metric.result()) <= 1
        True
    """

    def __init__(self, segmenter, ignore_class=None, name="mask_iou", **kwargs):
        classes = _count_classes("segmenter", segmenter, "(N, height, width, classes)")
        super().__init__(
            classes, ignore_class=ignore_class, sparse_y_pred=False, name=name,
            **{"dtype": "float32", **kwargs},
        )  # fmt: skip
        self.segmenter = segmenter

    def update_state(self, y_true, y_pred, sample_weight=None):
        (rgb,) = checked(y_pred)
        masks = _checked_classes(y_true, rgb.shape[:3], self.num_classes, self.ignore_class)
        weights = image_weights(sample_weight, rgb[..., 0])
        super().update_state(masks, self.segmenter(rgb, training=False), weights)


def _count_classes(name, model, expected):
    shape = model.output_shape
    if len(shape) != expected.count(",") + 1 or (shape[-1] or 0) < 2:
        raise ValueError(
            f"`{name}` must return logits {expected} of at least two classes. Received one that "
            f"returns {shape}"
        )
    return shape[-1]


def _checked_classes(values, shape, num_classes, ignored=None):
    """Return classes as an int32 array, including `ignored`."""
    values = ops.convert_to_numpy(values)
    if values.shape != tuple(shape):
        raise ValueError(
            f"`y_true` must have shape {tuple(shape)}, as the images. Received shape {values.shape}"
        )
    unknown = np.setdiff1d(values, [*range(num_classes), ignored if ignored is not None else 0])
    if unknown.size:
        raise ValueError(
            f"`y_true` must hold classes from 0 to {num_classes - 1}"
            f"{'' if ignored is None else f', or {ignored}'}. Received classes {values.min()} to "
            f"{values.max()}, of which {unknown[0]} is unknown"
        )
    return values.astype("int32")
