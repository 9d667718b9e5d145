"""Small layers that models share."""

import keras
import numpy as np
from keras import ops

from colorkit import bins as _bins  # noqa: F401  (registers what saved decoders hold)
from colorkit import colorspace


def normalize_lightness(lightness, space, name="normalize"):
    """Bring lightness from its natural range to [-1, 1], as networks take it."""
    low, high = space.lightness_range
    scale = 2 / (high - low)
    return keras.layers.Rescaling(scale, offset=-1 - low * scale, name=name)(lightness)


def to_chroma(features, space, name="chroma"):
    """Bring network outputs of the order of 1 to chroma in natural units, in float32."""
    low, high = space.chroma_range
    return keras.layers.Rescaling(
        (high - low) / 4, offset=(low + high) / 2, dtype="float32", name=name
    )(features)


@keras.saving.register_keras_serializable(package="colorkit")
class ResizeLike(keras.layers.Layer):
    """Resizes features bilinearly to the height and width of others: `ResizeLike()([x, like])`.

    Where a stride halved an odd side, doubling would miss it by a pixel; this never does.
    """

    def call(self, inputs):
        x, like = inputs
        size = ops.shape(like)[1:3]
        if all(isinstance(side, int) for side in size):
            return ops.cast(ops.image.resize(x, size), x.dtype)
        # Keras refuses sizes that a TensorFlow graph does not know when it is traced, as once
        # pictures of a second size come.
        for axis, side in zip((1, 2), size, strict=True):
            x = _resized(x, side, axis)
        return x

    def compute_output_shape(self, input_shape):
        shape, like = input_shape
        return (shape[0], *like[1:3], shape[-1])


def _resized(x, side, axis):
    """Bilinear interpolation along an axis, between the centres of pixels."""
    old = ops.shape(x)[axis]
    scale = ops.cast(old, "float32") / ops.cast(side, "float32")
    place = (ops.arange(side, dtype="float32") + 0.5) * scale - 0.5
    place = ops.clip(place, 0.0, ops.cast(old - 1, "float32"))
    before = ops.cast(ops.floor(place), "int32")
    after = ops.minimum(before + 1, old - 1)
    share = ops.reshape(place - ops.floor(place), (-1, *[1] * (len(x.shape) - axis - 1)))
    share = ops.cast(share, x.dtype)
    return ops.take(x, before, axis=axis) * (1 - share) + ops.take(x, after, axis=axis) * share


@keras.saving.register_keras_serializable(package="colorkit")
class VGGPreprocessing(keras.layers.Layer):
    """Turns lightness, or RGB in [0, 1], into what VGG16 was trained on: BGR less a mean.

    Args:
        space: `ColorSpace` of lightness `(height, width, 1)`, or its name; `None` for RGB input.
        **kwargs: `name`, `dtype` of `keras.layers.Layer`.
    """

    def __init__(self, space=None, **kwargs):
        super().__init__(**kwargs)
        self.space = None if space is None else colorspace.get(space)

    def call(self, inputs):
        rgb = inputs
        if self.space is not None:
            lightness = ops.cast(inputs, "float32")
            chroma = ops.repeat(ops.zeros_like(lightness), self.space.chroma_channels, axis=-1)
            if self.space is colorspace.RGB:
                chroma = chroma + lightness
            rgb = self.space.merge(lightness, chroma, keep_lightness=False)
        bgr = keras.applications.vgg16.preprocess_input(255.0 * ops.cast(rgb, "float32"))
        return ops.cast(bgr, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)

    def get_config(self):
        return {**super().get_config(), "space": self.space and self.space.name}


@keras.saving.register_keras_serializable(package="colorkit")
class ColorDecoder(keras.layers.Layer):
    """The last layer of a saved colorizer: network output in, chroma out.

    Args:
        space: `ColorSpace` of the chroma, or its name.
        bins: `ColorBins` that the network's logits stand for; `None` for a network that predicts
            chroma itself.
        temperature: Temperature of `bins.decode`.
        size: Short side, in pixels, at which the network sees a large picture; `None` for the
            full size.
        mirror: Whether the colorizer averages over mirror images. The layer alone does not.
        class_weights: Weights that `bins.decode` divides by, or `None`.
        **kwargs: `name`, `dtype` of `keras.layers.Layer`.
    """

    def __init__(
        self,
        space,
        bins=None,
        temperature=0.38,
        size=None,
        mirror=False,
        class_weights=None,
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.space = colorspace.get(space)
        self.bins = bins
        self.temperature = temperature
        self.size = size
        self.mirror = mirror
        self.class_weights = class_weights

    def call(self, inputs):
        if self.bins is None:
            return inputs
        return self.bins.decode(inputs, self.temperature, self.class_weights)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.space.chroma_channels)

    def get_config(self):
        return {
            **super().get_config(),
            "space": self.space.name,
            "bins": keras.saving.serialize_keras_object(self.bins),
            "temperature": self.temperature,
            "size": self.size,
            "mirror": self.mirror,
            "class_weights": None
            if self.class_weights is None
            else np.asarray(self.class_weights, "float64").tolist(),
        }

    @classmethod
    def from_config(cls, config):
        bins = keras.saving.deserialize_keras_object(config["bins"])
        return cls(**{**config, "bins": bins})
