"""Image classifiers: evaluation classifiers for colored images, and sources of features."""

from pathlib import Path

import keras
from keras import layers

from colorkit.files import expanded
from colorkit.layers import VGGPreprocessing
from colorkit.models.blocks import conv_norm, residual_block
from colorkit.models.files import read_model

VGG_WIDTHS = (64, 128)
RESIDUAL_WIDTHS = (32, 64, 128, 160)


def build_vgg_classifier(
    num_classes=10, *, input_shape=(32, 32, 3), widths=VGG_WIDTHS, hidden=128, name="vgg_classifier"
):
    """Build a small VGG: two 3x3 convolutions and a pooling per block, then a hidden layer.

    With the default widths, its first block has the shapes of VGG16's first block, so that
    `build_vgg_features` can use its weights. The sides of `input_shape`, `(H, W, 3)`, are fixed.
    `hidden` is the number of units of the hidden layer.

    See `colorkit.models` for shapes, other arguments and errors.

    References:
        Simonyan, Zisserman, "Very Deep Convolutional Networks", 2015.

    Example:
        >>> build_vgg_classifier().output_shape
        (None, 10)
    """
    inputs = keras.Input(input_shape, name="rgb")
    x = VGGPreprocessing(name="vgg_preprocessing")(inputs)
    for block, width in enumerate(widths, start=1):
        for i in (1, 2):
            options = {"padding": "same", "activation": "relu", "name": f"block{block}_conv{i}"}
            x = layers.Conv2D(width, 3, **options)(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    x = layers.Dense(hidden, activation="relu", name="hidden")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def build_residual_classifier(
    num_classes=10,
    *,
    input_shape=(None, None, 3),
    widths=RESIDUAL_WIDTHS,
    blocks=(0, 2, 2, 2),
    name="residual_classifier",
):
    """Build a residual network for small images (He et al., CVPR 2016, section 4.2).

    `blocks` is the number of residual blocks of each level; every level but the first halves the
    size.

    See `colorkit.models` for shapes, other arguments and errors.

    Example:
        >>> build_residual_classifier().output_shape
        (None, 10)
    """
    inputs = keras.Input(input_shape, name="rgb")
    x = layers.Rescaling(4.0, offset=-2.0, name="normalize")(inputs)
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        x = conv_norm(x, width, strides=2 if level else 1, name=f"level{level}")
        for i in range(count):
            x = residual_block(x, name=f"level{level}_block{i}")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def load_classifier(name):
    """Load a classifier from the package, trained on CIFAR-10 in true colors, or from a file.

    Args:
        name: "vgg", with about the accuracy of Champati et al.'s classifier; "residual", a stronger
            one; or the path of a .keras file that `colorkit.run` wrote for a classifier.

    Returns:
        `keras.Model` from RGB `(32, 32, 3)` in [0, 1] to logits `(10,)`.

    Raises:
        ValueError, FileNotFoundError: If the classifier does not exist, or its file is damaged.

    Example:
        >>> load_classifier("vgg").output_shape
        (None, 10)
    """
    if str(name).endswith(".keras"):
        return read_model(expanded(name))
    folder = Path(__file__).parents[1] / "weights" / "classifiers"
    known = sorted(path.stem for path in folder.glob("*.keras"))
    if name not in known:
        raise ValueError(
            f"`name` must be one of {known} or the path of a .keras file. Received: {name!r}. "
            "`python -m colorkit train 'cifar/*-classifier' --profile full` trains those of the "
            "package and writes them to runs/full/cifar."
        )
    return read_model(folder / f"{name}.keras")
