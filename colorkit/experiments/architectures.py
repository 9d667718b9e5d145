"""Sinigaglia, Bertipaglia and Colato: five architectures, three losses, Pix2Pix and patches."""

import dataclasses

import keras

from colorkit import colorspace, models
from colorkit.experiments.definition import Experiment, scaled
from colorkit.models import pix2pix

# Chroma units from which the Huber loss is linear.
_HUBER_DELTA = 10.0
_LOSSES = {
    "mse": {"loss": keras.losses.MeanSquaredError},
    "mae": {"loss": keras.losses.MeanAbsoluteError},
    "huber": {"loss": keras.losses.Huber, "loss_options": {"delta": _HUBER_DELTA}},
}
_LARGE = 256
_PATCHES = {"size": _LARGE, "crop": 128, "large_size": _LARGE}


# The U-Net that adversaries and patches are compared with.
_ALONE = "architectures/unet-mae"


def _autoencoder(width, num_bins):
    return models.build_autoencoder(widths=scaled((64, 128, 256), width))


def _deep_cnn(width, num_bins):
    return models.build_deep_cnn(width=max(4, round(64 * width)))


def _unet(width, num_bins):
    return models.build_unet(widths=scaled((64, 128, 256, 512), width))


def _resnet(width, num_bins):
    return models.build_resnet(width=max(8, round(128 * width)), bottleneck=round(32 * width) or 1)


def _densenet(width, num_bins):
    return models.build_densenet(growth=max(2, round(24 * width)))


def _against(generator, width, conditional=True, objective="least_squares"):
    return models.Adversarial(
        generator,
        models.build_patch_discriminator(
            widths=scaled(pix2pix.DISCRIMINATOR_WIDTHS, width), conditional=conditional
        ),
        objective=objective,
        # The paper's weight of 100 is for colours in [-1, 1].
        reconstruction_weight=100 * 2 / 220,
    )


def _pix2pix(width, num_bins, **options):
    return _against(_unet(width, num_bins), width, **options)


def _published_pix2pix(width, num_bins):
    # Seven halvings for 128 pixels, where the paper has eight for 256.
    widths = scaled(pix2pix.GENERATOR_WIDTHS[:-1], width)
    return _against(models.build_pix2pix_generator(widths=widths, gradual=False), width)


def _pix2pix_after(width, num_bins, generator):
    generator.trainable = True
    return _against(generator, width)


_ARCHITECTURES = {
    "autoencoder": _autoencoder,
    "deep-cnn": _deep_cnn,
    "unet": _unet,
    "resnet": _resnet,
    "densenet": _densenet,
}
_ROW = Experiment(
    "",
    build=None,
    space=colorspace.LAB,
    data="oxford_flowers102",
    size=128,
    batch_size=16,
    epochs=50,
    quick_images=8_000,
    narrow=0.5,
    validation_split=0.1,
)


def _rows():
    for architecture, build in _ARCHITECTURES.items():
        for loss, options in _LOSSES.items():
            name = f"architectures/{architecture}-{loss}"
            large = _LARGE if name == _ALONE else None
            yield dataclasses.replace(_ROW, name=name, build=build, large_size=large, **options)
    unet = dataclasses.replace(_ROW, name="architectures/unet-mae-patches", build=_unet,
                               **_LOSSES["mae"], **_PATCHES)  # fmt: skip
    yield unet
    players = dataclasses.replace(
        _ROW, target="adversarial", large_size=_LARGE, learning_rate=2e-4, beta_1=0.5
    )
    for title, options in {
        "": {},
        "-unconditional": {"conditional": False},
        "-crossentropy": {"objective": "crossentropy"},
    }.items():
        yield dataclasses.replace(
            players, name=f"architectures/pix2pix{title}", build=_pix2pix, build_options=options
        )
    yield dataclasses.replace(
        players, name="architectures/pix2pix-as-published", build=_published_pix2pix, smallest=128
    )
    yield dataclasses.replace(
        players,
        name="architectures/pix2pix-pretrained",
        build=_pix2pix_after,
        base=_ALONE,
        epochs=10,
        quick_images=2_000,
    )
    yield dataclasses.replace(
        players, name="architectures/pix2pix-patches", build=_pix2pix, **_PATCHES
    )


ROWS = tuple(_rows())
