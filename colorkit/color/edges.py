"""Compute gradients of an image's planes: differences to the next pixel, and their size."""

import numpy as np
from keras import ops

from colorkit.color import spaces
from colorkit.color.bins import chroma_batches

# Magnitudes in chroma units of Lab that separate one class of gradients from the next.
MAGNITUDES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def gradient(planes):
    """Compute differences between each pixel and the next pixel below and to the right.

    Args:
        planes: Shape `(..., height, width, channels)`.

    Returns:
        Tensor of shape `(..., height, width, 2 * channels)`: downward differences, then
        differences to the right. They are zero in the last row, or column.
    """
    planes = ops.convert_to_tensor(planes)
    still = [(0, 0)] * (len(planes.shape) - 3)
    down = planes[..., 1:, :, :] - planes[..., :-1, :, :]
    right = planes[..., :, 1:, :] - planes[..., :, :-1, :]
    return ops.concatenate(
        [
            ops.pad(down, [*still, (0, 1), (0, 0), (0, 0)]),
            ops.pad(right, [*still, (0, 0), (0, 1), (0, 0)]),
        ],
        axis=-1,
    )


def magnitude(vectors, epsilon=1e-6):
    """Compute the Euclidean length over the last axis; differentiable at zero (`epsilon`)."""
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1) + epsilon**2)


def checked_magnitudes(magnitudes):
    """Return limits between classes of gradients as a tuple.

    Raises:
        ValueError: If there are no limits, or they are not positive and increasing.
    """
    try:
        limits = np.asarray(magnitudes, "float64")
    except (TypeError, ValueError):
        limits = np.empty(0)
    if limits.ndim != 1 or not len(limits) or not (np.diff(limits, prepend=0) > 0).all():
        raise ValueError(f"`magnitudes` must be positive and increase. Received: {magnitudes!r}")
    return tuple(limits.tolist())


def gradient_prior(images, magnitudes=MAGNITUDES, space=spaces.LAB):
    """Compute how often chroma gradients of each size occur in images.

    Args:
        images: Images `(H, W, 3)`, uint8 or floating point in [0, 1]: an array `(N, H, W, 3)`
            or any iterable.
        magnitudes: Increasing limits between the classes, in chroma units of `space`. The
            default is for Lab.
        space: `ColorSpace`, or its name.

    Returns:
        float64 array of shape `(len(magnitudes) + 1,)`, summing to 1.

    Raises:
        ValueError: If there are no images, an image holds a NaN or an infinity, all are gray, or
            the limits do not increase.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", section 5, proposes it.
    """
    limits = checked_magnitudes(magnitudes)
    space = spaces.get(space)
    counts = np.zeros(len(limits) + 1)
    for chroma in chroma_batches(images, space):
        sizes = ops.convert_to_numpy(magnitude(gradient(chroma)))
        counts += np.bincount(np.digitize(sizes.ravel(), limits), minlength=len(counts))
    if counts[1:].sum() == 0:
        raise ValueError(
            f"`images` must have chroma gradients of at least {limits[0]}. Received gray images or "
            "images of one pixel. Their gradients say nothing about color; give images in color."
        )
    return counts / counts.sum()
