"""Measure distances between datasets of images in the features of a network."""

import keras
import numpy as np
from keras import ops
from scipy.linalg import eigvals

from colorkit.checks import check_model, check_whole
from colorkit.color.spaces import check_range, same_size
from colorkit.data.image_files import pictures_at_once
from colorkit.models.vae import divergence


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
        ValueError: If there are no images or they have another type, shape or range; if the
            network has no weights or takes another size; or if `batch_size` or `size` is not a
            positive whole number.
    """
    _check_network("network", network)
    weighted = [layer for layer in network.layers if layer.weights]
    if not weighted:
        raise ValueError(
            "`network` must have layers with weights, as features are the input of the last one. "
            f"Received {network.name!r}, which has none"
        )
    truncated = keras.Model(network.inputs[0], weighted[-1].input)
    found = _called(truncated, images, batch_size, size)
    return np.concatenate([ops.convert_to_numpy(x) for x in found]).reshape(len(images), -1)


def frechet_distance(first, second):
    """Compute the Fréchet distance between Gaussians fitted to two sets of features.

    The distance is biased: with fewer images it is larger. Distances in the features of different
    networks cannot be compared.

    Args:
        first: Features, shape `(N, features)`.
        second: Features, shape `(M, features)`.

    Returns:
        Distance, not negative.

    Raises:
        ValueError: If the numbers of features differ, a feature is not finite, or there are not
            more images than features, so that a covariance would be singular. Use
            `kernel_distance` then.

    References:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017.
    """
    first, second = _checked(first, second)
    if min(len(first), len(second)) <= first.shape[1]:
        raise ValueError(
            f"There must be more images than the {first.shape[1]} features. Received "
            f"{len(first)} and {len(second)}; `kernel_distance` works with fewer."
        )
    means = [x.mean(axis=0) for x in (first, second)]
    covariances = [np.cov(x, rowvar=False) for x in (first, second)]
    product = np.atleast_2d(covariances[0]) @ np.atleast_2d(covariances[1])
    # The trace of its square root. Its eigenvalues are not negative, except for rounding.
    mixed = np.sqrt(np.clip(eigvals(product).real, 0, None)).sum()
    spread = sum(np.trace(np.atleast_2d(covariance)) for covariance in covariances)
    return float(max(0.0, ((means[0] - means[1]) ** 2).sum() + spread - 2 * mixed))


def kernel_distance(first, second):
    """Compute the squared maximum mean discrepancy with a cubic kernel.

    The estimate is unbiased, even with few images.

    Args:
        first: Features, shape `(N, features)`.
        second: Features, shape `(M, features)`.

    Returns:
        Distance. For two sets of the same kind it is near 0, so it may be negative.

    Raises:
        ValueError: If the numbers of features differ, a feature is not finite, or a set has fewer
            than two images.

    References:
        Bińkowski et al., "Demystifying MMD GANs", ICLR 2018.
    """
    first, second = _checked(first, second)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(x):
        values = kernel(x, x)
        return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))

    return float(within(first) + within(second) - 2 * kernel(first, second).mean())


def mean_divergence(vae, images, batch_size=None):
    """Compute the mean Kullback-Leibler divergence of the posterior of images, in nats.

    Sinigaglia et al. call it density. It is one of the two terms of the evidence lower bound.

    Args:
        vae: Model of `build_vae`, trained on images in their true colors.
        images: See `features`.
        batch_size: See `features`.

    Raises:
        ValueError: If `vae` has no posterior, or as `features`.
    """
    _check_network("vae", vae)
    known = {layer.name: layer for layer in vae.layers}
    if not {"mean", "log_variance"} <= set(known):
        raise ValueError(
            '`vae` must have layers called "mean" and "log_variance", as `build_vae` makes them. '
            f"Received {vae.name!r} without"
        )
    outputs = [known["mean"].output, known["log_variance"].output]
    encoder = keras.Model(vae.inputs[0], outputs)
    found = _called(encoder, images, batch_size)
    return float(ops.mean(ops.concatenate([divergence(*posterior) for posterior in found])))


def _check_network(name, network):
    """Raise a `ValueError` unless a network takes RGB images."""
    check_model(name, network)
    shapes = [tuple(entry.shape[1:]) for entry in network.inputs]
    if [(len(shape), shape[-1]) for shape in shapes] != [(3, 3)]:
        raise ValueError(
            f"`{name}` must take RGB images, (height, width, 3). Received {network.name}, which "
            f"takes {shapes}"
        )


def _called(network, images, batch_size, side=None):
    """Return the output of a network per batch. `predict` would trace each new network again."""
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    if len(images) == 0:
        raise ValueError("`images` must hold at least one image. Received none")
    size = network.input_shape[1:3]
    if side is not None:
        check_whole("size", side)
        if not same_size(size, (side, side)):
            raise ValueError(
                f"`size` must be one that the network takes, {size}. Received: {side!r}"
            )
        size = side, side
    if batch_size is None:
        sizes = np.shape(images[0])[:2], size
        batch_size = pictures_at_once(*(known for known in sizes if None not in known))
    for i in range(0, len(images), batch_size):
        batch = images[i : i + batch_size]
        shapes = set(map(np.shape, batch)) if isinstance(batch, (list, tuple)) else ()
        if len(shapes) > 1:
            raise ValueError(
                "`images` of different sizes must be brought to one size, by `load(..., size=)` or "
                f"`Images(..., size=)`. Received {sorted(shapes)}"
            )
        rgb = _scaled(np.asarray(batch))
        if not same_size(rgb.shape[1:3], size):
            rgb = ops.image.resize(rgb, size, antialias=True, data_format="channels_last")
        yield network(rgb, training=False)


def _scaled(rgb):
    """Return images as floating point in [0, 1]."""
    if rgb.ndim != 4 or rgb.shape[-1] != 3:
        raise ValueError(
            "`images` must be RGB images, shape (N, height, width, 3); one image is "
            f"`image[None]`. Received images of shape {rgb.shape[1:]}"
        )
    if rgb.dtype == np.uint8:
        return np.float32(rgb / 255)
    if rgb.dtype.kind != "f":
        raise ValueError(
            f"`images` must be uint8, or floating point in [0, 1]. Received dtype {rgb.dtype}"
        )
    check_range(rgb, "`images` must be uint8, or floating point")
    return rgb


def _checked(first, second):
    first, second = (np.asarray(x, "float64") for x in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            "Both must be features of the same network, shape (N, features). "
            f"Received shapes {first.shape} and {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("Features must be finite. Received a NaN or an infinity")
    if min(len(first), len(second)) < 2:
        raise ValueError(
            f"Each set must have at least two images. Received {len(first)} and {len(second)}"
        )
    return first, second
