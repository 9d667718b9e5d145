"""The table of experiments, with the results that their papers report."""

import difflib

from colorkit.experiments import architectures, cifar, coherence, convnets, flowers, photos, pix2pix
from colorkit.experiments.definition import (
    PROFILES,
    TEMPERATURES,
    Experiment,
    Profile,
    profile,
)

__all__ = [
    "EXPERIMENTS",
    "PROFILES",
    "TEMPERATURES",
    "Experiment",
    "Profile",
    "experiment",
    "profile",
]

EXPERIMENTS = {
    row.name: row
    for row in (
        *cifar.ROWS,
        *coherence.ROWS,
        *convnets.ROWS,
        *architectures.ROWS,
        *pix2pix.ROWS,
        *flowers.ROWS,
        *photos.ROWS,
    )
}


def experiment(name):
    """Return an experiment by name.

    Raises:
        ValueError: If the experiment does not exist.
    """
    if isinstance(name, Experiment):
        return name
    if name not in EXPERIMENTS:
        near = difflib.get_close_matches(str(name), EXPERIMENTS, 3, 0.8)
        known = f"for instance {', '.join(near)}" if near else f"one of {sorted(EXPERIMENTS)}"
        raise ValueError(f"`experiment` must be the name of one, {known}. Received: {name!r}")
    return EXPERIMENTS[name]
