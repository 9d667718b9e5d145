"""Spread the colors of a few pixels without a network: baselines of hints."""

import numpy as np
import scipy.sparse
from scipy.ndimage import mean
from scipy.sparse.linalg import spsolve
from skimage.segmentation import slic

__all__ = ["optimized", "segmented"]

_SEGMENTS = 200
# Weight of 1 in lightness, beside the width of the image: segments of like lightness come first.
_LIGHTNESS = 2.0
_LEAST_VARIANCE = 2e-6  # of lightness in a window, as in the code of Levin et al.


def optimized(lightness, places, chroma):
    """Spread chroma so that neighbors of similar lightness have similar chroma.

    Lightness, in [0, 1], is `(height, width)`, and the given pixels `places` `(n, 2)` have chroma
    `(n, channels)`. Returns chroma `(height, width, channels)` (Levin, Lischinski, Weiss,
    "Colorization using Optimization", SIGGRAPH 2004, with the constants of the authors' code).
    """
    height, width = lightness.shape
    index = np.arange(height * width).reshape(height, width)
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    wide = np.pad(lightness, 1, constant_values=np.nan)
    near = np.lib.stride_tricks.sliding_window_view(wide, (3, 3)).reshape(height, width, 9)
    variance = 0.6 * np.nanvar(near, axis=-1)
    # The code of the paper widens the kernel until the nearest neighbor counts for at least 1 %.
    squared = (np.delete(near, 4, axis=-1) - lightness[..., None]) ** 2
    variance = np.maximum(variance, np.nanmin(squared, axis=-1) / -np.log(0.01))
    variance = np.maximum(variance, _LEAST_VARIANCE)
    weights = np.nan_to_num(np.exp(-squared / variance[..., None]))
    weights /= weights.sum(axis=-1, keepdims=True)
    given = np.zeros((height, width), bool)
    given[tuple(places.T)] = True
    rows, columns, values = [], [], []
    for k, (i, j) in enumerate(shifts):
        used = (weights[..., k] > 0) & ~given
        rows.append(index[used])
        columns.append(index[used] + i * width + j)
        values.append(-weights[..., k][used])
    shape = (height * width, height * width)
    values, rows, columns = map(np.concatenate, (values, rows, columns))
    system = scipy.sparse.eye(shape[0]) + scipy.sparse.coo_matrix((values, (rows, columns)), shape)
    known = np.zeros((shape[0], chroma.shape[-1]))
    known[index[tuple(places.T)]] = chroma
    return spsolve(system.tocsc(), known).reshape(height, width, -1)


def segmented(lightness, places, chroma):
    """Give each superpixel the chroma of the given pixel whose superpixel is most like it.

    Arguments and result are those of `optimized`. Lightness and position are compared (Achanta et
    al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", 2012).
    """
    segments = slic(lightness, _SEGMENTS, compactness=0.1, channel_axis=None, start_label=0)
    rows, columns = np.mgrid[: lightness.shape[0], : lightness.shape[1]] / max(lightness.shape)
    count = range(segments.max() + 1)
    planes = (_LIGHTNESS * lightness, rows, columns)
    described = np.stack([mean(plane, segments, count) for plane in planes], axis=-1)
    hinted = described[segments[tuple(places.T)]]
    nearest = ((described[:, None] - hinted) ** 2).sum(axis=-1).argmin(axis=1)
    return chroma[nearest][segments]
