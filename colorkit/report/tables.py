"""Reproduce the papers' tables from records, next to the paper's numbers.

`paper.csv` holds the rows of the tables. "audited" is the experiment that follows the text of the
paper; its colors keep their lightness. "published" is the experiment that learns and colors as the
paper's code does, if it is another. The paper's numbers are in percent.

`records` is a list of `Record` in every function, and the result is Markdown text. Over several
seeds, numbers are means, with the standard deviation and the number of seeds.
"""

import collections
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from colorkit.experiments import EXPERIMENTS
from colorkit.experiments.records import RANK, by_profile, headed, is_share, markdown
from colorkit.report.claims import EFFECTS

__all__ = ["Table", "compare", "durations", "overview", "render", "summary"]


class Table(NamedTuple):
    """Hold a table of a paper: its title, the metric of its numbers, and its lines of `paper.csv`.

    Example:
        >>> Table("Table 3", "threshold_accuracy", rows=[]).metric
        'threshold_accuracy'
    """

    title: str
    metric: str
    rows: list


# Metric -> title, and our columns: title -> metric, of the published experiment if it begins so.
_TITLES = {
    "threshold_accuracy": "threshold accuracy, percent",
    "feature_preservation": "feature preservation, percent",
}
_COLUMNS = {
    "threshold_accuracy": {
        "as published": "published/threshold_accuracy",
        "audited": "threshold_accuracy",
    },
    "feature_preservation": {
        "as published": "published/feature_preservation_vgg",
        "audited": "feature_preservation_vgg",
        "audited, stronger classifier": "feature_preservation_residual",
    },
}
_BASELINE_COLUMNS = {
    "threshold_accuracy": {"ours": "threshold_accuracy"},
    "feature_preservation": {
        "ours": "feature_preservation_vgg",
        "stronger classifier": "feature_preservation_residual",
    },
}
# Trivial baselines, and the other rows of Tables 1 and 2: label -> prefix of their metrics.
_TRIVIAL = {"gray: lightness alone": "gray/", "one constant chroma": "constant/"}
_BASELINES = {"truth": "truth/", "red channel, the paper's grayscale": "red/", **_TRIVIAL}
# A test holds it.
_CONSTANT = (
    "The constant is the mean chroma of the test images, which no colorizer knows. That of the "
    "training images has the same threshold accuracy, within 0.02 points."
)
_SUMMARY = {
    "threshold accuracy": "threshold_accuracy",
    "features kept": "feature_preservation_vgg_kept",
    "stronger classifier": "feature_preservation_residual_kept",
    "colorfulness": "colorfulness",
    "PSNR": "psnr",
}
_LINES = pd.read_csv(Path(__file__).with_name("paper.csv"), dtype=str, keep_default_na=False)


def _tables(name, numbers, title):
    """Return the tables of both metrics with the same rows."""
    rows = list(_LINES[_LINES["table"] == name].itertuples())
    return tuple(
        Table(f"Table {number}. {title}: {_TITLES[metric]}", metric, rows)
        for number, metric in zip(numbers, _TITLES, strict=True)
    )


_OF_BASELINES = _tables("baselines", (1, 2), "Baselines")
REGRESSION = _tables("regression", (3, 4), "Regression")
CLASSIFICATION = _tables("classification", (5, 6), "Classification")
BEST = _tables("best", (7, 7), "The best")
TABLES = (*REGRESSION, *CLASSIFICATION, *BEST)


def render(records, tables=None):
    """Format the tables of Champati, Houle and Zhang as Markdown, with the paper's numbers.

    Numbers come from the largest profile that was run. `tables` are some of `TABLES`; `None` takes
    all of them, after Tables 1 and 2 with the baselines.

    Example:
        >>> print(render([ck.results.pretrained()]).splitlines()[0])
        ### Table 1. Baselines: threshold accuracy, percent
    """
    parts = [] if tables else [_baselines(table, records) for table in _OF_BASELINES]
    tables = tables or TABLES
    parts += [_rendered(table, records) for table in tables]
    names = {row.published or row.audited for table in tables for row in table.rows}
    names |= {row.audited for table in tables for row in table.rows}
    parts.append(_sampling())
    if missing := names - {record.experiment for record in records}:
        parts.append(
            f"Not run: {', '.join(sorted(missing))}. `python -m colorkit train NAME` runs them, or "
            "reports what is missing; VGG16's weights are downloaded by Keras."
        )
    return headed("\n\n".join(parts), {record.profile for record in records})


def _sampling():
    """Return a sentence on the error that no seed shows."""
    errors = [f"{100 * EFFECTS['test_error'][metric]:.2f}" for metric in list(EFFECTS.index)[:3]]
    return (
        "The standard deviations are over seeds, which share the test images. The choice of the "
        f"10,000 test images adds a standard error of about {errors[0]} points to a threshold "
        f"accuracy, and of {errors[1]} (stronger classifier: {errors[2]}) points to a feature "
        "preservation."
    )


def compare(records, rows, metrics):
    """Compare experiments in a table.

    The ground truth and the trivial baselines come first, from the first experiment with a value
    for the metric. The line below the table lists the experiments that were not run.

    Args:
        records: See the module.
        rows: Dict from label to the name of an experiment. The table has the experiments with
            records, at the profile that most of them have.
        metrics: Dict from column title to the name of a metric, or of another number of a record,
            such as "minutes". Shares are in percent.

    Example:
        >>> print(compare([], {"first": "cifar/a"}, {"PSNR": "psnr"}))
        |  | PSNR | profile |
        |  | ---- | ------- |
        <BLANKLINE>
        Not run: first.
    """
    # The profile that most of them have, and of several the largest.
    runs = {(r.experiment, r.profile) for r in records if r.experiment in rows.values()}
    counts = collections.Counter(profile for _, profile in runs)
    profile = max(counts, key=lambda each: (counts[each], RANK.get(each, 0)), default=None)
    found = by_profile(records, [name for name in rows.values() if (name, profile) in runs])
    shown = [record for own in found.values() for record in own]
    lines = [("", *metrics, "profile")]
    for label, prefix in {"truth": "truth/", **_TRIVIAL}.items():
        names = [f"{prefix}{metric}" for metric in metrics.values()]
        names = ["" if name == "truth/psnr" else name for name in names]  # only a convention
        cells = [_mean([r for r in shown if r.value(name) is not None][:1], name) for name in names]
        if any(cells):
            lines.append((label, *cells, ""))
    for label, name in rows.items():
        if own := found.get(name):
            lines.append((label, *(_mean(own, each) for each in metrics.values()), _profiles(own)))
    missing = [label for label, name in rows.items() if not found.get(name)]
    table = markdown(lines)
    if missing:
        at = f" at {profile}" if profile else ""
        table = f"{table}\n\nNot run{at}: {'; '.join(missing)}."
    return headed(table, {record.profile for record in records})


def overview(records):
    """Format all records as one table, one line per record.

    A revision with "+" had changes that were not committed.

    Example:
        >>> records, problems = ck.results.read_all()
        >>> len(overview(records).splitlines()) == 2 + len(records)
        True
    """
    columns = {**_SUMMARY, "class accuracy": "accuracy"}
    rows = [("experiment", *columns, "profile", "epochs", "minutes", "seed", "revision")]
    for record in records:
        cells = (_cell(record.metrics, metric) for metric in columns.values())
        length = str(record.epochs), f"{record.minutes:.0f}"
        of_run = (record.profile, *length, str(record.seed), record.revision)
        rows.append((record.experiment, *cells, *of_run))
    return markdown(rows)


def durations(records):
    """Format how long the training of each family of experiments took, without their bases.

    Example:
        >>> records, problems = ck.results.read_all()
        >>> durations(records).splitlines()[0]
        '| family        | profile | runs | hours |'
    """
    minutes = {(each.experiment, each.profile, each.seed): each.minutes for each in records}
    table = pd.DataFrame(columns=["family", "profile", "hours"])
    for (name, profile, seed), total in minutes.items():
        plain, at, data = name.partition("@")
        base = EXPERIMENTS[plain].base if plain in EXPERIMENTS else None
        own = total - minutes.get((f"{base}{at}{data}", profile, seed), 0)
        table.loc[len(table)] = name.partition("/")[0], profile, max(0, own) / 60
    of_family = table.groupby(["family", "profile"])["hours"].agg(["size", "sum"])
    rows = [(*key, str(int(size)), f"{hours:.1f}") for key, (size, hours) in of_family.iterrows()]
    rows += [
        ("all", profile, str(len(hours)), f"{hours.sum():.1f}")
        for profile, hours in table.groupby("profile")["hours"]
    ]
    return markdown([("family", "profile", "runs", "hours"), *rows])


def summary(records):
    """Format the main results: baselines, the paper's best, and ours.

    Example:
        >>> records, problems = ck.results.read_all()
        >>> print(summary(records).splitlines()[-1].split("|")[1].strip())
        **ours, vivid**
    """
    rows = [("", *_SUMMARY, "profile")]
    for label, prefix in {"truth": "truth/", "gray": "gray/", "one constant": "constant/"}.items():
        scores = dict(_newest(records, f"{prefix}colorfulness"))
        scores.pop("truth/psnr", None)  # without an error it is only a convention
        rows.append((label, *(_cell(scores, f"{prefix}{m}") for m in _SUMMARY.values()), ""))
    truth = float(_OF_BASELINES[0].rows[0].feature_preservation)
    for row in (BEST[0].rows[0], BEST[0].rows[2]):
        kept = f"{100 * (float(row.feature_preservation) / truth):.2f}"
        label = f"paper's best {row.label.partition(':')[0]}"
        given = dict.fromkeys((row.threshold_accuracy, *_elsewhere(row, "threshold_accuracy")))
        rows.append((label, " or ".join(given), kept, "", "", "", ""))
    best, without = "cifar/lab-residual-unet", "cifar/lab-residual-unet-without-classes"
    for label, name, prefix in (
        ("dense regression, Lab", "cifar/lab-dense-regression", ""),
        ("convolutional regression, Lab", "cifar/lab-conv-regression", ""),
        ("81 bins", "cifar/lab-conv-classification-81", ""),
        ("81 bins, rebalanced", "cifar/lab-conv-classification-81-rebalanced", ""),
        ("313 bins, soft codes, rebalanced", "cifar/lab-conv-classification-313", ""),
        ("ours, small", best, ""),
        ("ours, small, not taught the classes", without, ""),
        ("**ours**", best, ""),
        ("**ours, vivid**", best, "T=0/"),
    ):
        # Small: at the profile of the other one, to be compared with it.
        names = (best, without) if "small" in label else (name,)
        if found := by_profile(records, names)[name]:
            cells = (_mean(found, f"{prefix}{metric}") for metric in _SUMMARY.values())
            rows.append((label, *cells, _profiles(found)))
    return markdown(rows)


def _rendered(table, records):
    columns = _COLUMNS[table.metric]
    rows = [("", "paper", *columns, "profile")]
    for label, prefix in _TRIVIAL.items():
        metrics = (metric.removeprefix("published/") for metric in columns.values())
        rows.append((label, "", *_baseline(records, prefix, metrics), ""))
    for row in table.rows:
        audited, published = (
            by_profile(records, [name])[name]
            for name in (row.audited, row.published or row.audited)
        )
        cells = []
        for metric in columns.values():
            found = published if metric.startswith("published/") else audited
            cells.append(_mean(found, metric) if found else "not run")
        paper = getattr(row, table.metric)
        rows.append((row.label, paper, *cells, _profiles(published + audited)))
    notes = [
        f"\n\nFor {row.label}, the paper gives {getattr(row, table.metric)} here and "
        f"{' and '.join(others)} in another table."
        for row in table.rows
        if table in BEST and (others := _elsewhere(row, table.metric))
    ]
    return f"### {table.title}\n\n{markdown(rows)}{''.join(notes)}"


def _elsewhere(row, metric):
    """Return other numbers that the paper gives for the same experiment."""
    same = _LINES[(_LINES["audited"] == row.audited) & (_LINES[metric] != "")][metric]
    return [number for number in dict.fromkeys(same) if number != getattr(row, metric)]


def _baselines(table, records):
    columns = _BASELINE_COLUMNS[table.metric]
    papers = {row.label: getattr(row, table.metric) for row in table.rows}
    rows = [("", "paper", *columns)]
    for label, prefix in _BASELINES.items():
        cells = _baseline(records, prefix, columns.values())
        rows.append((label, papers.get(label, ""), *cells))
    return f"### {table.title}\n\n{markdown(rows)}\n\n{_CONSTANT}"


def _baseline(records, prefix, metrics):
    names = [f"{prefix}{metric}" for metric in metrics]
    return [_cell(_newest(records, name), name) for name in names]


def _newest(records, name):
    """Return metrics of the newest record with a metric, as baselines need no training."""
    of_cifar = [r for r in records if r.experiment.startswith("cifar/") and r.data == "cifar10"]
    found = [record for record in of_cifar if record.metrics.get(name) is not None]
    newest = max(found, key=lambda r: (r.sizes.get("test", 0), r.date), default=None)
    return newest.metrics if newest else {}


def _mean(records, name):
    """Return the mean of a metric over records, with its standard deviation over several seeds."""
    values = pd.Series([record.value(name) for record in records], dtype=float).dropna()
    if values.empty:
        return ""
    values *= 100 if is_share(name) else 1
    size = abs(values.mean())
    # Small errors need more digits, numbers of weights no decimals.
    digits = ".2f" if is_share(name) or 1 <= size < 1000 else ".4f" if size < 1 else ",.0f"
    if values.nunique() == 1:  # one seed, or a number that no seed changes, such as weights
        return f"{values.mean():{digits}}"
    return f"{values.mean():{digits}} ± {values.std():{digits}} ({len(values)})"


def _cell(metrics, name):
    """Return a metric with two decimals, in percent if it is a share."""
    value = metrics.get(name)
    return "" if value is None else f"{100 * value if is_share(name) else value:.2f}"


def _profiles(records):
    """Return the profiles of records, and the epochs of "full" runs that were asked for fewer."""
    titles = set()
    for record in records:
        title, asked = record.profile, record.settings.get("epochs")
        experiment = EXPERIMENTS.get(record.experiment)
        if title == "full" and experiment and asked and asked < experiment.schedule.epochs:
            title = f"full, {asked} of {experiment.schedule.epochs} epochs"
        titles.add(title)
    return " / ".join(sorted(titles))
