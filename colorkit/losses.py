"""Losses between true chroma and predicted chroma or logits."""

import math

import keras
import numpy as np
from keras import ops

from colorkit.checks import check_weight, check_whole
from colorkit.color.bins import BinsConfig, checked_class_weights
from colorkit.color.edges import MAGNITUDES, checked_magnitudes, gradient, magnitude
from colorkit.color.spaces import same_size

__all__ = [
    "CancellingCrossentropy",
    "FeatureLoss",
    "GradientCoherence",
    "JointCrossentropy",
    "RebalancedCrossentropy",
    "rebalanced_crossentropy",
]


def rebalanced_crossentropy(
    y_true, y_pred, bins, class_weights=None, neighbors=1, sigma=5.0, stride=1
):
    """Compute the cross-entropy over color bins, with each pixel weighted by its bin.

    `y_true` is chroma of shape `(..., height, width, 2)`. `y_pred` is logits, one for each bin at
    every `stride`-th pixel. See `RebalancedCrossentropy` for the other arguments and the source.
    Returns the loss of each pixel that has a prediction, in nats. Shapes that do not fit raise a
    `ValueError`.

    Example:
        >>> bins, chroma = ck.ColorBins.grid(9), np.zeros((1, 4, 4, 2))
        >>> loss = rebalanced_crossentropy(chroma, np.zeros((1, 4, 4, 9), "float32"), bins)
        >>> tuple(loss.shape), round(float(loss[0, 0, 0]), 3)  # log 9
        ((1, 4, 4), 2.197)
    """
    y_true = _strided(y_true, y_pred, bins, stride)
    if neighbors == 1:
        indices = bins.encode(y_true)[..., None]
        weights = ops.ones_like(indices, dtype="float32")
    else:
        indices, weights = bins.soft_encode(y_true, neighbors, sigma)
    loss = _crossentropy(y_pred, indices, weights)
    if class_weights is not None:
        # The weight multiplies the loss; as a factor of the probabilities it would cancel.
        factors = ops.convert_to_tensor(class_weights, dtype=loss.dtype)
        loss = ops.take(factors, indices[..., 0]) * loss
    return loss


def _crossentropy(logits, indices, weights):
    """Return sum_k w_k (logsumexp(z) - z_k) over the bins of codes, whose w_k sum to 1."""
    weights = ops.stop_gradient(weights)  # codes are constants on every path
    if not _is_tensorflow_on_cpu():
        return _of_codes(logits, indices, weights)
    import tensorflow as tf

    # TensorFlow computes the gradient of `take` on one core, and longer than most convolutions.
    @tf.custom_gradient
    def crossentropy(logits):
        def gradient(upstream):
            chosen, shares = (tf.reshape(x, (-1, x.shape[-1])) for x in (indices, weights))
            codes = tf.raw_ops.DenseBincount(
                input=chosen, size=logits.shape[-1], weights=shares, binary_output=False
            )
            codes = tf.cast(tf.reshape(codes, tf.shape(logits)), logits.dtype)
            return upstream[..., None] * (tf.nn.softmax(logits) - codes)

        return _of_codes(logits, indices, weights), gradient

    return crossentropy(ops.convert_to_tensor(logits))


def _is_tensorflow_on_cpu():
    if keras.backend.backend() != "tensorflow":  # PyTorch has no such list
        return False
    return all(device.startswith("cpu") for device in keras.distribution.list_devices())


def _of_codes(logits, indices, weights):
    # No dense code is needed. Gathering from flat logits is several times as fast as along an axis.
    num_bins = logits.shape[-1]
    num_pixels = ops.shape(ops.reshape(indices[..., 0], (-1,)))[0]
    dtype = _index_dtype(logits)
    first = ops.arange(num_pixels, dtype=dtype) * num_bins
    first = ops.reshape(first, ops.shape(indices[..., 0]))
    chosen = ops.take(ops.reshape(logits, (-1,)), first[..., None] + ops.cast(indices, dtype))
    weights = ops.cast(weights, logits.dtype)
    return ops.logsumexp(logits, axis=-1) - ops.sum(weights * chosen, axis=-1)


def _index_dtype(logits):
    """Return the type of indices of logits: int64, which is slower, if there may be 2**31."""
    # A graph may not know the number of images, which hardly exceeds a thousand.
    if math.prod(side or 1024 for side in logits.shape) < 2**31:
        return "int32"
    if keras.backend.backend() == "jax":  # which has no int64 by default
        raise ValueError(
            "`y_pred` must have less than 2**31 values. "
            f"Received shape {tuple(logits.shape)}; take smaller batches."
        )
    return "int64"


def _strided(y_true, y_pred, bins, stride):
    """Return the pixels of chroma that have predicted logits."""
    strided = y_true[..., ::stride, ::stride, :]
    if y_pred.shape[-1] != bins.num_bins or not same_size(strided.shape[:-1], y_pred.shape[:-1]):
        raise ValueError(
            f"`y_pred` must be logits of {bins.num_bins} bins for every pixel of the chroma "
            "`y_true`, or for every `stride`-th. Received shapes "
            f"{tuple(y_pred.shape)} and {tuple(y_true.shape)}, and stride {stride}"
        )
    return strided


class _BinsLoss(BinsConfig, keras.losses.Loss):
    """Check the class weights of a loss, and save them and its bins."""

    default_name = None

    def __init__(self, bins, class_weights, num_classes, **kwargs):
        super().__init__(**{"name": self.default_name, **kwargs})
        if class_weights is not None:
            class_weights = checked_class_weights(class_weights, num_classes)
        self.bins = bins
        self.class_weights = class_weights


@keras.saving.register_keras_serializable(package="colorkit")
class RebalancedCrossentropy(_BinsLoss):
    """Compute the cross-entropy between the bins of a chroma image and predicted logits.

    Args:
        bins: `ColorBins` of the logits.
        class_weights: Weight of each bin, shape `(num_bins,)`, as `colorkit.class_weights` returns
            it. `None` gives plain cross-entropy.
        neighbors: 1 trains on the nearest bin. A larger number trains on soft codes of that many.
        sigma: Standard deviation of the soft codes, in chroma units. The default is for Lab; Yuv
            needs about 0.03.
        stride: Distance in pixels between predictions of the network. Logits have the shape
            `(..., ceil(height / stride), ceil(width / stride), num_bins)`.
        **kwargs: `name`, `reduction`, `dtype` of `keras.losses.Loss`.

    Raises:
        ValueError: If an argument is out of range. From a call, if the shapes do not fit.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equations 2 and 3.

    Example:
        >>> bins = ck.ColorBins.gamut()
        >>> network = ck.models.build_zhang(bins.num_bins, width=0.05)
        >>> network.compile("adam", loss=RebalancedCrossentropy(bins, neighbors=5, stride=4))
    """

    default_name = "rebalanced_crossentropy"

    def __init__(self, bins, class_weights=None, neighbors=1, sigma=5.0, stride=1, **kwargs):
        super().__init__(bins, class_weights, bins.num_bins, **kwargs)
        bins.check_codes(neighbors, sigma)
        check_whole("stride", stride)
        self.neighbors = neighbors
        self.sigma = sigma
        self.stride = int(stride)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if self.stride > 1 and sample_weight is not None:
            # Weights per pixel are reduced to the pixels with logits. Weights per image stay; if a
            # graph knows no sizes, their single pixel shows which ones they are.
            weights = ops.convert_to_tensor(sample_weight)
            fits = None not in y_pred.shape[1:3] and weights.shape[1:3] == y_pred.shape[1:3]
            if len(weights.shape) > 2 and not fits:
                sample_weight = weights[:, :: self.stride, :: self.stride]
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        return rebalanced_crossentropy(
            y_true, y_pred, self.bins, self.class_weights, **self._codes()
        )

    def _codes(self):
        return {"neighbors": self.neighbors, "sigma": self.sigma, "stride": self.stride}

    def get_config(self):
        return {**super().get_config(), **self._codes()}


@keras.saving.register_keras_serializable(package="colorkit")
class JointCrossentropy(RebalancedCrossentropy):
    """Compute rebalanced cross-entropy plus a smooth L1 loss of the mean of the prediction.

    The cross-entropy learns the distribution of colors. The smooth L1 loss compares the true
    chroma with the mean of this distribution, after dividing it by the class weights. Then
    `bins.decode(logits, temperature, class_weights)` is vivid at low temperatures, and at
    temperature 1 it is as accurate as L2 regression. Shapes are those of `RebalancedCrossentropy`.

    Args:
        bins, class_weights, neighbors, sigma, stride: See `RebalancedCrossentropy`.
        **kwargs: See `RebalancedCrossentropy`.
        regression_weight: Weight of the smooth L1 loss, in nats per chroma unit. This default and
            that of `delta` are for Lab.
        delta: Error in chroma units up to which the smooth L1 loss is quadratic.

    Raises:
        ValueError: As `RebalancedCrossentropy`, or if `regression_weight` is negative or `delta` is
            not positive.

    References:
        Zhang et al., "Real-Time User-Guided Image Colorization", SIGGRAPH 2017 (both terms, with
        one head each).

    Example:
        >>> loss = JointCrossentropy(ck.ColorBins.grid(9))
        >>> chroma, logits = np.full((1, 4, 4, 2), 50.0), np.zeros((1, 4, 4, 9), "float32")
        >>> float(loss(chroma, logits)) > 2.2  # log 9, and the distance of the mean
        True
    """

    default_name = "joint_crossentropy"

    def __init__(
        self, bins, class_weights=None, neighbors=5, *, regression_weight=0.1, delta=30.0, **kwargs
    ):
        super().__init__(bins, class_weights, neighbors, **kwargs)
        if not regression_weight >= 0 or not delta > 0:
            raise ValueError(
                "`regression_weight` must not be negative and `delta` must be positive. "
                f"Received: {regression_weight!r} and {delta!r}"
            )
        self.regression_weight = regression_weight
        self.delta = delta

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        crossentropy = super().call(y_true, y_pred)
        mean = self.bins.decode(y_pred, 1.0, self.class_weights)
        y_true = _strided(y_true, y_pred, self.bins, self.stride)
        smooth = keras.losses.huber(y_true, mean, delta=self.delta) / self.delta
        return crossentropy + self.regression_weight * smooth

    def get_config(self):
        options = {"regression_weight": self.regression_weight, "delta": self.delta}
        return {**super().get_config(), **options}


@keras.saving.register_keras_serializable(package="colorkit")
class CancellingCrossentropy(RebalancedCrossentropy):
    """Compute the rebalanced cross-entropy of Champati et al.'s code, in which the weights cancel.

    The weight of a pixel multiplies its probabilities, and the cross-entropy divides by their sum
    again. Only clipping to [1e-7, 1 - 1e-7] leaves some effect of the weights.

    Arguments and shapes are those of `RebalancedCrossentropy`.

    Raises:
        ValueError: As `RebalancedCrossentropy`.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", the authors' code.

    Example:
        >>> bins, chroma = ck.ColorBins.grid(9), np.zeros((1, 4, 4, 2))
        >>> for weights in (None, np.linspace(0.5, 1.5, 9)):
        ...     loss = CancellingCrossentropy(bins, weights)
        ...     print(round(float(loss(chroma, np.zeros((1, 4, 4, 9)))), 3))
        2.197
        2.197
    """

    default_name = "cancelling_crossentropy"

    def call(self, y_true, y_pred):
        probabilities = ops.softmax(y_pred, axis=-1)
        if self.class_weights is not None:
            weights = ops.convert_to_tensor(self.class_weights, dtype=probabilities.dtype)
            labels = self.bins.encode(_strided(y_true, y_pred, self.bins, self.stride))
            probabilities = probabilities * ops.take(weights, labels)[..., None]
        epsilon = keras.config.epsilon()
        logits = ops.log(ops.clip(probabilities, epsilon, 1.0 - epsilon))
        # As in the code, cross-entropy applies a softmax to log-probabilities again.
        return rebalanced_crossentropy(y_true, logits, self.bins, **self._codes())


@keras.saving.register_keras_serializable(package="colorkit")
class GradientCoherence(_BinsLoss):
    """Compute the distance between the chroma gradients of the ground truth and the prediction.

    The prediction must change color by as much as the ground truth, and at the same places. The
    loss does not depend on the colors themselves. Both have the shape `(..., height, width, 2)`, or
    the prediction is logits `(..., height, width, num_bins)`.

    Args:
        bins: `ColorBins` of the logits, or `None` if the predictions are chroma.
        temperature: Temperature at which logits are decoded, above 0. Values near 0 give the mode.
        signed: If True, compare the differences themselves, as in the paper's equation. If False,
            compare the sums of their absolute values per channel, as in the author's code. These
            do not distinguish a step up from a step down.
        magnitudes: Limits of the classes of gradients in Lab, see `gradient_prior`.
        class_weights: Weight of each class of true gradients, shape `(len(magnitudes) + 1,)`.
        **kwargs: See `RebalancedCrossentropy`.

    Raises:
        ValueError: If an argument is out of range. From a call, if the shapes do not fit.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", equation 3; section 5 proposes the
        weights.

    Example:
        >>> loss = GradientCoherence()
        >>> chroma = np.random.default_rng(0).normal(size=(1, 8, 8, 2))
        >>> float(loss(chroma, chroma + 20)) < 1e-3  # the same edges, in other colors
        True
    """

    default_name = "gradient_coherence"

    def __init__(
        self,
        bins=None,
        temperature=0.01,
        signed=True,
        magnitudes=MAGNITUDES,
        class_weights=None,
        **kwargs,
    ):
        self.magnitudes = checked_magnitudes(magnitudes)
        super().__init__(bins, class_weights, len(self.magnitudes) + 1, **kwargs)
        if not temperature > 0:
            raise ValueError(
                f"`temperature` must be positive: a mode has no gradient. Received: {temperature!r}"
            )
        self.temperature = temperature
        self.signed = signed

    def call(self, y_true, y_pred):
        chroma = y_pred if self.bins is None else self.bins.decode(y_pred, self.temperature)
        if len(chroma.shape) < 3 or not same_size(y_true.shape, chroma.shape):
            raise ValueError(
                "`y_true` and the decoded `y_pred` must be chroma (..., height, width, channels) "
                "of the same size. "
                f"Received shapes {tuple(y_true.shape)} and {tuple(chroma.shape)}"
            )
        true = gradient(ops.cast(y_true, chroma.dtype))
        predicted = gradient(chroma)
        if self.signed:
            loss = magnitude(true - predicted)
        else:
            loss = ops.mean(ops.abs(_unsigned(true) - _unsigned(predicted)), axis=-1)
        if self.class_weights is not None:
            classes = ops.digitize(magnitude(true), np.float32(self.magnitudes))
            loss = ops.take(ops.convert_to_tensor(self.class_weights), classes) * loss
        return loss

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "signed": self.signed,
            "magnitudes": list(self.magnitudes),
        }


def _unsigned(vectors):
    down, right = ops.split(ops.abs(vectors), 2, axis=-1)
    return down + right


@keras.saving.register_keras_serializable(package="colorkit")
class FeatureLoss(keras.losses.Loss):
    """Compute the absolute error of RGB plus the squared error of a network's features.

    Ground truth and prediction are RGB in [0, 1], shape `(N, height, width, 3)`. Weights of pixels
    weigh the absolute error, and their mean weighs the error of the features.

    Args:
        features: `keras.Model` from RGB to features `(N, rows, columns, channels)`, such as
            `models.build_vgg_features(space=None)`. The loss does not train it. Build it under the
            dtype policy "float32", as gradients of half-precision features are inexact.
        feature_weight: Weight of the mean squared error of the features. With this default and the
            features of VGG16, both terms are about equal if the prediction is gray.
        **kwargs: See `RebalancedCrossentropy`.

    Raises:
        ValueError: If an argument does not fit. From a call, if the shapes do not fit. When a
            compiled model is loaded, as its file does not hold the weights of `features`: load it
            with `compile=False`.

    References:
        Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
        Super-Resolution", ECCV 2016, equation 2; Sinigaglia, Bertipaglia, Colato, "Image
        Colorization" (as a further term).

    Example:
        >>> classifier = ck.models.build_vgg_classifier()
        >>> loss = FeatureLoss(ck.models.build_vgg_features(classifier, space=None))
        >>> image = np.random.default_rng(0).random((1, 8, 8, 3))
        >>> float(loss(image, image))
        0.0
    """

    def __init__(self, features, feature_weight=3.6e-6, **kwargs):
        super().__init__(**{"name": "feature_loss", **kwargs})
        outputs = getattr(features, "outputs", ())
        if len(outputs) != 1 or len(outputs[0].shape) != 4:
            raise ValueError(
                "`features` must be a keras.Model with one output (N, rows, columns, channels). "
                f"Received: {features!r} with outputs {[tuple(x.shape) for x in outputs]}"
            )
        check_weight("feature_weight", feature_weight)
        self.features = features
        self.feature_weight = feature_weight

    def call(self, y_true, y_pred):
        if y_pred.shape[-1] != 3 or not same_size(y_true.shape, y_pred.shape):
            raise ValueError(
                "`y_true` and `y_pred` must be RGB images (N, height, width, 3) of the same size. "
                f"Received shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
            )
        y_true, y_pred = (ops.cast(x, "float32") for x in (y_true, y_pred))
        true, predicted = (
            ops.cast(self.features(x, training=False), "float32") for x in (y_true, y_pred)
        )
        feature_error = ops.mean(ops.square(true - predicted), axis=(1, 2, 3))
        error = ops.mean(ops.abs(y_true - y_pred), axis=-1)
        return error + self.feature_weight * feature_error[:, None, None]

    def get_config(self):
        return {**super().get_config(), "feature_weight": self.feature_weight}

    @classmethod
    def from_config(cls, config):
        raise ValueError(
            "The file of a model compiled with `FeatureLoss` does not hold the weights of its "
            "`features`. Load the model with `compile=False`, and compile it with the loss again."
        )
