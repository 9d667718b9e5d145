"""Measure whether colors are steady within objects and change at the edges of the ground truth."""

import keras
from keras import ops

from colorkit.color.edges import gradient, magnitude
from colorkit.color.spaces import rgb_to_lab
from colorkit.metrics.mean import MeanMetric, ab, checked, image_mean, image_weights


def bleeding(y_true, y_pred, lightness_edge=3.0, chroma_edge=3.0):
    """Compute the change of predicted chroma between pixels where the ground truth has no edge.

    Args:
        y_true, y_pred: RGB in [0, 1], shape `(N, height, width, 3)`.
        lightness_edge: Minimum gradient of true lightness that counts as an edge, in units of L
            per pixel.
        chroma_edge: The same for true chroma, in units of ab.

    Returns:
        `(total, count)`, each of shape `(N,)`. `total` sums the magnitudes of the predicted ab
        gradient over the pixels without either edge. `count` is the number of these pixels.

    Raises:
        ValueError: If the images are not RGB in [0, 1] of one shape.

    Example:
        >>> gray = np.full((1, 4, 4, 3), 0.5)
        >>> total, count = bleeding(gray, gray)
        >>> int(count[0])
        16
    """
    if not (lightness_edge > 0 and chroma_edge > 0):
        raise ValueError(
            "`lightness_edge` and `chroma_edge` must be positive. "
            f"Received: {lightness_edge!r} and {chroma_edge!r}"
        )
    y_true, y_pred = checked(y_true, y_pred)
    true = rgb_to_lab(y_true)
    flat = ops.logical_and(
        magnitude(gradient(true[..., :1])) < lightness_edge,
        magnitude(gradient(true[..., 1:])) < chroma_edge,
    )
    flat = ops.cast(flat, "float32")
    change = flat * magnitude(gradient(ab(y_pred)))
    return ops.sum(change, axis=(1, 2)), ops.sum(flat, axis=(1, 2))


def chroma_gradient_error(y_true, y_pred):
    """Compute the mean length of the difference of true and predicted ab gradients, `(N,)`.

    Images are RGB in [0, 1], `(N, height, width, 3)`. Others raise a `ValueError`.

    Example:
        >>> images = np.random.default_rng(0).uniform(size=(2, 8, 8, 3))
        >>> float(chroma_gradient_error(images, images)[0]) < 0.01
        True
    """
    true, predicted = (gradient(ab(rgb)) for rgb in checked(y_true, y_pred))
    return image_mean(magnitude(true - predicted))


@keras.saving.register_keras_serializable(package="colorkit")
class Bleeding(MeanMetric):
    """Compute the mean of the predicted chroma gradient over pixels without an edge.

    The unit is ab per pixel. The result is 0 if there is no such pixel. The ground truth itself has
    a value below `chroma_edge`, from texture and noise. A prediction with less variation has a
    lower value. The metric therefore measures how steady colors are, not whether they are right.
    For arguments, shapes and errors see `bleeding`.

    Example:
        >>> metric, gray = Bleeding(), np.full((1, 4, 4, 3), 0.5)
        >>> metric.update_state(gray, gray)
        >>> round(float(metric.result()), 3)
        0.0
    """

    def __init__(self, lightness_edge=3.0, chroma_edge=3.0, name="bleeding", **kwargs):
        super().__init__(name, lightness_edge=lightness_edge, chroma_edge=chroma_edge, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        sums = bleeding(y_true, y_pred, **self.options)
        for variable, values in zip((self.total, self.count), sums, strict=True):
            values = ops.cast(values, self.dtype)
            variable.assign_add(ops.sum(values * image_weights(sample_weight, values)))


@keras.saving.register_keras_serializable(package="colorkit")
class ChromaGradientError(MeanMetric):
    """Compute the mean of `chroma_gradient_error`, which has the shapes and errors.

    Example:
        >>> metric = ChromaGradientError()
        >>> metric.update_state(np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8, 3)))
        >>> round(float(metric.result()), 3)
        0.0
    """

    measure = staticmethod(chroma_gradient_error)
