"""What an experiment and a profile are."""

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

from colorkit import colorspace, hardware
from colorkit.data import joined

# At which every experiment with bins is measured, beside its own.
TEMPERATURES = (0.0, 0.2, 0.38, 0.6, 0.8, 1.0)
# Side that images are reduced to where an experiment was made for those of CIFAR-10.
_CIFAR_SIDE = 32


@dataclasses.dataclass(frozen=True)
class Profile:
    """Sizes of a run; nothing else changes between profiles.

    Attributes:
        name: "smoke", "quick" or "full".
        data: Data set that replaces the experiment's own, or `None`.
        train, validation, test: Most images used of each split, `None` for all.
        test_pixels: Most pixels of all test images together, `None` for all.
        size: Largest side of what is trained on, `None` for the experiment's own.
        width: Factor on the widths of the network.
        epochs: Most epochs, `None` for the experiment's own number.
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
        build: Function from a width factor and the number of bins (or `None`) to a model; where
            the experiment begins with another, that one's trained network is a third argument.
        build_options: Further arguments of `build`.
        base: Name of the experiment that this one begins with, or `None`. It is run with the
            same profile, data and seed before; what it learned is kept as it is.
        target: What the model learns: "chroma"; "label", which makes a classifier; "both", with
            outputs named so, of which the chroma is kept; or "adversarial", where `build` gives an
            `Adversarial`, whose generator is kept as it is after the last epoch.
        space: Color space.
        bins: Function from the training images to `ColorBins`, or `None` for regression.
        loss: Class of the loss; `None` for `RebalancedCrossentropy` where there are bins and the
            mean squared error where there are none.
        loss_options: Arguments of `loss`, beside bins, class weights and neighbors.
        neighbors: Bins that share a pixel in the soft code; 1 is a hard code.
        uniform_weight: For rebalancing, lambda of `class_weights`; `None` for none. Gradient
            coherence rebalances the sizes of gradients, the cross-entropies colors.
        prior_sigma: For rebalancing, sigma of `smooth_prior` in chroma units; `None` takes the
            prior of soft codes.
        logit_adjustment: Whether the decoder divides by the class weights, see `ColorBins.decode`.
        label_weight: Weight of the classes' loss where the target is "both".
        temperature: Temperature of the decoder; `None` chooses, of `TEMPERATURES`, the one with
            the highest threshold accuracy on validation images, and with it the weights: those
            of the lowest validation loss or the last ones. (Cross-entropy soon suffers from being
            too sure, decoded colors do not.)
        mirror: Whether the colorizer averages over mirror images.
        data: Name for `colorkit.load`.
        splits: Names of its splits for training and for the test.
        size: Side of the images, or `None` as the data set has them.
        near_gray: "keep" or "mask", as `colorkit.pairs` takes it.
        luminance_gate: As `colorkit.pairs` takes it.
        large_size: Side at which whole test images are colored, too; what those score stands in
            the record under "large/".
        crop: Side of the crops that are trained on, several of them, or `None` for whole images.
            Tests are whole.
        shift: Most pixels by which training images are moved, beside being mirrored.
        zoom: As `colorkit.pairs` takes it.
        context: As `colorkit.pairs` takes it.
        aging: As `colorkit.pairs` takes it.
        epoch_images: Images per epoch where a pass over all is too long, or `None`.
        average: Momentum of the moving average of the weights that is validated and kept, or
            `None` for the weights themselves.
        narrow: Factor on the width below the full profile, beside the profile's own, for networks
            that are slow at full resolution.
        learning_rate: Peak learning rate of Adam, cosine decay to zero.
        beta_1: Momentum of Adam.
        weight_decay: Decay of AdamW, or `None` for Adam.
        batch_size, epochs: Schedule at the full profile; no epochs where nothing is to be learned.
        quick_size: Side of what is trained on at the quick profile, the crops if there are any;
            `None` for the full one.
        smallest: Side of what is trained on below which no profile goes, for networks that halve it
            often.
        quick_images: How many images to see at the quick profile, in whole epochs, of which a
            partial batch leaves some for another; `None` for the profile's epochs.
        patience: Epochs without a better validation loss after which training stops; of few
            images more, as many as the learning rate takes to rise.
        test_images: Most test images, or `None` for all.
        validation_split: Share of the training images kept for validation.
        classifiers: Names for `models.load_classifier` that judge what the colorings preserve.
        paper: What the paper reports, metric to value in percent, with its "source".
    """

    name: str
    build: Callable
    build_options: dict = dataclasses.field(default_factory=dict)
    base: str | None = None
    target: str = "chroma"
    space: colorspace.ColorSpace = colorspace.LAB
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
        """The same experiment on other images, of its own size, as a row of its own.

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
            if share is not None:  # other shares make other runs
                labels.append(f"{share:g}")
        label = "-".join(labels)  # a part of file names
        return dataclasses.replace(
            self,
            name=f"{self.name}@{label}",
            data=data,
            splits=("train", "test"),
            size=self.size or (None if self.context else _CIFAR_SIDE),
            classifiers=(),  # they know the classes of the experiment's own images
            paper={},
        )

    def schedule(self, profile, num_images):
        """Number of epochs at a profile, over so many images."""
        if profile.epochs is None:
            return self.epochs
        if profile.name == "quick" and self.epochs and self.quick_images is not None:
            return max(1, round(self.quick_images / num_images))
        return min(profile.epochs, self.epochs)

    def sides(self, profile):
        """Side of the images and of the crops at a profile, `None` for whole ones."""
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
        """Factor on the network's widths at a profile."""
        return profile.width * (1.0 if profile.width == 1 else self.narrow)


def scaled(widths, factor):
    """Widths, nested or not, times a factor, and at least 4."""
    if isinstance(widths, tuple):
        return tuple(scaled(width, factor) for width in widths)
    return max(4, round(widths * factor))
