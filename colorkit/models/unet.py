"""U-Nets: an encoder that reduces the size, and a decoder with skip connections."""

import keras
from keras import layers

from colorkit.checks import is_whole
from colorkit.color import spaces
from colorkit.layers import ResizeLike, normalize_lightness
from colorkit.models.blocks import (
    check_widths,
    chroma_head,
    conv_norm,
    label_head,
    picture_input,
    residual_block,
)

WIDTHS = (32, 64, 128, 256)


def build_unet(
    num_bins=None,
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    widths=WIDTHS,
    name="unet",
):
    """Build a plain U-Net: two 3x3 convolutions with batch normalization per level.

    Skip connections are concatenated.

    Args:
        num_bins: Number of color bins to predict logits for, or `None` to predict chroma.
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        widths: Channels of each level, the full size first.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units, or to logits `(height, width, num_bins)`.

    Raises:
        ValueError: If there are no widths, they are not positive whole numbers, or `input_shape`
            is not `(height, width, 1)`.

    References:
        Ronneberger et al., "U-Net", MICCAI 2015; Sinigaglia, Bertipaglia, Colato, "Image
        Colorization", U-Net.
    """
    space = spaces.get(space)
    check_widths("widths", widths)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    skips = []
    for level, width in enumerate(widths):
        if level:
            skips.append(x)
            x = layers.MaxPooling2D(padding="same", name=f"down{level}_pool")(x)
        for i in (1, 2):
            x = conv_norm(x, width, name=f"down{level}_{i}")
    for level in reversed(range(len(widths) - 1)):
        x = ResizeLike(name=f"up{level}_resize")([x, skips[level]])
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
        for i in (1, 2):
            x = conv_norm(x, widths[level], name=f"up{level}_{i}")
    return keras.Model(inputs, chroma_head(x, num_bins, space), name=name)


def build_residual_unet(
    num_bins=None,
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    widths=WIDTHS,
    encoder_blocks=(0, 2, 2, 2),
    decoder_blocks=(0, 1, 1),
    num_classes=None,
    name="residual_unet",
):
    """Build a U-Net of residual blocks that sees the whole image.

    Each level of the encoder halves the size with a strided convolution. The decoder resizes
    bilinearly, which avoids checkerboard artifacts and accepts images of any size. The mean of the
    smallest level is added to all of its positions, as Iizuka et al. do. Every pixel then has
    information about the whole image.

    Args:
        num_bins: Number of color bins to predict logits for, or `None` to predict chroma.
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        widths: Channels of each level, the full size first.
        encoder_blocks: Residual blocks of each level of the encoder.
        decoder_blocks: Residual blocks of each level of the decoder, without the smallest level.
        num_classes: Number of classes of a second output, predicted from the smallest level, or
            `None` for no such output.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units, or to logits `(height, width, num_bins)`. With `num_classes`, the output is
        a dict of this, "chroma", and of class logits `(num_classes,)`, "label".

    Raises:
        ValueError: If the numbers of blocks do not fit the number of widths, numbers are invalid,
            or `input_shape` is not `(height, width, 1)`.

    References:
        Ronneberger et al., "U-Net", MICCAI 2015; He et al., "Deep Residual Learning", CVPR 2016;
        Iizuka et al., "Let there be Color!", SIGGRAPH 2016 (global features, joint classes).
    """
    space = spaces.get(space)
    check_widths("widths", widths)
    for argument, blocks, count in (
        ("encoder_blocks", encoder_blocks, len(widths)),
        ("decoder_blocks", decoder_blocks, len(widths) - 1),
    ):
        is_tuple = isinstance(blocks, (tuple, list)) and len(blocks) == count
        if not (is_tuple and all(is_whole(number, least=0) for number in blocks)):
            raise ValueError(
                f"`{argument}` must have {count} entries for {len(widths)} widths, non-negative "
                f"whole numbers. Received: {blocks!r}"
            )
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    skips = []
    for level, (width, blocks) in enumerate(zip(widths, encoder_blocks, strict=True)):
        x = conv_norm(x, width, strides=2 if level else 1, name=f"down{level}")
        for i in range(blocks):
            x = residual_block(x, name=f"down{level}_block{i}")
        skips.append(x)
    outputs = {}
    features = layers.GlobalAveragePooling2D(keepdims=True, name="features")(x)
    if num_classes is not None:
        outputs["label"] = label_head(features, num_classes)
    context = layers.Conv2D(widths[-1], 1, activation="relu", name="context")(features)
    x = layers.Add(name="fusion")([x, context])
    for level in reversed(range(len(widths) - 1)):
        x = layers.Conv2D(widths[level], 1, use_bias=False, name=f"up{level}_reduce")(x)
        x = ResizeLike(name=f"up{level}_resize")([x, skips[level]])
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
        x = conv_norm(x, widths[level], name=f"up{level}")
        for i in range(decoder_blocks[level]):
            x = residual_block(x, name=f"up{level}_block{i}")
    chroma = chroma_head(x, num_bins, space)
    if num_classes is None:
        return keras.Model(inputs, chroma, name=name)
    return keras.Model(inputs, {"chroma": chroma, **outputs}, name=name)
