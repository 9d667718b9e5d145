"""Classifiers of true-color images: what colorings are judged by, and features come from."""

import importlib.resources

import keras
from keras import layers

from colorkit.files import read_model
from colorkit.layers import VGGPreprocessing
from colorkit.models.blocks import check_widths, conv_norm, picture_input, residual_block

VGG_WIDTHS = (64, 128)
RESIDUAL_WIDTHS = (32, 64, 128, 160)


def build_vgg_classifier(
    num_classes=10,
    *,
    input_shape=(32, 32, 3),
    widths=VGG_WIDTHS,
    hidden=128,
    name="vgg_classifier",
):
    """A small VGG: two 3x3 convolutions and a pooling a block, then a hidden layer.

    With the default widths its first block has the shapes of VGG16's, so that
    `build_vgg_features` can take it over.

    Args:
        num_classes: Number of classes.
        input_shape: `(height, width, 3)`, fixed.
        widths: Channels of each block.
        hidden: Units of the hidden layer.
        name: Name of the model.

    Returns:
        `keras.Model` from RGB in [0, 1] to logits `(num_classes,)`.

    Raises:
        ValueError: If `widths` are not positive whole numbers, or there are none, or `input_shape`
            is not `(height, width, 3)`.

    References:
        Simonyan, Zisserman, "Very Deep Convolutional Networks", 2015.
    """
    check_widths("widths", widths)
    inputs = picture_input(input_shape, "rgb", channels=3)
    x = VGGPreprocessing(name="vgg_preprocessing")(inputs)
    for block, width in enumerate(widths, start=1):
        for i in (1, 2):
            x = layers.Conv2D(
                width, 3, padding="same", activation="relu", name=f"block{block}_conv{i}"
            )(x)
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
    """A residual network for small images.

    Args:
        num_classes: Number of classes.
        input_shape: `(height, width, 3)`; `None` sides accept any size.
        widths: Channels of each level; every level but the first halves the size.
        blocks: Residual blocks of each level.
        name: Name of the model.

    Returns:
        `keras.Model` from RGB in [0, 1] to logits `(num_classes,)`.

    Raises:
        ValueError: If there is not one number of blocks a level, `widths` are not positive whole
            numbers, or `input_shape` is not `(height, width, 3)`.

    References:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2.
    """
    check_widths("widths", widths)
    if len(widths) != len(blocks):
        raise ValueError(
            f"`blocks` must have {len(widths)} entries, one a width. Received: {len(blocks)}"
        )
    inputs = picture_input(input_shape, "rgb", channels=3)
    x = layers.Rescaling(4.0, offset=-2.0, name="normalize")(inputs)
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        x = conv_norm(x, width, strides=2 if level else 1, name=f"level{level}")
        for i in range(count):
            x = residual_block(x, name=f"level{level}_block{i}")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def load_classifier(name):
    """A classifier that comes with the package, trained on true-color CIFAR-10, or one of a file.

    Args:
        name: "vgg", about as strong as the one of Champati et al.; "residual", a stronger one; or
            the path of a .keras file, such as `colorkit.run` writes of a classifier's experiment.

    Returns:
        `keras.Model` from RGB in [0, 1], `(32, 32, 3)`, to logits `(10,)`.

    Raises:
        ValueError: If there is no such classifier, or its file is damaged.
        FileNotFoundError: If there is no such file.
    """
    if str(name).endswith(".keras"):
        return read_model(name)
    folder = importlib.resources.files("colorkit") / "weights" / "classifiers"
    known = sorted(f.name.removesuffix(".keras") for f in folder.iterdir()
                   if f.name.endswith(".keras"))  # fmt: skip
    if name not in known:
        raise ValueError(
            f"`name` must be one of {known} or the path of a .keras file. Received: {name!r}. "
            "`python -m colorkit train 'cifar/*-classifier' --profile full` trains those of the "
            "package and writes them to runs/full/cifar."
        )
    with importlib.resources.as_file(folder / f"{name}.keras") as path:
        return read_model(path)
