"""Measure how similar colored images are to the ground truth.

All functions take `y_true` and `y_pred`, RGB in [0, 1] of shape `(N, height, width, 3)`.
"""

import keras
import numpy as np
from keras import ops

from colorkit.color.bins import checked_class_weights
from colorkit.metrics.mean import (
    BinMetric,
    MeanMetric,
    ab,
    checked,
    image_mean,
    image_weights,
    of_arrays,
)


def threshold_accuracy(y_true, y_pred, protocol="published"):
    """Compute the share of values within a threshold of the ground truth, over 256 thresholds.

    Args:
        y_true, y_pred: RGB in [0, 1], shape `(N, height, width, 3)`.
        protocol: "published" counts channel values whose squared error is at most i / 2028.
            "euclidean" counts pixels whose RGB distance is at most i / 255. Both average over
            i = 0..255.

    Returns:
        Accuracy per image, shape `(N,)`, in [0, 1].

    Raises:
        ValueError: If `protocol` is unknown, or the images are not RGB in [0, 1] of one shape.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 4.1; the
        published thresholds are those of the authors' code.

    Example:
        >>> images = np.zeros((2, 4, 4, 3))
        >>> [float(value) for value in threshold_accuracy(images, images)]
        [1.0, 1.0]
    """
    y_true, y_pred = checked(y_true, y_pred)
    squared = ops.square(y_true - y_pred)
    if protocol == "published":
        error = squared / (1 / 2028)
    elif protocol == "euclidean":
        error = 255.0 * ops.sqrt(ops.sum(squared, axis=-1))
    else:
        raise ValueError(f'`protocol` must be "published" or "euclidean". Received: {protocol!r}')
    return image_mean(_met(error, 256))


def psnr(y_true, y_pred):
    """Compute the peak signal-to-noise ratio per image over its RGB values, in dB, `(N,)`.

    The data range is 1. Identical images get 100 dB. Images are RGB in [0, 1],
    `(N, height, width, 3)`. Others raise a `ValueError`.

    Example:
        >>> round(float(psnr(np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), 0.1))[0]), 2)
        20.0
    """
    y_true, y_pred = checked(y_true, y_pred)
    error = image_mean(ops.square(y_true - y_pred))
    return -10.0 * ops.log10(ops.maximum(error, 1e-10))


@of_arrays
def ssim(y_true, y_pred):
    """Compute the structural similarity per image on RGB, shape `(N,)`, with scikit-image.

    The window is Gaussian with sigma 1.5, and the data range is 1 (Wang et al. 2004). Images
    smaller than the window of 11 pixels give NaN. Images are RGB in [0, 1],
    `(N, height, width, 3)`. Others raise a `ValueError`.

    Example:
        >>> images = np.random.default_rng(0).uniform(size=(1, 16, 16, 3))
        >>> round(float(ssim(images, images)[0]), 3)
        1.0
    """
    from skimage.metrics import structural_similarity  # slow to import

    if min(y_true.shape[1:3]) < 11:
        return np.full(len(y_true), np.nan)
    options = {"channel_axis": -1, "data_range": 1.0, "gaussian_weights": True}
    options["use_sample_covariance"] = False
    pairs = zip(y_true, y_pred, strict=True)
    return np.array([structural_similarity(*pair, **options) for pair in pairs])


@of_arrays
def ciede2000(y_true, y_pred):
    """Compute the mean CIEDE2000 color difference per image, shape `(N,)`, with scikit-image.

    A difference of about 1 is just noticeable side by side. Images are RGB in [0, 1],
    `(N, height, width, 3)`. Others raise a `ValueError`.

    References:
        CIE 142-2001; Sharma, Wu, Dalal, "The CIEDE2000 Color-Difference Formula", 2005.

    Example:
        >>> round(float(ciede2000(np.zeros((1, 4, 4, 3)), np.ones((1, 4, 4, 3)))[0]))
        100
    """
    from skimage.color import deltaE_ciede2000, rgb2lab  # slow to import

    return deltaE_ciede2000(rgb2lab(y_true), rgb2lab(y_pred)).mean(axis=(1, 2))


def ab_auc(y_true, y_pred, pixel_weights=None):
    """Compute the area under the curve of pixels whose ab error is at most t, for t = 0..150.

    Args:
        y_true, y_pred: RGB in [0, 1], shape `(N, height, width, 3)`.
        pixel_weights: Weight of each pixel, shape `(N, height, width)`, or `None` for ones.

    Returns:
        `(met, total)`: weighted sum of the share of thresholds met, and sum of the weights.

    Raises:
        ValueError: If the images are not RGB in [0, 1] of one shape.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 3.1.

    Example:
        >>> images = np.random.default_rng(0).uniform(size=(2, 4, 4, 3))
        >>> met, total = ab_auc(images, images)
        >>> float(keras.ops.sum(met) / keras.ops.sum(total))
        1.0
    """
    true, predicted = map(ab, checked(y_true, y_pred))
    distance = ops.norm(true - predicted, axis=-1)
    met = _met(distance, 151)
    weights = ops.ones_like(met) if pixel_weights is None else pixel_weights
    return ops.sum(met * weights), ops.sum(weights)


def _met(error, count):
    """Compute the share of the thresholds 0, 1, ..., count - 1 that are at least the error."""
    return (count - ops.clip(ops.ceil(error), 0.0, float(count))) / count


@keras.saving.register_keras_serializable(package="colorkit")
class ThresholdAccuracy(MeanMetric):
    """Compute the mean of `threshold_accuracy` by a protocol, "published" or "euclidean".

    The function has the shapes, the errors and the source.

    Example:
        >>> metric = ThresholdAccuracy()
        >>> metric.update_state(np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 3)))
        >>> float(metric.result())
        1.0
    """

    measure = staticmethod(threshold_accuracy)

    def __init__(self, protocol="published", name="threshold_accuracy", **kwargs):
        super().__init__(name, protocol=protocol, **kwargs)


@keras.saving.register_keras_serializable(package="colorkit")
class PSNR(MeanMetric):
    """Compute the mean of `psnr`, in dB. The function has the shapes and errors.

    Example:
        >>> metric = PSNR()
        >>> metric.update_state(np.zeros((2, 4, 4, 3)), np.full((2, 4, 4, 3), 0.1))
        >>> round(float(metric.result()), 2)
        20.0
    """

    measure = staticmethod(psnr)


@keras.saving.register_keras_serializable(package="colorkit")
class SSIM(MeanMetric):
    """Compute the mean of `ssim`, at most 1. The function has the shapes and errors.

    Example:
        >>> metric = SSIM()
        >>> metric.update_state(np.zeros((1, 16, 16, 3)), np.zeros((1, 16, 16, 3)))
        >>> round(float(metric.result()), 3)
        1.0
    """

    measure = staticmethod(ssim)


@keras.saving.register_keras_serializable(package="colorkit")
class CIEDE2000(MeanMetric):
    """Compute the mean of `ciede2000`. The function has the shapes and errors.

    Example:
        >>> metric = CIEDE2000()
        >>> metric.update_state(np.zeros((1, 4, 4, 3)), np.ones((1, 4, 4, 3)))
        >>> round(float(metric.result()))
        100
    """

    measure = staticmethod(ciede2000)


@keras.saving.register_keras_serializable(package="colorkit")
class AbAUC(BinMetric, MeanMetric):
    """Compute the area under Zhang et al.'s ab accuracy curve, raw or rebalanced.

    Args:
        bins, class_weights: `ColorBins` of Lab and a weight per bin. A pixel has the weight of its
            true color. `None` for both gives the raw metric.

    Raises:
        ValueError: If only one argument is given, or `bins` are not of Lab. See also `ab_auc`.

    Example:
        >>> metric = AbAUC()
        >>> metric.update_state(np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 3)))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, bins=None, class_weights=None, name="ab_auc", **kwargs):
        super().__init__(bins, name=name, **kwargs)
        if (bins is None) != (class_weights is None):
            raise ValueError("`bins` and `class_weights` must both be given. Received only one")
        if bins is not None:
            class_weights = checked_class_weights(class_weights, len(bins))
        self.class_weights = class_weights

    def update_state(self, y_true, y_pred, sample_weight=None):
        (true,) = checked(y_true)
        weights = image_weights(sample_weight, true[..., 0])
        if self.bins is not None:
            class_weights = ops.convert_to_tensor(self.class_weights)
            weights = ops.take(class_weights, self.bins.encode(ab(true))) * weights
        met, total = ab_auc(y_true, y_pred, weights)
        self.total.assign_add(ops.cast(met, self.dtype))
        self.count.assign_add(ops.cast(total, self.dtype))
