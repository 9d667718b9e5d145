"""Experiments of Sinigaglia, Bertipaglia and Colato: a discriminator for a U-Net, and patches.

All networks predict the chroma of Lab; those of the sources predict red, green and blue.
"""

import dataclasses

from colorkit import models
from colorkit.experiments.definition import scaled
from colorkit.experiments.rows import sinigaglia
from colorkit.models import pix2pix

_LARGE = 256


def _published(width, num_bins):
    # Seven halvings for 128 pixels, where the paper has eight for 256.
    widths = scaled(pix2pix.GENERATOR_WIDTHS[:-1], width)
    return sinigaglia.against(models.build_pix2pix_generator(widths=widths, gradual=False), width)


def _after(width, num_bins, generator):
    generator.trainable = True
    return sinigaglia.against(generator, width)


# At every profile but smoke: images of 128 pixels, or patches of that size from images of 256. The
# larger images are also colored whole.
_ROW = dataclasses.replace(sinigaglia.ROW, quick_size=None, large_size=_LARGE)
_PATCHES = {"size": _LARGE, "crop": _ROW.size}
_ALONE = {"build": sinigaglia.unet, **sinigaglia.LOSSES["mae"]}
_TOGETHER = {"build": sinigaglia.players, **sinigaglia.PLAYERS}
_KINDS = {
    "unet": _ALONE,
    "adversarial": _TOGETHER,
    "unconditional": {**_TOGETHER, "build_options": {"conditional": False}},
    "crossentropy": {**_TOGETHER, "build_options": {"objective": "crossentropy"}},
    "pretrained": {
        **_TOGETHER,
        "build": _after,
        "base": "pix2pix/unet",
        "epochs": 10,
        "quick_images": 2_000,
    },
    "as-published": {**_TOGETHER, "build": _published, "smallest": 128},
    "unet-patches": {**_ALONE, **_PATCHES},
    "adversarial-patches": {**_TOGETHER, **_PATCHES},
}

ROWS = tuple(
    dataclasses.replace(_ROW, name=f"pix2pix/{name}", **options) for name, options in _KINDS.items()
)
