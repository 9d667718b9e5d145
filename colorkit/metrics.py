"""How good a colouring is: Keras metrics on RGB pictures, `y_true` then `y_pred`.

All take pictures of shape `(N, height, width, 3)` with RGB in [0, 1], and are means over
everything seen since the last reset.
"""

import keras
import numpy as np
from keras import ops

from colorkit.colorspace import LAB

# Champati et al. accept a squared error of i / 2028 at their i-th threshold, i = 0..255.
_PUBLISHED_STEP = 1 / 2028
_LEVELS = 256
# Zhang et al. count ab errors up to 150.
_MAX_AB_DISTANCE = 150


def threshold_accuracy(y_true, y_pred, protocol="published"):
    """Share of values within a threshold of the truth, averaged over 256 thresholds.

    Args:
        y_true: RGB in [0, 1], shape `(N, height, width, 3)`.
        y_pred: As `y_true`.
        protocol: "published": channel values whose squared error is at most i / 2028;
            "euclidean": pixels whose RGB distance is at most i / 255; both for i = 0..255.

    Returns:
        Accuracy of each picture, shape `(N,)`, in [0, 1].

    Raises:
        ValueError: If the shapes differ or the protocol is unknown.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 4.1; the
        published thresholds are those of the authors' code.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    squared = ops.square(y_true - y_pred)
    # Thresholds are met from i = ceil(error) on: 256 - ceil(error) of them.
    if protocol == "published":
        error = squared / _PUBLISHED_STEP
    elif protocol == "euclidean":
        error = 255.0 * ops.sqrt(ops.sum(squared, axis=-1))
    else:
        raise ValueError(f'`protocol` must be "published" or "euclidean". Received: {protocol!r}')
    met = _LEVELS - ops.clip(ops.ceil(error), 0.0, float(_LEVELS))
    return _mean(met / _LEVELS)


def psnr(y_true, y_pred):
    """Peak signal-to-noise ratio of each picture over its RGB values, in dB, shape `(N,)`.

    The range is 1; identical pictures count as 100 dB.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    error = _mean(ops.square(y_true - y_pred))
    return -10.0 * ops.log10(ops.maximum(error, 1e-10))


def ssim(y_true, y_pred):
    """Structural similarity of each picture on RGB, shape `(N,)`, by scikit-image.

    Gaussian window with sigma 1.5, data range 1 (Wang et al. 2004). Pictures smaller than the
    window of 11 pixels give NaN.
    """
    from skimage.metrics import structural_similarity  # slow to import

    y_true, y_pred = (ops.convert_to_numpy(rgb) for rgb in _checked(y_true, y_pred))
    if min(y_true.shape[1:3]) < 11:
        return np.full(len(y_true), np.nan)
    options = {
        "channel_axis": -1,
        "data_range": 1.0,
        "gaussian_weights": True,
        "use_sample_covariance": False,
    }
    return np.array(
        [structural_similarity(a, b, **options) for a, b in zip(y_true, y_pred, strict=True)]
    )


def colorfulness(rgb, signed=True):
    """Colourfulness M3 of Hasler and Suesstrunk: 0 none, 33 moderate, 59 quite, 109 extreme.

    Args:
        rgb: RGB in [0, 1], shape `(N, height, width, 3)`.
        signed: False takes absolute values of the opponent colours first, as the code of recent
            colorization papers does; the measure's authors do not.

    Returns:
        Colourfulness of each picture, shape `(N,)`.

    References:
        Hasler, Suesstrunk, "Measuring Colourfulness in Natural Images", 2003.
    """
    rgb, _ = _checked(rgb, rgb)
    rgb = 255.0 * rgb
    red_green = rgb[..., 0] - rgb[..., 1]
    yellow_blue = 0.5 * (rgb[..., 0] + rgb[..., 1]) - rgb[..., 2]
    if not signed:
        red_green, yellow_blue = ops.abs(red_green), ops.abs(yellow_blue)
    axes = (1, 2)
    spread = ops.sqrt(ops.var(red_green, axis=axes) + ops.var(yellow_blue, axis=axes))
    center = ops.sqrt(
        ops.square(ops.mean(red_green, axis=axes)) + ops.square(ops.mean(yellow_blue, axis=axes))
    )
    return spread + 0.3 * center


def ciede2000(y_true, y_pred):
    """Mean colour difference of each picture, CIEDE2000 a pixel, shape `(N,)`, by scikit-image.

    About 1 is just noticeable side by side.
    """
    from skimage.color import deltaE_ciede2000  # slow to import

    y_true, y_pred = _checked(y_true, y_pred)
    lab_true, lab_pred = (ops.convert_to_numpy(_lab(rgb)) for rgb in (y_true, y_pred))
    return deltaE_ciede2000(lab_true, lab_pred).mean(axis=(1, 2))


def ab_auc(y_true, y_pred, pixel_weights=None):
    """Area under the curve of pixels whose ab error is at most t, over t = 0..150.

    Args:
        y_true: RGB in [0, 1], shape `(N, height, width, 3)`.
        y_pred: As `y_true`.
        pixel_weights: Weight of each pixel, shape `(N, height, width)`, or `None` for ones.

    Returns:
        `(met, total)`: weighted sum of the share of thresholds met, and sum of the weights.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 3.1.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    difference = _lab(y_true)[..., 1:] - _lab(y_pred)[..., 1:]
    distance = ops.sqrt(ops.sum(ops.square(difference), axis=-1))
    levels = _MAX_AB_DISTANCE + 1
    met = (levels - ops.clip(ops.ceil(distance), 0.0, float(levels))) / levels
    weights = ops.ones_like(met) if pixel_weights is None else pixel_weights
    return ops.sum(met * weights), ops.sum(weights)


class _MeanMetric(keras.metrics.Metric):
    """Weighted mean of what `measure` says of each picture."""

    def __init__(self, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def measure(self, y_true, y_pred):
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = ops.cast(self.measure(y_true, y_pred), self.dtype)
        weights = ops.ones_like(values)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, self.dtype)
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.divide_no_nan(self.total, self.count)


@keras.saving.register_keras_serializable(package="colorkit")
class ThresholdAccuracy(_MeanMetric):
    """Mean of `threshold_accuracy`.

    Args:
        protocol: "published" or "euclidean".
    """

    def __init__(self, protocol="published", name="threshold_accuracy", **kwargs):
        super().__init__(name=name, **kwargs)
        if protocol not in ("published", "euclidean"):
            raise ValueError(
                f'`protocol` must be "published" or "euclidean". Received: {protocol!r}'
            )
        self.protocol = protocol

    def measure(self, y_true, y_pred):
        return threshold_accuracy(y_true, y_pred, self.protocol)

    def get_config(self):
        return {**super().get_config(), "protocol": self.protocol}


@keras.saving.register_keras_serializable(package="colorkit")
class PSNR(_MeanMetric):
    """Mean of the PSNR of each picture, in dB."""

    def __init__(self, name="psnr", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, y_true, y_pred):
        return psnr(y_true, y_pred)


@keras.saving.register_keras_serializable(package="colorkit")
class SSIM(_MeanMetric):
    """Mean of the structural similarity of each picture."""

    def __init__(self, name="ssim", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, y_true, y_pred):
        return ssim(y_true, y_pred)


@keras.saving.register_keras_serializable(package="colorkit")
class Colorfulness(_MeanMetric):
    """Mean of the colourfulness of each predicted picture; the truth is ignored.

    Args:
        signed: As `colorfulness` takes it.
    """

    def __init__(self, signed=True, name="colorfulness", **kwargs):
        super().__init__(name=name, **kwargs)
        self.signed = signed

    def measure(self, y_true, y_pred):
        return colorfulness(y_pred, self.signed)

    def get_config(self):
        return {**super().get_config(), "signed": self.signed}


@keras.saving.register_keras_serializable(package="colorkit")
class CIEDE2000(_MeanMetric):
    """Mean CIEDE2000 a pixel."""

    def __init__(self, name="ciede2000", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, y_true, y_pred):
        return ciede2000(y_true, y_pred)


@keras.saving.register_keras_serializable(package="colorkit")
class AbAUC(_MeanMetric):
    """Zhang et al.'s area under the ab accuracy curve, raw or rebalanced.

    Args:
        bins, class_weights: `ColorBins` and a weight for each; a pixel counts with the weight of
            its true colour. `None` for the raw measure.
    """

    def __init__(self, bins=None, class_weights=None, name="ab_auc", **kwargs):
        super().__init__(name=name, **kwargs)
        if (bins is None) != (class_weights is None):
            raise ValueError("`bins` and `class_weights` go together: give both or neither.")
        self.bins = bins
        self.class_weights = None if bins is None else np.asarray(class_weights, "float32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = None
        if self.bins is not None:
            labels = self.bins.encode(_lab(_checked(y_true, y_pred)[0])[..., 1:])
            weights = ops.take(ops.convert_to_tensor(self.class_weights), labels)
        if sample_weight is not None:
            sample_weight = ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1, 1))
            shape = (*np.shape(y_true)[:1], *np.shape(y_true)[1:3])
            weights = ops.broadcast_to(sample_weight, shape) * (1.0 if weights is None else weights)
        met, total = ab_auc(y_true, y_pred, weights)
        self.total.assign_add(ops.cast(met, self.dtype))
        self.count.assign_add(ops.cast(total, self.dtype))

    def get_config(self):
        return {
            **super().get_config(),
            "bins": keras.saving.serialize_keras_object(self.bins),
            "class_weights": None if self.bins is None else self.class_weights.tolist(),
        }

    @classmethod
    def from_config(cls, config):
        bins = keras.saving.deserialize_keras_object(config["bins"])
        return cls(**{**config, "bins": bins})


class FeaturePreservation(_MeanMetric):
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
        self.classifier = classifier

    def measure(self, y_true, y_pred):
        rgb, _ = _checked(y_pred, y_pred)
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


def _checked(y_true, y_pred):
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 4 or y_true.shape[-1] != 3 or y_true.shape != y_pred.shape:
        raise ValueError(
            "`y_true` and `y_pred` must be RGB pictures of the same shape (N, height, width, 3). "
            f"Received shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    if "float" not in keras.backend.standardize_dtype(y_true.dtype):
        raise ValueError(
            f"Pictures must be floating point in [0, 1]. Received dtype {y_true.dtype}; divide "
            "by the largest value first."
        )
    return ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")


def _mean(x):
    """Mean over everything but the first axis."""
    return ops.mean(x, axis=tuple(range(1, len(x.shape))))


def _lab(rgb):
    return ops.concatenate(LAB.split(rgb), axis=-1)
