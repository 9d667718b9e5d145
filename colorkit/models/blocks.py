"""Blocks of layers that several networks share."""

import keras
from keras import layers

from colorkit.color import spaces
from colorkit.layers import (
    BatchNormalization,
    CropLike,
    ResizeLike,
    normalize_chroma,
    normalize_lightness,
    to_chroma,
)

ANY_SIZE = (None, None, 1)
UPSAMPLING = ("resize", "transpose")


def lightness_input(space, input_shape):
    """Return the `ColorSpace` of a name, the input, and its lightness scaled to [-1, 1]."""
    space = spaces.get(space)
    inputs = keras.Input(input_shape, name="lightness")
    return space, inputs, normalize_lightness(inputs, space)


def discriminator_input(space, input_shape, conditional):
    """Return the inputs, `[lightness, chroma]` or chroma alone, and their normalized channels."""
    space = spaces.get(space)
    chroma = keras.Input((*input_shape[:2], space.chroma_channels), name="chroma")
    x = normalize_chroma(chroma, space)
    if not conditional:
        return chroma, x
    _, lightness, normalized = lightness_input(space, input_shape)
    return [lightness, chroma], layers.Concatenate(name="pair")([normalized, x])


def conv_norm(x, filters, *, kernel_size=3, strides=1, activation="relu", name):
    """Apply a convolution, batch normalization and an activation."""
    x = layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_out")(x)


def residual_block(x, *, name):
    """Apply two 3x3 convolutions and add their input (He et al., CVPR 2016, Figure 2)."""
    filters = x.shape[-1]
    y = conv_norm(x, filters, name=f"{name}_1")
    y = conv_norm(y, filters, activation="linear", name=f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_out")(x)


def upsample(x, like, width, kernel_size, *, upsampling, name, **options):
    """Double the size of features, crop them to the size of `like`, and convolve them."""
    if upsampling not in UPSAMPLING:
        raise ValueError(f"`upsampling` must be one of {UPSAMPLING}. Received: {upsampling!r}")
    options |= {"padding": "same", "name": name}
    if upsampling == "resize":
        x = ResizeLike(name=f"{name}_resize")([x, like])
        return layers.Conv2D(width, kernel_size, **options)(x)
    x = layers.Conv2DTranspose(width, kernel_size, strides=2, **options)(x)
    return CropLike(name=f"{name}_crop")([x, like])


def chroma_head(x, num_bins, space):
    """Return logits over bins, or chroma in natural units if `num_bins` is `None`."""
    if num_bins is not None:
        return layers.Conv2D(num_bins, 1, dtype="float32", name="logits")(x)
    space = spaces.get(space)
    return to_chroma(layers.Conv2D(space.chroma_channels, 1, name="head")(x), space)


def tanh_chroma(x, space):
    """Return chroma in natural units, limited to the range of the space by a tanh."""
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return to_chroma(2 * x, space)
