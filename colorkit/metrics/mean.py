"""Shared parts of all metrics: checks of images, and means over all images."""

import functools

import keras
import numpy as np
from keras import ops

from colorkit.color.bins import BinsConfig
from colorkit.color.spaces import LAB, check_range, floating, same_size


class MeanMetric(keras.metrics.Mean):
    """Compute the weighted mean of `measure`, a function of `(y_true, y_pred)`, over all images.

    Without a name it takes that of the function. `options` are further arguments of `measure`.
    """

    def __init__(self, name=None, dtype=None, **options):
        super().__init__(name=name or self.measure.__name__, dtype=dtype)
        self.options = options

    def update_state(self, y_true, y_pred, sample_weight=None):
        values = ops.cast(self.measure(y_true, y_pred, **self.options), self.dtype)
        super().update_state(values, image_weights(sample_weight, values))

    def get_config(self):
        return {**super().get_config(), **self.options}


class BinMetric(BinsConfig, keras.metrics.Metric):
    """Hold bins, which must be `ColorBins` of Lab or `None`."""

    def __init__(self, bins, **kwargs):
        super().__init__(**kwargs)
        if bins is not None and bins.space is not LAB:
            raise ValueError(f"`bins` must be `ColorBins` of Lab. Received: {bins!r}")
        self.bins = bins


def of_arrays(measure):
    """Let a function of two arrays also measure tensors, in graphs of TensorFlow and JAX too."""

    def in_float32(*arrays):
        return np.float32(measure(*map(np.asarray, arrays)))

    @functools.wraps(measure)
    def measured(y_true, y_pred):
        images = checked(y_true, y_pred)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if not tf.executing_eagerly():
                values = tf.numpy_function(in_float32, images, "float32")
                values.set_shape(images[0].shape[:1])
                return values
        if keras.backend.backend() == "jax":
            import jax

            if any(isinstance(rgb, jax.core.Tracer) for rgb in images):
                shape = jax.ShapeDtypeStruct(images[0].shape[:1], "float32")
                return jax.pure_callback(in_float32, shape, *images)
        return measure(*map(ops.convert_to_numpy, images))

    return measured


def checked(*images):
    """Return batches of images as float32 tensors, if they are RGB in [0, 1] of one shape.

    Values are checked in arrays, but not in tensors.
    """
    for rgb in images:
        if isinstance(rgb, np.ndarray) and rgb.dtype.kind == "f":
            check_range(rgb, "Images must be floating point")
    images = [floating(rgb, 3, "images") for rgb in images]
    shapes = [tuple(rgb.shape) for rgb in images]
    if len(shapes[0]) != 4 or not all(same_size(shape, shapes[0]) for shape in shapes):
        raise ValueError(
            "`y_true` and `y_pred` must be RGB images of the same shape (N, height, width, 3). "
            f"Received shapes {shapes}"
        )
    return images


def image_weights(sample_weight, values):
    """Return weights per image in the shape of `values`, `(N, ...)`; `None` gives ones.

    `sample_weight` is a number, or has the shape `(N,)` with any number of further axes of length
    1, as `pairs` returns it.
    """
    weights = ops.convert_to_tensor(1.0 if sample_weight is None else sample_weight)
    count, *rest = tuple(weights.shape) or (1,)
    is_per_image = same_size(rest, [1] * len(rest))
    if not (is_per_image and (count == 1 or same_size([count], values.shape[:1]))):
        raise ValueError(
            "A metric of whole images takes one weight per image, `sample_weight` of shape "
            f"({values.shape[0]},). Received shape {tuple(weights.shape)}"
        )
    weights = ops.reshape(ops.cast(weights, values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return weights * ops.ones_like(values)


def image_mean(x):
    """Compute the mean over all axes but the first."""
    return ops.mean(x, axis=tuple(range(1, len(x.shape))))


def pixel_sums(weights, groups, count, sample_weight=None):
    """Sum the weights `(N, height, width)` of the pixels of each of `count` groups."""
    weights = weights * image_weights(sample_weight, weights)
    return ops.segment_sum(ops.reshape(weights, (-1,)), ops.reshape(groups, (-1,)), count)


def ab(rgb):
    """Convert RGB to ab, shape `(..., 2)`."""
    return LAB.split(rgb)[1]
