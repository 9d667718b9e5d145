"""The table of experiments."""

import difflib

from colorkit.experiments.definition import (
    PROFILES,
    TEMPERATURES,
    Data,
    Decoding,
    Experiment,
    Profile,
    Schedule,
    profile,
)
from colorkit.experiments.objectives import (
    Adversarial,
    Classification,
    ClassificationAndLabels,
    Coherence,
    FeatureRegression,
    Labels,
    Regression,
)
from colorkit.experiments.rows import (
    champati,
    flowers,
    han,
    photos,
    pix2pix,
    sinigaglia,
    stellbrink,
)

__all__ = [
    "EXPERIMENTS",
    "PROFILES",
    "TEMPERATURES",
    "Adversarial",
    "Classification",
    "ClassificationAndLabels",
    "Coherence",
    "Data",
    "Decoding",
    "Experiment",
    "FeatureRegression",
    "Labels",
    "Profile",
    "Regression",
    "Schedule",
    "experiment",
    "profile",
]

EXPERIMENTS = {
    row.name: row
    for row in (
        *champati.ROWS,
        *stellbrink.ROWS,
        *han.ROWS,
        *sinigaglia.ROWS,
        *pix2pix.ROWS,
        *flowers.ROWS,
        *photos.ROWS,
    )
}


def experiment(name):
    """Return an experiment by name.

    Raises:
        ValueError: If the experiment does not exist.

    Example:
        >>> experiment("cifar/lab-conv-regression").schedule.learning_rate
        0.001
    """
    if isinstance(name, Experiment):
        return name
    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(str(name), EXPERIMENTS, 3, 0.8)
        known = f"for instance {', '.join(near)}" if near else f"one of {sorted(EXPERIMENTS)}"
        raise ValueError(
            f"`experiment` must be the name of an experiment, {known}. Received: {name!r}"
        )
    return EXPERIMENTS[name]
