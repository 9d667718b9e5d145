"""Evaluate a colorizer: every metric, always beside the trivial baselines."""

import os

import keras
import numpy as np
from keras import ops

from colorkit import metrics
from colorkit.checks import check_colorizer, check_whole
from colorkit.color import spaces
from colorkit.color.bins import ColorBins, chroma_batches
from colorkit.color.priors import color_prior
from colorkit.color.spaces import check_range, same_size
from colorkit.colorizer import Colorizer
from colorkit.data.image_files import pictures_at_once

# Increase it whenever the same result would be measured in another way than before.
VERSION = 2
# RGB error from which the Huber loss is linear. With Keras's default, 1, no error would be linear.
_HUBER_DELTA = 0.1


def evaluate(
    colorizer,
    images,
    labels=None,
    *,
    classifiers=None,
    constant=None,
    baselines=None,
    temperatures=(),
    batch_size=None,
):
    """Color images and compare them with their ground truth.

    Args:
        colorizer: `Colorizer`, or any function from uint8 images `(N, H, W, 3)` to colored
            images, uint8 or floating point in [0, 1].
        images: Color images: `Images`, a uint8 array `(N, H, W, 3)`, or a list of arrays.
        labels: Class of each image, for `classifiers`. `None` takes those of `images`.
        classifiers: Dict from name to `keras.Model`, from RGB in [0, 1] to logits. Each is an
            evaluation classifier, trained on true colors. Its accuracy on the colored images is
            the feature preservation.
        constant: Chroma (a, b) of the constant baseline. `None` takes the mean of `images`.
        baselines: Result of `measure_baselines` for the same images, to avoid measuring it again.
        temperatures: Further temperatures to decode at, if the colorizer has bins.
        batch_size: Images per batch, if all have one size. `None` takes as many as have a quarter
            of a million pixels.

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
        ValueError: If there are no images, or `images` have another type. Also if classifiers lack
            labels, need another image size, or are missing in `baselines`, or if colors are not
            numbers in [0, 1].
    """
    check_colorizer(colorizer)
    # (A network from RGB to RGB is a function like any other.)
    if isinstance(colorizer, keras.Model) and getattr(colorizer, "input_shape", [1])[-1] == 1:
        raise ValueError(
            "`colorizer` must color images, but a network only predicts their chroma. Received the "
            f"keras.Model {colorizer.name}; give `Colorizer(model)`."
        )
    labels = _labels(images, labels, classifiers)
    missing = [
        name
        for name in classifiers or {}
        if f"truth/feature_preservation_{name}" not in (baselines or {})
    ]
    if baselines is not None and missing:
        raise ValueError(
            f"`baselines` must have been measured with the same `classifiers`; {missing} are "
            "missing. Leave `baselines` out to measure them here."
        )
    if baselines is None:
        baselines = measure_baselines(
            images, labels, classifiers=classifiers, constant=constant, batch_size=batch_size
        )
    bins = getattr(colorizer, "bins", None)
    shape = _shape(images)
    is_colorizer = isinstance(colorizer, Colorizer)
    sees_whole = is_colorizer and shape and colorizer.network_size(*shape) == shape
    meters = _all_meters("", _rarity(images)) | _class_meters("", classifiers)
    has_temperature = is_colorizer and bins is not None
    temperatures = tuple(map(float, temperatures)) if has_temperature else ()
    for temperature in temperatures:
        meters |= _curve_meters(temperature)
    if sees_whole:
        meters |= _main_meters("published/") | _class_meters("published/", classifiers)
    if bins is not None:
        meters |= _main_meters("oracle/")

    def predictions(rgb):
        if is_colorizer:
            colored = _colored(colorizer, rgb, temperatures)
        else:
            colored = {"": _scaled(ops.convert_to_numpy(colorizer(rgb)))}
        if bins is not None:
            colored["oracle/"] = _recolor(
                rgb,
                bins.space,
                lambda chroma: bins.centers[ops.convert_to_numpy(bins.encode(chroma))],
            )
        return colored

    scores = _measure(predictions, images, labels, meters, batch_size) | baselines
    for name in classifiers or {}:
        truth = scores[f"truth/feature_preservation_{name}"]
        for key in [key for key in scores if key.endswith(f"feature_preservation_{name}")]:
            scores[f"{key}_kept"] = scores[key] / truth if truth else 0.0
    return scores


def measure_baselines(images, labels=None, *, classifiers=None, constant=None, batch_size=None):
    """Measure the trivial baselines and the ground truth.

    Args:
        images: See `evaluate`.
        labels: See `evaluate`.
        classifiers: See `evaluate`.
        constant: See `evaluate`.
        batch_size: See `evaluate`.

    Returns:
        Dict from metric to value. It has every metric of `evaluate` under "gray/" (lightness
        alone) and "constant/" (one chroma everywhere). Under "red/" and "truth/" it has threshold
        accuracy, PSNR and colorfulness. "red/" is the red channel as gray, which Champati et al.
        report as grayscale. It also has "truth/colorfulness_absolute", "truth/bleeding" and
        "truth/dominant_hue", and "PREFIX/feature_preservation_NAME" for all four.

    Raises:
        ValueError: As `evaluate`.
    """
    labels = _labels(images, labels, classifiers)
    meters = _main_meters("red/") | _main_meters("truth/")
    rarity = _rarity(images)
    for prefix in ("gray/", "constant/"):
        meters |= _all_meters(prefix, rarity)
    for prefix in ("gray/", "constant/", "red/", "truth/"):
        meters |= _class_meters(prefix, classifiers)
    meters["truth/colorfulness_absolute"] = metrics.Colorfulness(signed=False)
    meters["truth/bleeding"] = metrics.Bleeding()
    meters["truth/dominant_hue"] = metrics.DominantHue()
    if constant is None:
        constant = mean_chroma(images, spaces.LAB)
    if np.shape(constant) != (2,):
        raise ValueError(f"`constant` must be one (a, b). Received: {constant!r}")
    return _measure(lambda rgb: _free(rgb, constant), images, labels, meters, batch_size)


def evaluate_classifier(classifier, images, batch_size=None):
    """Measure the accuracy of a classifier on images in true colors, and in gray.

    Args:
        classifier: `keras.Model` from RGB in [0, 1] to logits.
        images: `Images` with labels, of one size.
        batch_size: Images per batch, or `None`, see `evaluate`.

    Returns:
        Dict with "accuracy", and the same under "gray/" (lightness alone) and "red/" (the red
        channel three times, which Champati et al. use as gray).

    Raises:
        ValueError: If there are no images or no labels.
    """
    names = {"truth/": "accuracy", "gray/": "gray/accuracy", "red/": "red/accuracy"}
    labels = _labels(images, None, {"it": classifier})
    meters = {}
    for prefix in names:
        meters |= _class_meters(prefix, {"it": classifier})
    scores = _measure(lambda rgb: _free(rgb, (0, 0)), images, labels, meters, batch_size)
    return {name: scores[f"{prefix}feature_preservation_it"] for prefix, name in names.items()}


def temperature_curve(colorizer, images, temperatures, batch_size=None):
    """Measure threshold accuracy and colorfulness of a colorizer at several temperatures.

    Args:
        colorizer: `Colorizer` with bins.
        images: Color images of one size: `Images` or a uint8 array `(N, H, W, 3)`.
        temperatures: Temperatures to evaluate; 0 is the mode, 1 the mean.
        batch_size: Images per batch, or `None`, see `evaluate`.

    Returns:
        List of dicts with "temperature", "threshold_accuracy" and "colorfulness".

    Raises:
        ValueError: If the colorizer has no bins.
    """
    if colorizer.bins is None:
        raise ValueError("`colorizer` must have bins, as a regression has no temperature.")
    temperatures = tuple(map(float, temperatures))
    meters = {}
    for temperature in temperatures:
        meters |= _curve_meters(temperature)

    def predictions(rgb):
        return _colored(colorizer, rgb, temperatures)

    return curve(_measure(predictions, images, None, meters, batch_size))


def curve(scores):
    """Collect the scores of several temperatures in the form of `temperature_curve`.

    Args:
        scores: Result of `evaluate` with `temperatures`, or the metrics of a record.

    Returns:
        List of dicts with "temperature", "threshold_accuracy" and "colorfulness", by temperature.
    """
    prefixes = sorted(
        (float(name[2:].partition("/")[0]), name.partition("/")[0])
        for name in scores
        if name.startswith("T=") and name.endswith("/colorfulness")
    )
    names = ("threshold_accuracy", "colorfulness")
    return [
        {"temperature": temperature, **{name: scores[f"{prefix}/{name}"] for name in names}}
        for temperature, prefix in prefixes
    ]


def _free(rgb, constant):
    """Return the trivial baselines of a batch, and its ground truth."""

    def same(chroma):
        return np.broadcast_to(np.float32(constant), chroma.shape)

    return {
        "gray/": _recolor(rgb, spaces.LAB, np.zeros_like),
        "constant/": _recolor(rgb, spaces.LAB, same),
        "red/": np.repeat(_scaled(rgb)[..., :1], 3, axis=-1),
        "truth/": _scaled(rgb),
    }


def _measure(predictions, images, labels, meters, batch_size):
    """Update meters, whose names have a prefix and a metric, with the predictions per batch."""
    start = 0
    for rgb in _batches(images, batch_size):
        y_true, colored = _scaled(rgb), predictions(rgb)
        classes = None if labels is None else labels[start : start + len(rgb)]
        start += len(rgb)
        for prefix, y_pred in colored.items():
            name = prefix or "the colorizer"
            check_range(y_pred, f"Colored images ({name}) must be uint8, or floating point")
        # Check once for all meters, which then need no check of their own.
        y_true = ops.convert_to_tensor(y_true)
        colored = {prefix: ops.convert_to_tensor(y_pred) for prefix, y_pred in colored.items()}
        for name, meter in meters.items():
            y_pred = colored[name[: name.rfind("/") + 1]]
            is_classes = isinstance(meter, metrics.FeaturePreservation)
            meter.update_state(classes if is_classes else y_true, y_pred)
    return {name: float(meter.result()) for name, meter in meters.items()}


def _main_meters(prefix):
    return {
        f"{prefix}threshold_accuracy": metrics.ThresholdAccuracy(),
        f"{prefix}psnr": metrics.PSNR(),
        f"{prefix}colorfulness": metrics.Colorfulness(),
    }


def _curve_meters(temperature):
    return {
        f"T={temperature:g}/threshold_accuracy": metrics.ThresholdAccuracy(),
        f"T={temperature:g}/colorfulness": metrics.Colorfulness(),
    }


def _rarity(images):
    """Compute the inverse frequency of each of the 313 bins in images."""
    return inverse_frequency(color_prior(images, ColorBins.gamut()))


def inverse_frequency(prior):
    """Compute weights of bins for a rebalanced metric; bins that never occur get no weight."""
    return 1 / np.where(prior > 0, prior, 1.0)


def _all_meters(prefix, rarity):
    gamut = ColorBins.gamut()
    return _main_meters(prefix) | {
        f"{prefix}mae": keras.metrics.MeanAbsoluteError(),
        f"{prefix}mse": keras.metrics.MeanSquaredError(),
        f"{prefix}huber": keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=_HUBER_DELTA),
        f"{prefix}binary_crossentropy": keras.metrics.BinaryCrossentropy(),
        f"{prefix}ab_auc": metrics.AbAUC(),
        f"{prefix}threshold_accuracy_euclidean": metrics.ThresholdAccuracy("euclidean"),
        f"{prefix}ssim": metrics.SSIM(),
        f"{prefix}colorfulness_absolute": metrics.Colorfulness(signed=False),
        f"{prefix}ciede2000": metrics.CIEDE2000(),
        f"{prefix}ab_auc_rebalanced": metrics.AbAUC(gamut, rarity),
        f"{prefix}bleeding": metrics.Bleeding(),
        f"{prefix}chroma_gradient_error": metrics.ChromaGradientError(),
        f"{prefix}occupied_bins": metrics.OccupiedBins(gamut),
        f"{prefix}dominant_hue": metrics.DominantHue(),
    }


def _class_meters(prefix, classifiers):
    return {
        f"{prefix}feature_preservation_{name}": metrics.FeaturePreservation(classifier)
        for name, classifier in (classifiers or {}).items()
    }


def _labels(images, labels, classifiers):
    if labels is None:
        labels = getattr(images, "labels", None)
    if labels is None and classifiers:
        raise ValueError(
            "Feature preservation needs the class of each image, and these images have none. "
            "Give `labels`, or leave `classifiers` out."
        )
    _check_classifiers(classifiers or {}, _shape(images))
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"`labels` must be one whole number per image, {len(images)}. Received shape "
            f"{labels.shape} of {labels.dtype}"
        )
    return labels


def _check_classifiers(classifiers, shape):
    are_models = isinstance(classifiers, dict) and all(
        isinstance(classifier, keras.Model) for classifier in classifiers.values()
    )
    if not are_models:
        raise ValueError(
            "`classifiers` must be a dict from name to keras.Model, such as "
            f'{{"vgg": models.load_classifier("vgg")}}. Received: {classifiers!r}'
        )
    for name, classifier in classifiers.items():
        wanted = classifier.input_shape
        if not same_size(wanted, (None, *(shape or (0, 0)), 3)):
            raise ValueError(
                f"The classifier {name!r} takes images of {wanted[1]} x {wanted[2]} pixels; these"
                f" have {' x '.join(map(str, shape)) if shape else 'different sizes'}. Give `size` "
                "to `load`."
            )


def _colored(colorizer, rgb, temperatures=()):
    """Color a batch with its lightness kept, as published code does, and at temperatures."""
    if colorizer.network_size(*rgb.shape[1:3]) != rgb.shape[1:3]:
        annealed = {f"T={t:g}/": colorizer.at_temperature(t) for t in temperatures}
        return {
            name: each(rgb, dtype="float32") for name, each in {"": colorizer, **annealed}.items()
        }
    lightness = colorizer.space.split(rgb)[0]
    if colorizer.bins is None:
        chroma = colorizer.predict(lightness)
    else:
        all_temperatures = (float(colorizer.temperature), *temperatures)
        chroma, *others = colorizer.predict(lightness, all_temperatures)
    published = colorizer.space.merge(lightness, chroma, keep_lightness=False)
    colored = {
        "": colorizer.merge(lightness, chroma),
        "published/": ops.convert_to_numpy(published),
    }
    for temperature, other in zip(temperatures, others if temperatures else (), strict=True):
        colored[f"T={temperature:g}/"] = colorizer.merge(lightness, other)
    return colored


def _batches(images, batch_size):
    """Yield images in uint8 batches if all have one size, else one by one."""
    if len(images) == 0:
        raise ValueError("`images` must hold at least one image. Received none")
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    shape = _shape(images)
    step = 1 if shape is None else batch_size or pictures_at_once(shape)
    for i in range(0, len(images), step):
        batch = images[i : i + step]
        yield np.asarray(batch) if shape is not None else np.asarray(batch[0])[None]


def _shape(images):
    """Return `(height, width)` of images that are known to have one size, else `None`."""
    if isinstance(images, (str, os.PathLike)):
        raise ValueError(f"`images` must be images, as `colorkit.load` gives. Received: {images!r}")
    if isinstance(images, np.ndarray):
        if images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(
                "`images` must have shape (N, height, width, 3); one image is `image[None]`. "
                f"Received shape {images.shape}"
            )
        return images.shape[1:3]
    return getattr(images, "shape", None)


def mean_chroma(images, space):
    """Compute the mean chroma of all pixels of images, shape `(channels,)`."""
    total, count = 0.0, 0
    for chroma in chroma_batches(images, space):
        total = total + chroma.sum(axis=(0, 1, 2), dtype="float64")
        count += chroma[..., 0].size
    return total / count


def _recolor(rgb, space, change):
    """Replace the chroma of images by `change(chroma)`, clipped as published code does."""
    lightness, chroma = map(ops.convert_to_numpy, space.split(rgb))
    colored = space.merge(lightness, np.float32(change(chroma)), keep_lightness=False)
    return ops.convert_to_numpy(colored)


def _scaled(rgb):
    return np.float32(rgb / 255) if rgb.dtype == np.uint8 else rgb
