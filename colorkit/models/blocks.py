"""Blocks of layers that several architectures share."""

from keras import layers


def conv_norm(x, filters, *, strides=1, activation="relu", name):
    """3x3 convolution, batch normalisation, activation."""
    x = layers.Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation(activation, name=f"{name}_out")(x)


def residual_block(x, *, name):
    """Two 3x3 convolutions added to their input.

    References:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, Figure 2.
    """
    filters = x.shape[-1]
    y = conv_norm(x, filters, name=f"{name}_1")
    y = conv_norm(y, filters, activation="linear", name=f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.Activation("relu", name=f"{name}_out")(x)
