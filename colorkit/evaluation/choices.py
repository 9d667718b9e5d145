"""Measure what follows from a distribution over colors: doubt, variants and hints."""

import warnings

import numpy as np
from keras import ops
from skimage.color import deltaE_ciede2000

from colorkit import metrics
from colorkit.checks import check_whole
from colorkit.color import spaces
from colorkit.data.image_files import as_rgb
from colorkit.evaluation.propagation import optimized, segmented
from colorkit.evaluation.scores import scaled

__all__ = ["measure_doubt", "measure_hints", "measure_variants"]


def measure_doubt(colorizer, images):
    """Measure whether the doubt of a colorizer is true.

    Args:
        colorizer: `Colorizer` with a calibration.
        images: Color images that the model was neither trained nor calibrated on.

    Returns:
        Dict: "coverage", the share of the pixels whose set holds the true color, and
        "coverage_dark", "coverage_middle" and "coverage_light", that in each third of lightness;
        "colors", the mean number of colors in a set; "surest_half", the mean CIEDE2000 of the
        pixels with the smaller entropy relative to that of the others; and "far", the share of
        the images that are far from those that the model knows.

    Raises:
        ValueError: If there are no images, or the model is not in Lab or not calibrated.

    Example:
        >>> images, network = ck.load("photos", size=32), ck.models.build_shallow_classification(9)
        >>> colorizer = ck.Colorizer(network, bins=ck.ColorBins.grid(9)).calibrated(images[:20])
        >>> 0.5 < measure_doubt(colorizer, images[20:40])["coverage"] <= 1
        True
    """
    _check_some(images)
    if colorizer.space is not spaces.LAB:
        raise ValueError(f"`colorizer` must be in LAB. Received one in {colorizer.space.name}.")
    covered, lightness, entropy, error, colors, far = [], [], [], [], [], []
    for image in images:
        rgb = as_rgb(image)
        kept = colorizer.prediction(rgb)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "far" counts these images
            doubt = kept.uncertainty()
        truth = kept.truth(rgb)
        bins = ops.convert_to_numpy(colorizer.bins.encode(truth))[..., None]
        colors.append(doubt.sizes.ravel())
        covered.append(np.take_along_axis(doubt.sets, bins, axis=-1).ravel())
        light = kept.dots
        lightness.append(light.ravel())
        entropy.append(doubt.entropy.ravel())
        planes = (np.concatenate([light, chroma], -1) for chroma in (truth, kept.chroma()))
        error.append(deltaE_ciede2000(*planes).ravel())
        far.append(doubt.is_far)
    pooled = map(np.concatenate, (covered, lightness, entropy, error, colors))
    covered, lightness, entropy, error, colors = pooled
    third = np.digitize(lightness, np.quantile(lightness, (1 / 3, 2 / 3)))
    sure = entropy <= np.median(entropy)
    return {
        "coverage": float(covered.mean()),
        **{
            f"coverage_{name}": float(covered[third == i].mean())
            for i, name in enumerate(("dark", "middle", "light"))
        },
        "colors": float(colors.mean()),
        "surest_half": float(error[sure].mean() / error[~sure].mean()),
        "far": float(np.mean(far)),
    }


def measure_variants(colorizer, images, n=8, seed=0):
    """Measure how good the best of several variants is, and how much they differ.

    Returns:
        Dict: "ciede2000" of the colorizer, "one" of one variant on average, "best" of the best of
        n for each image, and "mean" of temperature 1; "bleeding" of the variants relative to that
        of temperature 1; and "distance", the mean CIEDE2000 between two variants.

    Raises:
        ValueError: If there are no images, or `n` is below 2.

    Example:
        >>> colorizer = ck.Colorizer.pretrained("cifar10")
        >>> rows = measure_variants(colorizer, ck.load("photos", size=32)[:2], n=2)
        >>> rows["best"] <= rows["one"]
        True
    """
    _check_some(images)
    check_whole("n", n, least=2)
    rows, bleeding = [], {"variants": metrics.Bleeding(), "mean": metrics.Bleeding()}
    for image in images:
        truth = as_rgb(image)
        kept = colorizer.prediction(truth)
        variants = np.stack([each.rgb() for each in kept.variants(n, seed)])
        mean = kept.rgb(1.0)
        errors = _difference(np.stack([truth] * n), variants)
        first, second = np.triu_indices(n, 1)
        rows.append(
            {
                "ciede2000": _difference(truth[None], kept.rgb()[None])[0],
                "mean": _difference(truth[None], mean[None])[0],
                "one": errors.mean(),
                "best": errors.min(),
                "distance": _difference(variants[first], variants[second]).mean(),
            }
        )
        for name, colored in (("variants", variants), ("mean", mean[None])):
            true = np.stack([truth] * len(colored))
            bleeding[name].update_state(scaled(true), scaled(colored))
    ratio = float(bleeding["variants"].result()) / float(bleeding["mean"].result())
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} | {
        "bleeding": ratio
    }


def measure_hints(colorizer, images, counts=(0, 1, 2, 5, 10, 20, 50), seed=0):
    """Measure how much hints of true colors at random pixels help.

    Returns:
        Dict from method to the mean CIEDE2000 for each count: "colorizer", the same with a "reach
        of 0.3", "optimization" (Levin et al.) and "superpixels". Without hints, the last two leave
        the image gray.

    Raises:
        ValueError: If there are no images.

    Example:
        >>> rows = measure_hints(
        ...     ck.Colorizer.pretrained("cifar10"), ck.load("photos", size=32)[:2], (0, 5)
        ... )
        >>> {name: len(values) for name, values in rows.items()}
        {'colorizer': 2, 'reach of 0.3': 2, 'optimization': 2, 'superpixels': 2}
    """
    _check_some(images)
    rng, space = np.random.default_rng(seed), spaces.LAB
    reaches = {"colorizer": 1.0, "reach of 0.3": 0.3}
    errors = {name: [] for name in (*reaches, "optimization", "superpixels")}
    for image in images:
        truth = as_rgb(image)
        height, width = truth.shape[:2]
        lightness, chroma = map(ops.convert_to_numpy, space.split(truth))
        kept = colorizer.prediction(truth)
        order = rng.permutation(height * width)[: max(counts)]
        every = np.stack(np.unravel_index(order, (height, width)), axis=-1)
        found = {name: [] for name in errors}
        for count in counts:
            places = every[:count]
            given = [(row, column, truth[row, column]) for row, column in places]
            colored = {
                name: (kept.with_hints(given, reach) if count else kept).rgb()
                for name, reach in reaches.items()
            }
            for name, spread in (("optimization", optimized), ("superpixels", segmented)):
                planes = np.zeros_like(chroma)
                if count:
                    planes = spread(lightness[..., 0] / 100, places, chroma[tuple(places.T)])
                merged = spaces.fit_gamut(lightness, np.float32(planes), space)
                colored[name] = np.uint8(255 * ops.convert_to_numpy(merged) + 0.5)
            for name, rgb in colored.items():
                found[name].append(_difference(truth[None], rgb[None])[0])
        for name, values in found.items():
            errors[name].append(values)
    return {name: np.mean(values, axis=0).tolist() for name, values in errors.items()}


def _check_some(images):
    if not len(images):
        raise ValueError("`images` must hold at least one image. Received none")


def _difference(true, colored):
    return ops.convert_to_numpy(metrics.ciede2000(scaled(true), scaled(colored)))
