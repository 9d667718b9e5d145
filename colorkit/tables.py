"""The papers' tables, made anew from records: each number beside the paper's."""

import dataclasses
import statistics

from colorkit import results
from colorkit.experiments import EXPERIMENTS


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        label: What the table calls it.
        audited: Experiment that means what the paper says; its colours keep their lightness.
        published: Experiment that does what the paper's code does, coloured as that code colours;
            `None` if it is the same.
        is_stand_in: Whether the paper has no such row.
        paper: What this table of the paper says, where it differs from what another one says of
            the same experiment.
    """

    label: str
    audited: str
    published: str | None = None
    is_stand_in: bool = False
    paper: dict | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        title: Number and subject.
        metric: Metric in an experiment's `paper` and, with `suffix`, in records.
        rows: Tuple of `Row`.
        suffix: Which classifier judged, for feature preservation.
    """

    title: str
    metric: str
    rows: tuple
    suffix: str = ""


_SPACES = {"rgb": "RGB", "yuv": "Yuv", "lab": "Lab"}
_SOURCES = {
    "vgg": "VGG16, ImageNet",
    "vgg1": "VGG16, ImageNet, first layer only",
    "own": "own classifier's layers",
}


def _transfer_rows(kind, label):
    for source, origin in _SOURCES.items():
        for mode in ("frozen", "trainable"):
            yield Row(
                f"{label}, {origin}, {mode}",
                f"cifar/lab-{source}-{mode}-{kind}",
                is_stand_in=source != "vgg",
            )


_REGRESSION_ROWS = (
    *(Row(f"dense, {label}", f"cifar/{space}-dense-regression")
      for space, label in _SPACES.items()),
    *(Row(f"convolution only, {label}", f"cifar/{space}-conv-regression")
      for space, label in _SPACES.items()),
    *_transfer_rows("regression", "convolution only"),
)  # fmt: skip
_BINS = "cifar/lab-conv-classification"
_CLASSIFICATION_ROWS = (
    Row("49 bins", f"{_BINS}-49-centered", f"{_BINS}-49"),
    Row("64 bins", f"{_BINS}-64"),
    Row("100 bins", f"{_BINS}-100"),
    Row("81 bins", f"{_BINS}-81-centered", f"{_BINS}-81"),
    Row("81 bins, rebalanced", f"{_BINS}-81-rebalanced", f"{_BINS}-81-rebalanced-as-published"),
    *_transfer_rows("classification-81", "81 bins"),
    *_transfer_rows("classification-81-rebalanced", "81 bins, rebalanced"),
    Row("81 uv bins", "cifar/yuv-conv-classification-81", is_stand_in=True),
    Row("313 bins", f"{_BINS}-313-hard", is_stand_in=True),
    Row("313 bins, soft codes, rebalanced", f"{_BINS}-313", is_stand_in=True),
)
_BEST_ROWS = (
    Row("regression: VGG16 trainable", "cifar/lab-vgg-trainable-regression"),
    Row("regression: own layers trainable", "cifar/lab-own-trainable-regression",
        is_stand_in=True),
    Row("classification: VGG16 frozen, rebalanced",
        "cifar/lab-vgg-frozen-classification-81-rebalanced"),
    Row("classification: own layers frozen, rebalanced",
        "cifar/lab-own-frozen-classification-81-rebalanced", is_stand_in=True),
    Row("ours: residual U-Net", "cifar/lab-residual-unet", is_stand_in=True),
)  # fmt: skip

_ACCURACY, _PRESERVATION = "threshold accuracy, percent", "feature preservation, percent"
REGRESSION = (
    Table(f"Table 3. Regression: {_ACCURACY}", "threshold_accuracy", _REGRESSION_ROWS),
    Table(
        f"Table 4. Regression: {_PRESERVATION}", "feature_preservation", _REGRESSION_ROWS, "_vgg"
    ),
)
CLASSIFICATION = (
    Table(f"Table 5. Classification: {_ACCURACY}", "threshold_accuracy", _CLASSIFICATION_ROWS),
    Table(
        f"Table 6. Classification: {_PRESERVATION}",
        "feature_preservation",
        _CLASSIFICATION_ROWS,
        "_vgg",
    ),
)
BEST = (
    Table(f"Table 7. The best: {_ACCURACY}", "threshold_accuracy", _BEST_ROWS),
    Table(f"Table 7. The best: {_PRESERVATION}", "feature_preservation", _BEST_ROWS, "_vgg"),
)
TABLES = (*REGRESSION, *CLASSIFICATION, *BEST)
# What Tables 1 and 2 report, and what costs nothing.
_BASELINES = {
    "truth": "truth/",
    "red channel, the paper's grayscale": "red/",
    "gray: lightness alone": "gray/",
    "one constant chroma": "constant/",
}
_PAPER_BASELINES = {
    "threshold_accuracy": {"truth/": 100.0, "red/": 91.05},
    "feature_preservation": {"truth/": 81.44, "red/": 73.40},
}


def render(records, tables=None):
    """Tables of Champati, Houle and Zhang as Markdown, ours beside the paper's.

    Args:
        records: List of `Record`. Each number comes from the best profile that was run, and is
            the mean over its seeds, with their standard deviation.
        tables: Tables of `TABLES` to render, or `None` for all of them after Tables 1 and 2,
            the baselines.

    Returns:
        Markdown text.
    """
    found = results.best(records)
    parts = [_rendered(table, found) for table in tables or TABLES]
    if tables is not None:
        return "\n\n".join(parts)
    baselines = [
        _baselines(records, f"Table 1. Baselines: {_ACCURACY}", "threshold_accuracy"),
        _baselines(records, f"Table 2. Baselines: {_PRESERVATION}", "feature_preservation", "_vgg"),
    ]
    return "\n\n".join([*baselines, *parts])


def overview(records):
    """All records as one Markdown table, one line a record.

    Args:
        records: List of `Record`.
    """
    rows = [("experiment", "threshold accuracy", "paper", "features kept", "colorfulness",
             "PSNR", "profile", "epochs", "minutes", "seed")]  # fmt: skip
    for record in records:
        known, metrics = EXPERIMENTS.get(record.experiment), record.metrics
        rows.append(
            (
                record.experiment,
                _percent(metrics.get("threshold_accuracy")),
                _number(known.paper.get("threshold_accuracy") if known else None),
                _percent(metrics.get("feature_preservation_vgg_kept")),
                _number(metrics.get("colorfulness")),
                _number(metrics.get("psnr")),
                record.profile,
                str(record.epochs),
                _number(record.minutes, 0),
                str(record.seed),
            )
        )
    return results.markdown(rows)


def summary(records):
    """What a newcomer should know, as a Markdown table: baselines, the paper's best and ours.

    Args:
        records: List of `Record`.
    """
    found = results.best(records)
    rows = [("", "threshold accuracy", "features kept", "colorfulness", "PSNR", "profile")]
    metrics = _baseline_metrics(records, "truth/colorfulness")
    for label, prefix in {"truth": "truth/", "gray": "gray/", "one constant": "constant/"}.items():
        rows.append((label, *_main(metrics, prefix), ""))
    truth = _PAPER_BASELINES["feature_preservation"]["truth/"]
    for label, row in {
        "paper's best regression": _BEST_ROWS[0], "paper's best classification": _BEST_ROWS[2],
    }.items():  # fmt: skip
        paper = _paper(row)
        kept = _percent(paper["feature_preservation"] / truth)
        rows.append((label, _number(paper["threshold_accuracy"]), kept, "", "", ""))
    for label, name in {
        "dense regression, Lab": "cifar/lab-dense-regression",
        "convolutional regression, Lab": "cifar/lab-conv-regression",
        "81 bins": f"{_BINS}-81-centered",
        "81 bins, rebalanced": f"{_BINS}-81-rebalanced",
        "313 bins, soft, rebalanced": f"{_BINS}-313",
        "**ours**": "cifar/lab-residual-unet",
    }.items():
        if name in found:
            record = found[name][0]
            rows.append((label, *_main(record.metrics, ""), record.profile))
    return results.markdown(rows)


def _paper(row):
    return row.paper or EXPERIMENTS[row.published or row.audited].paper


def _main(metrics, prefix):
    kept = metrics.get(f"{prefix}feature_preservation_vgg_kept")
    return (
        _percent(metrics.get(f"{prefix}threshold_accuracy")),
        _percent(kept),
        _number(metrics.get(f"{prefix}colorfulness")),
        _number(metrics.get(f"{prefix}psnr")),
    )


def _rendered(table, found):
    rows = [("", "paper", "as published", "audited", "profile", "seeds")]
    for row in table.rows:
        published = found.get(row.published or row.audited, [])
        audited = found.get(row.audited, [])
        paper = {} if row.is_stand_in else _paper(row)
        metric = table.metric + table.suffix
        shown = audited or published
        rows.append(
            (
                row.label,
                _number(paper.get(table.metric)),
                _over_seeds(published, f"published/{metric}"),
                _over_seeds(audited, metric),
                shown[0].profile if shown else "not run",
                str(len(shown)) if shown else "",
            )
        )
    return f"### {table.title}\n\n{results.markdown(rows)}"


def _baselines(records, title, metric, suffix=""):
    rows = [("", "paper", "ours")]
    for label, prefix in _BASELINES.items():
        name = f"{prefix}{metric}{suffix}"
        rows.append(
            (
                label,
                _number(_PAPER_BASELINES[metric].get(prefix)),
                _percent(_baseline_metrics(records, name).get(name)),
            )
        )
    return f"### {title}\n\n{results.markdown(rows)}"


def _baseline_metrics(records, name):
    """Metrics of the newest record of CIFAR-10 that holds a metric: baselines need no training."""
    of_cifar = [r for r in records if r.data == "cifar10" and r.metrics.get(name) is not None]
    return (
        max(of_cifar, key=lambda record: (record.sizes.get("test", 0), record.date)).metrics
        if of_cifar
        else {}
    )


def _over_seeds(records, name):
    values = [100 * r.metrics[name] for r in records if r.metrics.get(name) is not None]
    if not values:
        return ""
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"


def _percent(value):
    return _number(None if value is None else 100 * value)


def _number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"
