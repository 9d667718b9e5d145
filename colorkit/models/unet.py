"""The residual U-Net of this package. See `colorkit.models` for further arguments."""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import ResizeLike
from colorkit.models.blocks import (
    ANY_SIZE,
    check_widths,
    chroma_head,
    conv_norm,
    label_head,
    lightness_input,
    residual_block,
)

WIDTHS = (32, 64, 128, 256)


def build_residual_unet(
    num_bins=None,
    *,
    space=LAB,
    input_shape=ANY_SIZE,
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
        encoder_blocks: Residual blocks of each level of the encoder.
        decoder_blocks: Residual blocks of each level of the decoder, without the smallest level.
        num_classes: Number of classes of a second output, predicted from the smallest level, or
            `None` for no such output.

    Returns:
        `keras.Model` from lightness `(H, W, 1)` to chroma `(H, W, C)`, or to logits
        `(H, W, num_bins)`. With `num_classes`, the output is a dict of this, "chroma", and of
        class logits `(num_classes,)`, "label".

    Raises:
        ValueError: If the numbers of blocks do not fit the number of widths, or are negative.

    References:
        Ronneberger et al., "U-Net", MICCAI 2015; He et al., "Deep Residual Learning", CVPR 2016;
        Iizuka et al., "Let there be Color!", SIGGRAPH 2016 (global features, joint classes).
    """
    check_widths("widths", widths)
    for argument, blocks, count in (
        ("encoder_blocks", encoder_blocks, len(widths)),
        ("decoder_blocks", decoder_blocks, len(widths) - 1),
    ):
        if len(blocks) != count or any(number < 0 for number in blocks):
            raise ValueError(
                f"`{argument}` must have {count} non-negative entries for {len(widths)} widths. "
                f"Received: {blocks!r}"
            )
    space, inputs, x = lightness_input(space, input_shape)
    skips = []
    for level, (width, blocks) in enumerate(zip(widths, encoder_blocks, strict=True)):
        x = conv_norm(x, width, strides=2 if level else 1, name=f"down{level}")
        for i in range(blocks):
            x = residual_block(x, name=f"down{level}_block{i}")
        skips.append(x)
    features = layers.GlobalAveragePooling2D(keepdims=True, name="features")(x)
    label = None if num_classes is None else label_head(features, num_classes)
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
    outputs = chroma if label is None else {"chroma": chroma, "label": label}
    return keras.Model(inputs, outputs, name=name)
