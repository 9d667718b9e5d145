"""Compute how often each color occurs, and class weights that rebalance rare colors."""

import numpy as np
from keras import ops
from scipy.spatial.distance import cdist

from colorkit.color.bins import chroma_batches

__all__ = ["class_weights", "color_prior", "smooth_prior"]


def color_prior(images, bins, *, neighbors=1, sigma=5.0):
    """Compute how often each bin occurs in images.

    Args:
        images: uint8 or floating point in [0, 1], in an array `(N, H, W, 3)` or any iterable.
        bins: `ColorBins`.
        neighbors: 1 counts the nearest bin of every pixel. A larger number averages soft codes;
            the published prior of the 313 bins used 5.
        sigma: Standard deviation of the soft codes, in chroma units. The default is for Lab; Yuv
            needs about 0.03.

    Returns:
        float64 array of shape `(num_bins,)`, summing to 1.

    Raises:
        ValueError: If there are no images in [0, 1], or an argument is out of range.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 2.2.

    Example:
        >>> bins = ck.ColorBins.grid(9)
        >>> prior = color_prior(np.full((2, 8, 8, 3), 128, "uint8"), bins)  # gray: the middle bin
        >>> prior.shape, round(float(prior[4]), 2)
        ((9,), 1.0)
    """
    counts = np.zeros(bins.num_bins)
    for chroma in chroma_batches(images, bins.space):
        # Encoding only distinct colors saves most of the work. As one complex number each, they
        # are found several times faster than as rows.
        colors = np.round(chroma, 6).reshape(-1, 2).view("complex64")
        colors, repeats = np.unique(colors, return_counts=True)
        chroma = colors.view("float32").reshape(-1, 2)
        indices, weights = bins.soft_encode(chroma, neighbors=neighbors, sigma=sigma)
        weights = ops.convert_to_numpy(weights) * repeats[:, None]
        counts += np.bincount(
            ops.convert_to_numpy(indices).ravel(), weights.ravel(), minlength=bins.num_bins
        )
    return counts / counts.sum()


def smooth_prior(prior, bins, sigma=5.0):
    """Smooth a prior with a Gaussian of the distance between bin centers.

    Args:
        prior: Probability of each bin, as `color_prior` returns it.
        bins: `ColorBins`.
        sigma: Positive standard deviation of the Gaussian, in chroma units. Champati et al. use 3
            steps of their 9 by 9 lattice, 73 units of ab.

    Returns:
        float64 array of shape `(num_bins,)`, summing to 1.

    Raises:
        ValueError: If `prior` is not a vector of probabilities, or `sigma` is not positive.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 2.2.

    Example:
        >>> bins, prior = ck.ColorBins.grid(9), np.eye(9)[4]
        >>> smooth = smooth_prior(prior, bins, sigma=73)
        >>> bool((smooth > 0).all()), round(float(smooth.sum()), 2)
        (True, 1.0)
    """
    prior = _checked_prior(prior)
    if not sigma > 0:
        raise ValueError(f"`sigma` must be positive. Received: {sigma!r}")
    kernel = np.exp(-0.5 * (cdist(bins.centers, bins.centers) / sigma) ** 2)
    return prior @ (kernel / kernel.sum(axis=1, keepdims=True))


def class_weights(prior, uniform_weight=0.5):
    """Compute class weights that give rare colors more weight in the loss.

    Args:
        prior: Probability of each bin, as `color_prior` returns it.
        uniform_weight: Share of the uniform distribution over all bins that is mixed into
            `prior`, in [0, 1]: lambda in the papers (0.5 in Zhang et al., 0.2 in Champati et al.).
            A value of 1 gives equal weights; 0 raises an error if a bin never occurs.

    Returns:
        float64 array of shape `(num_bins,)`, scaled so that its mean under `prior` is 1.

    Raises:
        ValueError: If `prior` is not a vector of probabilities, `uniform_weight` is not in [0, 1],
            or a weight would be infinite.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equation 4; Champati,
        Houle, Zhang, "Small-Scale Automatic Image Colorization", equation 5.

    Example:
        >>> [round(float(weight), 2) for weight in class_weights([0.9, 0.1])]
        [0.88, 2.06]
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
    if prior.ndim != 1 or not np.isfinite(prior).all() or (prior < 0).any():
        raise ValueError(
            "`prior` must be a vector of probabilities, none negative, infinite or NaN. "
            f"Received shape {prior.shape}, values from {prior.min()} to {prior.max()}"
        )
    if abs(prior.sum() - 1) > 1e-4:
        raise ValueError(f"`prior` must sum to 1. Received a sum of {prior.sum():.6g}")
    return prior
