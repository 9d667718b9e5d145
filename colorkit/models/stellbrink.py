"""Networks that make the colors of a colorful network coherent.

Stellbrink, "Coherent and Colorful Image Colorization". See `colorkit.models` for shared arguments.
"""

import keras
from keras import layers

from colorkit.color import spaces
from colorkit.color.spaces import LAB
from colorkit.layers import (
    BatchNormalization,
    ColorRegularizer,
    EdgeAwareSmoothing,
    Enlarge,
    StopGradient,
    normalize_lightness,
)
from colorkit.models.sizes import output_stride


def build_coherent(
    colorful,
    *,
    space=LAB,
    smoothing=(8, 4, 2, 1),
    edge=5.0,
    filters=(),
    regularization=4.0,
    temperature=0.38,
    name="coherent",
):
    """Build a network that smooths the colors of a colorful network up to edges of lightness.

    The predicted distribution is enlarged to every pixel and smoothed. If there are `filters`, a
    branch that sees lightness at full size corrects it further; at first it corrects nothing. The
    branch and its regularizer are Stellbrink's; smoothing and correction are not. The losses of
    this network do not change the colorful network. Train that first, then the branch:

        colorful.trainable = False
        network = build_coherent(colorful, filters=(32, 32, 32, 64))
        branch = keras.Model(network.inputs[0], network.output["coherent"])
        branch.compile("adam", loss=GradientCoherence(bins, temperature=0.38))
        branch.fit(pairs(images))

    Args:
        colorful: `keras.Model` from lightness to logits, such as `build_zhang` returns.
        smoothing: Steps of `EdgeAwareSmoothing`. Without steps there is no smoothing.
        edge: Change of lightness that stops the smoothing, in percent of its range.
        filters: Widths of the branch's 3x3 convolutions. The last one also sees the distribution.
        regularization, temperature: Weight and temperature of `ColorRegularizer`, which keeps the
            branch near likely colors.

    Returns:
        `keras.Model` from lightness `(H, W, 1)` to a dict of logits: "colorful", of the size of the
        colorful network's output, and "coherent", `(H, W, num_bins)`.

    Raises:
        ValueError: If `colorful` is not a model from lightness to logits.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization".

    Example:
        >>> network = build_coherent(build_shallow_classification(64), filters=(8, 8))
        >>> network.output["coherent"].shape
        (None, None, None, 64)
    """
    space = spaces.get(space)
    inputs, logits, detached = _begin(colorful, space)
    x = layers.Activation("log_softmax", dtype="float32", name="log_probabilities")(detached)
    predicted = x = Enlarge(output_stride(colorful), dtype="float32", name="enlarge")([x, inputs])
    if smoothing:
        x = _smoothed(x, inputs, smoothing, edge, space)
    if filters:
        distribution = x
        x = normalize_lightness(inputs, space, name="gray_normalize")
        x = _convolutions(x, filters[:-1], "gray")
        reduced = layers.Conv2D(filters[-1], 1, name="reduce")(distribution)
        x = layers.Concatenate(name="join")([x, reduced])
        x = _convolutions(x, filters[-1:], "refine")
        x = layers.Conv2D(
            logits.shape[-1], 1, kernel_initializer="zeros", dtype="float32", name="correction"
        )(x)
        x = layers.Add(dtype="float32", name="coherent_logits")([distribution, x])
        x = ColorRegularizer(temperature, regularization, name="regularizer")([predicted, x])
    return _end(inputs, logits, x, name)


def build_coherent_as_published(
    colorful,
    *,
    space=LAB,
    filters=(32, 32, 32),
    squash=False,
    regularization=1.0,
    temperature=0.01,
    name="coherent_as_published",
):
    """Build the published branch, which predicts logits from lightness and the distribution.

    3x3 convolutions of widths `filters` on lightness, each with batch normalization, are
    concatenated with the detached, enlarged distribution of the colorful network. One 3x3
    convolution then predicts coherent logits (sections 3 and 4, Figure 4). The author's code
    enlarges by repetition, takes lightness from 0 to 100 and decodes to the corners of bins. Here
    the enlargement is linear, lightness is from -1 to 1, and decoding uses the centers of bins. See
    `build_coherent` for further arguments and the result.

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        squash: If True, follow the author's code: concatenate logits, and apply a sigmoid to the
            new logits before any softmax. At temperature 1, none of 313 probabilities then exceeds
            0.0087. If False, follow the paper: concatenate probabilities, and do not limit logits.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization".

    Example:
        >>> network = build_coherent_as_published(build_shallow_classification(64))
        >>> network.output["coherent"].shape
        (None, None, None, 64)
    """
    space = spaces.get(space)
    inputs, logits, detached = _begin(colorful, space)
    enlarge = Enlarge(output_stride(colorful), dtype="float32", name="enlarge")
    predicted = given = enlarge([detached, inputs])
    x = normalize_lightness(inputs, space, name="gray_normalize")
    x = _convolutions(x, filters, "gray")
    if not squash:
        given = layers.Activation("softmax", dtype="float32", name="probabilities")(predicted)
    x = layers.Concatenate(name="join")([x, given])
    # In the precision of the policy: in float32 this convolution takes over half of a step.
    x = layers.Conv2D(logits.shape[-1], 3, padding="same", name="coherent_logits")(x)
    if squash:
        x = layers.Activation("sigmoid", dtype="float32", name="squash")(x)
    x = ColorRegularizer(temperature, regularization, name="regularizer")([predicted, x])
    return _end(inputs, logits, x, name)


def smooth_predictions(model, *, steps=(4, 2, 1), edge=5.0, space=LAB, name=None):
    """Smooth the log-probabilities that a network predicts, up to the edges of lightness.

    The result is a weighted geometric mean of the probabilities of neighboring pixels. Nothing is
    trained. Some patches differ in color from their surroundings without an edge of
    lightness, such as blue haze around a head. They take the colors of their surroundings.

    Args:
        model: `keras.Model` from lightness to logits over color bins, for every n-th pixel or all.
        steps: Steps of `EdgeAwareSmoothing`, in pixels of the prediction, large ones first.
        edge: Change of lightness at which the weight is 1/e, in percent of its range.
        name: Name of the new model; `None` takes the name of `model`.

    Returns:
        `keras.Model` that shares the layers of `model` and predicts log-probabilities.

    Raises:
        ValueError: If `model` does not predict logits from lightness, or a step is not positive.

    Example:
        >>> smooth_predictions(build_shallow_classification(64)).output_shape
        (None, None, None, 64)
    """
    lightness, stride = model.inputs[0], output_stride(model)
    options = {"dtype": "float32", "name": "log_probabilities"}
    x = layers.Activation("log_softmax", **options)(model.outputs[0])
    if stride > 1:
        options = {"dtype": "float32", "name": "reduced_lightness"}
        lightness = layers.AveragePooling2D(stride, padding="same", **options)(lightness)
    x = _smoothed(x, lightness, steps, edge, spaces.get(space))
    return keras.Model(model.inputs[0], x, name=name or model.name)


def _begin(colorful, space):
    """Return lightness, the colorful network's logits, and the same logits without gradient."""
    channels, num_bins = colorful.input_shape[-1], colorful.output_shape[-1]
    if channels != 1 or num_bins <= space.chroma_channels:
        raise ValueError(
            "`colorful` must be a model from lightness (height, width, 1) to logits over color "
            f"bins. Received a model from {channels} channels to {num_bins}"
        )
    inputs = keras.Input(colorful.input_shape[1:], name="lightness")
    logits = colorful(inputs)
    return inputs, logits, StopGradient(dtype="float32", name="detached")(logits)


def _end(inputs, logits, coherent, name):
    coherent = layers.Activation("linear", dtype="float32", name="coherent")(coherent)
    return keras.Model(inputs, {"colorful": logits, "coherent": coherent}, name=name)


def _smoothed(x, lightness, steps, edge, space):
    low, high = space.lightness_range
    return EdgeAwareSmoothing(steps, edge * (high - low) / 100, name="smoothing")([x, lightness])


def _convolutions(x, widths, name):
    for i, width in enumerate(widths, start=1):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}{i}")(x)
        # With a fast moving mean, as the branch trains for some hundred steps at `quick`.
        x = BatchNormalization(momentum=0.9, name=f"{name}{i}_bn")(x)
    return x
