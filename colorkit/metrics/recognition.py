"""What a network that knows true colours still makes of a colouring."""

import keras
import numpy as np
from keras import ops

from colorkit.metrics.mean import MeanMetric, checked


class FeaturePreservation(MeanMetric):
    """Accuracy of a classifier of true colours on coloured pictures.

    `update_state` takes labels `(N,)` as `y_true` and RGB pictures as `y_pred`. It cannot
    be restored from a config, which would not hold the weights of the classifier.

    Args:
        classifier: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits.

    Raises:
        ValueError: On update, if there is not one label a picture, or a label that the classifier
            does not know.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 4.1.
    """

    def __init__(self, classifier, name="feature_preservation", **kwargs):
        super().__init__(name=name, **kwargs)
        if not isinstance(classifier, keras.Model):
            raise ValueError(
                "`classifier` must be a keras.Model, such as `models.load_classifier` gives. "
                f"Received: {classifier!r}"
            )
        self.classifier = classifier

    def measure(self, y_true, y_pred):
        rgb, _ = checked(y_pred, y_pred)
        labels, classes = np.asarray(y_true), self.classifier.output.shape[-1]
        if labels.shape != (len(rgb),) or not ((labels >= 0) & (labels < classes)).all():
            raise ValueError(
                f"`y_true` must be the class of each of {len(rgb)} pictures, from 0 to "
                f"{classes - 1}. Received shape {labels.shape}"
                + (f", classes {labels.min()} to {labels.max()}" if labels.size else "")
            )
        logits = self.classifier(rgb, training=False)
        predicted = ops.cast(ops.argmax(logits, axis=-1), "int32")
        return ops.equal(predicted, ops.convert_to_tensor(labels, "int32"))


class MaskIoU(keras.metrics.MeanIoU):
    """Mean intersection over union of true masks and what a segmenter sees in coloured pictures.

    `update_state` takes masks `(N, height, width)` as `y_true` and RGB pictures as `y_pred`. It
    cannot be restored from a config, which would not hold the weights of the segmenter.

    Args:
        segmenter: `keras.Model` from RGB in [0, 1], `(height, width, 3)`, to logits of the same
            height and width.
        ignore_class: Class of pixels that do not count, such as those on a border, or `None`.

    Raises:
        ValueError: On update, if there is not one mask a picture, of its size.

    References:
        Sinigaglia, Bertipaglia, Colato, section "Evaluation metrics": quality of segmentation.
    """

    def __init__(self, segmenter, ignore_class=None, name="mask_iou", **kwargs):
        classes = segmenter.output.shape[-1]
        super().__init__(
            classes, ignore_class=ignore_class, sparse_y_pred=False, name=name, **kwargs
        )
        self.segmenter = segmenter

    def update_state(self, y_true, y_pred, sample_weight=None):
        rgb, _ = checked(y_pred, y_pred)
        masks = np.asarray(y_true)
        if masks.shape != tuple(rgb.shape[:3]):
            raise ValueError(
                f"`y_true` must be one mask a picture, shape {tuple(rgb.shape[:3])}. "
                f"Received shape {masks.shape}"
            )
        super().update_state(masks, self.segmenter(rgb, training=False), sample_weight)
