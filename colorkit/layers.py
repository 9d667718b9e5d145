"""Small layers that models share."""

import keras

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
class ColorDecoder(keras.layers.Layer):
    """The last layer of a saved colorizer: network output in, chroma out.

    Args:
        space: `ColorSpace` of the chroma, or its name.
        bins: `ColorBins` that the network's logits stand for; `None` for a network that predicts
            chroma itself.
        temperature: Temperature of `bins.decode`.
        size: Short side, in pixels, at which the network sees a large picture; `None` for the
            full size.
        **kwargs: `name`, `dtype` of `keras.layers.Layer`.
    """

    def __init__(self, space, bins=None, temperature=0.38, size=None, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.space = colorspace.get(space)
        self.bins = bins
        self.temperature = temperature
        self.size = size

    def call(self, inputs):
        return inputs if self.bins is None else self.bins.decode(inputs, self.temperature)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.space.chroma_channels)

    def get_config(self):
        return {
            **super().get_config(),
            "space": self.space.name,
            "bins": keras.saving.serialize_keras_object(self.bins),
            "temperature": self.temperature,
            "size": self.size,
        }

    @classmethod
    def from_config(cls, config):
        bins = keras.saving.deserialize_keras_object(config["bins"])
        return cls(**{**config, "bins": bins})
