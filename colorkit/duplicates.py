"""Images that occur twice, such as in the test set what was learned from."""

import numpy as np
from PIL import Image

from colorkit.images import Images

_SIDE = 16
# Re-encoded and resized copies agree to more than this; two images of one kind of thing hardly
# ever to more than 0.95.
_CORRELATION = 0.98
_BATCH = 256


def copies(images, others):
    """Which images are copies of others, re-encoded or resized perhaps.

    Images are compared by the correlation of their colors at 16 x 16 pixels. Mirror images
    and crops are not found, nor gray copies, nor images of one even color.

    Args:
        images: Images, as `Images` takes them, or `Images`.
        others: Images to look for them among.

    Returns:
        Boolean array `(N,)`: whether each of `images` is a copy of one of `others`.

    Raises:
        FileNotFoundError, ValueError: If one is no image.
    """
    images, others = (x if isinstance(x, Images) else Images(x) for x in (images, others))
    return alike([thumbnail(rgb) for rgb in images], [thumbnail(rgb) for rgb in others])


def thumbnail(rgb):
    """Reduce an image to 16 x 16 pixels, all that `alike` compares."""
    return np.asarray(Image.fromarray(rgb).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def alike(thumbnails, others):
    """Tell which of some thumbnails, a list, are those of copies of others; see `copies`."""
    others = _rows(others)
    found = np.zeros(len(thumbnails), bool)
    for start in range(0, len(thumbnails), _BATCH):
        batch = slice(start, start + _BATCH)
        found[batch] = (_rows(thumbnails[batch]) @ others.T > _CORRELATION).any(axis=1)
    return found


def _rows(thumbnails):
    """Thumbnails, each channel of mean 0, as rows of length 1; zeros where they are even."""
    rows = np.empty((len(thumbnails), 3 * _SIDE**2), "float32")
    for row, small in zip(rows, thumbnails, strict=True):
        small = np.asarray(small, "float32")
        row[:] = (small - small.mean(axis=(0, 1))).ravel()
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > _SIDE, length, np.inf)  # a spread of half a level at least
