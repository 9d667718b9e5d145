"""Experiments with Han's three networks, each as coded, and without its known problems."""

import dataclasses

from colorkit import models
from colorkit.color import spaces
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Data, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Adversarial, Classification
from colorkit.models import han


def _simple(upsampling):
    return lambda width, num_bins: models.build_simple_convnet(
        filters=scaled(han.SIMPLE_FILTERS, width), upsampling=upsampling
    )


def _classification(as_coded):
    return lambda width, num_bins: models.build_shallow_classification(
        num_bins,
        filters=scaled(han.CLASSIFICATION_FILTERS, max(width, 0.5)),
        dilation_rates=(1, 1, 1) if as_coded else (1, 3, 9),
        stddev=0.1 if as_coded else None,
    )


def _adversarial(space, as_coded):
    def build(width, num_bins):
        filters = scaled(han.GENERATOR_FILTERS, width)
        generator = models.build_additive_unet(
            space=space, filters=filters, upsampling="transpose" if as_coded else "resize"
        )
        discriminator = models.build_picture_discriminator(
            space=space,
            filters=filters,
            head_size=7,
            conditional=not as_coded,
        )
        # The paper's weight of 100 is for colors in [-1, 1].
        low, high = space.chroma_range
        return models.Adversarial(
            generator,
            discriminator,
            objective="crossentropy",
            reconstruction_weight=100 * 2 / (high - low),
        )

    return build


_BASE = Experiment(
    "",
    build=None,
    data=Data("oxford_flowers102", size=256, crop=224, validation_split=0.1),
    schedule=Schedule(batch_size=32, epochs=50, quick_size=64, quick_images=32_000, narrow=0.5),
)
_CLASSIFICATION = Classification(bins=lambda images: ColorBins.gamut())
# As many steps as the other experiments, with smaller batches.
_STEPS = {"batch_size": 8, "quick_images": 8_000}
_ADVERSARIAL = {"objective": Adversarial(), "schedule": {"beta_1": 0.5}}
_KINDS = {
    "simple-as-coded": {"build": _simple("transpose")},
    "simple": {"build": _simple("resize")},
    "classification-as-coded": {
        "build": _classification(as_coded=True),
        "objective": _CLASSIFICATION,
        "schedule": _STEPS,
        "decoding": {"temperature": 0.0},
    },
    "classification": {
        "build": _classification(as_coded=False),
        "objective": dataclasses.replace(_CLASSIFICATION, neighbors=5, uniform_weight=0.5),
        "schedule": _STEPS,
    },
    "adversarial-as-coded": {
        "build": _adversarial(spaces.RGB, as_coded=True),
        "space": spaces.RGB,
        **_ADVERSARIAL,
    },
    "adversarial": {"build": _adversarial(spaces.LAB, as_coded=False), **_ADVERSARIAL},
}

ROWS = tuple(_BASE.but(name=f"convnets/{name}", **changes) for name, changes in _KINDS.items())
