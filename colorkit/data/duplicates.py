"""Find duplicate images, such as test images that are also training images."""

import numpy as np
from PIL import Image

from colorkit.data.images import Images

__all__ = ["copies"]

_SIDE = 16
# Re-encoded and resized copies have a higher correlation than this.
SIMILARITY = 0.98
_BATCH = 256


def copies(images, others, similarity=SIMILARITY):
    """Find the images that are copies of other images, possibly re-encoded, resized or mirrored.

    Images are compared by the correlation of their colors at 16 x 16 pixels. Crops, gray copies
    and images of one even color are not found.

    Args:
        images: `Images`, or images as `Images` takes them.
        others: Images among which to look for the originals.
        similarity: Least correlation of a copy. Nearly identical images, such as two photographs of
            one flower, exceed 0.9. So do some different photographs of one kind, such as the sea.

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
    return alike([thumbnail(rgb) for rgb in images], [thumbnail(rgb) for rgb in others], similarity)


def thumbnail(rgb):
    """Reduce an image to 16 x 16 pixels for `alike`."""
    return np.asarray(Image.fromarray(rgb).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def alike(thumbnails, others, similarity=SIMILARITY):
    """Return which thumbnails in a list are copies of others; see `copies`."""
    others = _vectors(others).reshape(-1, _SIDE**2 * 3).T
    found = np.zeros(len(thumbnails), bool)
    for start in range(0, len(thumbnails), _BATCH):
        vectors = _vectors(thumbnails[start : start + _BATCH])
        for each in (vectors, vectors[:, :, ::-1]):
            correlation = each.reshape(-1, len(others)) @ others
            found[start : start + _BATCH] |= (correlation > similarity).any(axis=1)
    return found


def _vectors(thumbnails):
    """Return thumbnails, each channel of mean 0, as vectors of length 1; zeros for even images."""
    vectors = np.array(thumbnails, "float32").reshape(len(thumbnails), _SIDE, _SIDE, 3)
    vectors -= vectors.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((vectors**2).sum(axis=(1, 2, 3), keepdims=True))
    return vectors / np.where(length > _SIDE, length, np.inf)  # a spread of at least half a level
