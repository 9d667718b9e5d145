"""Measure how steady the colors of a film are: sequences of images instead of pairs."""

import numpy as np
from keras import ops
from scipy.special import rel_entr

from colorkit.data.motion import moved
from colorkit.metrics.mean import ab, checked


def warp_error(frames, places):
    """Compute how far the chroma of each frame is from that of the frame before, moved.

    Args:
        frames: RGB in [0, 1], shape `(N, height, width, 3)`.
        places: Row and column of each pixel in the frame before, shape
            `(N - 1, 2, height, width)`. Pixels that come from outside it are left out.

    Returns:
        Mean distance in ab between each frame and the one before, shape `(N - 1,)`.

    Raises:
        ValueError: If `frames` are not RGB images, or `places` has another shape.

    References:
        Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, but with ab instead
        of RGB, the distance instead of its square, and known instead of estimated motion.

    Example:
        >>> frames = np.zeros((2, 4, 4, 3))
        >>> still = np.indices((4, 4))[None]  # each pixel was at the same place before
        >>> round(float(warp_error(frames, still)[0]), 3)
        0.0
    """
    chroma = ops.convert_to_numpy(ab(*checked(frames)))
    expected = (len(chroma) - 1, 2, *chroma.shape[1:3])
    if np.shape(places) != expected:
        raise ValueError(f"`places` must have shape {expected}. Received: {np.shape(places)}")
    errors = []
    for before, after, place in zip(chroma, chroma[1:], places, strict=False):
        distance = np.linalg.norm(after - moved(before, place, fill=np.nan), axis=-1)
        errors.append(np.nanmean(distance))
    return np.array(errors)


def color_distribution_consistency(frames, distances=(1, 2, 4)):
    """Compute the mean Jensen-Shannon divergence of the color histograms of frames, in nats.

    Lower is steadier: 0 for frames of the same 256-bin histograms of R, G and B, and at most ln 2.
    Frames without color can have less than the ground truth, as only lightness changes.

    Args:
        frames: RGB in [0, 1], shape `(N, height, width, 3)`.
        distances: Distances between the compared frames; the result is the mean over them.

    Raises:
        ValueError: If `frames` are not RGB images, or not more than the largest distance.

    References:
        Liu et al., "Temporally Consistent Video Colorization with Deep Feature Propagation and
        Self-Regularization Learning", 2024 (CDC).

    Example:
        >>> round(float(color_distribution_consistency(np.zeros((8, 4, 4, 3)))), 3)
        0.0
    """
    levels = np.uint8(ops.convert_to_numpy(*checked(frames)) * 255 + 0.5)
    if len(levels) <= max(distances):
        raise ValueError(
            f"`frames` must be more than the largest distance, {max(distances)}. "
            f"Received: {len(levels)}"
        )
    planes = np.moveaxis(levels, -1, 1).reshape(len(levels), 3, -1)
    shares = np.array([[np.bincount(x, minlength=256) for x in rgb] for rgb in planes])
    shares = shares / planes.shape[-1]

    def divergence(p, q):
        middle = (p + q) / 2
        return np.mean(rel_entr(p, middle).sum(-1) + rel_entr(q, middle).sum(-1)) / 2

    return float(np.mean([divergence(shares[d:], shares[:-d]) for d in distances]))
