"""Compare the experiments of a study on each dataset they were run on.

`studies.csv` holds the experiments of each study, one per line.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from colorkit.report import tables

__all__ = ["Study", "labels", "on", "render"]


class Study(NamedTuple):
    """Name experiments that answer one question, and the metrics that compare them.

    Example:
        >>> Study("Two networks", {"first": "cifar/a", "second": "cifar/b"}, {"PSNR": "psnr"}).title
        'Two networks'
    """

    title: str  # subject of the comparison
    rows: dict  # label -> name of an experiment
    metrics: dict  # column title -> metric, or another number of a record


_LINES = pd.read_csv(Path(__file__).with_name("studies.csv"), keep_default_na=False)
_ROWS = {
    study: dict(zip(found["label"], found["experiment"], strict=True))
    for study, found in _LINES.groupby("study")
}
# Column title -> metric of a record.
_TITLES = {
    "MAE": "mae",
    "MSE": "mse",
    "Huber": "huber",
    "cross-entropy": "binary_crossentropy",
    "PSNR": "psnr",
    "SSIM": "ssim",
    "threshold accuracy": "threshold_accuracy",
    "colorfulness": "colorfulness",
    "occupied bins": "occupied_bins",
    "CIEDE2000": "ciede2000",
    "AuC": "ab_auc",
    "AuC, rebalanced": "ab_auc_rebalanced",
    "bleeding": "bleeding",
    "chroma gradient error": "chroma_gradient_error",
}
_COST = {"weights": "parameters", "ms per image": "training_milliseconds", "minutes": "minutes"}


def _metrics(*titles):
    return {title: _TITLES[title] for title in titles}


_VIVIDNESS = _metrics(
    "colorfulness", "AuC, rebalanced", "threshold accuracy", "occupied bins", "PSNR"
)
_COHERENCE = _metrics(
    "bleeding", "colorfulness", "threshold accuracy", "chroma gradient error", "occupied bins"
) | {"dominant hue": "dominant_hue"}
_PATCHES = _VIVIDNESS | _metrics("bleeding")

COLORFUL = Study("Bins and L2 regression", _ROWS["colorful"], _VIVIDNESS | _metrics("AuC"))
COHERENCE = {
    side: Study(f"Coherence at {side} pixels", _ROWS[f"coherence-{side}"], _COHERENCE)
    for side in (32, 64)
}
CONVNETS = Study(
    "Han's three networks",
    _ROWS["convnets"],
    _VIVIDNESS | {"PSNR, colors as predicted": "published/psnr"} | _metrics("bleeding") | _COST,
)
ARCHITECTURES = Study("Architectures and losses", _ROWS["architectures"], _TITLES | _COST)
VARIATIONS = Study(
    "Variations of the U-Net",
    _ROWS["variations"],
    _metrics("MAE", "PSNR", "threshold accuracy", "colorfulness", "AuC", "bleeding") | _COST,
)
PIX2PIX = Study("Pix2Pix at the size of its training images", _ROWS["pix2pix"], _PATCHES)
PATCHES = Study(
    "Patches and resizing, whole images colored at twice the size",
    _ROWS["patches"],
    {title: f"large/{metric}" for title, metric in _PATCHES.items()}
    | {title: _COST[title] for title in ("ms per image", "minutes")},
)
PHOTOS = Study(
    "A model for photographs: the effect of each choice at equal steps",
    _ROWS["photos"],
    _metrics("CIEDE2000", "AuC, rebalanced", "colorfulness", "bleeding") | {"minutes": "minutes"},
)
STUDIES = (
    COLORFUL,
    *COHERENCE.values(),
    CONVNETS,
    ARCHITECTURES,
    VARIATIONS,
    PIX2PIX,
    PATCHES,
    PHOTOS,
)


def on(study, label):
    """Return the same study of the experiments on another dataset, see `claims.on`.

    Example:
        >>> on(Study("", {"first": "cifar/a"}, {}), "flowers").rows
        {'first': 'cifar/a@flowers'}
    """
    suffix = f"@{label}" if label else ""
    return study._replace(rows={title: name + suffix for title, name in study.rows.items()})


def labels(records, study):
    """Return the labels of the datasets that a study's experiments were run on, see `on`.

    Example:
        >>> labels([], Study("", {"first": "cifar/a"}, {}))
        []
    """
    names = {record.experiment.partition("@")[::2] for record in records}
    return sorted({label for name, label in names if name in study.rows.values()})


def render(records, study):
    """Format a study as a Markdown table with means over seeds, see `tables.compare`.

    Example:
        >>> print(render([], Study("", {"first": "cifar/a"}, {"PSNR": "psnr"})))
        |  | PSNR | profile |
        |  | ---- | ------- |
        <BLANKLINE>
        Not run: first.
    """
    return tables.compare(records, study.rows, study.metrics)
