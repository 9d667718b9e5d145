"""List where the profile "full" departs from the papers, as the experiments define it.

`settings.csv` holds the papers' settings, one per line. Its column "experiments" has patterns of
names; one that begins with "!" excludes, and an empty cell repeats the one above. The column
"source" names the place in the paper, or the authors' code.
"""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from colorkit.experiments import EXPERIMENTS
from colorkit.experiments.records import markdown

__all__ = ["departs", "render"]


def _side(experiment):
    data = experiment.data
    side = str(data.size or 32)  # CIFAR-10 keeps its size
    return f"{side}, crops of {data.crop}" if data.crop else side


def _optimizer(experiment):
    decay = experiment.schedule.weight_decay
    return f"AdamW, decay of {decay:g}" if decay else "Adam"


def _share(value):
    return "none" if value is None else f"{value:g}"


# Setting of the papers -> function from an experiment to its value at the profile "full".
_OURS = {
    "images": lambda experiment: experiment.data.name,
    "side": _side,
    "validation": lambda experiment: f"{experiment.data.validation_split:g}",
    "mirroring": lambda experiment: "at random",
    "batch": lambda experiment: f"{experiment.schedule.batch_size}",
    "optimizer": _optimizer,
    "beta 1": lambda experiment: f"{experiment.schedule.beta_1:g}",
    "learning rate": lambda experiment: f"{experiment.schedule.learning_rate:g}",
    "schedule": lambda experiment: "warm-up, cosine decay",
    "length": lambda experiment: f"{experiment.schedule.epochs} epochs",
    "parts": lambda experiment: "base first" if experiment.base else "trained together",
    "color space": lambda experiment: experiment.space.name,
    "soft code": lambda experiment: f"{experiment.objective.neighbors}",
    "lambda": lambda experiment: _share(experiment.objective.uniform_weight),
    "temperature": lambda experiment: _share(experiment.decoding.temperature),
}
_LINES = pd.read_csv(Path(__file__).with_name("settings.csv"), dtype=str, keep_default_na=False)
_LINES["experiments"] = _LINES["experiments"].mask(_LINES["experiments"] == "").ffill()


def departs(paper, ours):
    """Return whether a setting is outside of what a paper gives, which may be a range."""
    span = re.fullmatch(r"([\d.]+) to ([\d.]+)( .*)?", paper)
    value = re.fullmatch(r"([\d.]+)( .*)?", ours)
    if span and value and span[3] == value[2]:
        return not float(span[1]) <= float(value[1]) <= float(span[2])
    return paper != ours


def render():
    """Format a table per paper: its settings, and those of `full`, where they are not the same."""
    parts = []
    for paper, lines in _LINES.groupby("paper", sort=False):
        found = {name: _changed(name, lines) for name in EXPERIMENTS}
        found = {name: changed for name, changed in found.items() if changed}
        present = {setting for changed in found.values() for setting in changed}
        columns = [setting for setting in _OURS if setting in present]
        rows = [("experiment", *columns)]
        rows += [(name, *(own.get(each, "") for each in columns)) for name, own in found.items()]
        given = lines[lines["source"] != ""].groupby("source", sort=False)["setting"].unique()
        sources = "; ".join(f"{source} ({', '.join(names)})" for source, names in given.items())
        parts.append(f"### {paper}\n\n{markdown(rows)}\n\nSources: {sources}.")
    return "\n\n".join(parts)


def _changed(name, lines):
    """Return the settings of an experiment that depart: setting -> "the paper's → ours"."""
    changed = {}
    for line in lines.itertuples():
        patterns = line.experiments.split()
        excluded = any(fnmatchcase(name, each[1:]) for each in patterns if each.startswith("!"))
        if not excluded and any(fnmatchcase(name, each) for each in patterns):
            ours = _OURS[line.setting](EXPERIMENTS[name])
            if departs(line.value, ours):
                changed[line.setting] = f"{line.value} → {ours}"
    return changed
