"""The networks of Champati, Houle, Zhang: "Small-Scale Automatic Image Colorization", section 3.5.

See `colorkit.models` for shared arguments.
"""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import BatchNormalization, to_chroma
from colorkit.models.blocks import ANY_SIZE, lightness_input

# Widths of the convolutions; an inner tuple is a block that ends with batch normalization.
DENSE_FILTERS = (16, 16, 32, 32)
REGRESSION_BLOCKS = ((32, 32), (64, 64), (128, 128), (256, 256), (128, 128), (64, 64, 32))
CLASSIFICATION_BLOCKS = ((32, 32), (64, 64), (64, 64, 64), (64, 64, 64))


def build_dense_regression(
    *, space=LAB, input_shape=(32, 32, 1), filters=DENSE_FILTERS, name="dense_regression"
):
    """Build the baseline regression network: valid convolutions, then one dense layer (Figure 4).

    The dense layer fixes the size, so both sides of `input_shape` must be given. The first of the
    3x3 convolutions has stride 2. Batch normalization follows each ReLU. The paper copies the input
    channel to the output. It is left out here, as the target is chroma.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 3.

    Example:
        >>> build_dense_regression().output_shape
        (None, 32, 32, 2)
    """
    if None in input_shape:
        raise ValueError(
            f"`input_shape` must have fixed sides, such as (32, 32, 1). Received: {input_shape}"
        )
    space, inputs, x = lightness_input(space, input_shape)
    for i, width in enumerate(filters, start=1):
        strides = 2 if i == 1 else 1
        x = layers.Conv2D(width, 3, strides=strides, activation="relu", name=f"conv{i}")(x)
        x = BatchNormalization(name=f"conv{i}_bn")(x)
    shape = (*input_shape[:2], space.chroma_channels)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(shape[0] * shape[1] * shape[2], name="dense")(x)
    x = layers.Reshape(shape, name="reshape")(x)
    return keras.Model(inputs, to_chroma(x, space), name=name)


def build_conv_regression(
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    blocks=REGRESSION_BLOCKS,
    features=None,
    name="conv_regression",
):
    """Build the convolutional regression network: blocks of convolutions at full size (Figure 5).

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        blocks: Widths of the 3x3 convolutions of each block, which ends with batch normalization.
            The authors' code normalizes after every convolution, as blocks of one do.
        features: `keras.Model` from lightness to the features that the first block takes instead
            of lightness, such as `build_vgg_features` returns, or `None`.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 3.

    Example:
        >>> build_conv_regression(blocks=((8,), (8, 8))).output_shape
        (None, None, None, 2)
    """
    space, inputs, x = lightness_input(space, input_shape)
    x = _conv_blocks(x if features is None else features(inputs), blocks, [1] * len(blocks))
    x = layers.Conv2D(space.chroma_channels, 3, padding="same", name="head")(x)
    return keras.Model(inputs, to_chroma(x, space), name=name)


def build_conv_classification(
    num_bins,
    *,
    space=LAB,
    input_shape=ANY_SIZE,
    blocks=CLASSIFICATION_BLOCKS,
    dilation_rates=(1, 1, 2, 2),
    features=None,
    name="conv_classification",
):
    """Build the convolutional classification network: dilated blocks at full size (Figure 6).

    See `build_conv_regression` for `blocks` and `features`. `dilation_rates` has one rate per
    block. The default receptive field is 33 x 33 pixels.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 3.

    Example:
        >>> build_conv_classification(81, blocks=((8,),), dilation_rates=(1,)).output_shape
        (None, None, None, 81)
    """
    _, inputs, x = lightness_input(space, input_shape)
    x = _conv_blocks(x if features is None else features(inputs), blocks, dilation_rates)
    logits = layers.Conv2D(num_bins, 1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def _conv_blocks(x, blocks, dilation_rates):
    for i, (filters, rate) in enumerate(zip(blocks, dilation_rates, strict=True), start=1):
        options = {"padding": "same", "dilation_rate": rate, "activation": "relu"}
        for j, width in enumerate(filters, start=1):
            x = layers.Conv2D(width, 3, **options, name=f"block{i}_conv{j}")(x)
        x = BatchNormalization(name=f"block{i}_bn")(x)
    return x
