"""Measure how well a network that was trained on true colors recognizes colored images."""

import keras
import numpy as np
from keras import ops

from colorkit.metrics.mean import MeanMetric, checked


class FeaturePreservation(MeanMetric):
    """Compute the accuracy on colored images of a classifier that was trained on true colors.

    `update_state` takes labels `(N,)` as `y_true` and RGB images as `y_pred`. The metric cannot be
    restored from a config, which would not hold the weights of the classifier.

    Args:
        classifier: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits.

    Raises:
        ValueError: If the classifier does not return logits of at least two classes, there is not
            one label per image, or a label is unknown.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 4.1.
    """

    def __init__(self, classifier, name="feature_preservation", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_classes = _count_classes("classifier", classifier, "(N, classes)")
        self.classifier = classifier

    def measure(self, y_true, y_pred):
        (rgb,) = checked(y_pred)
        labels = _checked_classes(y_true, "class", tuple(rgb.shape[:1]), self.num_classes)
        logits = self.classifier(rgb, training=False)
        predicted = ops.cast(ops.argmax(logits, axis=-1), "int32")
        return ops.equal(predicted, ops.convert_to_tensor(labels))


class MaskIoU(keras.metrics.MeanIoU):
    """Compute the mean intersection over union of true masks and of a segmenter's predictions.

    The segmenter sees the colored images. `update_state` takes masks `(N, height, width)` as
    `y_true` and RGB images as `y_pred`. The metric cannot be restored from a config, which would
    not hold the weights of the segmenter.

    Args:
        segmenter: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits of the same
            height and width.
        ignore_class: Class of pixels that do not count, such as those on a border, or `None`.

    Raises:
        ValueError: If the segmenter does not return logits of at least two classes, there is not
            one mask per image and of its size, or a class is unknown.

    References:
        Sinigaglia, Bertipaglia, Colato, section "Evaluation metrics": quality of segmentation.
    """

    def __init__(self, segmenter, ignore_class=None, name="mask_iou", **kwargs):
        classes = _count_classes("segmenter", segmenter, "(N, height, width, classes)")
        super().__init__(
            classes, ignore_class=ignore_class, sparse_y_pred=False, name=name, **kwargs
        )
        self.segmenter = segmenter

    def update_state(self, y_true, y_pred, sample_weight=None):
        (rgb,) = checked(y_pred)
        shape = tuple(rgb.shape[:3])
        masks = _checked_classes(y_true, "mask", shape, self.num_classes, self.ignore_class)
        super().update_state(masks, self.segmenter(rgb, training=False), sample_weight)


def _count_classes(name, model, expected):
    """Return the number of classes of a model; `expected` is the shape that it must return."""
    shape = model.output_shape
    if len(shape) != expected.count(",") + 1 or (shape[-1] or 0) < 2:
        raise ValueError(
            f"`{name}` must return logits {expected} of at least two classes. Received one that "
            f"returns {shape}"
        )
    return shape[-1]


def _checked_classes(values, what, shape, num_classes, ignored=None):
    """Return classes as an int32 array, including `ignored`."""
    values = np.asarray(values)
    if values.shape != shape:
        raise ValueError(
            f"`y_true` must be one {what} per image, shape {shape}. Received shape {values.shape}"
        )
    counted = values if ignored is None else values[values != ignored]
    unknown = counted[~np.isin(counted, np.arange(num_classes))]
    if unknown.size:
        raise ValueError(
            f"`y_true` must hold classes from 0 to {num_classes - 1}"
            f"{'' if ignored is None else f', or {ignored}'}. Received classes {counted.min()} to "
            f"{counted.max()}, of which {unknown[0]} is unknown"
        )
    return values.astype("int32")
