"""Hold the metrics of colored images beside references, and say what is striking about them."""

import dataclasses
import math

import numpy as np
import pandas as pd

from colorkit.evaluation.scores import is_share

__all__ = ["PairScores"]

REFERENCES = {
    "gray": "the lightness of the truth alone",
    "constant": "one chroma, the mean of all true pixels, which a colorizer does not know",
    "shuffled": "the true chroma of another image",
    "oracle": "the true chroma of each pixel moved to the nearest color bin",
}
# +1: higher is better, -1: lower is better. The others say nothing alone.
DIRECTIONS = {
    "threshold_accuracy": 1, "threshold_accuracy_euclidean": 1, "psnr": 1, "psnr_pooled": 1,
    "ssim": 1, "ab_auc": 1, "ab_auc_rebalanced": 1, "occupied_bins": 1, "mae": -1, "mse": -1,
    "huber": -1, "binary_crossentropy": -1, "ciede2000": -1, "chroma_gradient_error": -1,
    "colorfulness_gap": -1, "kid": -1,
}  # fmt: skip
_TITLES = {
    "gray": "gray",
    "constant": "one constant color",
    "shuffled": "the colors of another image",
}
# Variants of a metric in published code: title -> metric here, and what is done to its value.
_VARIANTS = {
    "colorfulness": {"with absolute values": ("colorfulness_absolute", lambda x: x)},
    "threshold_accuracy": {
        "of Euclidean distances": ("threshold_accuracy_euclidean", lambda x: x),
    },
    "psnr": {
        "of the pooled error": ("psnr_pooled", lambda x: x),
        "with a range of 255 for values in [0, 1]": ("psnr", lambda x: x + 20 * np.log10(255)),
        "with a range of 1 for values in [0, 255]": ("psnr", lambda x: x - 20 * np.log10(255)),
        "with a range of 2 for values in [0, 1]": ("psnr", lambda x: x + 20 * np.log10(2)),
        "with a range of 1 for values in [-1, 1]": ("psnr", lambda x: x - 20 * np.log10(2)),
    },
}
_MOST_DIGITS = 5
_ROUNDING = 2e-3  # relative change of metrics by rounding images to 8 bits


@dataclasses.dataclass
class PairScores:
    """Hold the metrics of colored images and of the references, with sampling errors.

    Attributes:
        estimates: Dict from metric to a dict from "colored", "gray", "constant", "shuffled",
            "oracle" and "truth" to an `Estimate`: `value`, `error` (one standard error, over
            images) and `count`, the number of images.
        warnings: Dict from the short name of a fault to a sentence about it.
        problems: Dict from "unmatched", "unreadable" and "different sizes" to sentences, one per
            file.
        pairs: Number of measured pairs.
        resized: Number of pairs whose colored image was resized.

    Example:
        >>> photos = ck.load("photos", "test")[:4]
        >>> scores = evaluate_pairs([ck.to_gray(image) for image in photos], photos)
        >>> "no_color" in scores.warnings
        True
    """

    estimates: dict
    warnings: dict
    problems: dict
    pairs: int
    resized: int

    def frame(self):
        """Return a `pandas.DataFrame` with a row per metric and kind of images."""
        rows = [
            (metric, kind, estimate.value, estimate.error, estimate.count, _better(metric))
            for metric, kinds in self.estimates.items()
            for kind, estimate in kinds.items()
        ]
        columns = ("metric", "images", "value", "standard_error", "pairs", "better")
        return pd.DataFrame(rows, columns=columns)

    def rows(self):
        """Return rows of text for a table: a line per metric; shares are in percent."""
        kinds = list(dict.fromkeys(kind for found in self.estimates.values() for kind in found))
        rows = [("", *kinds, "better", "pairs")]
        for metric, found in self.estimates.items():
            factor, title = (100, f"{metric}, %") if is_share(metric) else (1, metric)
            cells = [_cell(found.get(kind), factor) for kind in kinds]
            rows.append((title, *cells, _better(metric), str(found["colored"].count)))
        return rows

    def notes(self):
        """Return a paragraph that says what the columns and errors of the table are."""
        kinds = {kind for found in self.estimates.values() for kind in found}
        titles = [f"*{kind}* has {title}" for kind, title in REFERENCES.items() if kind in kinds]
        return (
            f"{count(self.pairs)}; ± one standard error over images. {'; '.join(titles)}. PSNR is "
            "the mean over images, for RGB in [0, 1]; psnr_pooled is that of the mean squared "
            "error. colorfulness is that of Hasler and Süsstrunk; colorfulness_absolute is the "
            "variant with absolute values. colorfulness_gap is the difference to the truth."
        )

    def to_dict(self):
        """Return everything as values of JSON."""
        records = self.frame().astype(object)
        kinds = {kind for found in self.estimates.values() for kind in found}
        return {
            "pairs": self.pairs,
            "resized": self.resized,
            "references": {k: v for k, v in REFERENCES.items() if k in kinds},
            "scores": records.where(records.notna(), None).to_dict("records"),
            "warnings": self.warnings,
            "problems": self.problems,
        }


def count(pairs):
    """Return a number of pairs in words."""
    return f"{pairs} {'pair' if pairs == 1 else 'pairs'}"


def preferences(estimates):
    """Return warnings about metrics that prefer a reference to the colored images."""
    warnings = {}
    for kind in ("gray", "constant", "shuffled"):
        worse = []
        for metric, direction in DIRECTIONS.items():
            found = estimates.get(metric, {})
            if "colored" not in found or kind not in found:
                continue
            lead = found["colored"].minus(found[kind])
            if direction * lead.value < -_ROUNDING * abs(found[kind].value):
                factor = 100 if is_share(metric) else 1
                text = f"{metric} by {_cell(lead.mapped(abs, 1), factor)}"
                worse.append(text if abs(lead.value) > 2 * lead.error else f"{text} (uncertain)")
        if worse:
            warnings[f"{kind}_preferred"] = (
                f"These metrics prefer {_TITLES[kind]} to the colored images: {', '.join(worse)}."
            )
    return warnings


def disagreements(reported, estimates):
    """Say which variant of a metric a reported number agrees with, and what gray has."""
    warnings = {}
    for metric, number in reported.items():
        if metric not in estimates:
            raise ValueError(
                f"`reported` must name measured metrics, {', '.join(estimates)}. "
                f"Received: {metric!r}"
            )
        number = number / 100 if is_share(metric) and number > 1 else number
        own = estimates[metric]["colored"]
        variants = {"as it is defined": own.value}
        for title, (name, change) in _VARIANTS.get(metric, {}).items():
            variants[title] = change(estimates[name]["colored"].value)
        nearest = min(variants, key=lambda title: abs(variants[title] - number))
        if abs(variants[nearest] - number) > max(2 * np.nan_to_num(own.error), 0.005 * abs(number)):
            nearest = None
        if nearest != "as it is defined":
            agrees = f"agrees with the variant {nearest}" if nearest else "agrees with no variant"
            warnings[f"{metric}_variant"] = (
                f"The reported {metric} of {number:.4g} {agrees}. Measured: "
                + ", ".join(f"{value:.4g} {title}" for title, value in variants.items())
                + f"; gray has {estimates[metric]['gray'].value:.4g}."
            )
    return warnings


def _better(metric):
    return {1: "higher", -1: "lower"}.get(DIRECTIONS.get(metric), "")


def _cell(estimate, factor=1):
    """Format a metric so that its error has two digits."""
    if estimate is None:
        return ""
    value, error = factor * estimate.value, factor * estimate.error
    if not error > 0:
        return f"{value:.4g}"
    digits = min(max(0, 1 - math.floor(math.log10(error))), _MOST_DIGITS)
    return f"{value:.{digits}f} ± {error:.{digits}f}"
