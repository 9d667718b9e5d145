"""Reproduce the papers' tables from records, next to the paper's numbers."""

import dataclasses
import statistics

from colorkit.experiments import EXPERIMENTS
from colorkit.experiments.records import by_profile, is_share, markdown


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        label: Label in the table.
        audited: Experiment that follows the text of the paper; its colors keep their lightness.
        published: Experiment that learns and colors as the paper's code does; `None` if it is the
            same.
        paper: Results in the paper, metric to percent; `None` if the paper has no such row.
    """

    label: str
    audited: str
    published: str | None = None
    paper: dict | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        title: Number and subject.
        metric: Metric in the `paper` of each row.
        rows: Tuple of `Row`.
    """

    title: str
    metric: str
    rows: tuple


_SPACES = {"rgb": "RGB", "yuv": "Yuv", "lab": "Lab"}
_SOURCES = {
    "vgg": "VGG16, ImageNet",
    "vgg1": "VGG16, ImageNet, first layer only",
    "own": "own classifier's layers",
}


def _row(label, audited, published=None):
    """Return a row with the paper's results from its experiment."""
    return Row(label, audited, published, EXPERIMENTS[published or audited].paper or None)


def _transfer_rows(kind, label):
    for source, origin in _SOURCES.items():
        for mode in ("frozen", "trainable"):
            name = f"cifar/lab-{source}-{mode}-{kind}"
            published = f"{name}-as-published" if kind.endswith("rebalanced") else None
            yield _row(f"{label}, {origin}, {mode}", name, published)


_BINS = "cifar/lab-conv-classification"
_REGRESSION_ROWS = (
    *(_row(f"dense, {label}", f"cifar/{s}-dense-regression") for s, label in _SPACES.items()),
    *(
        _row(f"convolution only, {label}", f"cifar/{s}-conv-regression")
        for s, label in _SPACES.items()
    ),
    *_transfer_rows("regression", "convolution only"),
)
_CLASSIFICATION_ROWS = (
    _row("49 bins", f"{_BINS}-49"),
    Row("49 bins, centered lattice", f"{_BINS}-49-centered"),
    _row("64 bins", f"{_BINS}-64"),
    _row("100 bins", f"{_BINS}-100"),
    _row("81 bins", f"{_BINS}-81"),
    Row("81 bins, centered lattice", f"{_BINS}-81-centered"),
    _row("81 bins, rebalanced", f"{_BINS}-81-rebalanced", f"{_BINS}-81-rebalanced-as-published"),
    *_transfer_rows("classification-81", "81 bins"),
    *_transfer_rows("classification-81-rebalanced", "81 bins, rebalanced"),
    Row("81 uv bins", "cifar/yuv-conv-classification-81"),
    Row("313 bins", f"{_BINS}-313-hard"),
    Row("313 bins, soft codes, rebalanced", f"{_BINS}-313"),
)
_OURS = "cifar/lab-residual-unet"
_BEST_ROWS = (
    Row(
        "regression: VGG16 trainable",
        "cifar/lab-vgg-trainable-regression",
        paper={"threshold_accuracy": 95.85, "feature_preservation": 76.65},
    ),
    Row("regression: own layers trainable", "cifar/lab-own-trainable-regression"),
    # Table 5 has 95.40 for the next row, and 95.57 for the row with trainable layers.
    Row(
        "classification: VGG16 frozen, rebalanced",
        "cifar/lab-vgg-frozen-classification-81-rebalanced",
        "cifar/lab-vgg-frozen-classification-81-rebalanced-as-published",
        {"threshold_accuracy": 95.57, "feature_preservation": 76.77},
    ),
    Row(
        "classification: own layers frozen, rebalanced",
        "cifar/lab-own-frozen-classification-81-rebalanced",
        "cifar/lab-own-frozen-classification-81-rebalanced-as-published",
    ),
    Row("ours: residual U-Net", _OURS),
)

_ACCURACY, _PRESERVATION = "threshold accuracy, percent", "feature preservation, percent"
REGRESSION = (
    Table(f"Table 3. Regression: {_ACCURACY}", "threshold_accuracy", _REGRESSION_ROWS),
    Table(f"Table 4. Regression: {_PRESERVATION}", "feature_preservation", _REGRESSION_ROWS),
)
CLASSIFICATION = (
    Table(f"Table 5. Classification: {_ACCURACY}", "threshold_accuracy", _CLASSIFICATION_ROWS),
    Table(
        f"Table 6. Classification: {_PRESERVATION}", "feature_preservation", _CLASSIFICATION_ROWS
    ),
)
BEST = (
    Table(f"Table 7. The best: {_ACCURACY}", "threshold_accuracy", _BEST_ROWS),
    Table(f"Table 7. The best: {_PRESERVATION}", "feature_preservation", _BEST_ROWS),
)
TABLES = (*REGRESSION, *CLASSIFICATION, *BEST)
# Our columns: title -> whether the published experiment is used, and the metric.
_COLUMNS = {
    "threshold_accuracy": {
        "as published": (True, "published/threshold_accuracy"),
        "audited": (False, "threshold_accuracy"),
    },
    "feature_preservation": {
        "as published": (True, "published/feature_preservation_vgg"),
        "audited": (False, "feature_preservation_vgg"),
        "audited, stronger classifier": (False, "feature_preservation_residual"),
    },
}
# Metrics of every row of the summary.
_SUMMARY = ("threshold_accuracy", "feature_preservation_vgg_kept", "colorfulness", "psnr")
# Trivial baselines, and the other rows of Tables 1 and 2.
_FREE = {"gray: lightness alone": "gray/", "one constant chroma": "constant/"}
_BASELINES = {"truth": "truth/", "red channel, the paper's grayscale": "red/", **_FREE}
_PAPER_BASELINES = {
    "threshold_accuracy": {"truth/": 100.0, "red/": 91.05},
    "feature_preservation": {"truth/": 81.44, "red/": 73.40},
}


def render(records, tables=None):
    """Format the tables of Champati, Houle and Zhang as Markdown, with the paper's numbers.

    *As published* follows the paper's code in training and in coloring. *Audited* follows the text
    of the paper and keeps the lightness. Numbers come from the largest profile that was run. Over
    several seeds they are means, with the standard deviation and the number of seeds.

    Args:
        records: List of `Record`.
        tables: Tables of `TABLES` to format. `None` takes all of them, after Tables 1 and 2 with
            the baselines.

    Returns:
        Markdown text.
    """
    parts = [_rendered(table, records) for table in tables or TABLES]
    parts += _missing(tables or TABLES, records)
    if tables is not None:
        return "\n\n".join(parts)
    accuracy, preservation = "threshold_accuracy", "feature_preservation"
    baselines = [
        _baselines(records, f"Table 1. Baselines: {_ACCURACY}", accuracy, {"ours": accuracy}),
        _baselines(
            records,
            f"Table 2. Baselines: {_PRESERVATION}",
            preservation,
            {"ours": f"{preservation}_vgg", "stronger classifier": f"{preservation}_residual"},
        ),
    ]
    return "\n\n".join([*baselines, *parts])


def compare(records, rows, metrics):
    """Compare experiments in a Markdown table, with means over seeds.

    The ground truth and the trivial baselines come first, from the first experiment with a value
    for the metric. The line below the table lists the experiments that were not run.

    Args:
        records: List of `Record`.
        rows: Dict from label to the name of an experiment. The table has the experiments with
            records, at the largest profile that they share.
        metrics: Dict from column title to the name of a metric, or of another number of a record,
            such as "minutes". Shares are in percent.
    """
    ran = {record.experiment for record in records} & set(rows.values())
    found = by_profile(records, ran) if ran else {}
    lines = [("", *metrics, "profile")]
    shown = [record for name in rows.values() for record in found.get(name, [])]
    for label, prefix in {"truth": "truth/", **_FREE}.items():
        cells = []
        for name in (f"{prefix}{metric}" for metric in metrics.values()):
            holding = [record for record in shown if record.value(name) is not None]
            cells.append(_over_seeds(holding[:1], name))
        if any(cells):
            lines.append((label, *cells, ""))
    for label, name in rows.items():
        if found.get(name):
            cells = (_over_seeds(found[name], metric) for metric in metrics.values())
            lines.append((label, *cells, _profiles(found[name])))
    missing = [label for label, name in rows.items() if not found.get(name)]
    table = markdown(lines)
    return f"{table}\n\nNot run: {'; '.join(missing)}." if missing else table


def overview(records):
    """Format all records as one Markdown table, one line per record.

    Args:
        records: List of `Record`.
    """
    rows = [("experiment", "threshold accuracy", "features kept", "colorfulness", "PSNR",
             "class accuracy", "profile", "epochs", "minutes", "seed")]  # fmt: skip
    for record in records:
        metrics = record.metrics
        rows.append(
            (
                record.experiment,
                _percent(metrics.get("threshold_accuracy")),
                _percent(metrics.get("feature_preservation_vgg_kept")),
                _number(metrics.get("colorfulness")),
                _number(metrics.get("psnr")),
                _percent(metrics.get("accuracy")),
                record.profile,
                str(record.epochs),
                _number(record.minutes, 0),
                str(record.seed),
            )
        )
    return markdown(rows)


def summary(records):
    """Format the main results as a Markdown table: baselines, the paper's best, and ours.

    Over several seeds, numbers are means, as in `render`.

    Args:
        records: List of `Record`.
    """
    rows = [("", "threshold accuracy", "features kept", "colorfulness", "PSNR", "profile")]
    for label, prefix in {"truth": "truth/", "gray": "gray/", "one constant": "constant/"}.items():
        scores = _newest(records, f"{prefix}colorfulness")
        accuracy, kept, colorfulness, psnr = (scores.get(f"{prefix}{name}") for name in _SUMMARY)
        psnr = None if prefix == "truth/" else psnr  # without an error it is only a convention
        cells = (_percent(accuracy), _percent(kept), _number(colorfulness), _number(psnr))
        rows.append((label, *cells, ""))
    truth = _PAPER_BASELINES["feature_preservation"]["truth/"]
    for row in (_BEST_ROWS[0], _BEST_ROWS[2]):
        kept = _percent(row.paper["feature_preservation"] / truth)
        accuracy = _number(row.paper["threshold_accuracy"])
        rows.append((f"paper's best {row.label.partition(':')[0]}", accuracy, kept, "", "", ""))
    for label, name, prefix in (
        ("dense regression, Lab", "cifar/lab-dense-regression", ""),
        ("convolutional regression, Lab", "cifar/lab-conv-regression", ""),
        ("81 bins", f"{_BINS}-81", ""),
        ("81 bins, rebalanced", f"{_BINS}-81-rebalanced", ""),
        ("313 bins, soft codes, rebalanced", f"{_BINS}-313", ""),
        ("**ours**", _OURS, ""),
        ("**ours, vivid**", _OURS, "T=0/"),
    ):
        if found := by_profile(records, [name])[name]:
            cells = (_over_seeds(found, f"{prefix}{metric}") for metric in _SUMMARY)
            rows.append((label, *cells, _profiles(found)))
    return markdown(rows)


def _rendered(table, records):
    columns = _COLUMNS[table.metric]
    rows = [("", "paper", *columns, "profile")]
    for label, prefix in _FREE.items():
        metrics = (metric.removeprefix("published/") for _, metric in columns.values())
        rows.append((label, "", *_free(records, prefix, metrics), ""))
    for row in table.rows:
        found = {key: by_profile(records, [name])[name] for key, name in _names(row).items()}
        of_columns = ((found[is_published], metric) for is_published, metric in columns.values())
        rows.append(
            (
                row.label,
                _number((row.paper or {}).get(table.metric)),
                *(_over_seeds(own, metric) if own else "not run" for own, metric in of_columns),
                _profiles([*found[True], *found[False]]),
            )
        )
    return f"### {table.title}\n\n{markdown(rows)}"


def _names(row):
    """Return the experiments of a row as published, `True`, and audited, `False`."""
    return {True: row.published or row.audited, False: row.audited}


def _missing(tables, records):
    """Return a sentence with the experiments of tables that were not run."""
    names = {
        name
        for table in tables
        for row in table.rows
        for name in _names(row).values()
        if not by_profile(records, [name])[name]
    }
    if not names:
        return ()
    return (
        f"Not run: {', '.join(sorted(names))}. `python -m colorkit train NAME` runs them, or "
        "reports what is missing; VGG16's weights are downloaded by Keras.",
    )


def _baselines(records, title, metric, columns):
    rows = [("", "paper", *columns)]
    for label, prefix in _BASELINES.items():
        paper = _number(_PAPER_BASELINES[metric].get(prefix))
        rows.append((label, paper, *_free(records, prefix, columns.values())))
    return f"### {title}\n\n{markdown(rows)}"


def _free(records, prefix, metrics):
    """Return the cells of a baseline, in percent."""
    names = [f"{prefix}{metric}" for metric in metrics]
    return [_percent(_newest(records, name).get(name)) for name in names]


def _newest(records, name):
    """Return metrics of the newest record with a metric, as baselines need no training."""
    of_cifar = [
        record
        for record in records
        if record.experiment.startswith("cifar/")
        and record.data == "cifar10"
        and record.metrics.get(name) is not None
    ]
    key = lambda record: (record.sizes.get("test", 0), record.date)  # noqa: E731
    return max(of_cifar, key=key).metrics if of_cifar else {}


def _over_seeds(records, name):
    in_percent = is_share(name)
    found = (record.value(name) for record in records)
    values = [100 * value if in_percent else value for value in found if value is not None]
    if not values:
        return ""
    mean = statistics.mean(values)
    digits = ".2f"
    if not in_percent:  # small errors need more digits, numbers of weights no decimals
        digits = ",.0f" if abs(mean) >= 1000 else ".2f" if abs(mean) >= 1 else ".4f"
    if len(set(values)) == 1:  # one seed, or a number that no seed changes, such as weights
        return f"{mean:{digits}}"
    return f"{mean:{digits}} ± {statistics.stdev(values):{digits}} ({len(values)})"


def _profiles(records):
    """Return the profiles of records, and the epochs of "full" runs that stopped early."""
    titles = set()
    for record in records:
        row = EXPERIMENTS.get(record.experiment)
        asked = record.settings.get("epochs")
        is_short = record.profile == "full" and row and asked and asked < row.epochs
        titles.add(f"full, {asked} of {row.epochs} epochs" if is_short else record.profile)
    return " / ".join(sorted(titles))


def _percent(value):
    return _number(None if value is None else 100 * value)


def _number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"
