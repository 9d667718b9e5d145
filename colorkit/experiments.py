"""The table of experiments: one row each, what its paper reports beside it."""

import dataclasses
import os
from collections.abc import Callable

from colorkit import colorspace, hardware, models
from colorkit.bins import ColorBins
from colorkit.models import cifar


@dataclasses.dataclass(frozen=True)
class Profile:
    """Sizes of a run; nothing else changes between profiles.

    Attributes:
        name: "smoke", "quick" or "full".
        data: Data set that replaces the experiment's own, or `None`.
        train, validation, test: Most pictures used of each split, `None` for all.
        width: Factor on the widths of the network.
        epochs: Most epochs, `None` for the experiment's own number.
    """

    name: str
    data: str | None = None
    train: int | None = None
    validation: int | None = None
    test: int | None = None
    width: float = 1.0
    epochs: int | None = None


PROFILES = {
    "smoke": Profile("smoke", "photos", train=128, validation=64, test=64, width=0.25, epochs=2),
    "quick": Profile("quick", validation=2000, width=0.5, epochs=3),
    "full": Profile("full"),
}


def profile(name=None):
    """A profile by name, the one that `COLORKIT_PROFILE` names, or the one this machine can carry.

    Args:
        name: "smoke" (bundled photos, seconds), "quick" (real data, minutes on a CPU), "full"
            (the papers' sizes, an accelerator), a `Profile`, or `None` for `COLORKIT_PROFILE`,
            else "full" where there is an accelerator and "quick" elsewhere.

    Raises:
        ValueError: If there is no such profile.
    """
    if isinstance(name, Profile):
        return name
    name = name or os.environ.get("COLORKIT_PROFILE")
    if not name:
        name = "full" if hardware.accelerators() else "quick"
    if name not in PROFILES:
        raise ValueError(f"`profile` must be one of {sorted(PROFILES)}. Received: {name!r}")
    return PROFILES[name]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One trained model: data, network, loss and schedule.

    Attributes:
        name: "family/what-it-is".
        build: Function from a width factor and the number of bins (or `None`) to a model.
        space: Colour space.
        bins: Function that makes the `ColorBins`, or `None` for regression.
        neighbors: Bins that share a pixel in the soft code; 1 is a hard code.
        uniform_weight: For rebalancing, lambda of `class_weights`; `None` for none.
        temperature: Temperature of the decoder.
        data: Name for `colorkit.load`.
        size: Side of the pictures, or `None` as the data set has them.
        learning_rate: Peak learning rate of Adam, cosine decay to zero.
        batch_size, epochs: Schedule at the full profile.
        validation_split: Share of the training pictures kept for validation.
        paper: What the paper reports, metric to value, with its "source".
    """

    name: str
    build: Callable
    space: colorspace.ColorSpace = colorspace.LAB
    bins: Callable | None = None
    neighbors: int = 1
    uniform_weight: float | None = None
    temperature: float = 0.38
    data: str = "cifar10"
    size: int | None = None
    learning_rate: float = 1e-3
    batch_size: int = 128
    epochs: int = 70
    validation_split: float = 0.2
    paper: dict = dataclasses.field(default_factory=dict)


def _scaled(blocks, width):
    if isinstance(blocks, tuple):
        return tuple(_scaled(block, width) for block in blocks)
    return max(4, round(blocks * width))


def _dense_regression(width, num_bins):
    return models.build_dense_regression(filters=_scaled(cifar.DENSE_FILTERS, width))


def _conv_regression(width, num_bins):
    return models.build_conv_regression(blocks=_scaled(cifar.REGRESSION_BLOCKS, width))


def _conv_classification(width, num_bins):
    return models.build_conv_classification(
        num_bins, blocks=_scaled(cifar.CLASSIFICATION_BLOCKS, width)
    )


_CHAMPATI = "Champati, Houle, Zhang, Table {}"

EXPERIMENTS = {
    row.name: row
    for row in (
        Experiment(
            "cifar/lab-dense-regression",
            build=_dense_regression,
            epochs=100,
            paper={"source": _CHAMPATI.format(3), "threshold_accuracy": 95.58},
        ),
        Experiment(
            "cifar/lab-conv-regression",
            build=_conv_regression,
            epochs=100,
            paper={"source": _CHAMPATI.format(3), "threshold_accuracy": 95.82},
        ),
        Experiment(
            "cifar/lab-conv-classification-81",
            build=_conv_classification,
            bins=lambda: ColorBins.grid(81),
            paper={"source": _CHAMPATI.format(5), "threshold_accuracy": 95.58},
        ),
        # The published bins, ten units apart, with soft codes and mild rebalancing: the model
        # that `Colorizer.pretrained("cifar10")` loads.
        Experiment(
            "cifar/lab-conv-classification-313",
            build=_conv_classification,
            bins=ColorBins.gamut,
            neighbors=5,
            uniform_weight=0.8,
            learning_rate=2e-3,
            batch_size=64,
            validation_split=0.05,
        ),
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
