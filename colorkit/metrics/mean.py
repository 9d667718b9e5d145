"""Shared parts of all metrics: checks of images, and means over all images."""

import keras
import numpy as np
from keras import ops

from colorkit.color.spaces import LAB, check_range


class MeanMetric(keras.metrics.Metric):
    """Compute the weighted mean of the results of `measure` for each image."""

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
            weights = picture_weights(sample_weight, values)
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.divide_no_nan(self.total, self.count)


def checked(y_true, y_pred):
    """Return images as float32 tensors.

    Raises:
        ValueError: If they are not RGB images of one shape, not floating point, or hold values
            outside [0, 1]. Only arrays are checked for their values, tensors are not.
    """
    for rgb in (y_true, y_pred):
        if isinstance(rgb, np.ndarray) and rgb.dtype.kind == "f":
            check_range(rgb, "Images must be floating point")
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 4 or y_true.shape[-1] != 3 or y_true.shape != y_pred.shape:
        raise ValueError(
            "`y_true` and `y_pred` must be RGB images of the same shape (N, height, width, 3). "
            f"Received shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    if "float" not in keras.backend.standardize_dtype(y_true.dtype):
        raise ValueError(
            f"Images must be floating point in [0, 1]. Received dtype {y_true.dtype}; divide "
            "by the largest value first."
        )
    return ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")


def picture_weights(sample_weight, values):
    """Return weights as a tensor that multiplies `values`, with one weight per image.

    Args:
        sample_weight: A number, or shape `(N,)` with any number of further axes of length 1, as
            `pairs` returns them.
        values: Tensor of shape `(N, ...)`.

    Returns:
        Tensor of shape `(N, 1, ...)`, with as many axes as `values`.

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


def picture_mean(x):
    """Compute the mean over all axes but the first."""
    return ops.mean(x, axis=tuple(range(1, len(x.shape))))


def lab(rgb):
    """Convert RGB to lightness and ab in one array, shape `(..., 3)`."""
    return ops.concatenate(LAB.split(rgb), axis=-1)
