"""Blocks of layers that several architectures share, and checks of their arguments."""

import keras
from keras import layers

from colorkit.checks import check_whole, is_whole
from colorkit.layers import (
    CropLike,
    ResizeLike,
    normalize_chroma,
    normalize_lightness,
    to_chroma,
)


def picture_input(input_shape, name="lightness", channels=1):
    """Create a `keras.Input` for images.

    Raises:
        ValueError: If `input_shape` is not `(height, width, channels)`, or a side is neither `None`
            nor a positive whole number.
    """
    is_shape = isinstance(input_shape, (tuple, list)) and len(input_shape) == 3
    sides = [side for side in input_shape[:2] if side is not None] if is_shape else [0]
    if not all(map(is_whole, sides)) or input_shape[-1] != channels:
        raise ValueError(
            f"`input_shape` must be (height, width, {channels}), its sides positive or `None`. "
            f"Received: {input_shape!r}"
        )
    return keras.Input(input_shape, name=name)


def check_widths(name, widths, least=1):
    """Raise a `ValueError` unless an argument has at least `least` positive whole numbers."""
    is_tuple = isinstance(widths, (tuple, list)) and len(widths) >= least
    if not (is_tuple and all(map(is_whole, widths))):
        raise ValueError(
            f"`{name}` must be a tuple of positive whole numbers"
            f"{', at least one entry' if least else ''}. Received: {widths!r}"
        )


def conv_norm(x, filters, *, kernel_size=3, strides=1, activation="relu", name):
    """Apply a convolution, batch normalization and an activation."""
    x = layers.Conv2D(
        filters, kernel_size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_out")(x)


def residual_block(x, *, name):
    """Apply two 3x3 convolutions and add their input.

    References:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, Figure 2.
    """
    filters = x.shape[-1]
    y = conv_norm(x, filters, name=f"{name}_1")
    y = conv_norm(y, filters, activation="linear", name=f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_out")(x)


def doubled(x, like, width, kernel_size, *, gradual, name, **options):
    """Double the size and crop to that of `like`: resize and convolve, or convolve transposed.

    References:
        Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """
    options |= {"padding": "same", "name": name}
    if gradual:
        x = ResizeLike(name=f"{name}_resize")([x, like])
        return layers.Conv2D(width, kernel_size, **options)(x)
    x = layers.Conv2DTranspose(width, kernel_size, strides=2, **options)(x)
    return CropLike(name=f"{name}_crop")([x, like])


def chroma_head(x, num_bins, space):
    """Return logits over bins, or chroma in natural units if `num_bins` is `None`.

    Raises:
        ValueError: If `num_bins` is neither `None` nor a positive whole number.
    """
    if num_bins is not None:
        check_whole("num_bins", num_bins)
        return layers.Conv2D(num_bins, 1, dtype="float32", name="logits")(x)
    return to_chroma(layers.Conv2D(space.chroma_channels, 1, name="head")(x), space)


def label_head(features, num_classes):
    """Return class logits `(num_classes,)` of pooled features `(1, 1, channels)`.

    Raises:
        ValueError: If `num_classes` is not a positive whole number.
    """
    check_whole("num_classes", num_classes)
    x = layers.Conv2D(num_classes, 1, dtype="float32", name="label_logits")(features)
    return layers.Reshape((num_classes,), dtype="float32", name="label")(x)


def judged(space, input_shape, is_conditional):
    """Create the inputs of a discriminator: chroma, and lightness if it is conditional.

    Args:
        space: `ColorSpace`.
        input_shape: `(height, width, 1)` of the lightness.
        is_conditional: Whether lightness is an input.

    Returns:
        Inputs for `keras.Model`, chroma or `[lightness, chroma]`, and the normalized planes.

    Raises:
        ValueError: As `picture_input`.
    """
    lightness = picture_input(input_shape)
    chroma = keras.Input((*input_shape[:2], space.chroma_channels), name="chroma")
    planes = normalize_chroma(chroma, space)
    if not is_conditional:
        return chroma, planes
    planes = layers.Concatenate(name="pair")([normalize_lightness(lightness, space), planes])
    return [lightness, chroma], planes
