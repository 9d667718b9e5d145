"""Experiments with Han's three networks, each as coded, and without its known problems."""

import dataclasses

from colorkit import models
from colorkit.color import spaces
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Experiment, scaled
from colorkit.models import han


def _simple(gradual):
    return lambda width, num_bins: models.build_simple_convnet(
        filters=scaled(han.SIMPLE_FILTERS, width), gradual=gradual
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
        generator = models.build_additive_unet(space=space, filters=filters, gradual=not as_coded)
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


_ROW = Experiment(
    "",
    build=None,
    data="oxford_flowers102",
    size=256,
    crop=224,
    quick_size=64,
    batch_size=32,
    epochs=50,
    quick_images=32_000,
    narrow=0.5,
    validation_split=0.1,
)
# As many steps as the other experiments, with smaller batches.
_BINS = {"bins": lambda images: ColorBins.gamut(), "batch_size": 8, "quick_images": 8_000}
_PLAYERS = {"target": "adversarial", "beta_1": 0.5}
_KINDS = {
    "simple-as-coded": {"build": _simple(gradual=False)},
    "simple": {"build": _simple(gradual=True)},
    "classification-as-coded": {
        "build": _classification(as_coded=True),
        **_BINS,
        "temperature": 0.0,
    },
    "classification": {
        "build": _classification(as_coded=False),
        **_BINS,
        "neighbors": 5,
        "uniform_weight": 0.5,
    },
    "adversarial-as-coded": {
        "build": _adversarial(spaces.RGB, as_coded=True),
        "space": spaces.RGB,
        **_PLAYERS,
    },
    "adversarial": {
        "build": _adversarial(spaces.LAB, as_coded=False),
        **_PLAYERS,
    },
}

ROWS = tuple(
    dataclasses.replace(_ROW, name=f"convnets/{name}", **options)
    for name, options in _KINDS.items()
)
