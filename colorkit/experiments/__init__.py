"""The table of experiments: one row each, what its paper reports beside it."""

from colorkit.experiments import architectures, cifar, coherence, convnets, flowers
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
        *flowers.ROWS,
    )
}


def experiment(name):
    """An experiment by name.

    Raises:
        ValueError: If there is no such experiment.
    """
    if isinstance(name, Experiment):
        return name
    if name not in EXPERIMENTS:
        raise ValueError(f"`experiment` must be one of {sorted(EXPERIMENTS)}. Received: {name!r}")
    return EXPERIMENTS[name]
