"""Measure a colorizer: every metric, always beside what costs nothing."""

import numpy as np
from keras import ops

from colorkit import colorspace, metrics
from colorkit.bins import ColorBins, chroma_batches
from colorkit.colorizer import Colorizer
from colorkit.rebalancing import color_prior


def evaluate(colorizer, images, labels=None, *, constant=None, batch_size=64):
    """Colour pictures and compare them with the truth.

    Args:
        colorizer: `Colorizer`, or any function from uint8 pictures `(N, H, W, 3)` to coloured
            ones, uint8 or floating point in [0, 1].
        images: Colour pictures: `Images`, a uint8 array `(N, H, W, 3)`, or a list of arrays.
        labels: Class of each picture; kept for metrics that need it.
        constant: Chroma (a, b) of the constant baseline; `None` for the mean of `images`.
        batch_size: Pictures coloured at once, where they have one size.

    Returns:
        Dict from metric to value: "threshold_accuracy" (Champati et al.'s protocol) and
        "threshold_accuracy_euclidean" in [0, 1], "psnr" in dB, "ssim", "colorfulness" and
        "colorfulness_absolute", "ciede2000", "ab_auc" and "ab_auc_rebalanced" in [0, 1]. The
        same under "gray/" (lightness alone), "constant/" (one chroma everywhere), for bins
        "oracle/" (the truth, quantised), and "truth/colorfulness". The rebalanced measure
        weighs pixels by the inverse frequency of their bin of 313 in `images`.

    Raises:
        ValueError: If there are no pictures.
    """
    batches = _batches(images, batch_size)
    gamut = ColorBins.gamut()
    prior = color_prior(images, gamut)
    weights = 1 / np.where(prior > 0, prior, 1.0)  # bins that never occur weigh no pixel
    if constant is None:
        constant = _mean_chroma(images, colorspace.LAB)
    candidates = {
        "": _unrounded(colorizer),
        "gray/": lambda rgb: _recolor(rgb, colorspace.LAB, np.zeros_like),
        "constant/": lambda rgb: _recolor(
            rgb, colorspace.LAB, lambda chroma: np.broadcast_to(np.float32(constant), chroma.shape)
        ),
    }
    bins = getattr(colorizer, "bins", None)
    if bins is not None:
        candidates["oracle/"] = lambda rgb: _recolor(
            rgb, bins.space, lambda chroma: bins.centers[ops.convert_to_numpy(bins.encode(chroma))]
        )
    meters = {
        prefix + name: metric
        for prefix in candidates
        for name, metric in _metrics(gamut, weights).items()
    }
    for signed, name in ((True, "colorfulness"), (False, "colorfulness_absolute")):
        meters[f"truth/{name}"] = metrics.Colorfulness(signed)
    for rgb in batches:
        y_true = _scaled(rgb)
        predictions = {prefix: _scaled(color(rgb)) for prefix, color in candidates.items()}
        predictions["truth/"] = y_true
        for name, meter in meters.items():
            prefix = name[: name.rfind("/") + 1]
            meter.update_state(y_true, predictions[prefix])
    return {name: float(meter.result()) for name, meter in meters.items()}


def temperature_curve(colorizer, images, temperatures, batch_size=64):
    """Threshold accuracy and colourfulness of a colorizer with bins at several temperatures.

    Args:
        colorizer: `Colorizer` with bins.
        images: Colour pictures of one size: `Images` or a uint8 array `(N, H, W, 3)`.
        temperatures: Temperatures to try; 0 is the mode, 1 the mean.
        batch_size: Pictures coloured at once.

    Returns:
        List of dicts with "temperature", "threshold_accuracy" and "colorfulness".

    Raises:
        ValueError: If the colorizer has no bins.
    """
    rows = []
    for temperature in temperatures:
        annealed = colorizer.at_temperature(temperature)
        accuracy, colorful = metrics.ThresholdAccuracy(), metrics.Colorfulness()
        for rgb in _batches(images, batch_size):
            y_true, y_pred = _scaled(rgb), annealed(rgb, dtype="float32")
            accuracy.update_state(y_true, y_pred)
            colorful.update_state(y_true, y_pred)
        rows.append(
            {
                "temperature": float(temperature),
                "threshold_accuracy": float(accuracy.result()),
                "colorfulness": float(colorful.result()),
            }
        )
    return rows


def _metrics(bins, weights):
    return {
        "threshold_accuracy": metrics.ThresholdAccuracy(),
        "threshold_accuracy_euclidean": metrics.ThresholdAccuracy("euclidean"),
        "psnr": metrics.PSNR(),
        "ssim": metrics.SSIM(),
        "colorfulness": metrics.Colorfulness(),
        "colorfulness_absolute": metrics.Colorfulness(signed=False),
        "ciede2000": metrics.CIEDE2000(),
        "ab_auc": metrics.AbAUC(),
        "ab_auc_rebalanced": metrics.AbAUC(bins, weights),
    }


def _batches(images, batch_size):
    """Pictures in uint8 batches: of `batch_size` where all have one size, else one by one."""
    if len(images) == 0:
        raise ValueError("`images` must hold at least one picture. Received none")
    shape = images.shape[1:3] if isinstance(images, np.ndarray) else getattr(images, "shape", None)
    step = batch_size if shape is not None else 1
    for i in range(0, len(images), step):
        batch = images[i : i + step]
        yield np.asarray(batch) if shape is not None else np.asarray(batch[0])[None]


def _mean_chroma(images, space):
    total, count = 0.0, 0
    for chroma in chroma_batches(images, space):
        total, count = total + chroma.sum(axis=0, dtype="float64"), count + len(chroma)
    return total / count


def _recolor(rgb, space, change):
    """Replace the chroma of pictures by `change(chroma)`, clipped as published code does."""
    lightness, chroma = map(ops.convert_to_numpy, space.split(rgb))
    colored = space.merge(lightness, np.float32(change(chroma)), keep_lightness=False)
    return ops.convert_to_numpy(colored)


def _scaled(rgb):
    return np.float32(rgb / 255) if rgb.dtype == np.uint8 else rgb


def _unrounded(colorizer):
    if isinstance(colorizer, Colorizer):
        return lambda rgb: colorizer(rgb, dtype="float32")
    return colorizer
