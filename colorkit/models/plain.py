"""Plain stacks of convolutions: an autoencoder and a deep network, for regression."""

import keras
from keras import layers

from colorkit.checks import check_whole
from colorkit.color import spaces
from colorkit.layers import ResizeLike, normalize_lightness
from colorkit.models.blocks import check_widths, chroma_head, conv_norm, picture_input


def build_autoencoder(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    widths=(64, 128, 256),
    num_blocks=3,
    name="autoencoder",
):
    """Build a convolutional autoencoder, in which all features pass through the smallest level.

    Each level has blocks of a 3x3 convolution, batch normalization and ReLU. Pooling in the encoder
    and resizing in the decoder connect the levels. With three widths and three blocks per level
    there are fifteen blocks, as in the source.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        widths: Channels of each level, the full size first.
        num_blocks: Blocks of each level in the encoder and in the decoder.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If `widths` or `num_blocks` are not positive whole numbers, there are no widths,
            or `input_shape` is not `(height, width, 1)`.

    References:
        Sinigaglia, Bertipaglia, Colato, "Image Colorization", convolutional autoencoder.
    """
    space = spaces.get(space)
    check_widths("widths", widths)
    check_whole("num_blocks", num_blocks)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
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


def build_deep_cnn(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    width=64,
    num_blocks=15,
    name="deep_cnn",
):
    """Build blocks of a 3x3 convolution, batch normalization and ReLU, all at full size.

    Args:
        space: `ColorSpace` of lightness and chroma, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        width: Channels of each block.
        num_blocks: Number of blocks. Each adds two pixels to the sides of the receptive field.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)` in
        natural units.

    Raises:
        ValueError: If `width` or `num_blocks` is not a positive whole number, or `input_shape` is
            not `(height, width, 1)`.

    References:
        Sinigaglia, Bertipaglia, Colato, "Image Colorization", deep convolutional neural network.
    """
    space = spaces.get(space)
    check_whole("width", width)
    check_whole("num_blocks", num_blocks)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space)
    for i in range(num_blocks):
        x = conv_norm(x, width, name=f"block{i}")
    return keras.Model(inputs, chroma_head(x, None, space), name=name)
