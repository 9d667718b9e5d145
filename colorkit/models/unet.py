"""The residual U-Net of this package. See `colorkit.models` for shared arguments."""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import ResizeLike
from colorkit.models.blocks import (
    ANY_SIZE,
    chroma_head,
    conv_norm,
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
    context=True,
    num_classes=None,
    name="residual_unet",
):
    """Build a U-Net of residual blocks that sees the whole image.

    Each level of the encoder halves the size with a strided convolution. The decoder resizes
    bilinearly, which avoids checkerboard artifacts and accepts images of any size. The mean of the
    smallest level is added to all of its positions, as Iizuka et al. do. Every pixel then has
    information about the whole image.

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        encoder_blocks: Residual blocks of each level of the encoder.
        decoder_blocks: Residual blocks of each level of the decoder, without the smallest level.
        context: Whether to add the mean of the smallest level to its positions.
        num_classes: Number of classes of a second output, predicted from the smallest level, or
            `None` for no such output. The output is then a dict of "chroma", the chroma or logits,
            and "label", class logits `(num_classes,)`.

    References:
        Ronneberger et al., "U-Net", MICCAI 2015; He et al., "Deep Residual Learning", CVPR 2016;
        Iizuka et al., "Let there be Color!", SIGGRAPH 2016 (global features, joint classes).

    Example:
        >>> network = build_residual_unet(64, widths=(8, 8, 16, 16), num_classes=10)
        >>> network.output["chroma"].shape, network.output["label"].shape
        ((None, None, None, 64), (None, 10))
    """
    space, inputs, x = lightness_input(space, input_shape)
    skips = []
    for level, (width, blocks) in enumerate(zip(widths, encoder_blocks, strict=True)):
        x = conv_norm(x, width, strides=2 if level else 1, name=f"down{level}")
        for i in range(blocks):
            x = residual_block(x, name=f"down{level}_block{i}")
        skips.append(x)
    features = layers.GlobalAveragePooling2D(keepdims=True, name="features")(x)
    if num_classes is not None:
        label = layers.Conv2D(num_classes, 1, dtype="float32", name="label_logits")(features)
        label = layers.Reshape((num_classes,), dtype="float32", name="label")(label)
    if context:
        whole = layers.Conv2D(widths[-1], 1, activation="relu", name="context")(features)
        x = layers.Add(name="fusion")([x, whole])
    levels = enumerate(zip(widths[:-1], decoder_blocks, skips[:-1], strict=True))
    for level, (width, blocks, skip) in reversed(list(levels)):
        x = layers.Conv2D(width, 1, use_bias=False, name=f"up{level}_reduce")(x)
        x = ResizeLike(name=f"up{level}_resize")([x, skip])
        x = layers.Concatenate(name=f"up{level}_skip")([x, skip])
        x = conv_norm(x, width, name=f"up{level}")
        for i in range(blocks):
            x = residual_block(x, name=f"up{level}_block{i}")
    chroma = chroma_head(x, num_bins, space)
    outputs = chroma if num_classes is None else {"chroma": chroma, "label": label}
    return keras.Model(inputs, outputs, name=name)
