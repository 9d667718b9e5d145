"""Compute gradients of an image's planes: differences to the next pixel, and their size."""

import numpy as np
from keras import ops

from colorkit.color import spaces
from colorkit.color.bins import chroma_batches

__all__ = ["gradient", "gradient_prior", "magnitude"]

# Magnitudes in chroma units of Lab that separate one class of gradients from the next.
MAGNITUDES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def gradient(planes):
    """Compute differences between each pixel and the next pixel below and to the right.

    Args:
        planes: Shape `(..., height, width, channels)`.

    Returns:
        Tensor of shape `(..., height, width, 2 * channels)`: downward differences, then
        differences to the right. They are zero in the last row, or column.

    Example:
        >>> tuple(gradient(np.ones((1, 8, 9, 2))).shape)
        (1, 8, 9, 4)
    """
    planes = ops.convert_to_tensor(planes)
    still = [(0, 0)] * (len(planes.shape) - 3)
    down = ops.pad(ops.diff(planes, axis=-3), [*still, (0, 1), (0, 0), (0, 0)])
    right = ops.pad(ops.diff(planes, axis=-2), [*still, (0, 0), (0, 1), (0, 0)])
    return ops.concatenate([down, right], axis=-1)


def magnitude(vectors):
    """Compute the Euclidean length over the last axis; 1e-6 makes it differentiable at zero.

    `vectors` has the shape `(..., channels)`, and the result `(...)`.

    Example:
        >>> round(float(magnitude(np.array([3.0, 4.0]))), 3)
        5.0
    """
    vectors = ops.cast(vectors, "float32")  # 1e-12 is 0 in float16
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1) + 1e-6**2)


def checked_magnitudes(magnitudes):
    """Return limits between classes of gradients as a tuple, if positive and increasing."""
    limits = np.asarray(magnitudes, "float64")
    if limits.ndim != 1 or not len(limits) or not (np.diff(limits, prepend=0) > 0).all():
        raise ValueError(f"`magnitudes` must be positive and increase. Received: {magnitudes!r}")
    return tuple(limits.tolist())


def gradient_prior(images, magnitudes=MAGNITUDES, space=spaces.LAB):
    """Compute how often chroma gradients of each size occur in images.

    Args:
        images: Images in color, uint8 or floating point in [0, 1], in an array or any iterable.
        magnitudes: Increasing limits between the classes, in chroma units of `space`. The
            default is for Lab.
        space: `ColorSpace`, or its name.

    Returns:
        float64 array of shape `(len(magnitudes) + 1,)`, summing to 1.

    Raises:
        ValueError: If `magnitudes` are not positive and increasing, or no image is in color.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", section 5, proposes it.

    Example:
        >>> prior = gradient_prior(ck.load("photos")[:4])
        >>> prior.shape, float(prior.sum().round(3))
        ((8,), 1.0)
    """
    limits = checked_magnitudes(magnitudes)
    counts = np.zeros(len(limits) + 1)
    for chroma in chroma_batches(images, spaces.get(space)):
        sizes = ops.convert_to_numpy(magnitude(gradient(chroma)))
        counts += np.histogram(sizes, [0, *limits, np.inf])[0]
    if counts[1:].sum() == 0:
        raise ValueError(
            f"`images` must have chroma gradients of at least {limits[0]}. Received gray images or "
            "images of one pixel; give images in color."
        )
    return counts / counts.sum()
