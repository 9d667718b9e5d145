"""Compare colorizers per image: errors, shares of better images, and their intervals."""

import numpy as np
import scipy.stats
from keras import ops

from colorkit import metrics
from colorkit.color import spaces
from colorkit.color.bins import ColorBins
from colorkit.color.priors import color_prior
from colorkit.data.image_files import as_rgb
from colorkit.evaluation.scores import inverse_frequency, mean_chroma, scaled

__all__ = ["compare"]

_CONFIDENCE = 0.95


def compare(colorizers, images, *, inputs=None):
    """Color images with several colorizers and compare each image with its ground truth.

    Args:
        colorizers: Dict from name to `Colorizer`, or to any function from a uint8 image
            `(height, width, 3)` to a colored one.
        images: Ground truth: `Images`, or any sequence of uint8 color images. Sizes may differ.
        inputs: Images to color instead, of the same number and sizes, such as old gray photographs
            that also exist in color. `None` colors `images`.

    Returns:
        Dict from name to metrics, for the colorizers and for "gray", "constant" (the mean chroma
        of `images`, which a colorizer does not know) and "truth":

        - "ciede2000": mean over images of the mean difference per pixel; "ciede2000_interval":
          its 95 % interval (Student's t).
        - "better_than_gray", "better_than_constant", "better_than_both": share of the images with
          a smaller difference than the baseline; "better_than_both_interval": Wilson interval.
        - "colorfulness", "colorfulness_share" (of the ground truth), "ab_auc_rebalanced" and
          "bleeding".

    Raises:
        ValueError: If there are no images, `inputs` do not match them, or a colorizer has the
            name of a baseline.

    Example:
        >>> rows = compare({"original": lambda image: image}, ck.load("photos", "test")[:2])
        >>> rows["original"]["better_than_gray"]
        1.0
    """
    baselines = ("gray", "constant", "truth")
    if taken := set(colorizers) & set(baselines):
        raise ValueError(
            f"`colorizers` must have other names than the baselines {baselines}. "
            f"Received: {sorted(taken)}"
        )
    if inputs is not None and len(inputs) != len(images):
        raise ValueError(
            f"`inputs` must be as many as `images`, {len(images)}. Received: {len(inputs)}"
        )
    constant = mean_chroma(images, spaces.LAB)
    bins = ColorBins.gamut()
    rarity = inverse_frequency(color_prior(images, bins))
    names = (*colorizers, *baselines)
    differences = {name: [] for name in names}
    pooled = {
        name: {
            "colorfulness": metrics.Colorfulness(),
            "ab_auc_rebalanced": metrics.AbAUC(bins, rarity),
            "bleeding": metrics.Bleeding(),
        }
        for name in names
    }
    for i, image in enumerate(images):
        truth = as_rgb(image)
        gray = truth if inputs is None else as_rgb(inputs[i])
        if gray.shape != truth.shape:
            raise ValueError(
                f"`inputs` must have the sizes of `images`. Received shape {gray.shape} at number "
                f"{i}, instead of {truth.shape}"
            )
        lightness = spaces.LAB.split(gray)[0]
        neutral = np.zeros((*gray.shape[:2], 2), "float32")
        colored = {name: color(gray) for name, color in colorizers.items()}
        colored["gray"] = spaces.LAB.merge(lightness, neutral)
        colored["constant"] = spaces.LAB.merge(lightness, neutral + np.float32(constant))
        colored["truth"] = truth
        y_true = _tensor(truth)
        for name, rgb in colored.items():
            y_pred = _tensor(rgb)
            differences[name].append(float(metrics.ciede2000(y_true, y_pred)[0]))
            for metric in pooled[name].values():
                metric.update_state(y_true, y_pred)
    differences = {name: np.array(values) for name, values in differences.items()}
    return {name: _summary(differences, pooled, name) for name in names}


def _tensor(rgb):
    return ops.convert_to_tensor(scaled(ops.convert_to_numpy(rgb)))[None]


def _summary(differences, pooled, name):
    values = differences[name]
    truth = float(pooled["truth"]["colorfulness"].result())
    summary = {metric: float(meter.result()) for metric, meter in pooled[name].items()}
    better = {other: values < differences[other] for other in ("gray", "constant")}
    better["both"] = better["gray"] & better["constant"]
    test = scipy.stats.binomtest(int(better["both"].sum()), len(values))
    interval = test.proportion_ci(_CONFIDENCE, method="wilson")
    return {
        **summary,
        "colorfulness_share": summary["colorfulness"] / truth if truth else 0,
        "ciede2000": float(values.mean()),
        "ciede2000_interval": _mean_interval(values),
        **{f"better_than_{other}": float(won.mean()) for other, won in better.items()},
        "better_than_both_interval": (float(interval.low), float(interval.high)),
    }


def _mean_interval(values):
    if len(values) == 1:  # no interval without a spread
        return float("nan"), float("nan")
    mean, error = float(values.mean()), scipy.stats.sem(values)
    if not error:
        return mean, mean
    low, high = scipy.stats.t.interval(_CONFIDENCE, len(values) - 1, mean, error)
    return float(low), float(high)
