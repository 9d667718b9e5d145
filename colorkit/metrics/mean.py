"""Shared parts of all metrics: checks of images, and means over all images."""

import keras
import numpy as np
from keras import ops

from colorkit.color.spaces import LAB, check_range


class MeanMetric(keras.metrics.Mean):
    """Compute the weighted mean of `measure`, a function of `(y_true, y_pred)`, over all images.

    Args:
        name: Name of the metric. `None` takes the name of the function.
        **kwargs: `dtype` of `keras.metrics.Metric`.
    """

    def __init__(self, name=None, **kwargs):
        super().__init__(name=name or self.measure.__name__, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = ops.cast(self.measure(y_true, y_pred), self.dtype)
        if sample_weight is not None:
            sample_weight = image_weights(sample_weight, values)
        super().update_state(values, sample_weight)


class BinMetric(keras.metrics.Metric):
    """Store bins of Lab, an argument of several metrics, and serialize them.

    Args:
        bins: `ColorBins` of Lab, or `None`.
        **kwargs: `name`, `dtype` of `keras.metrics.Metric`.

    Raises:
        ValueError: If the bins are in another color space.
    """

    def __init__(self, bins, **kwargs):
        super().__init__(**kwargs)
        if bins is not None and bins.space is not LAB:
            raise ValueError(f"`bins` must be `ColorBins` of Lab. Received: {bins!r}")
        self.bins = bins

    def get_config(self):
        return {**super().get_config(), "bins": keras.saving.serialize_keras_object(self.bins)}

    @classmethod
    def from_config(cls, config):
        bins = keras.saving.deserialize_keras_object(config["bins"])
        return cls(**{**config, "bins": bins})


def checked(*images):
    """Return batches of images as float32 tensors.

    Raises:
        ValueError: If they are not RGB images of one shape, not floating point, or, for arrays,
            hold values outside [0, 1].
    """
    for rgb in images:
        if isinstance(rgb, np.ndarray) and rgb.dtype.kind == "f":
            check_range(rgb, "Images must be floating point")
    images = [ops.convert_to_tensor(rgb) for rgb in images]
    shapes = [tuple(rgb.shape) for rgb in images]
    if len(set(shapes)) > 1 or len(shapes[0]) != 4 or shapes[0][-1] != 3:
        raise ValueError(
            "`y_true` and `y_pred` must be RGB images of the same shape (N, height, width, 3). "
            f"Received shapes {shapes}"
        )
    for rgb in images:
        if "float" not in keras.backend.standardize_dtype(rgb.dtype):
            raise ValueError(
                f"Images must be floating point in [0, 1]. Received dtype {rgb.dtype}; divide "
                "by the largest value first."
            )
    return [ops.cast(rgb, "float32") for rgb in images]


def image_weights(sample_weight, values):
    """Return weights as a tensor `(N, 1, ...)` with as many axes as `values`.

    Args:
        sample_weight: A number, or shape `(N,)` with any number of further axes of length 1, as
            `pairs` returns them.
        values: Tensor of shape `(N, ...)`.

    Raises:
        ValueError: If there is not one weight per image.
    """
    weights = ops.cast(ops.convert_to_tensor(sample_weight), values.dtype)
    count, *rest = tuple(weights.shape) or (1,)
    expected = values.shape[0]
    if any(size not in (1, None) for size in rest) or (
        None not in (count, expected) and count not in (1, expected)
    ):
        raise ValueError(
            "A metric of whole images takes one weight per image, `sample_weight` of shape "
            f"({expected},). Received shape {tuple(weights.shape)}"
        )
    ones = (1,) * (len(values.shape) - 1)
    return ops.broadcast_to(ops.reshape(weights, (-1, *ones)), (ops.shape(values)[0], *ones))


def image_mean(x):
    """Compute the mean over all axes but the first."""
    return ops.mean(x, axis=tuple(range(1, len(x.shape))))


def pixel_sums(weights, groups, count, sample_weight=None):
    """Sum the weights `(N, height, width)` of the pixels of each of `count` groups."""
    if sample_weight is not None:
        weights = weights * image_weights(sample_weight, weights)
    return ops.segment_sum(ops.reshape(weights, (-1,)), ops.reshape(groups, (-1,)), count)


def ab(rgb):
    """Convert RGB to ab, shape `(..., 2)`."""
    return LAB.split(rgb)[1]
