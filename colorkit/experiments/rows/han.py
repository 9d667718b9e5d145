"""Experiments with Han's three networks, each as coded, and corrected."""

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
            space=space, filters=filters, head_size=7, conditional=not as_coded
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
    data=Data("oxford_flowers102", size=256, crop=224, validation_split=0.1, similarity=0.9),
    schedule=Schedule(batch_size=32, epochs=50, quick_size=64, quick_images=32_000, narrow=0.5),
)
# As many steps as the other experiments, with smaller batches.
_BINS = _BASE.but(
    objective=Classification(bins=lambda images: ColorBins.gamut()),
    schedule={"batch_size": 8, "quick_images": 8_000},
)
_ADVERSARIAL = _BASE.but(objective=Adversarial(), schedule={"beta_1": 0.5})
_EXPERIMENTS = {
    "simple-as-coded": _BASE.but(build=_simple("transpose")),
    "simple": _BASE.but(build=_simple("resize")),
    "classification-as-coded": _BINS.but(
        build=_classification(as_coded=True), decoding={"temperature": 0.0}
    ),
    "classification": _BINS.but(
        build=_classification(as_coded=False), objective={"neighbors": 5, "uniform_weight": 0.5}
    ),
    "adversarial-as-coded": _ADVERSARIAL.but(
        build=_adversarial(spaces.RGB, as_coded=True), space=spaces.RGB
    ),
    "adversarial": _ADVERSARIAL.but(build=_adversarial(spaces.LAB, as_coded=False)),
}

ROWS = tuple(each.but(name=f"convnets/{name}") for name, each in _EXPERIMENTS.items())
