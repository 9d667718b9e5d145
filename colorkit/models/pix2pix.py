"""The networks of pix2pix: a U-Net, and a discriminator of patches.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.
See `colorkit.models` for shared arguments.
"""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import BatchNormalization
from colorkit.models.blocks import (
    ANY_SIZE,
    discriminator_input,
    lightness_input,
    tanh_chroma,
    upsample,
)

GENERATOR_WIDTHS = (64, 128, 256, 512, 512, 512, 512, 512)
DISCRIMINATOR_WIDTHS = (64, 128, 256, 512)


def build_pix2pix_generator(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    widths=GENERATOR_WIDTHS,
    dropout=0.5,
    upsampling="resize",
    name="pix2pix_generator",
):
    """Build the U-Net of pix2pix: 4x4 convolutions, concatenated skips (section 6.1.1).

    The paper's upsampling is "transpose".

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        widths: Channels after each halving. The paper's eight halvings reduce 256 pixels to one.
            For each halving of the image size, leave out one of the 512.
        dropout: Dropout rate of the three deepest levels of the decoder in training. (The paper
            also uses dropout in inference, as its only noise. Here the result is deterministic.)

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.

    Example:
        >>> build_pix2pix_generator(widths=(8, 16, 32)).compute_output_shape((1, 64, 64, 1))
        (1, 64, 64, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    skips = []
    for level, width in enumerate(widths):
        skips.append(x)
        if level:
            x = layers.LeakyReLU(0.2, name=f"down{level}_activation")(x)
        x = _convolution(width, f"down{level}", strides=2, padding="same", use_bias=not level)(x)
        if 0 < level < len(widths) - 1:  # the deepest level has one value, too few to normalize
            x = BatchNormalization(name=f"down{level}_bn")(x)
    for level in reversed(range(1, len(widths))):
        x = layers.Activation("relu", name=f"up{level}_activation")(x)
        options = {"use_bias": False, "kernel_initializer": _initializer(), "name": f"up{level}"}
        x = upsample(x, skips[level], widths[level - 1], 4, upsampling=upsampling, **options)
        x = BatchNormalization(name=f"up{level}_bn")(x)
        if dropout and level >= len(widths) - 3:
            x = layers.Dropout(dropout, name=f"up{level}_dropout")(x)
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
    x = layers.Activation("relu", name="up0_activation")(x)
    options = {"kernel_initializer": _initializer(), "name": "head"}
    x = upsample(x, inputs, space.chroma_channels, 4, upsampling=upsampling, **options)
    return keras.Model(inputs, tanh_chroma(x, space), name=name)


def build_patch_discriminator(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    widths=DISCRIMINATOR_WIDTHS,
    conditional=True,
    name="patch_discriminator",
):
    """Build the PatchGAN, which classifies each patch of 70 by 70 pixels (section 6.1.2).

    The 4x4 convolutions have stride 2, except the last. With four widths a patch has 70 pixels per
    side and images have at least 17, with three widths 34 and 9. The output is one logit per patch,
    `(rows, columns, 1)`: 30 by 30 for 256 by 256 pixels.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.

    Example:
        >>> build_patch_discriminator().compute_output_shape([(1, 256, 256, 1), (1, 256, 256, 2)])
        (1, 30, 30, 1)
    """
    inputs, x = discriminator_input(space, input_shape, conditional)
    for level, width in enumerate(widths):
        options = {"strides": 2, "padding": "same"}
        if level == len(widths) - 1:
            # Padded by one pixel as in the authors' code, so the output loses one pixel.
            x = layers.ZeroPadding2D(1, name=f"conv{level}_pad")(x)
            options = {}
        x = _convolution(width, f"conv{level}", use_bias=not level, **options)(x)
        if level:
            x = BatchNormalization(name=f"conv{level}_bn")(x)
        x = layers.LeakyReLU(0.2, name=f"conv{level}_activation")(x)
    x = layers.ZeroPadding2D(1, name="logits_pad")(x)
    x = _convolution(1, "logits", dtype="float32")(x)
    return keras.Model(inputs, x, name=name)


def _convolution(width, name, **options):
    return layers.Conv2D(width, 4, kernel_initializer=_initializer(), name=name, **options)


def _initializer():
    """Return pix2pix's initializer, a new one per layer: a shared one repeats its numbers."""
    return keras.initializers.RandomNormal(stddev=0.02)
