"""What makes the colours of a colorful network hold together."""

import keras
from keras import layers

from colorkit import colorspace
from colorkit.layers import (
    ColorRegularizer,
    EdgeAwareSmoothing,
    Enlarge,
    StopGradient,
    normalize_lightness,
    output_stride,
)


def build_coherent(
    colorful,
    *,
    space=colorspace.LAB,
    smoothing=(1, 2, 4),
    edge=5.0,
    filters=(),
    regularization=4.0,
    temperature=0.38,
    name="coherent",
):
    """A colorful network whose distribution of colours is smoothed up to the edges of lightness.

    The predicted distribution is enlarged to every pixel and smoothed. Where there are `filters`,
    a branch that sees lightness at full size corrects it further; it begins as no correction. No
    loss of what is behind the colorful network reaches it.

    Args:
        colorful: `keras.Model` from lightness to logits, such as `build_zhang` makes.
        space: `ColorSpace` of the lightness, or its name.
        smoothing: Steps of `EdgeAwareSmoothing`; none for no smoothing.
        edge: Change of lightness that stops the smoothing, in percent of its range.
        filters: Widths of the branch's 3x3 convolutions, the last of which see the distribution
            too; none leaves the branch out, and then nothing is learned.
        regularization: Weight of `ColorRegularizer`, which holds the branch to likely colours.
        temperature: Temperature of `ColorRegularizer`.
        name: Name of the model.

    Returns:
        `keras.Model` from lightness `(height, width, 1)` to a dict of logits: "colorful", of the
        size that the colorful network gives, and "coherent", `(height, width, num_bins)`.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", for the branch and its regulariser;
        section 5 for what they lack. Smoothing and correction are not his.
    """
    space = colorspace.get(space)
    inputs, logits, detached = _begin(colorful)
    x = layers.Activation("log_softmax", dtype="float32", name="log_probabilities")(detached)
    predicted = x = Enlarge(output_stride(colorful), dtype="float32", name="enlarge")([x, inputs])
    if smoothing:
        low, high = space.lightness_range
        edge = edge * (high - low) / 100
        x = EdgeAwareSmoothing(smoothing, edge, name="smoothing")([x, inputs])
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
    space=colorspace.LAB,
    filters=(32, 32, 32),
    squash=False,
    regularization=1.0,
    temperature=0.01,
    name="coherent_as_published",
):
    """Stellbrink's branch: gray convolutions and the colorful logits make a distribution anew.

    Three 3x3 convolutions on lightness, each with batch normalisation, are concatenated with the
    detached, enlarged logits of the colorful network; one 3x3 convolution makes coherent logits of
    that. The author's code enlarges by repetition, takes lightness from 0 to 100 and decodes to
    the corners of bins; here it is linear, from -1 to 1, and to their centres.

    Args:
        colorful: As `build_coherent` takes it.
        space: As `build_coherent` takes it.
        filters: Widths of the convolutions on lightness.
        squash: Whether the logits pass a sigmoid before any softmax, as in the author's code: of
            313 probabilities none can then exceed 0.0086.
        regularization: Weight of `ColorRegularizer`.
        temperature: Temperature of `ColorRegularizer`.
        name: Name of the model.

    Returns:
        `keras.Model`, as `build_coherent` gives it.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", sections 3 and 4, Figure 4.
    """
    space = colorspace.get(space)
    inputs, logits, detached = _begin(colorful)
    predicted = Enlarge(output_stride(colorful), dtype="float32", name="enlarge")(
        [detached, inputs]
    )
    x = normalize_lightness(inputs, space, name="gray_normalize")
    x = _convolutions(x, filters, "gray")
    x = layers.Concatenate(name="join")([x, predicted])
    x = layers.Conv2D(logits.shape[-1], 3, padding="same", dtype="float32", name="coherent_logits")(
        x
    )
    if squash:
        x = layers.Activation("sigmoid", dtype="float32", name="squash")(x)
    x = ColorRegularizer(temperature, regularization, name="regularizer")([predicted, x])
    return _end(inputs, logits, x, name)


def _begin(colorful):
    inputs = keras.Input(colorful.input_shape[1:], name="lightness")
    logits = colorful(inputs)
    return inputs, logits, StopGradient(dtype="float32", name="detached")(logits)


def _end(inputs, logits, coherent, name):
    coherent = layers.Activation("linear", dtype="float32", name="coherent")(coherent)
    return keras.Model(inputs, {"colorful": logits, "coherent": coherent}, name=name)


def _convolutions(x, widths, name):
    for i, width in enumerate(widths, start=1):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}{i}")(x)
        # A moving mean that follows soon: the branch learns for some hundred steps at `quick`.
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}{i}_bn")(x)
    return x
