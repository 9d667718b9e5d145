"""Layers that several models share.

All take `name` and `dtype` of `keras.layers.Layer`.
"""

import numbers

import keras
import numpy as np
from keras import ops

from colorkit.checks import check_whole
from colorkit.color import spaces
from colorkit.color.bins import BinsConfig

__all__ = [
    "BatchNormalization",
    "ColorDecoder",
    "ColorRegularizer",
    "CropLike",
    "EdgeAwareSmoothing",
    "Enlarge",
    "GrayImage",
    "PadToMultiple",
    "ResizeLike",
    "StopGradient",
    "VGGPreprocessing",
    "enlarge",
    "normalize_chroma",
    "normalize_lightness",
    "to_chroma",
]


def normalize_lightness(lightness, space, name="normalize"):
    """Scale lightness from its natural range to [-1, 1], the input of networks.

    `lightness` is a tensor of any shape, and `space` a `ColorSpace`.

    Example:
        >>> round(float(normalize_lightness(np.full((1, 1, 1, 1), 75.0), ck.LAB)[0, 0, 0, 0]), 3)
        0.5
    """
    low, high = space.lightness_range
    scale = 2 / (high - low)
    # In bfloat16, lightness of up to 100 would lose an eighth of its gray levels.
    offset = -1 - low * scale
    return keras.layers.Rescaling(scale, offset, dtype="float32", name=name)(lightness)


def to_chroma(features, space, name="chroma"):
    """Scale network outputs of the order of 1 to chroma in natural units, in float32.

    `features` is a tensor of any shape, and `space` a `ColorSpace`. The result has the same shape.

    Example:
        >>> round(float(to_chroma(np.full((1, 1, 1, 2), 0.5), ck.LAB)[0, 0, 0, 0]), 3)
        27.5
    """
    low, high = space.chroma_range
    scale, offset = (high - low) / 4, (low + high) / 2
    return keras.layers.Rescaling(scale, offset, dtype="float32", name=name)(features)


def normalize_chroma(chroma, space, name="normalize_chroma"):
    """Scale chroma in natural units to the order of 1, the inverse of `to_chroma`.

    `chroma` is a tensor of any shape, and `space` a `ColorSpace`. The result has the same shape.

    Example:
        >>> round(float(normalize_chroma(np.full((1, 1, 1, 2), 27.5), ck.LAB)[0, 0, 0, 0]), 3)
        0.5
    """
    low, high = space.chroma_range
    scale = 4 / (high - low)
    return keras.layers.Rescaling(scale, offset=-scale * (low + high) / 2, name=name)(chroma)


class _SizeOfSecondInput(keras.layers.Layer):
    def compute_output_shape(self, input_shape):
        shape, like = input_shape
        return (shape[0], *like[1:3], shape[-1])


@keras.saving.register_keras_serializable(package="colorkit")
class ResizeLike(_SizeOfSecondInput):
    """Resize features bilinearly to the height and width of others: `ResizeLike()([x, like])`.

    If a stride halves an odd side, doubling gives a side that is one pixel larger. This layer
    always gives the height and width of `like`. Both inputs have the shape
    `(N, height, width, channels)`.

    Example:
        >>> tuple(ResizeLike()([np.ones((1, 4, 4, 8)), np.ones((1, 7, 9, 1))]).shape)
        (1, 7, 9, 8)
    """

    def call(self, inputs):
        x, like = inputs
        size = ops.shape(like)[1:3]
        if all(isinstance(side, int) for side in size):
            return ops.cast(ops.image.resize(x, size), x.dtype)
        # Keras raises an error for sizes that a TensorFlow graph does not know, which happens
        # after images of a second size.
        for axis, side in zip((1, 2), size, strict=True):
            old = ops.shape(x)[axis]
            scale = ops.cast(old, "float32") / ops.cast(side, "float32")
            centers = (ops.arange(side, dtype="float32") + 0.5) * scale - 0.5
            x = _interpolated(x, ops.clip(centers, 0.0, ops.cast(old - 1, "float32")), axis)
        return x


def _interpolated(x, positions, axis):
    """Return values at positions along an axis; 1.5 is the mean of the second and the third."""
    before = ops.cast(ops.floor(positions), "int32")
    after = ops.minimum(before + 1, ops.shape(x)[axis] - 1)
    beyond = len(x.shape) - axis % len(x.shape) - 1
    share = ops.reshape(positions - ops.floor(positions), (-1, *[1] * beyond))
    share = ops.cast(share, x.dtype)
    return ops.take(x, before, axis=axis) * (1 - share) + ops.take(x, after, axis=axis) * share


@keras.saving.register_keras_serializable(package="colorkit")
class CropLike(_SizeOfSecondInput):
    """Crop features at the bottom and right to the size of others: `CropLike()([x, like])`.

    Both inputs have the shape `(N, height, width, channels)`, and the first is not the smaller one.

    Example:
        >>> tuple(CropLike()([np.ones((1, 8, 10, 8)), np.ones((1, 7, 9, 1))]).shape)
        (1, 7, 9, 8)
    """

    def call(self, inputs):
        x, like = inputs
        height, width = ops.shape(like)[1:3]
        return x[:, :height, :width]


@keras.saving.register_keras_serializable(package="colorkit")
class PadToMultiple(keras.layers.Layer):
    """Pad images at the bottom and right by reflection, until `multiple` divides both sides.

    It takes and returns `(N, height, width, channels)`. A `multiple` that is not a positive whole
    number raises a `ValueError`.

    Example:
        >>> tuple(PadToMultiple(8)(np.ones((1, 30, 41, 1))).shape)
        (1, 32, 48, 1)
    """

    def __init__(self, multiple, **kwargs):
        super().__init__(**kwargs)
        check_whole("multiple", multiple)
        self.multiple = int(multiple)

    def call(self, x):
        for axis in (1, 2):
            side = ops.shape(x)[axis]
            position = ops.arange(self._padded(side)) % (2 * side)  # small images repeat it
            x = ops.take(x, ops.minimum(position, 2 * side - 1 - position), axis=axis)
        return x

    def _padded(self, side):
        return side if side is None else -(-side // self.multiple) * self.multiple

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *map(self._padded, input_shape[1:3]), input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


def enlarge(x, stride, height, width):
    """Interpolate linearly between values at every n-th pixel of an image.

    The value `[i, j]` of x, `(..., ceil(height / stride), ceil(width / stride), channels)`, belongs
    to pixel `[i * stride, j * stride]`. Pixels after the last value repeat it.

    Example:
        >>> enlarged = enlarge(np.array([0.0, 4.0]).reshape(1, 1, 2, 1), 4, 1, 6)
        >>> [round(float(value), 3) for value in enlarged[0, 0, :, 0]]
        [0.0, 1.0, 2.0, 3.0, 4.0, 4.0]
    """
    if stride == 1:
        return x
    for axis, size in ((-3, height), (-2, width)):
        x = _interpolated(x, ops.arange(size, dtype="float32") / stride, axis)
    return x


@keras.saving.register_keras_serializable(package="colorkit")
class Enlarge(_SizeOfSecondInput):
    """Enlarge values at every n-th row and column to an image's size: `Enlarge(n)([x, image])`.

    See `enlarge` for the shape of x. A stride that is not a positive whole number, or that does not
    fit the shapes, raises a `ValueError`.

    Example:
        >>> tuple(Enlarge(4)([np.ones((1, 8, 10, 2)), np.ones((1, 30, 37, 1))]).shape)
        (1, 30, 37, 2)
    """

    def __init__(self, stride, **kwargs):
        super().__init__(**kwargs)
        check_whole("stride", stride)
        self.stride = int(stride)

    def call(self, inputs):
        x, image = inputs
        expected = [side and -(-side // self.stride) for side in image.shape[1:3]]
        if not spaces.same_size(x.shape[1:3], expected):
            raise ValueError(
                f"`x` must have a value for each of every {self.stride} pixels of the image. "
                f"Received shapes {tuple(x.shape)} and {tuple(image.shape)}"
            )
        return enlarge(x, self.stride, *ops.shape(image)[1:3])

    def get_config(self):
        return {**super().get_config(), "stride": self.stride}


@keras.saving.register_keras_serializable(package="colorkit")
class BatchNormalization(keras.layers.BatchNormalization):
    """Normalize over the batch as the layer of Keras does, but faster on TensorFlow.

    A training step with float32 weights takes one fused operation instead of a dozen. All
    arguments, weights and results are those of `keras.layers.BatchNormalization`, except for
    rounding.

    Example:
        >>> layer = BatchNormalization()
        >>> outputs = layer(np.float32([[[[1.0]], [[3.0]]]]), training=True)  # mean 2, variance 1
        >>> np.round(outputs, 2).ravel().tolist()
        [-1.0, 1.0]
    """

    def call(self, inputs, training=None, mask=None):
        learns = training and self.trainable and mask is None
        if not (learns and self._is_fusible(inputs)):
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1.nn import fused_batch_norm

        x = ops.cast(inputs, "float32")
        channels = (x.shape[-1],)
        outputs, mean, variance = fused_batch_norm(
            x,
            scale=self.gamma if self.scale else ops.ones(channels, "float32"),
            offset=self.beta if self.center else ops.zeros(channels, "float32"),
            epsilon=self.epsilon,
        )
        # The operation returns the unbiased variance; Keras keeps the other one.
        count = ops.cast(ops.prod(ops.shape(x)[:-1]), "float32")
        variance = variance * (ops.maximum(count - 1, 1) / count)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)

    def _is_fusible(self, inputs):
        if keras.backend.backend() != "tensorflow" or self.variable_dtype != "float32":
            return False
        is_image = len(inputs.shape) == 4 and self.axis in (-1, 3)
        return is_image and not (self.synchronized or getattr(self, "renorm", False))


@keras.saving.register_keras_serializable(package="colorkit")
class StopGradient(keras.layers.Layer):
    """Return features of any shape unchanged and stop their gradient.

    Example:
        >>> tuple(StopGradient()(np.ones((1, 4, 4, 8))).shape)
        (1, 4, 4, 8)
    """

    def call(self, inputs):
        return ops.stop_gradient(inputs)


@keras.saving.register_keras_serializable(package="colorkit")
class EdgeAwareSmoothing(_SizeOfSecondInput):
    """Average features along rows and columns, but not across edges of lightness.

    `EdgeAwareSmoothing()([features, lightness])` takes shapes `(N, height, width, channels)` and
    `(N, height, width, 1)` and returns features of the same shape. Each pass averages a pixel and
    the two pixels one step away, with weights `exp(-d / edge)`. Here d is the total change of
    lightness on the path between the pixels: the distance of the domain transform without the
    part that grows with the length of the path.

    Args:
        steps: Distance in pixels of each pass along rows and then columns. Large steps come first,
            because smaller steps then smooth the gaps that they leave.
        edge: Positive change of lightness, in its own units, at which the weight is 1/e.

    Raises:
        ValueError: If a step is not a positive whole number, `edge` is not positive, or the shapes
            do not fit.

    References:
        Gastal, Oliveira, "Domain Transform for Edge-Aware Image and Video Processing", SIGGRAPH
        2011 (the distance, and passes that each reach half as far as the previous pass);
        Dammertz et al., "Edge-Avoiding À-Trous Wavelet Transform", HPG 2010 (the taps).

    Example:
        >>> features = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype("float32")
        >>> smooth = EdgeAwareSmoothing(edge=5.0)([features, np.full((1, 8, 8, 1), 50.0)])
        >>> bool(keras.ops.std(smooth) < features.std() / 2)
        True
    """

    def __init__(self, steps=(8, 4, 2, 1), edge=5.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        steps = tuple(steps)
        if not all(isinstance(step, numbers.Integral) and step > 0 for step in steps):
            raise ValueError(f"`steps` must be positive whole numbers. Received: {steps!r}")
        if not edge > 0:
            raise ValueError(f"`edge` must be positive. Received: {edge!r}")
        self.steps = steps
        self.edge = edge

    def call(self, inputs):
        x, lightness = inputs
        fits = spaces.same_size(x.shape[:-1], lightness.shape[:-1])
        if not fits or lightness.shape[-1] != 1:
            raise ValueError(
                "Features (N, height, width, channels) and lightness (N, height, width, 1) must "
                f"have the same size. Received: {tuple(x.shape)} and {tuple(lightness.shape)}"
            )
        distances = {}
        for axis in (1, 2):
            # Total change of lightness from the first pixel of a row or column to each.
            change = ops.abs(ops.diff(lightness, axis=axis))
            change = ops.pad(change, _padding(axis, 1, 0))
            distances[axis] = ops.cumsum(change, axis=axis) / self.edge
        for step in self.steps:
            for axis, distance in distances.items():
                x = _averaged(x, distance, axis, step)
        return x

    def get_config(self):
        return {**super().get_config(), "steps": list(self.steps), "edge": self.edge}


def _averaged(x, distance, axis, step):
    padding = _padding(axis, step, step)
    wide_x = ops.pad(x, padding)
    wide_distance = ops.pad(distance, padding, constant_values=np.inf)  # outside: no weight
    total, weight = x, 1.0
    for neighbors in (slice(-2 * step), slice(2 * step, None)):
        window = (slice(None),) * axis + (neighbors,)
        near = ops.exp(-ops.abs(wide_distance[window] - distance))
        # Not in place: on PyTorch this would change the input.
        total = total + near * wide_x[window]
        weight = weight + near
    return total / weight


def _padding(axis, before, after):
    return [(before, after) if i == axis else (0, 0) for i in range(4)]


@keras.saving.register_keras_serializable(package="colorkit")
class ColorRegularizer(_SizeOfSecondInput):
    """Add a loss that keeps coherent colors near colors that the colorful network finds likely.

    The loss of a pixel is 0 if the coherent and the colorful distribution have the same mode. It
    grows to 1 as the colorful network finds the coherent mode less likely (Stellbrink, "Coherent
    and Colorful Image Colorization", equation 5). `ColorRegularizer()([colorful, coherent])` takes
    logits or log-probabilities of shape `(N, height, width, num_bins)` and returns `coherent`.

    Args:
        temperature: Positive temperature of the softmax that approximates the coherent mode.
            Values near 0 are nearest to the mode.
        weight: Non-negative weight of the loss. Sample weights have no effect.

    Raises:
        ValueError: If `temperature` is not positive or `weight` is negative.

    Example:
        >>> layer, logits = ColorRegularizer(), np.zeros((1, 4, 4, 9))
        >>> tuple(layer([logits, logits]).shape), len(layer.losses)
        ((1, 4, 4, 9), 1)
    """

    def __init__(self, temperature=0.01, weight=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not temperature > 0 or not weight >= 0:
            raise ValueError(
                "`temperature` must be positive and `weight` not negative. "
                f"Received: {temperature!r} and {weight!r}"
            )
        self.temperature = temperature
        self.weight = weight

    def call(self, inputs):
        colorful, coherent = inputs
        likely = ops.softmax(ops.stop_gradient(colorful), axis=-1)
        mode = ops.softmax(coherent / self.temperature, axis=-1)
        agreement = ops.sum(likely * mode, axis=-1) / ops.max(likely, axis=-1)
        self.add_loss(self.weight * ops.mean(1.0 - agreement))
        return coherent

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature, "weight": self.weight}


@keras.saving.register_keras_serializable(package="colorkit")
class GrayImage(keras.layers.Layer):
    """Turn lightness into a gray RGB image in the range that an image classifier expects.

    Args:
        space: `ColorSpace` of the lightness `(N, height, width, 1)`, or its name.
        low, high: Finite values of black and white, the larger one of white.
        **kwargs: The default `dtype` is float32, because bfloat16 has fewer gray levels than an
            image.

    Raises:
        ValueError: If `low` is not less than `high`, or one is not finite.

    Example:
        >>> white = GrayImage("lab", 0, 255)(np.full((1, 1, 1, 1), 100.0))
        >>> [round(float(value)) for value in white[0, 0, 0]]
        [255, 255, 255]
    """

    def __init__(self, space, low=-1.0, high=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if not -np.inf < low < high < np.inf:
            raise ValueError(
                "`low` and `high` must be the finite values of black and white, such as -1 and 1. "
                f"Received: {low!r} and {high!r}"
            )
        self.space = spaces.get(space)
        self.low = low
        self.high = high

    def call(self, inputs):
        rgb = self.low + (self.high - self.low) * _gray_rgb(inputs, self.space)
        return ops.cast(rgb, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)

    def get_config(self):
        options = {"space": self.space.name, "low": self.low, "high": self.high}
        return {**super().get_config(), **options}


def _gray_rgb(lightness, space):
    """Convert lightness `(..., 1)` in natural units to gray RGB in [0, 1], float32 `(..., 3)`."""
    lightness = ops.cast(lightness, "float32")
    chroma = ops.repeat(ops.zeros_like(lightness), space.chroma_channels, axis=-1)
    if space is spaces.RGB:
        chroma = chroma + lightness
    return space.merge(lightness, chroma, keep_lightness=False)


@keras.saving.register_keras_serializable(package="colorkit")
class VGGPreprocessing(keras.layers.Layer):
    """Turn lightness of a `space`, or RGB in [0, 1], into the input of VGG16: BGR minus a mean.

    It takes `(N, height, width, 1)`, or `(N, height, width, 3)` if `space` is `None`, and returns
    `(N, height, width, 3)`. An unknown `space` raises a `ValueError`.

    References:
        Simonyan, Zisserman, "Very Deep Convolutional Networks", 2015.

    Example:
        >>> tuple(VGGPreprocessing("lab")(np.full((1, 8, 8, 1), 50.0)).shape)
        (1, 8, 8, 3)
    """

    def __init__(self, space=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.space = None if space is None else spaces.get(space)

    def call(self, inputs):
        rgb = inputs if self.space is None else _gray_rgb(inputs, self.space)
        bgr = keras.applications.vgg16.preprocess_input(255.0 * ops.cast(rgb, "float32"))
        return ops.cast(bgr, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)

    def get_config(self):
        return {**super().get_config(), "space": self.space and self.space.name}


@keras.saving.register_keras_serializable(package="colorkit")
class ColorDecoder(BinsConfig, keras.layers.Layer):
    """Decode a network's output, as the last layer of a file. Its arguments are `Colorizer`'s.

    It takes chroma, or logits `(N, height, width, num_bins)` if there are `bins`, and returns
    chroma `(N, height, width, channels)` in natural units. An unknown `space` raises a
    `ValueError`.

    Example:
        >>> tuple(ColorDecoder("lab", ck.ColorBins.grid(9))(np.zeros((1, 4, 4, 9))).shape)
        (1, 4, 4, 2)
    """

    def __init__(
        self,
        space,
        bins=None,
        temperature=0.38,
        size=None,
        mirror=False,
        class_weights=None,
        saturation=1.0,
        calibration=None,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.space = spaces.get(space)
        self.bins = bins
        self.temperature = temperature
        self.size = size
        self.mirror = mirror
        self.class_weights = class_weights
        self.saturation = saturation
        self.calibration = calibration

    def call(self, inputs):
        chroma = inputs
        if self.bins is not None:
            chroma = self.bins.decode(inputs, self.temperature, self.class_weights)
        return chroma if self.saturation == 1 else self.saturation * chroma

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.space.chroma_channels)

    def get_config(self):
        return {
            **super().get_config(),
            "space": self.space.name,
            "temperature": self.temperature,
            "size": self.size,
            "mirror": self.mirror,
            "saturation": self.saturation,
            "calibration": self.calibration,
        }
