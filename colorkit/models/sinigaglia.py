"""The networks of Sinigaglia, Bertipaglia, Colato: "Image Colorization", for regression.

See `colorkit.models` for shared arguments. The adversarial networks that the authors compare are in
`pix2pix`.
"""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import BatchNormalization, ResizeLike
from colorkit.models.blocks import ANY_SIZE, chroma_head, conv_norm, lightness_input


def build_autoencoder(
    *, space=LAB, input_shape=ANY_SIZE, widths=(64, 128, 256), num_blocks=3, name="autoencoder"
):
    """Build a convolutional autoencoder, in which all features pass through the smallest level.

    Each level of encoder and decoder has `num_blocks` blocks of a 3x3 convolution, batch
    normalization and ReLU: fifteen by default, as in the source. Pooling in the encoder and
    resizing in the decoder connect the levels.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Sinigaglia, Bertipaglia, Colato, "Image Colorization".

    Example:
        >>> build_autoencoder().output_shape
        (None, None, None, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    levels = []
    for level, width in enumerate(widths):
        if level:
            levels.append(x)
            x = layers.MaxPooling2D(padding="same", name=f"down{level}")(x)
        for i in range(num_blocks):
            x = conv_norm(x, width, name=f"encoder{level}_{i}")
    for level in reversed(range(len(widths) - 1)):
        x = ResizeLike(name=f"up{level}")([x, levels[level]])  # takes only the size
        for i in range(num_blocks):
            x = conv_norm(x, widths[level], name=f"decoder{level}_{i}")
    return keras.Model(inputs, chroma_head(x, None, space), name=name)


def build_deep_cnn(*, space=LAB, input_shape=ANY_SIZE, width=64, num_blocks=15, name="deep_cnn"):
    """Build blocks of a 3x3 convolution, batch normalization and ReLU, all at full size.

    Each block adds two pixels to the sides of the receptive field.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Sinigaglia, Bertipaglia, Colato, "Image Colorization".

    Example:
        >>> build_deep_cnn(width=8).output_shape
        (None, None, None, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    for i in range(num_blocks):
        x = conv_norm(x, width, name=f"block{i}")
    return keras.Model(inputs, chroma_head(x, None, space), name=name)


def build_unet(
    num_bins=None, *, space=LAB, input_shape=ANY_SIZE, widths=(32, 64, 128, 256), name="unet"
):
    """Build a U-Net: two 3x3 convolutions per level, each with batch normalization.

    Skip connections are concatenated. See Ronneberger et al., "U-Net", MICCAI 2015.

    See `colorkit.models` for shapes, other arguments and errors.

    Example:
        >>> build_unet(widths=(8, 16)).compute_output_shape((1, 33, 50, 1))
        (1, 33, 50, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
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


def build_resnet(
    *, space=LAB, input_shape=ANY_SIZE, width=128, bottleneck=32, num_blocks=12, name="resnet"
):
    """Build ResNet v2 with bottlenecks: normalize, activate, convolve, and add the input.

    There are `width` channels between blocks and `bottleneck` channels inside. No layer reduces the
    size, so the receptive field is `2 * num_blocks + 3` pixels per side, 27 by default. That of a
    U-Net is much larger. See He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016.

    See `colorkit.models` for shapes, other arguments and errors.

    Example:
        >>> build_resnet(width=32, num_blocks=2).output_shape
        (None, None, None, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    x = layers.Conv2D(width, 3, padding="same", name="stem")(x)
    for i in range(num_blocks):
        y = _activated_conv(x, bottleneck, 1, f"block{i}_reduce")
        y = _activated_conv(y, bottleneck, 3, f"block{i}_conv")
        y = _activated_conv(y, width, 1, f"block{i}_expand")
        x = layers.Add(name=f"block{i}_add")([x, y])
    return keras.Model(inputs, chroma_head(_activated(x, "last"), None, space), name=name)


def build_densenet(*, space=LAB, input_shape=ANY_SIZE, growth=24, num_blocks=12, name="densenet"):
    """Build a dense block at full size: each convolution sees the outputs of all previous ones.

    Each block adds `growth` channels, and its bottleneck has four times as many. The receptive
    field is that of `build_resnet`. See Huang et al., "Densely Connected Convolutional Networks",
    CVPR 2017 (DenseNet-B).

    See `colorkit.models` for shapes, other arguments and errors.

    Example:
        >>> build_densenet(num_blocks=2).output_shape
        (None, None, None, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    x = layers.Conv2D(2 * growth, 3, padding="same", name="stem")(x)
    for i in range(num_blocks):
        y = _activated_conv(x, 4 * growth, 1, f"block{i}_reduce")
        y = _activated_conv(y, growth, 3, f"block{i}_conv")
        x = layers.Concatenate(name=f"block{i}_join")([x, y])
    return keras.Model(inputs, chroma_head(_activated(x, "last"), None, space), name=name)


def _activated(x, name):
    x = BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def _activated_conv(x, width, kernel_size, name):
    x = _activated(x, name)
    return layers.Conv2D(width, kernel_size, padding="same", use_bias=False, name=name)(x)
