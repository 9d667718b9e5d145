"""Residual and dense networks at full size, for regression."""

import keras
from keras import layers

from colorkit.checks import check_whole
from colorkit.color import spaces
from colorkit.layers import normalize_lightness
from colorkit.models.blocks import chroma_head, picture_input


def build_resnet(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    width=128,
    bottleneck=32,
    num_blocks=12,
    name="resnet",
):
    """Build ResNet v2 with bottlenecks: normalize, activate, convolve, and add the input.

    No layer reduces the size, so the receptive field is `2 * num_blocks + 3` pixels per side, 27
    by default. That of a U-Net is much larger.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        width: Channels between blocks.
        bottleneck: Channels of the 3x3 convolution inside a block, between two of 1x1.
        num_blocks: Number of blocks.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If a number of channels or `num_blocks` is not a positive whole number, or
            `input_shape` is not `(height, width, 1)`.

    References:
        He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016; Sinigaglia,
        Bertipaglia, Colato, "Image Colorization", ResNet.
    """
    space = spaces.get(space)
    check_whole("width", width)
    check_whole("bottleneck", bottleneck)
    check_whole("num_blocks", num_blocks)
    inputs = picture_input(input_shape)
    x = layers.Conv2D(width, 3, padding="same", name="stem")(normalize_lightness(inputs, space))
    for i in range(num_blocks):
        y = _activated_conv(x, bottleneck, 1, f"block{i}_reduce")
        y = _activated_conv(y, bottleneck, 3, f"block{i}_conv")
        y = _activated_conv(y, width, 1, f"block{i}_expand")
        x = layers.Add(name=f"block{i}_add")([x, y])
    return _with_head(inputs, x, space, name)


def build_densenet(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    growth=24,
    num_blocks=12,
    name="densenet",
):
    """Build a dense block at full size: each convolution sees the outputs of all previous ones.

    No layer reduces the size, so the receptive field is `2 * num_blocks + 3` pixels per side, 27
    by default. That of a U-Net is much larger.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        growth: Channels that each block adds; its bottleneck has four times as many.
        num_blocks: Number of blocks.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If a number of channels or `num_blocks` is not a positive whole number, or
            `input_shape` is not `(height, width, 1)`.

    References:
        Huang et al., "Densely Connected Convolutional Networks", CVPR 2017 (DenseNet-B);
        Sinigaglia, Bertipaglia, Colato, "Image Colorization", DenseNet.
    """
    space = spaces.get(space)
    check_whole("growth", growth)
    check_whole("num_blocks", num_blocks)
    inputs = picture_input(input_shape)
    x = layers.Conv2D(2 * growth, 3, padding="same", name="stem")(
        normalize_lightness(inputs, space)
    )
    for i in range(num_blocks):
        y = _activated_conv(x, 4 * growth, 1, f"block{i}_reduce")
        y = _activated_conv(y, growth, 3, f"block{i}_conv")
        x = layers.Concatenate(name=f"block{i}_join")([x, y])
    return _with_head(inputs, x, space, name)


def _activated_conv(x, width, kernel_size, name):
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    return layers.Conv2D(width, kernel_size, padding="same", use_bias=False, name=name)(x)


def _with_head(inputs, x, space, name):
    x = layers.BatchNormalization(name="last_bn")(x)
    x = layers.Activation("relu", name="last_relu")(x)
    return keras.Model(inputs, chroma_head(x, None, space), name=name)
