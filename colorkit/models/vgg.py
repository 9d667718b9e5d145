"""The first two convolutions of VGG16, as features of images."""

import zipfile

import h5py
import keras
import numpy as np
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.files import expanded
from colorkit.layers import VGGPreprocessing
from colorkit.models.blocks import ANY_SIZE

_NAMES = ("block1_conv1", "block1_conv2")


def build_vgg_features(
    weights="imagenet", *, trainable=False, space=LAB, input_shape=ANY_SIZE, name="vgg_features"
):
    """Build the first two layers of VGG16, for the `features` of another builder or of a loss.

    Args:
        weights: One of:

            - "imagenet": Keras downloads the weights.
            - A `keras.Model` with layers named block1_conv1 and block1_conv2, such as
              `build_vgg_classifier` returns.
            - The path of the weights file of VGG16 that Keras downloads (.h5, with or without top).
            - The path of an .npz file with the `kernel` (3, 3, 3, 64), for BGR input, and the
              `bias` of the first convolution.
        trainable: If False, freeze the loaded weights, as a feature extractor. If True, they are
            an initialization. Weights that were not loaded are always trained.
        space: Color space of the lightness, or `None` for RGB in [0, 1].
        input_shape: `(H, W, 1)`. The last number has no effect for RGB.

    Returns:
        `keras.Model` from lightness `(H, W, 1)`, or RGB `(H, W, 3)`, to features `(H, W, 64)`:
        those after the second ReLU, "relu1_2". Lightness is converted to gray RGB, and RGB to the
        input of VGG16: BGR in 0..255 minus a mean.

    Raises:
        ConnectionError: If the ImageNet weights are not on disk and cannot be downloaded.
        FileNotFoundError, ValueError: If the file is missing or damaged, or its weights do not fit.

    References:
        Simonyan, Zisserman, "Very Deep Convolutional Networks", 2015; Champati, Houle, Zhang,
        "Small-Scale Automatic Image Colorization", section 3.5.

    Example:
        >>> build_vgg_features(build_vgg_classifier()).output_shape
        (None, None, None, 64)
    """
    if space is None:
        inputs = keras.Input((*input_shape[:2], 3), name="rgb")
    else:
        inputs = keras.Input(input_shape, name="lightness")
    loaded = _load(weights)
    x = VGGPreprocessing(space, name="vgg_preprocessing")(inputs)
    options = {"padding": "same", "activation": "relu"}
    convolutions = [layers.Conv2D(64, 3, **options, name=layer_name) for layer_name in _NAMES]
    for layer in convolutions:
        x = layer(x)
    for layer, arrays in zip(convolutions, loaded, strict=False):
        expected = [tuple(weight.shape) for weight in layer.weights]
        shapes = [np.shape(array) for array in arrays]
        if shapes != expected or not all(np.isfinite(array).all() for array in arrays):
            raise ValueError(
                f"`weights` must hold the finite kernel and bias of {layer.name}, of shapes "
                f"{expected}. Received: {weights!r} with shapes {shapes}, or with a NaN"
            )
        layer.set_weights(arrays)
        layer.trainable = trainable
    return keras.Model(inputs, x, name=name)


def _load(weights):
    """Return kernel and bias of the first layers, as far as `weights` has them."""
    if isinstance(weights, keras.Model):
        return [weights.get_layer(name).get_weights() for name in _NAMES]
    if weights == "imagenet":
        try:
            return _load(keras.applications.VGG16(weights="imagenet", include_top=False))
        except Exception as error:  # its type depends on where the download fails
            raise ConnectionError(
                f"The ImageNet weights of VGG16 are not on disk and cannot be downloaded ({error})."
                " `weights` may be the path of a file, or a classifier of your own."
            ) from error
    path = expanded(weights)
    if not path.is_file():
        raise FileNotFoundError(
            '`weights` must be "imagenet", a keras.Model or a file. '
            f"Received {path}, which does not exist"
        )
    try:
        if path.suffix == ".npz":
            if not zipfile.is_zipfile(path):  # NumPy would suggest pickle
                raise ValueError("it is no .npz archive, or was cut off")
            with np.load(path) as arrays:
                return [[arrays["kernel"], arrays["bias"]]]
        with h5py.File(path) as file:
            groups = [file.get("model_weights", file)[name] for name in _NAMES]
            return [[group[name][()] for name in group.attrs["weight_names"]] for group in groups]
    except Exception as error:  # its type depends on where the file is damaged
        raise ValueError(f"{path} holds no weights of VGG16 that can be read: {error}") from error
