"""Whether colors hold together and change where the truth does."""

import keras
from keras import ops

from colorkit.gradients import gradient, magnitude
from colorkit.metrics.mean import MeanMetric, checked, lab, picture_mean, picture_weights


def bleeding(y_true, y_pred, lightness_edge=3.0, chroma_edge=3.0):
    """Change of predicted chroma from pixel to pixel where there is nothing to change for.

    Args:
        y_true: RGB in [0, 1], shape `(N, height, width, 3)`.
        y_pred: As `y_true`.
        lightness_edge: Gradients of true lightness from this size on count as an edge, in units
            of L a pixel.
        chroma_edge: Gradients of true chroma from this size on count as an edge, in units of ab.

    Returns:
        `(total, count)`, each of shape `(N,)`: for each image the sum of the magnitudes of the
        predicted ab gradient over the pixels where the truth has neither edge, and the number of
        those pixels.

    Raises:
        ValueError: If images are no RGB of one shape, or an edge is not positive.
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
    """Mean length of the difference between true and predicted ab gradients, shape `(N,)`."""
    y_true, y_pred = checked(y_true, y_pred)
    true, predicted = (gradient(lab(rgb)[..., 1:]) for rgb in (y_true, y_pred))
    return picture_mean(magnitude(true - predicted))


@keras.saving.register_keras_serializable(package="colorkit")
class Bleeding(MeanMetric):
    """Mean of the predicted chroma gradient over all pixels where the truth has no edge.

    In units of ab a pixel; 0 is none, also where no pixel is without an edge. The truth itself has
    less than `chroma_edge`: its texture and its noise. A prediction that varies less than these
    bleeds less than the truth, so the measure tells how calm colors are, not how right.

    Args:
        lightness_edge, chroma_edge: As `bleeding` takes them.

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
    """Mean of `chroma_gradient_error`."""

    def __init__(self, name="chroma_gradient_error", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, y_true, y_pred):
        return chroma_gradient_error(y_true, y_pred)
