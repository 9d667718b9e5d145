"""Evaluate a colorizer with every metric, always beside the trivial baselines.

The constant baseline has the mean chroma of the images, which a colorizer does not know.
"""

import keras
import numpy as np
from keras import ops

from colorkit import metrics
from colorkit.color import spaces
from colorkit.color.bins import ColorBins, chroma_batches
from colorkit.color.priors import color_prior
from colorkit.color.spaces import check_range
from colorkit.colorizer import Colorizer
from colorkit.data.image_files import pictures_at_once

# Increase it whenever the same result would be measured in another way than before.
VERSION = 2
# RGB error from which the Huber loss is linear. With Keras's default, 1, no error would be linear.
_HUBER_DELTA = 0.1
# Metrics of a temperature curve, and of other predictions that are only measured for comparison.
_CURVE = ("threshold_accuracy", "colorfulness")
_MAIN = ("threshold_accuracy", "psnr", "colorfulness")


def evaluate(colorizer, images, labels=None, *, classifiers=None, baselines=None, temperatures=()):
    """Color images and compare them with their ground truth.

    Args:
        colorizer: `Colorizer`, or any function from uint8 images `(N, H, W, 3)` to colored
            images, uint8 or floating point in [0, 1].
        images: Color images: `Images`, a uint8 array `(N, H, W, 3)`, or a list of arrays.
        labels: Class of each image, for `classifiers`. `None` takes those of `images`.
        classifiers: Dict from name to `keras.Model`, from RGB in [0, 1] to logits. Each is an
            evaluation classifier, trained on true colors. Its accuracy on the colored images is
            the feature preservation.
        baselines: Result of `measure_baselines` for the same images and classifiers, to avoid
            measuring it again.
        temperatures: Further temperatures to decode at, if the colorizer has bins.

    Returns:
        Dict from metric to value:

        - "threshold_accuracy" (Champati et al.'s protocol) and "threshold_accuracy_euclidean",
          in [0, 1].
        - "mae", "mse", "huber" (delta 0.1) and "binary_crossentropy" (in nats) of RGB in [0, 1].
        - "psnr" in dB, "ssim", "colorfulness", "colorfulness_absolute", and "ciede2000".
        - "ab_auc" and "ab_auc_rebalanced" in [0, 1]. The rebalanced metric weights pixels by the
          inverse frequency of their bin, of 313, in `images`.
        - "bleeding" and "chroma_gradient_error" in units of ab.
        - "occupied_bins": of the 313 bins that the ground truth occupies, the share that the
          colored images also occupy.
        - "dominant_hue": share of the chroma in the most frequent of twelve hues.
        - For each classifier, "feature_preservation_NAME" and "feature_preservation_NAME_kept",
          the first divided by its value for the ground truth.
        - All metrics of the baselines, see `measure_baselines`.
        - Threshold accuracy, PSNR and colorfulness under "oracle/", if the colorizer has bins:
          the ground truth with each pixel moved to its bin.
        - The same under "published/", if the network sees the images at their own size: colors
          clipped per channel, as published code does, instead of keeping the lightness.
        - "T=0.38/threshold_accuracy" and "T=0.38/colorfulness" for each of the `temperatures`.

    Raises:
        ValueError: If there are no images, colors are not in [0, 1], or there are `classifiers` and
            not one label per image.

    Example:
        >>> def darker(images):
        ...     return images // 2
        >>> scores = evaluate(darker, ck.load("photos", "test")[:4])
        >>> scores["psnr"] < scores["gray/psnr"]
        True
    """
    shape = _shape(images)
    if baselines is None:
        baselines = measure_baselines(images, labels, classifiers=classifiers)
    is_colorizer = isinstance(colorizer, Colorizer)
    bins = colorizer.bins if is_colorizer else None
    temperatures = () if bins is None else tuple(map(float, temperatures))
    meters = _meters([""], None, classifiers, images)
    meters |= _meters(_prefixes(temperatures), _CURVE)
    if is_colorizer and shape and colorizer.network_size(*shape) == shape:
        meters |= _meters(["published/"], _MAIN, classifiers)
    if bins is not None:
        meters |= _meters(["oracle/"], _MAIN)

    def nearest(chroma):
        return bins.centers[ops.convert_to_numpy(bins.encode(chroma))]

    def predictions(rgb):
        if is_colorizer:
            colored = _colored(colorizer, rgb, temperatures)
        else:
            colored = {"": scaled(ops.convert_to_numpy(colorizer(rgb)))}
        if bins is not None:
            colored["oracle/"] = _recolor(rgb, bins.space, nearest)
        return colored

    scores = _measure(predictions, images, meters, labels) | baselines
    for name in classifiers or {}:
        truth = scores[f"truth/feature_preservation_{name}"]
        for key in [key for key in scores if key.endswith(f"feature_preservation_{name}")]:
            scores[f"{key}_kept"] = scores[key] / truth if truth else 0.0
    return scores


def measure_baselines(images, labels=None, *, classifiers=None):
    """Measure the trivial baselines and the ground truth.

    See `evaluate` for arguments and errors.

    Returns:
        Dict from metric to value. It has every metric of `evaluate` under "gray/" (lightness
        alone) and "constant/" (one chroma everywhere). Under "red/" and "truth/" it has threshold
        accuracy, PSNR and colorfulness. "red/" is the red channel as gray, which Champati et al.
        report as grayscale. It also has "truth/colorfulness_absolute", "truth/bleeding" and
        "truth/dominant_hue", and "PREFIX/feature_preservation_NAME" for all four.

    Example:
        >>> baselines = measure_baselines(ck.load("photos", "test")[:4])
        >>> baselines["gray/colorfulness"] < baselines["truth/colorfulness"]
        True
    """
    constant = mean_chroma(images, spaces.LAB)
    truth = (*_MAIN, "colorfulness_absolute", "bleeding", "dominant_hue")
    meters = _meters(["gray/", "constant/"], None, classifiers, images)
    meters |= _meters(["red/"], _MAIN, classifiers) | _meters(["truth/"], truth, classifiers)
    return _measure(lambda rgb: _baselines(rgb, constant), images, meters, labels)


def evaluate_classifier(classifier, images):
    """Measure the accuracy of a classifier on images in true colors, and in gray.

    Errors are those of `evaluate`.

    Args:
        classifier: `keras.Model` from RGB in [0, 1] to logits.
        images: `Images` with labels, of one size.

    Returns:
        Dict with "accuracy", and the same under "gray/" (lightness alone) and "red/" (the red
        channel three times, which Champati et al. use as gray).

    Example:
        >>> classifier = ck.models.build_residual_classifier(7, widths=(4, 4, 4, 4))
        >>> sorted(evaluate_classifier(classifier, ck.load("photos", "test")[:4]))
        ['accuracy', 'gray/accuracy', 'red/accuracy']
    """
    names = {"truth/": "accuracy", "gray/": "gray/accuracy", "red/": "red/accuracy"}
    meters = _meters(names, (), {"it": classifier})
    scores = _measure(lambda rgb: _baselines(rgb, (0, 0)), images, meters)
    return {name: scores[f"{prefix}feature_preservation_it"] for prefix, name in names.items()}


def temperature_curve(colorizer, images, temperatures):
    """Measure threshold accuracy and colorfulness of a colorizer at several temperatures.

    The colorizer must have bins. Temperature 0 takes the mode, 1 the mean. See `evaluate` for
    `images` and errors.

    Returns:
        List of dicts with "temperature", "threshold_accuracy" and "colorfulness", by temperature.

    Example:
        >>> bins = ck.ColorBins.grid(9)
        >>> colorizer = ck.Colorizer(ck.models.build_shallow_classification(9), bins=bins)
        >>> rows = temperature_curve(colorizer, ck.load("photos", "test")[:4], [0, 1])
        >>> [row["temperature"] for row in rows]
        [0.0, 1.0]
    """
    temperatures = tuple(map(float, temperatures))
    meters = _meters(_prefixes(temperatures), _CURVE)
    return curve(_measure(lambda rgb: _colored(colorizer, rgb, temperatures), images, meters))


def curve(scores):
    """Collect the scores at temperatures, from `evaluate` or a record, as `temperature_curve`.

    Example:
        >>> curve({"T=0.5/threshold_accuracy": 0.9, "T=0.5/colorfulness": 20.0})
        [{'temperature': 0.5, 'threshold_accuracy': 0.9, 'colorfulness': 20.0}]
    """
    names = [name.split("/") for name in scores if name.startswith("T=")]
    temperatures = {float(prefix[2:]): prefix for prefix, _ in names}
    return [
        {"temperature": temperature, **{name: scores[f"{prefix}/{name}"] for name in _CURVE}}
        for temperature, prefix in sorted(temperatures.items())
    ]


def mean_chroma(images, space):
    """Compute the mean chroma of all pixels of images in a `ColorSpace`, shape `(channels,)`.

    See `evaluate` for `images` and errors.

    Example:
        >>> mean_chroma(np.full((2, 4, 4, 3), 128, "uint8"), ck.YUV).shape
        (2,)
    """
    total, count = 0.0, 0
    for chroma in chroma_batches(images, space):
        total = total + chroma.sum(axis=(0, 1, 2), dtype="float64")
        count += chroma[..., 0].size
    return total / count


def inverse_frequency(prior):
    """Compute weights of bins for a rebalanced metric: 1 / `prior`.

    `prior` has the shape `(num_bins,)`, and so has the result. Bins that never occur get 1, which
    has no effect.

    Example:
        >>> [float(weight) for weight in inverse_frequency(np.array([0.25, 0.75, 0.0])).round(2)]
        [4.0, 1.33, 1.0]
    """
    return 1 / np.where(prior > 0, prior, 1.0)


def _prefixes(temperatures):
    return [f"T={temperature:g}/" for temperature in temperatures]


def is_share(metric):
    """Return whether a metric is in [0, 1] and shown in percent, by its name."""
    return any(
        kind in metric for kind in ("accuracy", "preservation", "auc", "occupied", "dominant")
    )


def constructors(rarity):
    """Return functions that create each metric, by name; `rarity` is a weight per gamut bin."""
    gamut = ColorBins.gamut()
    return {
        "threshold_accuracy": metrics.ThresholdAccuracy,
        "psnr": metrics.PSNR,
        "colorfulness": metrics.Colorfulness,
        "mae": keras.metrics.MeanAbsoluteError,
        "mse": keras.metrics.MeanSquaredError,
        "huber": lambda: keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=_HUBER_DELTA),
        "binary_crossentropy": keras.metrics.BinaryCrossentropy,
        "ab_auc": metrics.AbAUC,
        "threshold_accuracy_euclidean": lambda: metrics.ThresholdAccuracy("euclidean"),
        "ssim": metrics.SSIM,
        "colorfulness_absolute": lambda: metrics.Colorfulness(signed=False),
        "ciede2000": metrics.CIEDE2000,
        "ab_auc_rebalanced": lambda: metrics.AbAUC(gamut, rarity),
        "bleeding": metrics.Bleeding,
        "chroma_gradient_error": metrics.ChromaGradientError,
        "occupied_bins": lambda: metrics.OccupiedBins(gamut),
        "dominant_hue": metrics.DominantHue,
    }


def _meters(prefixes, names, classifiers=None, images=None):
    """Return new metrics by their prefixed names. `None` means all; these need the `images`."""
    rarity = inverse_frequency(color_prior(images, ColorBins.gamut())) if names is None else None
    known = constructors(rarity)
    names = known if names is None else names
    meters = {prefix + name: known[name]() for prefix in prefixes for name in names}
    for name, classifier in (classifiers or {}).items():
        for prefix in prefixes:
            meters[f"{prefix}feature_preservation_{name}"] = metrics.FeaturePreservation(classifier)
    return meters


def _baselines(rgb, constant):
    """Return the trivial baselines of a batch, and its ground truth."""
    return {
        "gray/": _recolor(rgb, spaces.LAB, np.zeros_like),
        "constant/": _recolor(rgb, spaces.LAB, lambda x: np.broadcast_to(constant, x.shape)),
        "red/": np.repeat(scaled(rgb)[..., :1], 3, axis=-1),
        "truth/": scaled(rgb),
    }


def _measure(predictions, images, meters, labels=None):
    """Update meters, whose names have a prefix and a metric, with the predictions per batch."""
    if any(isinstance(meter, metrics.FeaturePreservation) for meter in meters.values()):
        labels = getattr(images, "labels", None) if labels is None else labels
        if np.shape(labels) != (len(images),):
            raise ValueError(
                f"`labels` must be one class per image, {len(images)}, for the `classifiers`. "
                f"Received: {labels!r}"
            )
        labels = np.asarray(labels)
    start = 0
    for rgb in _batches(images):
        y_true, colored = ops.convert_to_tensor(scaled(rgb)), {}
        for prefix, y_pred in predictions(rgb).items():
            # Check once for all meters, which then need no check of their own.
            name = prefix or "the colorizer"
            check_range(y_pred, f"Colored images ({name}) must be uint8, or floating point")
            colored[prefix] = ops.convert_to_tensor(y_pred)
        for name, meter in meters.items():
            y_pred = colored[name[: name.rfind("/") + 1]]
            if isinstance(meter, metrics.FeaturePreservation):
                meter.update_state(labels[start : start + len(rgb)], y_pred)
            else:
                meter.update_state(y_true, y_pred)
        start += len(rgb)
    return {name: float(meter.result()) for name, meter in meters.items()}


def _colored(colorizer, rgb, temperatures=()):
    """Color a batch with its lightness kept, as published code does, and at temperatures."""
    prefixes = ["", *_prefixes(temperatures)]
    if colorizer.network_size(*rgb.shape[1:3]) != rgb.shape[1:3]:
        others = [colorizer.at_temperature(temperature) for temperature in temperatures]
        colorizers = zip(prefixes, [colorizer, *others], strict=True)
        return {prefix: each(rgb, dtype="float32") for prefix, each in colorizers}
    lightness = colorizer.space.split(rgb)[0]
    if temperatures:
        chroma = colorizer.predict(lightness, (float(colorizer.temperature), *temperatures))
    else:
        chroma = [colorizer.predict(lightness)]
    merged = [colorizer.merge(lightness, each) for each in chroma]
    published = colorizer.space.merge(lightness, chroma[0], keep_lightness=False)
    colored = dict(zip(prefixes, merged, strict=True))
    return colored | {"published/": ops.convert_to_numpy(published)}


def _batches(images):
    """Yield images in uint8 batches if all have one size, else one by one."""
    if len(images) == 0:
        raise ValueError("`images` must hold at least one image. Received none")
    shape = _shape(images)
    step = 1 if shape is None else pictures_at_once(shape)
    for i in range(0, len(images), step):
        batch = images[i : i + step]
        yield np.asarray(batch) if shape is not None else np.asarray(batch[0])[None]


def _shape(images):
    """Return `(height, width)` of images that are known to have one size, else `None`."""
    if not isinstance(images, np.ndarray):
        return getattr(images, "shape", None)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(
            "`images` must have shape (N, height, width, 3); one image is `image[None]`. "
            f"Received shape {images.shape}"
        )
    return images.shape[1:3]


def _recolor(rgb, space, change):
    """Replace the chroma of images by `change(chroma)`, clipped as published code does."""
    lightness, chroma = map(ops.convert_to_numpy, space.split(rgb))
    colored = space.merge(lightness, np.float32(change(chroma)), keep_lightness=False)
    return ops.convert_to_numpy(colored)


def scaled(rgb):
    """Return an array of RGB as floating point in [0, 1]."""
    return np.float32(rgb / 255) if rgb.dtype == np.uint8 else rgb
