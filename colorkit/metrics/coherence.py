"""Measure whether colors are steady within objects and change at the edges of the ground truth."""

import keras
from keras import ops

from colorkit.color.edges import gradient, magnitude
from colorkit.metrics.mean import MeanMetric, checked, lab, picture_mean, picture_weights


def bleeding(y_true, y_pred, lightness_edge=3.0, chroma_edge=3.0):
    """Compute the change of predicted chroma between pixels where the ground truth has no edge.

    Args:
        y_true: RGB in [0, 1], shape `(N, height, width, 3)`.
        y_pred: See `y_true`.
        lightness_edge: Minimum gradient of true lightness that counts as an edge, in units of L
            per pixel.
        chroma_edge: Minimum gradient of true chroma that counts as an edge, in units of ab.

    Returns:
        `(total, count)`, each of shape `(N,)`. `total` is, for each image, the sum of the
        magnitudes of the predicted ab gradient over the pixels without either edge. `count` is the
        number of these pixels.

    Raises:
        ValueError: If images are not RGB of one shape, or an edge is not positive.
    """
    _check_edges(lightness_edge, chroma_edge)
    y_true, y_pred = checked(y_true, y_pred)
    true, predicted = lab(y_true), lab(y_pred)
    flat = ops.logical_and(
        magnitude(gradient(true[..., :1])) < lightness_edge,
        magnitude(gradient(true[..., 1:])) < chroma_edge,
    )
    flat = ops.cast(flat, "float32")
    change = flat * magnitude(gradient(predicted[..., 1:]))
    return ops.sum(change, axis=(1, 2)), ops.sum(flat, axis=(1, 2))


def _check_edges(lightness_edge, chroma_edge):
    if not (lightness_edge > 0 and chroma_edge > 0):
        raise ValueError(
            "`lightness_edge` and `chroma_edge` must be positive. "
            f"Received: {lightness_edge!r} and {chroma_edge!r}"
        )


def chroma_gradient_error(y_true, y_pred):
    """Compute the mean length of the difference of true and predicted ab gradients, `(N,)`."""
    y_true, y_pred = checked(y_true, y_pred)
    true, predicted = (gradient(lab(rgb)[..., 1:]) for rgb in (y_true, y_pred))
    return picture_mean(magnitude(true - predicted))


@keras.saving.register_keras_serializable(package="colorkit")
class Bleeding(MeanMetric):
    """Compute the mean of the predicted chroma gradient over pixels without an edge.

    The unit is ab per pixel. The result is 0 if there is no such pixel. The ground truth itself has
    a value below `chroma_edge`, from texture and noise. A prediction with less variation than
    these has a lower value than the ground truth. The metric therefore measures how steady colors
    are, not whether they are right.

    Args:
        lightness_edge, chroma_edge: See `bleeding`.

    Raises:
        ValueError: If one of them is not positive.
    """

    def __init__(self, lightness_edge=3.0, chroma_edge=3.0, name="bleeding", **kwargs):
        super().__init__(name=name, **kwargs)
        _check_edges(lightness_edge, chroma_edge)
        self.lightness_edge = lightness_edge
        self.chroma_edge = chroma_edge

    def update_state(self, y_true, y_pred, sample_weight=None):
        sums = bleeding(y_true, y_pred, self.lightness_edge, self.chroma_edge)
        for variable, values in zip((self.total, self.count), sums, strict=True):
            values = ops.cast(values, self.dtype)
            if sample_weight is not None:
                values = values * picture_weights(sample_weight, values)
            variable.assign_add(ops.sum(values))

    def get_config(self):
        return {
            **super().get_config(),
            "lightness_edge": self.lightness_edge,
            "chroma_edge": self.chroma_edge,
        }


@keras.saving.register_keras_serializable(package="colorkit")
class ChromaGradientError(MeanMetric):
    """Compute the mean of `chroma_gradient_error`."""

    def __init__(self, name="chroma_gradient_error", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, y_true, y_pred):
        return chroma_gradient_error(y_true, y_pred)
