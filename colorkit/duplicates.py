"""Pictures that occur twice, such as in the test set what was learned from."""

import numpy as np
from PIL import Image

_SIDE = 32
# Re-encoded and resized copies agree to more than this; two views of one thing hardly ever do.
_CORRELATION = 0.999
_BATCH = 256


def copies(images, others):
    """Which pictures are copies of others, re-encoded or resized perhaps.

    Pictures are compared by the correlation of their brightness at 32 x 32 pixels. Mirror images
    and crops are not found, nor pictures of one even brightness.

    Args:
        images: Pictures `(H, W, 3)`, uint8: an array `(N, H, W, 3)`, a list, or `Images`.
        others: Pictures to look for them among.

    Returns:
        Boolean array `(N,)`: whether each of `images` is a copy of one of `others`.
    """
    others = _thumbnails(others)
    found = np.zeros(len(images), bool)
    for start in range(0, len(images), _BATCH):
        batch = slice(start, start + _BATCH)
        likeness = _thumbnails(images[batch]) @ others.T
        found[batch] = (likeness > _CORRELATION).any(axis=1)
    return found


def _thumbnails(images):
    """Small gray pictures of mean 0 and length 1, as rows; zeros where they are even."""
    rows = np.empty((len(images), _SIDE * _SIDE), "float32")
    for row, rgb in zip(rows, images, strict=True):
        gray = Image.fromarray(np.asarray(rgb)).convert("L")
        small = np.asarray(gray.resize((_SIDE, _SIDE), Image.Resampling.BOX), "float32")
        row[:] = (small - small.mean()).ravel()
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > _SIDE, length, np.inf)  # a spread of one gray level at least
