"""Losses: chroma in, chroma or logits out of a network, one number a pixel."""

import keras
import numpy as np
from keras import ops

from colorkit.bins import ColorBins
from colorkit.colorspace import same_size


def rebalanced_crossentropy(y_true, y_pred, bins, class_weights=None, neighbors=1, sigma=5.0):
    """Cross-entropy over colour bins, each pixel weighted by its bin.

    Args:
        y_true: Chroma, shape `(..., height, width, 2)`.
        y_pred: Logits, shape `(..., height, width, num_bins)`.
        bins: `ColorBins`.
        class_weights: Weight of each bin, shape `(num_bins,)`, or `None` for ones.
        neighbors: 1 trains on the nearest bin, more on soft codes.
        sigma: Standard deviation of the soft codes, in chroma units.

    Returns:
        Loss of each pixel, shape `(..., height, width)`.

    Raises:
        ValueError: If sizes or the number of logits do not fit.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equations 2 and 3.
    """
    if y_pred.shape[-1] != bins.num_bins or not same_size(y_true.shape[:-1], y_pred.shape[:-1]):
        raise ValueError(
            f"`y_true` must be chroma (..., height, width, 2) and `y_pred` logits (..., height, "
            f"width, {bins.num_bins}) of the same size. "
            f"Received shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    if neighbors == 1:
        indices = bins.encode(y_true)[..., None]
        weights = 1.0
    else:
        indices, weights = bins.soft_encode(y_true, neighbors, sigma)
    labels = indices[..., 0]
    # sum_k w_k (logsumexp(z) - z_k), and the w_k sum to 1: no dense target is needed. Gathering
    # from flat logits is several times as fast as along an axis, gradient included.
    num_pixels = ops.shape(ops.reshape(labels, (-1,)))[0]
    first = ops.reshape(ops.arange(num_pixels, dtype="int32") * bins.num_bins, ops.shape(labels))
    chosen = ops.take(ops.reshape(y_pred, (-1,)), first[..., None] + indices)
    loss = ops.logsumexp(y_pred, axis=-1) - ops.sum(weights * chosen, axis=-1)
    if class_weights is not None:
        # The weight multiplies the loss; multiplied into probabilities it would cancel.
        loss = ops.take(ops.convert_to_tensor(class_weights, dtype=loss.dtype), labels) * loss
    return loss


@keras.saving.register_keras_serializable(package="colorkit")
class RebalancedCrossentropy(keras.losses.Loss):
    """Cross-entropy between the bins of a chroma picture and predicted logits.

    Args:
        bins: `ColorBins` that the logits stand for.
        class_weights: Weight of each bin, shape `(num_bins,)`, as `colorkit.class_weights` makes
            them; `None` weighs all pixels alike, which is plain cross-entropy.
        neighbors: 1 trains on the nearest bin, more on soft codes of that many bins.
        sigma: Standard deviation of the soft codes, in chroma units.
        **kwargs: `name`, `reduction`, `dtype` of `keras.losses.Loss`.

    Raises:
        ValueError: If `class_weights` does not have one positive, finite entry a bin, or
            `neighbors` is not in 1..num_bins.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equations 2 and 3.
    """

    def __init__(
        self,
        bins,
        class_weights=None,
        neighbors=1,
        sigma=5.0,
        name="rebalanced_crossentropy",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if class_weights is not None:
            class_weights = np.asarray(class_weights, "float32")
            if class_weights.shape != (bins.num_bins,):
                raise ValueError(
                    f"`class_weights` must have one entry a bin, shape ({bins.num_bins},). "
                    f"Received shape {class_weights.shape}"
                )
            if not (np.isfinite(class_weights).all() and (class_weights > 0).all()):
                raise ValueError(
                    "`class_weights` must be positive and finite. "
                    f"Received values from {class_weights.min()} to {class_weights.max()}"
                )
        bins.check_neighbors(neighbors)
        self.bins = bins
        self.class_weights = class_weights
        self.neighbors = neighbors
        self.sigma = sigma

    def call(self, y_true, y_pred):
        return rebalanced_crossentropy(
            y_true, y_pred, self.bins, self.class_weights, self.neighbors, self.sigma
        )

    def get_config(self):
        weights = None if self.class_weights is None else self.class_weights.tolist()
        return {
            **super().get_config(),
            "bins": keras.saving.serialize_keras_object(self.bins),
            "class_weights": weights,
            "neighbors": self.neighbors,
            "sigma": self.sigma,
        }

    @classmethod
    def from_config(cls, config):
        bins = config["bins"]
        if not isinstance(bins, ColorBins):
            config = {**config, "bins": keras.saving.deserialize_keras_object(bins)}
        return cls(**config)
