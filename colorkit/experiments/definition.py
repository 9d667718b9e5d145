"""Definitions of experiments and profiles."""

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

from colorkit.color import spaces
from colorkit.data.datasets import joined
from colorkit.experiments import hardware

# Temperatures at which every experiment with bins is also evaluated.
TEMPERATURES = (0.0, 0.2, 0.38, 0.6, 0.8, 1.0)
# Side of the reduced images for experiments that were made for CIFAR-10.
_CIFAR_SIDE = 32


@dataclasses.dataclass(frozen=True)
class Profile:
    """Sizes of a run; nothing else changes between profiles.

    Attributes:
        name: "smoke", "quick" or "full".
        data: Dataset that replaces the experiment's own, or `None`.
        train, validation, test: Maximum number of images of each split, `None` for all.
        test_pixels: Maximum number of pixels of all test images together, `None` for all.
        size: Maximum side of the training images, `None` for the experiment's own.
        width: Factor on the widths of the network.
        epochs: Maximum number of epochs, `None` for the experiment's own.
    """

    name: str
    data: str | None = None
    train: int | None = None
    validation: int | None = None
    test: int | None = None
    test_pixels: int | None = None
    size: int | None = None
    width: float = 1.0
    epochs: int | None = None


PROFILES = {
    "smoke": Profile(
        "smoke", "photos", train=128, validation=64, test=64, size=32, width=0.25, epochs=2
    ),
    # As many pixels as 256 test images of 256 x 256 have, or 16,384 of CIFAR-10.
    "quick": Profile("quick", validation=2000, test_pixels=2**24, width=0.5, epochs=4),
    "full": Profile("full"),
}


def profile(name=None):
    """Return a profile by name, from `COLORKIT_PROFILE`, or by the hardware of this machine.

    Args:
        name: "smoke" (bundled photos, seconds), "quick" (real data, minutes on a CPU), "full"
            (the papers' sizes, for an accelerator), or a `Profile`. `None` takes
            `COLORKIT_PROFILE`, else "full" with an accelerator and "quick" without.

    Raises:
        ValueError: If the profile does not exist.
    """
    if isinstance(name, Profile):
        return name
    if name is None:
        name = os.environ.get("COLORKIT_PROFILE") or None
    if name is None:
        name = "full" if hardware.accelerators() else "quick"
    if name not in PROFILES:
        raise ValueError(f"`profile` must be one of {sorted(PROFILES)}. Received: {name!r}")
    return PROFILES[name]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One trained model: data, network, loss and schedule.

    Attributes:
        name: "family/what-it-is".
        build: Function from a width factor and the number of bins (or `None`) to a model. If the
            experiment has a `base`, its trained network is a third argument.
        build_options: Further arguments of `build`.
        base: Name of the experiment that this one starts from, or `None`. It is run first, with
            the same profile, data and seed, and its weights are frozen.
        target: "chroma"; "label" for a classifier; "both", for a model with both outputs, of which
            the colorizer uses the chroma; or "adversarial". With "adversarial", `build` returns an
            `Adversarial`, and the colorizer uses its generator after the last epoch.
        space: Color space.
        bins: Function from the training images to `ColorBins`, or `None` for regression.
        loss: Class of the loss. `None` means `RebalancedCrossentropy` with bins, and the mean
            squared error without bins.
        loss_options: Arguments of `loss`, in addition to bins, class weights and neighbors.
        neighbors: Number of bins per pixel in the soft code; 1 is a hard code.
        uniform_weight: Lambda of `class_weights`; `None` means no rebalancing. Gradient coherence
            rebalances sizes of gradients, and cross-entropy rebalances colors.
        prior_sigma: Sigma of `smooth_prior` in chroma units, for rebalancing. `None` takes the
            prior of soft codes.
        logit_adjustment: Whether the decoder divides by the class weights, see `ColorBins.decode`.
        label_weight: Weight of the classes' loss if the target is "both".
        temperature: Temperature of the decoder. `None` chooses one of `TEMPERATURES`, by threshold
            accuracy on validation images. It also chooses the weights: those with the lowest
            validation loss, or the last ones. (Overconfidence soon raises the cross-entropy, but
            does not harm decoded colors.)
        mirror: Whether the colorizer averages over mirror images.
        smoothing: Edge of `models.smooth_predictions` on the predicted distribution, or `None`.
        data: Name for `colorkit.load`.
        splits: Names of its splits for training and test.
        size: Side of the images, or `None` to keep the sizes of the dataset.
        near_gray: "keep" or "mask", see `colorkit.pairs`.
        luminance_gate: See `colorkit.pairs`.
        large_size: Side at which whole test images are colored in addition. The record has the
            metrics under "large/".
        crop: Side of the training crops, several sides, or `None` for whole images. Test images
            are whole.
        shift: Maximum number of pixels by which training images are moved.
        zoom: See `colorkit.pairs`.
        context: See `colorkit.pairs`.
        aging: See `colorkit.pairs`.
        epoch_images: Number of images per epoch, if a pass over all is too long, or `None`.
        average: Momentum of the moving average of the weights, which is validated and kept, or
            `None` for the weights themselves.
        narrow: Factor on the width below the full profile, in addition to the profile's own, for
            networks that are slow at full resolution.
        learning_rate: Peak learning rate of Adam, with cosine decay to zero.
        beta_1: Momentum of Adam.
        weight_decay: Decay of AdamW, or `None` for Adam.
        batch_size, epochs: Schedule at the full profile; 0 epochs if nothing is learned.
        quick_size: Side of the training images, or crops, at the quick profile. `None` means that
            of the full profile.
        smallest: Minimum side of the training images at any profile, for networks with many
            halvings.
        quick_images: Number of images to show at the quick profile, in whole epochs without
            partial batches. `None` means the profile's epochs.
        patience: Epochs without a lower validation loss after which training stops. With few
            images it is at least the warm-up of the learning rate.
        test_images: Maximum number of test images, or `None` for all.
        validation_split: Share of the training images used for validation.
        classifiers: Names of evaluation classifiers for `models.load_classifier`.
        paper: Results that the paper reports, metric to value in percent, with its "source".
    """

    name: str
    build: Callable
    build_options: dict = dataclasses.field(default_factory=dict)
    base: str | None = None
    target: str = "chroma"
    space: spaces.ColorSpace = spaces.LAB
    bins: Callable | None = None
    loss: type | None = None
    loss_options: dict = dataclasses.field(default_factory=dict)
    neighbors: int = 1
    uniform_weight: float | None = None
    prior_sigma: float | None = None
    logit_adjustment: bool = False
    label_weight: float = 0.0
    temperature: float | None = 0.38
    mirror: bool = False
    smoothing: float | None = None
    data: str = "cifar10"
    splits: tuple = ("train", "test")
    size: int | None = None
    large_size: int | None = None
    crop: int | tuple | None = None
    near_gray: str = "keep"
    luminance_gate: bool = False
    shift: int = 0
    zoom: tuple | None = None
    context: tuple | None = None
    aging: float = 0.0
    epoch_images: int | None = None
    average: float | None = None
    narrow: float = 1.0
    learning_rate: float = 1e-3
    beta_1: float = 0.9
    weight_decay: float | None = None
    batch_size: int = 128
    epochs: int = 70
    quick_size: int | None = None
    smallest: int = 0
    quick_images: int | None = None
    patience: int = 20
    test_images: int | None = None
    validation_split: float = 0.2
    classifiers: tuple = ()
    paper: dict = dataclasses.field(default_factory=dict)

    def on(self, data):
        """Return the same experiment on another dataset, with its own size and name.

        Args:
            data: Name for `colorkit.load`.
        """
        if data == self.data:
            return self
        labels = []
        names, shares = joined(data)
        for name, share in zip(names, shares or [None] * len(names), strict=True):
            kind, _, path = name.partition(":")
            label = Path(path).resolve().name if path else kind
            labels.append(re.sub(r"[^\w.]+", "-", label).strip("-") or kind)
            if share is not None:  # runs with other shares are other runs
                labels.append(f"{share:g}")
        label = "-".join(labels)  # a part of file names
        return dataclasses.replace(
            self,
            name=f"{self.name}@{label}",
            data=data,
            splits=("train", "test"),
            size=self.size or (None if self.context else _CIFAR_SIDE),
            classifiers=(),  # they know the classes of the experiment's own dataset
            paper={},
        )

    def schedule(self, profile, num_images):
        """Return the number of epochs at a profile for a number of images."""
        if profile.epochs is None:
            return self.epochs
        if profile.name == "quick" and self.epochs and self.quick_images is not None:
            return max(1, round(self.quick_images / num_images))
        return min(profile.epochs, self.epochs)

    def sides(self, profile):
        """Return the side of the images and of the crops at a profile, `None` for whole ones."""
        if isinstance(self.crop, tuple):
            most = profile.size or (self.quick_size if profile.name == "quick" else None)
            crops = self.crop if most is None else (min(most, min(self.crop)),)
            return self.size, crops
        side = self.crop or self.size
        most = profile.size or (self.quick_size if profile.name == "quick" else None)
        if None in (side, most) or side <= max(most, self.smallest):
            return self.size, self.crop
        most = max(most, self.smallest)
        return self.size and self.size * most // side, self.crop and most

    def width(self, profile):
        """Return the factor on the network's widths at a profile."""
        return profile.width * (1.0 if profile.width == 1 else self.narrow)


def scaled(widths, factor):
    """Return widths, nested or not, times a factor, and at least 4."""
    if isinstance(widths, tuple):
        return tuple(scaled(width, factor) for width in widths)
    return max(4, round(widths * factor))
