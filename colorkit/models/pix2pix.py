"""The networks of pix2pix: a U-Net, and a discriminator that judges patches."""

import keras
from keras import layers

from colorkit import colorspace
from colorkit.layers import ResizeLike, normalize_lightness, to_chroma
from colorkit.models.blocks import judged

GENERATOR_WIDTHS = (64, 128, 256, 512, 512, 512, 512, 512)
DISCRIMINATOR_WIDTHS = (64, 128, 256, 512)
# pix2pix draws the weights of convolutions so; the default is ten times as wide for the first.
_INITIALIZER = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}


def build_pix2pix_generator(
    *,
    space=colorspace.LAB,
    input_shape=(None, None, 1),
    widths=GENERATOR_WIDTHS,
    dropout=0.5,
    name="pix2pix_generator",
):
    """The U-Net of pix2pix: 4x4 convolutions that halve the size, skips that are concatenated.

    On the way up the size is doubled by resizing before a convolution, where the paper has
    transposed convolutions, which leave checkerboards.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        widths: Channels after each halving. The paper's eight are for 256 pixels, of which one
            place is left; leave out one of the 512 for each halving of the size.
        dropout: Share that the three deepest levels drop on the way up.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)`.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017, section 6.1.1.
    """
    space = colorspace.get(space)
    inputs = keras.Input(input_shape, name="lightness")
    x = normalize_lightness(inputs, space)
    skips = []
    for level, width in enumerate(widths):
        skips.append(x)
        if level:
            x = layers.LeakyReLU(0.2, name=f"down{level}_activation")(x)
        x = layers.Conv2D(
            width, 4, strides=2, padding="same", use_bias=not level, name=f"down{level}",
            **_INITIALIZER,
        )(x)  # fmt: skip
        if 0 < level < len(widths) - 1:  # at the deepest of 256 pixels one value is left to norm
            x = layers.BatchNormalization(name=f"down{level}_bn")(x)
    for level in reversed(range(len(widths))):
        x = layers.Activation("relu", name=f"up{level}_activation")(x)
        x = ResizeLike(name=f"up{level}_resize")([x, skips[level]])
        if level == 0:
            break
        x = layers.Conv2D(
            widths[level - 1], 4, padding="same", use_bias=False, name=f"up{level}", **_INITIALIZER
        )(x)
        x = layers.BatchNormalization(name=f"up{level}_bn")(x)
        if dropout and level >= len(widths) - 3:
            x = layers.Dropout(dropout, name=f"up{level}_dropout")(x)
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
    x = layers.Conv2D(space.chroma_channels, 4, padding="same", name="head", **_INITIALIZER)(x)
    x = layers.Activation("tanh", dtype="float32", name="tanh")(x)
    return keras.Model(inputs, to_chroma(2 * x, space), name=name)


def build_patch_discriminator(
    *,
    space=colorspace.LAB,
    input_shape=(None, None, 1),
    widths=DISCRIMINATOR_WIDTHS,
    conditional=True,
    name="patch_discriminator",
):
    """The PatchGAN of pix2pix: for each patch of 70 by 70 pixels, whether it looks real.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)` of the lightness; `None` sides accept any size from a few
            patches on, with the default widths 24 pixels.
        widths: Channels of the 4x4 convolutions; all but the last have stride 2. With four of
            them a patch has 70 pixels a side, with three 34.
        conditional: Whether it sees the lightness beside the chroma.
        name: Name of the model.

    Returns:
        `keras.Model` from `[lightness, chroma]`, or from chroma if it is not conditional, to a
        logit a patch, `(rows, columns, 1)`: 30 by 30 of 256 by 256 pixels.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017, section 6.1.2.
    """
    space = colorspace.get(space)
    inputs, x = judged(space, input_shape, conditional)
    for level, width in enumerate(widths):
        last = level == len(widths) - 1
        if last:  # padded by one pixel, and so a pixel less in the end, as the authors do
            x = layers.ZeroPadding2D(1, name=f"conv{level}_pad")(x)
        x = layers.Conv2D(
            width, 4, strides=1 if last else 2, padding="valid" if last else "same",
            use_bias=not level, name=f"conv{level}", **_INITIALIZER,
        )(x)  # fmt: skip
        if level:
            x = layers.BatchNormalization(name=f"conv{level}_bn")(x)
        x = layers.LeakyReLU(0.2, name=f"conv{level}_activation")(x)
    x = layers.ZeroPadding2D(1, name="logits_pad")(x)
    x = layers.Conv2D(1, 4, dtype="float32", name="logits", **_INITIALIZER)(x)
    return keras.Model(inputs, x, name=name)
