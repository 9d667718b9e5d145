"""Guided upsampling of chroma: to the size of an image, along the edges of its lightness."""

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

# Pixels converted at once: the temporary arrays of one strip stay within tens of megabytes.
_STRIP_PIXELS = 2**18
# Side of the window, in pixels of the small image. Below this variance, in a range of 1, lightness
# does not explain chroma.
_WINDOW = 3
_FLAT_VARIANCE = 1e-3


def strips(height, width):
    """Return slices of rows that divide an image into strips, for a bounded use of memory."""
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def upsampled(chroma, small, lightness, lightness_range):
    """Yield `(rows, chroma)`: a slice of rows, and chroma there at the size of an image.

    `chroma` and its lightness `small` have a reduced size; `lightness` has the full size. All have
    the shape `(height, width, channels)` (He, Sun, "Fast Guided Filter", arXiv:1505.00996).
    """
    slope, offset = _fit_locally(small, chroma, lightness_range)
    size = lightness.shape[:2]
    for rows in strips(*size):
        large = lightness[rows] * _enlarge_rows(slope, rows, size)
        large += _enlarge_rows(offset, rows, size)
        yield rows, large


def upsampled_at(pixels, chroma, small, lightness, lightness_range):
    """Return what `upsampled` gives at pixels `(n, 2)`, rows and columns: shape `(n, channels)`."""
    slope, offset = _fit_locally(small, chroma, lightness_range)
    planes, scale = np.concatenate([slope, offset], -1), np.divide(small.shape, lightness.shape)[:2]
    found = []
    for pixel in np.asarray(pixels):
        box = *(pixel * scale)[::-1], *((pixel + 1) * scale)[::-1]  # left, top, right, bottom
        found.append(resize(planes, (1, 1), Image.Resampling.BICUBIC, box)[0, 0])
    slope, offset = np.split(np.stack(found), 2, axis=-1)
    return slope * lightness[tuple(np.transpose(pixels))] + offset


def resize(planes, size, method, box=None):
    """Resize a float32 array `(H, W, C)`, or the part of it in a box, with Pillow."""
    images = map(Image.fromarray, np.ascontiguousarray(np.moveaxis(planes, -1, 0), "float32"))
    return np.stack([np.asarray(image.resize(size[::-1], method, box)) for image in images], -1)


def _fit_locally(lightness, chroma, lightness_range):
    """Fit chroma = slope * lightness + offset in each window, as a guided filter does."""

    def mean(x):
        return uniform_filter(x, (_WINDOW, _WINDOW, 0), mode="nearest")

    mean_lightness, mean_chroma = mean(lightness), mean(chroma)
    covariance = mean(lightness * chroma) - mean_lightness * mean_chroma
    variance = mean(lightness * lightness) - mean_lightness**2
    low, high = lightness_range
    slope = covariance / (variance + _FLAT_VARIANCE * (high - low) ** 2)
    return mean(slope), mean(mean_chroma - slope * mean_lightness)


def _enlarge_rows(small, rows, size):
    """Return the given rows of `small` enlarged to a size, smooth and without seams."""
    scale = small.shape[0] / size[0]
    box = (0, rows.start * scale, small.shape[1], rows.stop * scale)
    return resize(small, (rows.stop - rows.start, size[1]), Image.Resampling.BICUBIC, box)
