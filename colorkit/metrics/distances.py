"""Measure distances between datasets of images in the features of a network."""

import functools

import keras
import numpy as np
from keras import ops
from scipy.linalg import eigvals
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.utils import check_array

from colorkit.color.spaces import check_range, same_size
from colorkit.data.image_files import pictures_at_once
from colorkit.models.vae import divergence

__all__ = [
    "features",
    "frechet_distance",
    "kernel_distance",
    "kernel_distance_error",
    "mean_divergence",
]

_checked = functools.partial(check_array, dtype="float64", ensure_min_samples=2)


def features(network, images, batch_size=None, *, size=None):
    """Compute the features of images: the input of the network's last layer with weights.

    Args:
        network: `keras.Model` from RGB in [0, 1], such as `models.load_classifier` returns.
        images: RGB images, uint8 or floating point in [0, 1], shape `(N, H, W, 3)`, or `Images`.
            They are resized to the input size of the network.
        batch_size: Images per batch. `None` takes as many as have a quarter of a million pixels.
        size: Side of the resized images if the network accepts any size. `None` keeps their size.
            Compared datasets must have the same size.

    Returns:
        float32 array of shape `(N, features)`.

    Raises:
        ValueError: If the images have several sizes, or are not RGB in [0, 1].

    Example:
        >>> network = ck.models.build_residual_classifier(widths=(4, 4, 4, 8))
        >>> features(network, np.zeros((3, 16, 16, 3))).shape
        (3, 8)
    """
    weighted = [layer for layer in network.layers if layer.weights]
    truncated = keras.Model(network.inputs[0], weighted[-1].input)
    found = _called(truncated, images, batch_size, size)
    return np.concatenate([ops.convert_to_numpy(x) for x in found]).reshape(len(images), -1)


def frechet_distance(first, second):
    """Compute the Fréchet distance between Gaussians fitted to two sets of features.

    The distance is biased: with fewer images it is larger. Distances in the features of different
    networks cannot be compared. If a covariance is singular, as there are not more images than
    features, use `kernel_distance`.

    Args:
        first, second: Features, shapes `(N, features)` and `(M, features)`.

    Raises:
        ValueError: If the features are not finite or do not fit, or there are not more images than
            features.

    References:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017.

    Example:
        >>> first = np.random.default_rng(0).normal(size=(100, 4))
        >>> round(frechet_distance(first, first + 1), 3)  # a shift by 1 in each of 4 directions
        4.0
    """
    first, second = map(_checked, (first, second))
    if min(len(first), len(second)) <= first.shape[1]:
        raise ValueError(
            f"There must be more images than the {first.shape[1]} features. Received "
            f"{len(first)} and {len(second)}; `kernel_distance` works with fewer."
        )
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (first, second)]
    # The trace of the root of their product. Its eigenvalues are not negative, except for rounding.
    mixed = np.sqrt(np.clip(eigvals(covariances[0] @ covariances[1]).real, 0, None)).sum()
    spread = sum(map(np.trace, covariances))
    shift = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return float(max(0.0, shift + spread - 2 * mixed))


def kernel_distance(first, second):
    """Compute the squared maximum mean discrepancy with a cubic kernel.

    The estimate is unbiased, even with few images. For two sets of the same distribution it is
    near 0, so it may be negative.

    Args:
        first, second: Features, shapes `(N, features)` and `(M, features)`, of at least two images.

    Raises:
        ValueError: If the features are not finite, do not fit, or are of fewer than two images.

    References:
        Bińkowski et al., "Demystifying MMD GANs", ICLR 2018.

    Example:
        >>> first, second = np.random.default_rng(0).normal(size=(2, 100, 4))
        >>> abs(kernel_distance(first, second)) < 0.5 < kernel_distance(first, second + 1)
        True
    """
    first, second = map(_checked, (first, second))

    def within(x):
        values = polynomial_kernel(x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(within(first) + within(second) - 2 * polynomial_kernel(first, second).mean())


def kernel_distance_error(first, second):
    """Compute the standard error of `kernel_distance` from the choice of the images.

    It leaves out one image at a time (jackknife). The images must be independent: for frames of a
    film, which are alike, the true error is larger.

    Args:
        first, second: See `kernel_distance`; at least three images each.

    Raises:
        ValueError: See `kernel_distance`.

    Example:
        >>> first, second = np.random.default_rng(0).normal(size=(2, 100, 4))
        >>> 0 < kernel_distance_error(first, second) < 0.5
        True
    """
    first, second = (_checked(x, ensure_min_samples=3) for x in (first, second))
    return float(np.sqrt(_jackknife(first, second) + _jackknife(second, first)))


def _jackknife(x, other):
    """Return the variance of the kernel distance from the choice of `x`."""
    count = len(x)
    within, across = polynomial_kernel(x), polynomial_kernel(x, other).mean(axis=1)
    np.fill_diagonal(within, 0)
    left = (within.sum() - 2 * within.sum(axis=1)) / ((count - 1) * (count - 2))
    left -= 2 * (across.sum() - across) / (count - 1)
    return (count - 1) * left.var()


def mean_divergence(vae, images, batch_size=None):
    """Compute the mean Kullback-Leibler divergence of the posterior of images, in nats.

    Sinigaglia et al. call it density. It is one of the two terms of the evidence lower bound.

    Args:
        vae: Model of `build_vae`, trained on images in their true colors.
        images, batch_size: See `features`. The images have the size of the model's input.

    Raises:
        ValueError: If the images do not fit the model, or are not RGB in [0, 1].

    Example:
        >>> vae = ck.models.build_vae(widths=(4, 4), latent=2)
        >>> mean_divergence(vae, np.zeros((2, 32, 32, 3))) >= 0
        True
    """
    outputs = [vae.get_layer(name).output for name in ("mean", "log_variance")]
    encoder = keras.Model(vae.inputs[0], outputs)
    found = _called(encoder, images, batch_size)
    return float(np.concatenate([ops.convert_to_numpy(divergence(*each)) for each in found]).mean())


def _called(network, images, batch_size, side=None):
    """Yield the output of a network per batch. `predict` would trace each new network again."""
    size = network.input_shape[1:3] if side is None else (side, side)
    first = np.shape(images[0])
    if batch_size is None:
        sizes = first[:2], size
        batch_size = pictures_at_once(*(known for known in sizes if None not in known))
    for i in range(0, len(images), batch_size):
        rgb = np.asarray(images[i : i + batch_size])
        if rgb.ndim != 4 or rgb.shape[-1] != 3 or rgb.shape[1:] != first:
            raise ValueError(
                "`images` must be RGB images of one size, shape (N, height, width, 3); one image "
                f"is `image[None]`. Received images of shape {rgb.shape[1:]}"
            )
        if rgb.dtype == np.uint8:
            rgb = rgb / np.float32(255)
        check_range(rgb, "`images` must be uint8, or floating point")
        if not same_size(rgb.shape[1:3], size):
            rgb = ops.image.resize(rgb, size, antialias=True, data_format="channels_last")
        yield network(rgb, training=False)
