"""Definitions of experiments and profiles."""

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

import keras

from colorkit.color import spaces
from colorkit.data.datasets import joined, load
from colorkit.data.duplicates import SIMILARITY
from colorkit.experiments.objectives import Regression

__all__ = [
    "PROFILES",
    "TEMPERATURES",
    "Data",
    "Decoding",
    "Experiment",
    "Profile",
    "Schedule",
    "profile",
]

# Temperatures at which every experiment with bins is also evaluated.
TEMPERATURES = (0.0, 0.2, 0.38, 0.6, 0.8, 1.0)
# Side of the reduced images for experiments that were made for CIFAR-10.
_CIFAR_SIDE = 32


@dataclasses.dataclass(frozen=True)
class Profile:
    """Set the sizes of a run; nothing else changes between profiles. `None` means no limit.

    Example:
        >>> Profile("tiny", data="photos", train=64, epochs=1).width
        1.0
    """

    name: str  # "smoke", "quick" or "full"
    data: str | None = None  # dataset that replaces the experiment's own
    train: int | None = None  # maximum number of images of each split
    validation: int | None = None
    test: int | None = None
    test_pixels: int | None = None  # maximum number of pixels of all test images together
    size: int | None = None  # maximum side of the training images
    width: float = 1.0  # factor on the widths of the network
    epochs: int | None = None  # maximum number of epochs


PROFILES = {
    "smoke": Profile(
        "smoke", "photos", train=128, validation=64, test=64, size=32, width=0.25, epochs=2
    ),
    # As many pixels as 256 test images of 256 x 256 have, or 16,384 of CIFAR-10.
    "quick": Profile("quick", validation=2000, test_pixels=2**24, width=0.5, epochs=4),
    "full": Profile("full"),
}


def profile(name=None, data=None):
    """Return a profile by name, or the profile for a dataset that cannot be loaded.

    Args:
        name: "smoke" (bundled photos, seconds), "quick" (real data, minutes on a CPU), "full"
            (the papers' sizes, for an accelerator), or a `Profile`. `None` takes
            `COLORKIT_PROFILE`, else "quick".
        data: Dataset that is needed, as for `colorkit.load`. If it cannot be loaded, the reason is
            printed and the profile is "smoke", whose figures and records are kept apart.

    Raises:
        ValueError: If there is no such profile.

    Example:
        >>> profile("full").name
        'full'
    """
    if not isinstance(name, Profile):
        name = (os.environ.get("COLORKIT_PROFILE") or "quick") if name is None else name
        if name not in PROFILES:
            raise ValueError(f"`profile` must be one of {sorted(PROFILES)}. Received: {name!r}")
        name = PROFILES[name]
    if data is not None and name.data is None:
        try:
            load(data, "all" if ":" in data else "train[:1]")
        except (OSError, ImportError) as error:
            print(f"{error}\nContinuing with the bundled photographs, at the profile smoke.")
            return PROFILES["smoke"]
    return name


@dataclasses.dataclass(frozen=True)
class Data:
    """Choose the images of an experiment, and how training shows them.

    Example:
        >>> Data("oxford_flowers102", size=64).validation_split
        0.2
    """

    name: str = "cifar10"  # for `colorkit.load`
    splits: tuple = ("train", "test")  # for training and test
    validation_split: float = 0.2  # share of the training images used for validation
    similarity: float = SIMILARITY  # of copies, which no two parts of a folder share
    size: int | None = None  # side of the images; `None` keeps the sizes of the dataset
    # Side at which whole test images are colored in addition, for metrics under "large/".
    large_size: int | None = None
    test_images: int | None = None  # maximum number of test images
    classifiers: tuple = ()  # evaluation classifiers for `models.load_classifier`
    epoch_images: int | None = None  # images per epoch, if a pass over all is too long
    crop: int | tuple | None = None  # side of the training crops, or several; test images are whole
    shift: int = 0  # maximum number of pixels by which training images are moved
    # See `colorkit.pairs`.
    near_gray: str = "keep"
    luminance_gate: bool = False
    zoom: tuple | None = None
    context: tuple | None = None
    aging: float = 0.0


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Set the length and the steps of a training.

    Example:
        >>> Schedule(batch_size=32).epochs
        70
    """

    learning_rate: float = 1e-3  # peak of Adam's, with cosine decay to zero
    beta_1: float = 0.9  # momentum of Adam
    weight_decay: float | None = None  # decay of AdamW; `None` takes Adam
    # Momentum of the moving average of the weights, which is validated and kept instead of them.
    average: float | None = None
    batch_size: int = 128
    epochs: int = 70  # of the full profile; 0 if nothing is learned
    # Epochs without a lower validation loss after which training stops. With few images it is at
    # least the warm-up of the learning rate.
    patience: int = 20
    # Factor on the width below the full profile, in addition to the profile's own, for networks
    # that are slow at full resolution.
    narrow: float = 1.0
    quick_size: int | None = None  # side of training images, or crops, at the quick profile
    # Number of images to show at the quick profile, in whole epochs without partial batches.
    quick_images: int | None = None
    # Minimum side of the training images at any profile, for networks with many halvings.
    smallest: int = 0


@dataclasses.dataclass(frozen=True)
class Decoding:
    """Set how the colorizer of an experiment decodes what its network predicts.

    Example:
        >>> Decoding(temperature=None).mirror
        False
    """

    # `None` chooses one of `TEMPERATURES`, by threshold accuracy on validation images. This choice
    # includes the weights: those with the lowest validation loss, or the last ones.
    # (Overconfidence soon raises the cross-entropy, but does not harm decoded colors.)
    temperature: float | None = 0.38
    mirror: bool = False  # whether the colorizer averages over mirror images
    # Short side at which the network sees larger images; `None` takes that of the training images.
    network_size: int | None = None
    smoothing: float | None = None  # edge of `models.smooth_predictions`
    logit_adjustment: bool = False  # divide by the class weights, see `ColorBins.decode`


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Define one trained model: data, network, objective, schedule and decoding.

    Example:
        >>> Experiment("my/unet", build=lambda width: ck.models.build_unet()).schedule.epochs
        70
    """

    name: str  # "family/what-it-is"
    # Function from a width factor and the number of bins (or `None`) to a model. If the experiment
    # has a `base`, its trained network is a third argument.
    build: Callable
    build_options: dict = dataclasses.field(default_factory=dict)  # further arguments of `build`
    # Name of the experiment that this one starts from. It is run first, with the same profile, data
    # and seed, and its weights are frozen.
    base: str | None = None
    space: spaces.ColorSpace = spaces.LAB
    data: Data = Data()
    objective: Regression = dataclasses.field(default_factory=Regression)
    schedule: Schedule = Schedule()
    decoding: Decoding = Decoding()

    def but(self, **changes):
        """Return the same experiment with changed fields.

        Args:
            **changes: Fields of the experiment. A dict for `data`, `objective`, `schedule` or
                `decoding` changes fields of that group, and another value replaces it.

        Example:
            >>> longer = ck.experiments.experiment("photos/pretrained-unet")
            >>> longer.but(schedule={"epochs": 60}).schedule.epochs
            60
        """
        for group in ("data", "objective", "schedule", "decoding"):
            if isinstance(changes.get(group), dict):
                changes[group] = dataclasses.replace(getattr(self, group), **changes[group])
        return dataclasses.replace(self, **changes)

    def settings(self):
        """Return all fields that trained weights or their colors depend on, as JSON values."""
        data = dataclasses.asdict(self.data)
        schedule = dataclasses.asdict(self.schedule)
        for name in (
            "name", "splits", "validation_split", "similarity", "test_images", "classifiers"
        ):  # fmt: skip
            del data[name]  # the run records the resulting images
        for name in ("batch_size", "epochs", "narrow", "quick_size", "quick_images", "smallest"):
            del schedule[name]  # the run records the resulting sizes
        return {
            "base": self.base,
            "build_options": self.build_options,
            "space": self.space.name,
            **data,
            **schedule,
            **dataclasses.asdict(self.decoding),
            **self.objective.settings(),
        }

    def on(self, data):
        """Return the same experiment on another dataset, a name for `colorkit.load`."""
        if data == self.data.name:
            return self
        labels = []
        names, shares = joined(data)
        for name, share in zip(names, shares or [None] * len(names), strict=True):
            kind, _, path = name.partition(":")
            label = Path(path).resolve().name if path else kind
            labels.append(re.sub(r"[^\w.]+", "-", label).strip("-") or kind)
            if share is not None:  # runs with other shares are other runs
                labels.append(f"{share:g}")
        return self.but(
            name=f"{self.name}@{'-'.join(labels)}",  # a part of file names
            data={
                "name": data,
                "splits": ("train", "test"),
                "size": self.data.size or (None if self.data.context else _CIFAR_SIDE),
                "classifiers": (),  # they know the classes of the experiment's own dataset
            },
        )

    def epochs(self, profile, num_images):
        """Return the number of epochs at a profile, if an epoch shows `num_images`."""
        schedule = self.schedule
        if profile.epochs is None:
            return schedule.epochs
        if profile.name == "quick" and schedule.epochs and schedule.quick_images is not None:
            return max(1, round(schedule.quick_images / num_images))
        return min(profile.epochs, schedule.epochs)

    def at(self, profile):
        """Return the same experiment with the sizes of its images at a profile."""
        data, most = self.data, profile.size
        if most is None and profile.name == "quick":
            most = self.schedule.quick_size
        if most is None:
            return self
        if isinstance(data.crop, tuple):
            return self.but(data={"crop": (min(most, *data.crop),)})
        side, most = data.crop or data.size, max(most, self.schedule.smallest)
        if side is None or side <= most:
            return self
        sizes = {"crop": data.crop and most}
        if data.size:
            sizes["size"] = data.size * most // side
            sizes["large_size"] = data.large_size and data.large_size * most // side
        return self.but(data=sizes)

    def width(self, profile):
        """Return the factor on the network's widths at a profile."""
        return profile.width * (1.0 if profile.width == 1 else self.schedule.narrow)


def scaled(widths, factor):
    """Return widths, nested or not, times a factor, and at least 4."""
    return keras.tree.map_structure(lambda width: max(4, round(width * factor)), widths)
