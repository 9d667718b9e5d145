"""Experiments of Sinigaglia, Bertipaglia and Colato: five architectures, three losses, Pix2Pix.

Most predict the chroma of Lab and keep the lightness; the paper's predict red, green and blue.
"""

import keras

from colorkit import models
from colorkit.color import spaces
from colorkit.experiments.definition import Data, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Adversarial, FeatureRegression, Regression
from colorkit.experiments.rows import champati
from colorkit.models import pix2pix

# Error in chroma units from which the Huber loss is linear.
_HUBER_DELTA = 10.0
OBJECTIVES = {
    "mse": Regression(),
    "mae": Regression(keras.losses.MeanAbsoluteError),
    "huber": Regression(keras.losses.Huber, {"delta": _HUBER_DELTA}),
}


def unet(width, num_bins, space="lab"):
    """Build the U-Net, which is also the generator of Pix2Pix."""
    return models.build_unet(space=space, widths=scaled((64, 128, 256, 512), width))


def against(
    generator,
    width,
    conditional=True,
    objective="least_squares",
    discriminator=pix2pix.DISCRIMINATOR_WIDTHS,
):
    """Build an adversarial model of a generator and a PatchGAN, as in Pix2Pix."""
    return models.Adversarial(
        generator,
        models.build_patch_discriminator(
            widths=scaled(discriminator, width), conditional=conditional
        ),
        objective=objective,
        # The paper's weight of 100 is for colors in [-1, 1].
        reconstruction_weight=100 * 2 / 220,
    )


def adversarial(width, num_bins, **options):
    """Build an adversarial model of the U-Net and a PatchGAN; see `against` for `options`."""
    return against(unet(width, num_bins), width, **options)


def _resnet(width, _, channels=128):
    return models.build_resnet(
        width=max(8, round(channels * width)), bottleneck=round(channels // 4 * width) or 1
    )


def _densenet(width, _, growth=24):
    return models.build_densenet(growth=max(2, round(growth * width)))


def _residual_unet(width, _, context=True):
    widths = scaled((44, 88, 176, 352), width)  # about as many weights as the U-Net
    return models.build_residual_unet(widths=widths, context=context)


_ARCHITECTURES = {
    "autoencoder": lambda width, _: models.build_autoencoder(widths=scaled((64, 128, 256), width)),
    "deep-cnn": lambda width, _: models.build_deep_cnn(width=scaled(64, width)),
    "unet": unet,
    "resnet": _resnet,
    "densenet": _densenet,
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

_RGB = {"build": unet, "build_options": {"space": "rgb"}, "space": spaces.RGB}
# The large networks have at least as many weights as the U-Net, as in the paper. "unet-mae-lab" is
# "unet-mae" again: the records of the latter have near twins of training images among the test
# images of flowers, and those of the variations have not.
_VARIATIONS = {
    "unet-mae-lab": {"build": unet},
    "unet-mae-rgb": _RGB,
    "unet-mae-rgb-features": _RGB
    | {"objective": FeatureRegression(features=champati.features("vgg", space=None))},
    "unet-mae-yuv": {"build": unet, "build_options": {"space": "yuv"}, "space": spaces.YUV},
    "large-resnet-mae": {"build": _resnet, "build_options": {"channels": 800}},
    "large-densenet-mae": {"build": _densenet, "build_options": {"growth": 104}},
    "residual-unet-mae": {"build": _residual_unet},
    "residual-unet-mae-without-context": {
        "build": _residual_unet,
        "build_options": {"context": False},
    },
}

ROWS = (
    *(
        BASE.but(name=f"architectures/{architecture}-{loss}", build=build, objective=objective)
        for architecture, build in _ARCHITECTURES.items()
        for loss, objective in OBJECTIVES.items()
    ),
    BASE.but(name="architectures/pix2pix", **ADVERSARIAL),
    *(
        BASE.but(name=f"architectures/{name}", **{"objective": OBJECTIVES["mae"], **changes})
        for name, changes in _VARIATIONS.items()
    ),
)
