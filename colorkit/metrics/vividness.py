"""Measure the amount and the variety of color."""

import math

import keras
from keras import ops

from colorkit.metrics.mean import BinMetric, MeanMetric, ab, checked, image_mean, pixel_sums


def colorfulness(rgb, signed=True):
    """Compute the colorfulness M3 of Hasler and Suesstrunk.

    It is 0 for no color, 33 for moderate, 59 for quite strong and 109 for extreme color.

    Args:
        rgb: RGB in [0, 1], shape `(N, height, width, 3)`.
        signed: If False, take absolute values of the opponent colors first, as the code of recent
            colorization papers does. The authors of the metric do not.

    Returns:
        Colorfulness per image, shape `(N,)`.

    Raises:
        ValueError: If `rgb` are not RGB images in [0, 1].

    References:
        Hasler, Suesstrunk, "Measuring Colourfulness in Natural Images", 2003.

    Example:
        >>> gray = np.full((1, 4, 4, 3), 0.5)
        >>> round(float(colorfulness(gray)[0]), 3)
        0.0
    """
    (rgb,) = checked(rgb)
    rgb = 255.0 * rgb
    red_green = rgb[..., 0] - rgb[..., 1]
    yellow_blue = 0.5 * (rgb[..., 0] + rgb[..., 1]) - rgb[..., 2]
    if not signed:
        red_green, yellow_blue = ops.abs(red_green), ops.abs(yellow_blue)
    spread = ops.sqrt(ops.var(red_green, axis=(1, 2)) + ops.var(yellow_blue, axis=(1, 2)))
    center = ops.sqrt(ops.square(image_mean(red_green)) + ops.square(image_mean(yellow_blue)))
    return spread + 0.3 * center


@keras.saving.register_keras_serializable(package="colorkit")
class Colorfulness(MeanMetric):
    """Compute the mean of `colorfulness` over predicted images; the ground truth is ignored.

    It takes RGB in [0, 1], `(N, height, width, 3)`. Other images raise a `ValueError`.

    Example:
        >>> metric = Colorfulness()
        >>> metric.update_state(np.zeros((2, 4, 4, 3)), np.full((2, 4, 4, 3), 0.5))
        >>> round(float(metric.result()), 3)
        0.0
    """

    def __init__(self, signed=True, name="colorfulness", **kwargs):
        super().__init__(name, signed=signed, **kwargs)

    def measure(self, y_true, y_pred, signed):
        return colorfulness(y_pred, signed)


@keras.saving.register_keras_serializable(package="colorkit")
class DominantHue(keras.metrics.Metric):
    """Compute the share of all predicted chroma in the most frequent of twelve hues of ab.

    Images in one color have 1, also if it is light or pale. Gray images, in which no pixel has a
    chroma of at least 1, have 0. The ground truth is ignored. Hue is atan2(b, a), and chroma the
    length of (a, b). It takes RGB in [0, 1], `(N, height, width, 3)`. Other images raise a
    `ValueError`.

    Example:
        >>> metric, red = DominantHue(), np.full((1, 4, 4, 3), [1.0, 0.0, 0.0])
        >>> metric.update_state(red, red)
        >>> float(metric.result())
        1.0
    """

    sectors = 12
    least_chroma = 1.0

    def __init__(self, name="dominant_hue", **kwargs):
        super().__init__(name=name, **kwargs)
        self.chroma = self.add_variable((self.sectors,), "zeros", name="chroma")

    def update_state(self, y_true, y_pred, sample_weight=None):
        (y_pred,) = checked(y_pred)
        chroma = ab(y_pred)
        amount = ops.norm(chroma, axis=-1)
        amount = ops.where(amount >= self.least_chroma, amount, 0.0)
        turn = ops.arctan2(chroma[..., 1], chroma[..., 0]) / (2 * math.pi) % 1.0
        # Sectors are centered on the axes, so that a and b are not at a border.
        sector = ops.cast(ops.floor(turn * self.sectors + 0.5), "int32") % self.sectors
        added = pixel_sums(amount, sector, self.sectors, sample_weight)
        self.chroma.assign_add(ops.cast(added, self.dtype))

    def result(self):
        return ops.divide_no_nan(ops.max(self.chroma), ops.sum(self.chroma))


@keras.saving.register_keras_serializable(package="colorkit")
class OccupiedBins(BinMetric):
    """Compute the share of the bins occupied by the ground truth that predictions also occupy.

    It takes RGB in [0, 1], `(N, height, width, 3)`.

    Args:
        bins: `ColorBins` of Lab.
        share: Minimum share of all pixels that occupies a bin, above 0 and below 1.

    Raises:
        ValueError: If `bins` are not of Lab, or `share` is out of range. From `update_state`, if
            the images are not RGB in [0, 1].

    Example:
        >>> metric, red = OccupiedBins(ck.ColorBins.gamut()), np.full((1, 4, 4, 3), [1.0, 0.0, 0.0])
        >>> metric.update_state(red, red)
        >>> float(metric.result())
        1.0
    """

    def __init__(self, bins, share=1e-4, name="occupied_bins", **kwargs):
        super().__init__(bins, name=name, **kwargs)
        if not 0 < share < 1:
            raise ValueError(f"`share` must be between 0 and 1. Received: {share!r}")
        self.share = share
        self.true = self.add_variable((bins.num_bins,), "zeros", name="true")
        self.predicted = self.add_variable((bins.num_bins,), "zeros", name="predicted")

    def update_state(self, y_true, y_pred, sample_weight=None):
        for counts, rgb in zip((self.true, self.predicted), checked(y_true, y_pred), strict=True):
            labels = self.bins.encode(ab(rgb))
            pixels = ops.ones(ops.shape(labels), dtype=self.dtype)
            counts.assign_add(pixel_sums(pixels, labels, self.bins.num_bins, sample_weight))

    def result(self):
        true, predicted = (
            counts >= self.share * ops.maximum(ops.sum(counts), 1.0)
            for counts in (self.true, self.predicted)
        )
        both = ops.cast(ops.logical_and(true, predicted), "float32")
        return ops.divide_no_nan(ops.sum(both), ops.sum(ops.cast(true, "float32")))

    def get_config(self):
        return {**super().get_config(), "share": self.share}
