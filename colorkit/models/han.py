"""The networks of Han: "Image Colorization Using Deep Learning Methods".

All networks differ from the author's code in some points. Lightness is from -1 to 1 instead of 0 to
1, and biases start at zero. The weights of generator and discriminator have the initialization of
Glorot and Bengio, instead of a normal distribution of sqrt(2 / fan out). The transposed
convolutions of the generator and the last layer of the discriminator have biases.

See `colorkit.models` for shared arguments.
"""

import math

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import BatchNormalization, CropLike
from colorkit.models.blocks import (
    ANY_SIZE,
    conv_norm,
    discriminator_input,
    lightness_input,
    tanh_chroma,
    upsample,
)

SIMPLE_FILTERS = (16, 32, 64, 128, 256, 512, 512)
CLASSIFICATION_FILTERS = (16, 32, 64)
GENERATOR_FILTERS = (64, 128, 256, 512, 512)
_POOLINGS = 5  # maximum number of poolings in the simple network
_SLOPE = 0.1  # of the leaky ReLU


def build_simple_convnet(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    filters=SIMPLE_FILTERS,
    upsampling="resize",
    name="simple_convnet",
):
    """Build 3x3 convolutions with five poolings, and a decoder (section 2.1, Figure 3).

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        filters: Width of each convolution; a pooling follows each of the first five.
        upsampling: "resize" doubles the size five times, each time before a convolution.
            "transpose" is one transposed convolution of 64x64 with stride 32. It has no bias.
            Weights start as in the author's code: from a normal distribution of 0.1, and for the
            transposed convolution from PyTorch's uniform default. It needs at least five `filters`.
            (The paper's one of stride 2 would not reach the full size.)

    References:
        Han, "Image Colorization Using Deep Learning Methods", section 2.1.

    Example:
        >>> build_simple_convnet().compute_output_shape((1, 64, 96, 1))
        (1, 64, 96, 2)
    """
    as_coded = upsampling == "transpose"
    if as_coded and len(filters) < _POOLINGS:
        raise ValueError(
            f'`filters` must have at least {_POOLINGS} entries for `upsampling="transpose"`. '
            f"Received: {filters!r}"
        )
    stddev = 0.1 if as_coded else None
    space, inputs, x = lightness_input(space, input_shape)
    sizes = []
    for i, width in enumerate(filters, start=1):
        x = _convolution(width, 3, stddev, activation="relu", name=f"conv{i}")(x)
        if i <= _POOLINGS:
            sizes.append(x)
            x = layers.MaxPooling2D(padding="same", name=f"pool{i}")(x)
    if not as_coded:
        for i, like in enumerate(reversed(sizes), start=1):
            options = {"upsampling": upsampling, "activation": "relu", "name": f"up{i}"}
            x = upsample(x, like, like.shape[-1], 3, **options)
    x = _convolution(space.chroma_channels, 1, stddev, name="head")(x)
    if as_coded:
        limit = 1 / math.sqrt(space.chroma_channels * 64**2)
        uniform = keras.initializers.RandomUniform(-limit, limit)
        options = {"padding": "same", "use_bias": False, "kernel_initializer": uniform}
        x = layers.Conv2DTranspose(x.shape[-1], 64, strides=32, name="upsample", **options)(x)
        x = CropLike(name="crop")([x, inputs])  # poolings round odd sizes up
    return keras.Model(inputs, tanh_chroma(x, space), name=name)


def _convolution(width, size, stddev=None, **options):
    if stddev is not None:
        # A new one for each layer: a shared one gives every layer the same numbers.
        options["kernel_initializer"] = keras.initializers.RandomNormal(stddev=stddev)
    return layers.Conv2D(width, size, padding="same", **options)


def build_shallow_classification(
    num_bins=313,
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    filters=CLASSIFICATION_FILTERS,
    dilation_rates=(1, 1, 1),
    stddev=None,
    name="shallow_classification",
):
    """Build three 3x3 convolutions at full size, and a logit per bin (section 2.2, Figure 5).

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        dilation_rates: Dilation of each convolution. As coded, the receptive field is 7 by 7
            pixels. With rates of 1, 3 and 9, the same weights see 27 by 27 pixels.
        stddev: Standard deviation of the normal distribution of initial weights, 0.1 in the
            author's code. `None` means the initialization of Glorot and Bengio.

    References:
        Han, "Image Colorization Using Deep Learning Methods", section 2.2.

    Example:
        >>> build_shallow_classification().output_shape
        (None, None, None, 313)
    """
    _, inputs, x = lightness_input(space, input_shape)
    for i, (width, rate) in enumerate(zip(filters, dilation_rates, strict=True), start=1):
        options = {"dilation_rate": rate, "activation": "relu", "name": f"conv{i}"}
        x = _convolution(width, 3, stddev, **options)(x)
    logits = _convolution(num_bins, 1, stddev, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def build_additive_unet(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    filters=GENERATOR_FILTERS,
    upsampling="resize",
    name="additive_unet",
):
    """Build the generator: a U-Net whose skip connections are added (section 2.3, Figure 7).

    The space is RGB in the paper. `filters` are the widths after each halving of the size. The
    upsampling "resize" has 3x3 convolutions and leaky ReLUs, which the paper names. "transpose" has
    plain ReLUs, as in the code.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Han, "Image Colorization Using Deep Learning Methods", section 2.3.

    Example:
        >>> build_additive_unet(space="rgb").output_shape
        (None, None, None, 3)
    """
    space, inputs, x = lightness_input(space, input_shape)
    skips = [x]
    for i, width in enumerate(filters, start=1):
        x = _leaky_conv(x, width, f"down{i}", strides=2)
        skips.append(x)
    widths = [space.chroma_channels, *filters[:-1]]
    slope = _SLOPE if upsampling == "resize" else 0.0
    for i in reversed(range(len(filters))):
        x = upsample(x, skips[i], widths[i], 3, upsampling=upsampling, name=f"up{i}")
        if i > 0:
            x = BatchNormalization(name=f"up{i}_bn")(x)
            x = layers.LeakyReLU(slope, name=f"up{i}_relu")(x)
            x = layers.Add(name=f"up{i}_skip")([x, skips[i]])
    return keras.Model(inputs, tanh_chroma(x, space), name=name)


def build_picture_discriminator(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    filters=GENERATOR_FILTERS,
    head_size=None,
    conditional=True,
    name="picture_discriminator",
):
    """Build a discriminator with one logit per image, `(1,)`, by 3x3 convolutions of stride 2.

    By the paper's equation 3 and the code, it is not `conditional`, although the paper names it a
    conditional GAN (section 2.3).

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        head_size: Side of a further convolution with as many features as the last one. It is 7 in
            the code, where it has most of the 16.75 million weights. `None` leaves it out. In the
            code, it is not padded, which fixes the size of the image. Here the logit is the mean
            over all positions.

    References:
        Han, "Image Colorization Using Deep Learning Methods", section 2.3.

    Example:
        >>> build_picture_discriminator().output_shape
        (None, 1)
    """
    inputs, x = discriminator_input(space, input_shape, conditional)
    for i, width in enumerate(filters, start=1):
        x = _leaky_conv(x, width, f"conv{i}", strides=2)
    if head_size is not None:
        x = _leaky_conv(x, filters[-1], "head", kernel_size=head_size)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name=name)


def _leaky_conv(x, width, name, **options):
    x = conv_norm(x, width, activation="linear", name=name, **options)
    return layers.LeakyReLU(_SLOPE, name=f"{name}_leaky")(x)
