"""Blocks of layers that several networks share, and checks of their arguments."""

import keras
from keras import layers

from colorkit.color import spaces
from colorkit.layers import CropLike, ResizeLike, normalize_chroma, normalize_lightness, to_chroma

ANY_SIZE = (None, None, 1)
UPSAMPLING = ("resize", "transpose")


def check_widths(name, widths):
    """Raise a `ValueError` if an argument has no entry. Keras checks the entries."""
    if len(widths) == 0:
        raise ValueError(f"`{name}` must have at least one entry. Received: {widths!r}")


def image_input(input_shape, name="lightness", channels=1):
    """Create a `keras.Input` for images.

    Raises:
        ValueError: If `input_shape` is not `(H, W, channels)`, or a side is 0.
    """
    *sides, last = input_shape
    if last != channels or 0 in sides:
        raise ValueError(
            f"`input_shape` must be (height, width, {channels}), its sides positive or `None`. "
            f"Received: {input_shape!r}"
        )
    return keras.Input(input_shape, name=name)


def lightness_input(space, input_shape):
    """Create the input of a network that colors.

    Returns:
        The `ColorSpace` of this name, the input, and its lightness scaled to [-1, 1].
    """
    space = spaces.get(space)
    inputs = image_input(input_shape)
    return space, inputs, normalize_lightness(inputs, space)


def discriminator_input(space, input_shape, conditional):
    """Create the inputs of a discriminator.

    Returns:
        Inputs for `keras.Model`, which are `[lightness, chroma]`, or chroma if it is not
        conditional; and the normalized channels `(H, W, C + 1)`, or `(H, W, C)`.
    """
    space = spaces.get(space)
    lightness = image_input(input_shape)
    chroma = keras.Input((*input_shape[:2], space.chroma_channels), name="chroma")
    x = normalize_chroma(chroma, space)
    if not conditional:
        return chroma, x
    x = layers.Concatenate(name="pair")([normalize_lightness(lightness, space), x])
    return [lightness, chroma], x


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


def upsample(x, like, width, kernel_size, *, upsampling, name, **options):
    """Double the size of features, crop them to the size of `like`, and convolve them.

    Raises:
        ValueError: If `upsampling` is neither "resize" nor "transpose".

    References:
        Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.
    """
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


def label_head(features, num_classes):
    """Return class logits `(num_classes,)` of pooled features `(1, 1, channels)`."""
    x = layers.Conv2D(num_classes, 1, dtype="float32", name="label_logits")(features)
    return layers.Reshape((num_classes,), dtype="float32", name="label")(x)
