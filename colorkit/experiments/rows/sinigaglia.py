"""Experiments of Sinigaglia, Bertipaglia and Colato: five architectures, three losses, Pix2Pix.

All predict the chroma of Lab and keep the lightness; the paper's predict red, green and blue.
"""

import keras

from colorkit import models
from colorkit.experiments.definition import Data, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Adversarial, Regression
from colorkit.models import pix2pix

# Error in chroma units from which the Huber loss is linear.
_HUBER_DELTA = 10.0
OBJECTIVES = {
    "mse": Regression(),
    "mae": Regression(keras.losses.MeanAbsoluteError),
    "huber": Regression(keras.losses.Huber, {"delta": _HUBER_DELTA}),
}


def unet(width, num_bins):
    """Build the U-Net, which is also the generator of Pix2Pix."""
    return models.build_unet(widths=scaled((64, 128, 256, 512), width))


def against(generator, width, conditional=True, objective="least_squares"):
    """Build an adversarial model of a generator and a PatchGAN, as in Pix2Pix."""
    return models.Adversarial(
        generator,
        models.build_patch_discriminator(
            widths=scaled(pix2pix.DISCRIMINATOR_WIDTHS, width), conditional=conditional
        ),
        objective=objective,
        # The paper's weight of 100 is for colors in [-1, 1].
        reconstruction_weight=100 * 2 / 220,
    )


def adversarial(width, num_bins, **options):
    """Build an adversarial model of the U-Net and a PatchGAN; see `against` for `options`."""
    return against(unet(width, num_bins), width, **options)


_ARCHITECTURES = {
    "autoencoder": lambda width, _: models.build_autoencoder(widths=scaled((64, 128, 256), width)),
    "deep-cnn": lambda width, _: models.build_deep_cnn(width=scaled(64, width)),
    "unet": unet,
    "resnet": lambda width, _: models.build_resnet(
        width=max(8, round(128 * width)), bottleneck=round(32 * width) or 1
    ),
    "densenet": lambda width, _: models.build_densenet(growth=max(2, round(24 * width))),
}
# Shared by all experiments. At full size the quick profile would take hours.
BASE = Experiment(
    "",
    build=None,
    data=Data("oxford_flowers102", size=128, validation_split=0.1, similarity=0.9),
    schedule=Schedule(batch_size=16, epochs=50, quick_size=64, quick_images=8_000, narrow=0.5),
)
ADVERSARIAL = {
    "build": adversarial,
    "objective": Adversarial(),
    "schedule": {"learning_rate": 2e-4, "beta_1": 0.5},
}

ROWS = (
    *(
        BASE.but(name=f"architectures/{architecture}-{loss}", build=build, objective=objective)
        for architecture, build in _ARCHITECTURES.items()
        for loss, objective in OBJECTIVES.items()
    ),
    BASE.but(name="architectures/pix2pix", **ADVERSARIAL),
)
