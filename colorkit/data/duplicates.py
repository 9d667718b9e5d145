"""Find duplicate images, such as test images that are also training images."""

import numpy as np
from PIL import Image

from colorkit.data.images import Images

__all__ = ["copies"]

_SIDE = 16
# Re-encoded and resized copies have a higher correlation than this. Two different images of the
# same kind of object hardly ever exceed 0.95.
_CORRELATION = 0.98
_BATCH = 256


def copies(images, others):
    """Find the images that are copies of other images, possibly re-encoded or resized.

    Images are compared by the correlation of their colors at 16 x 16 pixels. Mirror images, crops,
    gray copies and images of one even color are not found.

    Args:
        images: `Images`, or images as `Images` takes them.
        others: Images among which to look for the originals.

    Returns:
        Boolean array `(N,)`: whether each of `images` is a copy of one of `others`.

    Raises:
        ValueError: As `Images`.

    Example:
        >>> images = ck.load("photos")[:4]
        >>> [bool(copy) for copy in copies(images[:2], images[1:])]
        [False, True]
    """
    images, others = (x if isinstance(x, Images) else Images(x) for x in (images, others))
    return alike([thumbnail(rgb) for rgb in images], [thumbnail(rgb) for rgb in others])


def thumbnail(rgb):
    """Reduce an image to 16 x 16 pixels for `alike`."""
    return np.asarray(Image.fromarray(rgb).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def alike(thumbnails, others):
    """Return which thumbnails in a list are copies of others; see `copies`."""
    others = _rows(others)
    found = np.zeros(len(thumbnails), bool)
    for start in range(0, len(thumbnails), _BATCH):
        batch = slice(start, start + _BATCH)
        found[batch] = (_rows(thumbnails[batch]) @ others.T > _CORRELATION).any(axis=1)
    return found


def _rows(thumbnails):
    """Return thumbnails, each channel of mean 0, as rows of length 1; zeros for even images."""
    rows = np.array(thumbnails, "float32").reshape(len(thumbnails), _SIDE**2, 3)
    rows -= rows.mean(axis=1, keepdims=True)
    rows = rows.reshape(len(thumbnails), 3 * _SIDE**2)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > _SIDE, length, np.inf)  # a spread of at least half a level
