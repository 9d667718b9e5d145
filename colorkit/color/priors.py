"""Compute how often each color occurs, and class weights that rebalance rare colors."""

import numpy as np
from keras import ops
from scipy.spatial.distance import cdist

from colorkit.color.bins import chroma_batches


def color_prior(images, bins, *, neighbors=1, sigma=5.0):
    """Compute how often each bin occurs in images.

    Args:
        images: Images `(H, W, 3)`, uint8 or floating point in [0, 1]: an array `(N, H, W, 3)`
            or any iterable.
        bins: `ColorBins`.
        neighbors: 1 counts the nearest bin of every pixel. A larger number averages soft codes,
            which is how the published prior of the 313 bins was smoothed (its authors use 5).
        sigma: Standard deviation of the soft codes, in chroma units.

    Returns:
        float64 array of shape `(num_bins,)`, summing to 1.

    Raises:
        ValueError: If there are no images, or an image holds a NaN or an infinity.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 2.2.
    """
    counts = np.zeros(bins.num_bins)
    for chroma in chroma_batches(images, bins.space):
        # An image repeats its colors: encoding only distinct colors saves most of the work.
        # As one complex number each, they are found several times faster than as rows.
        colors = np.round(chroma, 3).reshape(-1, 2).view("complex64")
        colors, repeats = np.unique(colors, return_counts=True)
        chroma = colors.view("float32").reshape(-1, 2)
        indices, weights = bins.soft_encode(chroma, neighbors=neighbors, sigma=sigma)
        weights = ops.convert_to_numpy(weights) * repeats[:, None]
        counts += np.bincount(
            ops.convert_to_numpy(indices).ravel(), weights.ravel(), minlength=bins.num_bins
        )
    return counts / counts.sum()


def smooth_prior(prior, bins, sigma=5.0):
    """Spread each bin's share over its neighbors in the chroma plane.

    The Gaussian is a function of the distance between bin centers, in two dimensions. Smoothing
    along the bin index would mix distant colors.

    Args:
        prior: Probability of each bin, shape `(num_bins,)`, summing to 1.
        bins: `ColorBins`.
        sigma: Standard deviation of the Gaussian, in chroma units. Champati et al. use 3 steps
            of their 9 by 9 lattice, 73 units of ab.

    Returns:
        float64 array of shape `(num_bins,)`, summing to 1.

    Raises:
        ValueError: If `prior` is not a distribution over the bins or `sigma` is not positive.
    """
    prior = _checked_prior(prior)
    if len(prior) != bins.num_bins:
        raise ValueError(
            f"`prior` must have one entry per bin, {bins.num_bins}. Received {len(prior)}"
        )
    if not sigma > 0:
        raise ValueError(f"`sigma` must be positive. Received: {sigma!r}")
    kernel = np.exp(-0.5 * (cdist(bins.centers, bins.centers) / sigma) ** 2)
    return prior @ (kernel / kernel.sum(axis=1, keepdims=True))


def class_weights(prior, uniform_weight=0.5):
    """Compute class weights that give rare colors more weight in the loss.

    Args:
        prior: Probability of each bin, shape `(num_bins,)`, summing to 1.
        uniform_weight: Share of the uniform distribution mixed into `prior`, in [0, 1]. It is
            lambda in the papers: 0.5 in Zhang et al., 0.2 in Champati et al. 1 gives equal weights.
            The distribution is uniform over all bins, as in the papers. In Zhang et al.'s code it
            is uniform over bins that occur, which is the same for a smoothed prior.

    Returns:
        float64 array of shape `(num_bins,)`, scaled so that its mean under `prior` is 1.

    Raises:
        ValueError: If `prior` is not a distribution, `uniform_weight` is outside [0, 1], or a bin
            has no probability after mixing.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equation 4; Champati,
        Houle, Zhang, "Small-Scale Automatic Image Colorization", equation 5.
    """
    prior = _checked_prior(prior)
    if not 0 <= uniform_weight <= 1:
        raise ValueError(f"`uniform_weight` must be in [0, 1]. Received: {uniform_weight!r}")
    mixed = (1 - uniform_weight) * prior + uniform_weight / len(prior)
    if not (mixed > 0).all():
        raise ValueError(
            f"{(prior == 0).sum()} bins never occur, so with `uniform_weight=0` their weight is "
            "infinite. Smooth the prior with `smooth_prior`, or set `uniform_weight` above 0."
        )
    return (1 / mixed) / (prior / mixed).sum()


def _checked_prior(prior):
    prior = np.asarray(prior, "float64")
    if prior.ndim != 1 or not prior.size or not np.isfinite(prior).all() or (prior < 0).any():
        values = f", values from {prior.min()} to {prior.max()}" if prior.size else ""
        raise ValueError(
            "`prior` must be a vector of probabilities, none negative, infinite or NaN. "
            f"Received shape {prior.shape}{values}"
        )
    if abs(prior.sum() - 1) > 1e-4:
        raise ValueError(f"`prior` must sum to 1. Received a sum of {prior.sum():.6g}")
    return prior
