"""The networks of pix2pix: a U-Net, and a discriminator of patches."""

import keras
from keras import layers

from colorkit.checks import check_share
from colorkit.color import spaces
from colorkit.layers import normalize_lightness, to_chroma
from colorkit.models.blocks import check_widths, doubled, judged, picture_input

GENERATOR_WIDTHS = (64, 128, 256, 512, 512, 512, 512, 512)
DISCRIMINATOR_WIDTHS = (64, 128, 256, 512)


def build_pix2pix_generator(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    widths=GENERATOR_WIDTHS,
    dropout=0.5,
    gradual=True,
    name="pix2pix_generator",
):
    """Build the U-Net of pix2pix: 4x4 convolutions that halve the size, concatenated skips.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        widths: Channels after each halving. The paper's eight halvings reduce 256 pixels to one.
            For each halving of the image size, leave out one of the 512.
        dropout: Dropout rate of the three deepest levels of the decoder in training. (The paper
            also uses dropout in inference, as its only noise. Here the result is deterministic.)
        gradual: Whether the decoder resizes before each convolution. False uses transposed
            convolutions, as in the paper, which cause checkerboard artifacts.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If there are no widths, they are not positive whole numbers, `dropout` is not
            in [0, 1), or `input_shape` is not `(height, width, 1)`.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017, section 6.1.1.
    """
    space = spaces.get(space)
    check_widths("widths", widths)
    check_share("dropout", dropout)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    skips = []
    for level, width in enumerate(widths):
        skips.append(x)
        if level:
            x = layers.LeakyReLU(0.2, name=f"down{level}_activation")(x)
        x = _convolution(width, f"down{level}", strides=2, padding="same", use_bias=not level)(x)
        if 0 < level < len(widths) - 1:  # the deepest level has one value, too few to normalize
            x = layers.BatchNormalization(name=f"down{level}_bn")(x)
    for level in reversed(range(len(widths))):
        x = layers.Activation("relu", name=f"up{level}_activation")(x)
        if level == 0:
            break
        options = {"use_bias": False, "kernel_initializer": _initializer(), "name": f"up{level}"}
        x = doubled(x, skips[level], widths[level - 1], 4, gradual=gradual, **options)
        x = layers.BatchNormalization(name=f"up{level}_bn")(x)
        if dropout and level >= len(widths) - 3:
            x = layers.Dropout(dropout, name=f"up{level}_dropout")(x)
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
    options = {"gradual": gradual, "kernel_initializer": _initializer(), "name": "head"}
    x = doubled(x, inputs, space.chroma_channels, 4, **options)
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model(inputs, to_chroma(2 * x, space), name=name)


def build_patch_discriminator(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    widths=DISCRIMINATOR_WIDTHS,
    conditional=True,
    name="patch_discriminator",
):
    """Build the PatchGAN of pix2pix, which classifies each patch of 70 by 70 pixels.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)` of the lightness. `None` sides accept any size, of at
            least 17 pixels with the default widths, or 9 with three widths.
        widths: Channels of the 4x4 convolutions; all but the last have stride 2. With four widths
            a patch has 70 pixels per side, with three 34.
        conditional: Whether the discriminator also sees the lightness.
        name: Name of the model.

    Returns:
        `keras.Model` from `[lightness, chroma]`, or from chroma if it is not conditional, to one
        logit per patch, `(rows, columns, 1)`: 30 by 30 for 256 by 256 pixels.

    Raises:
        ValueError: If a side of `input_shape` is too short for one patch, it is not
            `(height, width, 1)`, or `widths` are not positive whole numbers, at least one.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017, section 6.1.2.
    """
    space = spaces.get(space)
    check_widths("widths", widths)
    inputs, x = judged(space, input_shape, conditional)
    least = 2 ** len(widths) + 1
    if any(side is not None and side < least for side in input_shape[:2]):
        raise ValueError(
            f"`input_shape` must have sides of at least {least} pixels for {len(widths)} `widths`. "
            f"Received: {input_shape!r}"
        )
    for level, width in enumerate(widths):
        last = level == len(widths) - 1
        if last:  # padded by one pixel as in the authors' code, so the output loses one pixel
            x = layers.ZeroPadding2D(1, name=f"conv{level}_pad")(x)
        strides, padding = (1, "valid") if last else (2, "same")
        x = _convolution(
            width, f"conv{level}", strides=strides, padding=padding, use_bias=not level
        )(x)
        if level:
            x = layers.BatchNormalization(name=f"conv{level}_bn")(x)
        x = layers.LeakyReLU(0.2, name=f"conv{level}_activation")(x)
    x = layers.ZeroPadding2D(1, name="logits_pad")(x)
    x = _convolution(1, "logits", dtype="float32")(x)
    return keras.Model(inputs, x, name=name)


def _convolution(width, name, **options):
    return layers.Conv2D(width, 4, kernel_initializer=_initializer(), name=name, **options)


def _initializer():
    """Return pix2pix's initializer, whose weights are much smaller than the default's.

    Each layer needs its own: a shared initializer gives every layer the same numbers.
    """
    return keras.initializers.RandomNormal(stddev=0.02)
