"""The networks of Han: "Image Colorization Using Deep Learning Methods".

All networks differ from the author's code in some points. Lightness is from -1 to 1 instead of 0 to
1, and biases start at zero. The weights of generator and discriminator have the initialization of
Glorot and Bengio, instead of a normal distribution of sqrt(2 / fan out). The transposed
convolutions of the generator and the last layer of the discriminator have biases.
"""

import math

import keras
from keras import layers

from colorkit.checks import check_weight, check_whole
from colorkit.color import spaces
from colorkit.layers import (
    CropLike,
    ResizeLike,
    normalize_lightness,
    to_chroma,
)
from colorkit.models.blocks import check_widths, conv_norm, doubled, judged, picture_input

SIMPLE_FILTERS = (16, 32, 64, 128, 256, 512, 512)
CLASSIFICATION_FILTERS = (16, 32, 64)
GENERATOR_FILTERS = (64, 128, 256, 512, 512)
_POOLINGS = 5  # maximum number of poolings in the simple network
_STDDEV = 0.1  # of the initial weights in the author's code
_SLOPE = 0.1  # of the leaky ReLU


def build_simple_convnet(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    filters=SIMPLE_FILTERS,
    gradual=True,
    name="simple_convnet",
):
    """Build an encoder of 3x3 convolutions and five poolings, and a decoder, for regression.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        filters: Width of each convolution; a pooling follows each of the first five.
        gradual: Whether the decoder doubles the size five times, each time by resizing before a
            convolution. False uses one transposed convolution of 64x64 with stride 32 and the
            initialization of the author's code: a normal distribution of 0.1 for convolutions, and
            PyTorch's uniform default for the transposed one, which has no bias. (The paper
            describes one transposed convolution of stride 2, which would not reach the full size.)
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If there are no filters, or fewer than five without `gradual`, a filter is not
            a positive whole number, or `input_shape` is not `(height, width, 1)`.

    References:
        Han, section 2.1, Figure 3, and the author's code.
    """
    space = spaces.get(space)
    check_widths("filters", filters, least=0)
    least = 1 if gradual else _POOLINGS
    if len(filters) < least:
        raise ValueError(
            f"`filters` must have at least {least} entries for `gradual={gradual}`. "
            f"Received: {filters!r}"
        )

    def convolution(width, size, **options):
        return _convolution(width, size, None if gradual else _STDDEV, **options)

    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    sizes = []
    for i, width in enumerate(filters, start=1):
        x = convolution(width, 3, activation="relu", name=f"conv{i}")(x)
        if i <= _POOLINGS:
            sizes.append(x)
            x = layers.MaxPooling2D(padding="same", name=f"pool{i}")(x)
    if gradual:
        for i, like in enumerate(reversed(sizes), start=1):
            x = ResizeLike(name=f"up{i}_resize")([x, like])
            x = convolution(like.shape[-1], 3, activation="relu", name=f"up{i}")(x)
    x = convolution(space.chroma_channels, 1, name="head")(x)
    if not gradual:
        limit = 1 / math.sqrt(space.chroma_channels * 64**2)
        x = layers.Conv2DTranspose(
            space.chroma_channels,
            64,
            strides=32,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
            name="upsample",
        )(x)
        x = CropLike(name="crop")([x, inputs])  # poolings round odd sizes up
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model(inputs, to_chroma(2 * x, space), name=name)


def _convolution(width, size, stddev=None, **options):
    if stddev is not None:
        # A new one for each layer: a shared one gives every layer the same numbers.
        options["kernel_initializer"] = keras.initializers.RandomNormal(stddev=stddev)
    return layers.Conv2D(width, size, padding="same", **options)


def build_shallow_classification(
    num_bins=313,
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    filters=CLASSIFICATION_FILTERS,
    dilation_rates=(1, 1, 1),
    stddev=None,
    name="shallow_classification",
):
    """Build three 3x3 convolutions at full size with a score for each bin.

    As coded, the receptive field is 7 by 7 pixels. With dilation rates of 1, 3 and 9, the same
    weights see 27 by 27 pixels.

    Args:
        num_bins: Number of color bins.
        space: `ColorSpace` of the lightness, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        filters: Width of each convolution.
        dilation_rates: Dilation of each convolution.
        stddev: Standard deviation of the normal distribution of initial weights, 0.1 in the
            author's code. `None` means the initialization of Glorot and Bengio.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to logits `(height, width, num_bins)`.

    Raises:
        ValueError: If there are no convolutions, or not one dilation rate per convolution. Also if
            `filters` are not positive whole numbers, `stddev` is not finite and non-negative, or
            `input_shape` is not `(height, width, 1)`.

    References:
        Han, section 2.2, Figure 5, and the author's code.
    """
    space = spaces.get(space)
    check_widths("filters", filters, least=0)
    check_widths("dilation_rates", dilation_rates, least=0)
    check_whole("num_bins", num_bins)
    if not filters or len(dilation_rates) != len(filters):
        raise ValueError(
            f"`dilation_rates` must have one entry per convolution, {len(filters)}, and at least "
            f"one. Received: {dilation_rates!r}"
        )
    if stddev is not None:
        check_weight("stddev", stddev)
        if not stddev:
            raise ValueError("`stddev` must be positive, or all weights are 0. Received: 0")
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    for i, (width, rate) in enumerate(zip(filters, dilation_rates, strict=True), start=1):
        x = _convolution(width, 3, stddev, dilation_rate=rate, activation="relu", name=f"conv{i}")(
            x
        )
    logits = _convolution(num_bins, 1, stddev, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def build_additive_unet(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    filters=GENERATOR_FILTERS,
    gradual=True,
    name="additive_unet",
):
    """Build the generator: a U-Net whose skip connections are added.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name; RGB in the paper.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        filters: Width after each halving of the size.
        gradual: Whether the decoder resizes before a 3x3 convolution and has leaky ReLUs, which
            the paper names. False uses transposed convolutions, as in the paper, which cause
            checkerboard artifacts, and plain ReLUs, as in the code.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If there are no filters, they are not positive whole numbers, or `input_shape`
            is not `(height, width, 1)`.

    References:
        Han, section 2.3, Figure 7, and the author's code.
    """
    space = spaces.get(space)
    check_widths("filters", filters)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    skips = [x]
    for i, width in enumerate(filters, start=1):
        x = conv_norm(x, width, strides=2, activation="linear", name=f"down{i}")
        x = layers.LeakyReLU(_SLOPE, name=f"down{i}_leaky")(x)
        skips.append(x)
    *skips, x = skips
    widths = [space.chroma_channels, *filters[:-1]]
    for i in reversed(range(len(filters))):
        x = doubled(x, skips[i], widths[i], 3, gradual=gradual, name=f"up{i}")
        if i == 0:
            break
        x = layers.BatchNormalization(name=f"up{i}_bn")(x)
        slope = _SLOPE if gradual else 0.0
        x = layers.LeakyReLU(slope, name=f"up{i}_relu")(x)
        x = layers.Add(name=f"up{i}_skip")([x, skips[i]])
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model(inputs, to_chroma(2 * x, space), name=name)


def build_picture_discriminator(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    filters=GENERATOR_FILTERS,
    head_size=None,
    conditional=True,
    name="picture_discriminator",
):
    """Build a discriminator with one prediction per image.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)` of the lightness; `None` sides accept any size.
        filters: Width of each 3x3 convolution of stride 2.
        head_size: Side of a further convolution with as many features as the last one. It is 7 in
            the code, where it has most of the 16.75 million weights. `None` leaves it out.
        conditional: Whether the discriminator also sees the lightness, as in a conditional GAN.
            By the paper's equation 3 and the code, Han's is not conditional, despite the name.
        name: Name of the model.

    Returns:
        `keras.Model` from `[lightness, chroma]`, or from chroma if it is not conditional, to a
        logit `(1,)`, the mean over all positions. In the code, the 7x7 convolution is not padded,
        which fixes the size of the image.

    Raises:
        ValueError: If there are no filters, they are not positive whole numbers, `head_size` is
            invalid, or `input_shape` is not `(height, width, 1)`.

    References:
        Han, section 2.3, and the author's code.
    """
    space = spaces.get(space)
    check_widths("filters", filters)
    if head_size is not None:
        check_whole("head_size", head_size)
    inputs, x = judged(space, input_shape, conditional)
    for i, width in enumerate(filters, start=1):
        x = conv_norm(x, width, strides=2, activation="linear", name=f"conv{i}")
        x = layers.LeakyReLU(_SLOPE, name=f"conv{i}_leaky")(x)
    if head_size is not None:
        x = conv_norm(x, filters[-1], kernel_size=head_size, activation="linear", name="head")
        x = layers.LeakyReLU(_SLOPE, name="head_leaky")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, x, name=name)
