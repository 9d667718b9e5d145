"""The three networks of Champati, Houle, Zhang: "Small-Scale Automatic Image Colorization"."""

import keras
from keras import layers

from colorkit.color import spaces
from colorkit.layers import normalize_lightness, to_chroma
from colorkit.models.blocks import check_widths, picture_input

# Widths of the convolutions; an inner tuple is a block that ends with batch normalization.
DENSE_FILTERS = (16, 16, 32, 32)
REGRESSION_BLOCKS = ((32, 32), (64, 64), (128, 128), (256, 256), (128, 128), (64, 64, 32))
CLASSIFICATION_BLOCKS = ((32, 32), (64, 64), (64, 64, 64), (64, 64, 64))


def build_dense_regression(
    *,
    space=spaces.LAB,
    input_shape=(32, 32, 1),
    filters=DENSE_FILTERS,
    name="dense_regression",
):
    """Build the baseline regression network: four valid convolutions, then one dense layer.

    Args:
        space: `ColorSpace` whose chroma is predicted, or its name.
        input_shape: `(height, width, 1)`; the dense layer fixes the size.
        filters: Width of each 3x3 convolution; the first has stride 2. Batch normalization follows
            each ReLU.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)`,
        both in natural units.

    Raises:
        ValueError: If `input_shape` is not fixed or too small for the convolutions, or `filters`
            are not positive whole numbers.

    References:
        Champati, Houle, Zhang, section 3.5, Figure 4. The paper copies the input channel to the
        output. It is left out here, as the target is chroma alone.
    """
    space = spaces.get(space)
    check_widths("filters", filters, least=0)
    inputs = picture_input(input_shape)
    height, width = input_shape[:2]
    smallest = 2 * len(filters) + 1
    if not (height and width and min(height, width) >= smallest):
        raise ValueError(
            f"`input_shape` must be fixed and at least {smallest} pixels per side. "
            f"Received: {input_shape}"
        )
    x = normalize_lightness(inputs, space)
    for i, width_ in enumerate(filters, start=1):
        x = layers.Conv2D(
            width_, 3, strides=2 if i == 1 else 1, activation="relu", name=f"conv{i}"
        )(x)
        x = layers.BatchNormalization(name=f"conv{i}_bn")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(height * width * space.chroma_channels, name="dense")(x)
    x = layers.Reshape((height, width, space.chroma_channels), name="reshape")(x)
    return keras.Model(inputs, to_chroma(x, space), name=name)


def build_conv_regression(
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    blocks=REGRESSION_BLOCKS,
    features=None,
    name="conv_regression",
):
    """Build the convolutional regression network: blocks of 3x3 convolutions at full resolution.

    Args:
        space: `ColorSpace` whose chroma is predicted, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        blocks: Widths of the convolutions of each block, which ends with batch normalization. The
            authors' code normalizes after every convolution, which corresponds to blocks of one.
        features: `keras.Model` from lightness to the features that the first block takes instead
            of lightness, such as `build_vgg_features` returns, or `None`.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to chroma `(height, width, channels)`,
        both in natural units.

    Raises:
        ValueError: If there are no widths, they are not positive whole numbers, or `input_shape`
            is not `(height, width, 1)`.

    References:
        Champati, Houle, Zhang, section 3.5, Figure 5.
    """
    space = spaces.get(space)
    inputs = picture_input(input_shape)
    x = normalize_lightness(inputs, space) if features is None else features(inputs)
    for i, filters in enumerate(blocks, start=1):
        check_widths(f"blocks[{i - 1}]", filters)
        x = _conv_block(x, filters, name=f"block{i}")
    x = layers.Conv2D(space.chroma_channels, 3, padding="same", name="head")(x)
    return keras.Model(inputs, to_chroma(x, space), name=name)


def build_conv_classification(
    num_bins,
    *,
    space=spaces.LAB,
    input_shape=(None, None, 1),
    blocks=CLASSIFICATION_BLOCKS,
    dilation_rates=(1, 1, 2, 2),
    features=None,
    name="conv_classification",
):
    """Build the convolutional classification network with dilated blocks, at full resolution.

    Args:
        num_bins: Number of color bins.
        space: `ColorSpace` of the lightness, or its name.
        input_shape: `(height, width, 1)`; `None` sides accept any size.
        blocks: Widths of the 3x3 convolutions of each block, which ends with batch normalization.
        dilation_rates: Dilation of each block. The default receptive field is 33 x 33 pixels.
        features: See `build_conv_regression`.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to logits `(height, width, num_bins)`.

    Raises:
        ValueError: If there is not one dilation per block, or as `build_conv_regression`.

    References:
        Champati, Houle, Zhang, section 3.5, Figure 6.
    """
    if len(blocks) != len(dilation_rates):
        raise ValueError(
            "`dilation_rates` must have one entry per block. "
            f"Received {len(dilation_rates)} for {len(blocks)} blocks"
        )
    inputs = picture_input(input_shape)
    space = spaces.get(space)
    x = normalize_lightness(inputs, space) if features is None else features(inputs)
    for i, (filters, rate) in enumerate(zip(blocks, dilation_rates, strict=True), start=1):
        check_widths(f"blocks[{i - 1}]", filters)
        x = _conv_block(x, filters, dilation_rate=rate, name=f"block{i}")
    logits = layers.Conv2D(num_bins, 1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def _conv_block(x, filters, *, dilation_rate=1, name):
    for i, width in enumerate(filters, start=1):
        x = layers.Conv2D(
            width,
            3,
            padding="same",
            dilation_rate=dilation_rate,
            activation="relu",
            name=f"{name}_conv{i}",
        )(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
