"""Experiments of Sinigaglia, Bertipaglia and Colato: a discriminator for a U-Net, and patches.

All networks predict the chroma of Lab; those of the sources predict red, green and blue.
"""

from colorkit import models
from colorkit.experiments.definition import scaled
from colorkit.experiments.rows import sinigaglia
from colorkit.models import pix2pix

_LARGE = 256
_WIDTHS = pix2pix.DISCRIMINATOR_WIDTHS


def _published(width, num_bins):
    # Seven halvings for 128 pixels, where the paper has eight for 256.
    widths = scaled(pix2pix.GENERATOR_WIDTHS[:-1], width)
    generator = models.build_pix2pix_generator(widths=widths, upsampling="transpose")
    return sinigaglia.against(generator, width)


def _after(width, num_bins, generator):
    generator.trainable = True
    return sinigaglia.against(generator, width)


# At every profile but smoke: images of 128 pixels, or patches of that size from images of 256. The
# larger images are also colored whole.
_BASE = sinigaglia.BASE.but(data={"large_size": _LARGE}, schedule={"quick_size": None})
_PATCHES = _BASE.but(data={"size": _LARGE, "crop": _BASE.data.size})
_ALONE = {"build": sinigaglia.unet, "objective": sinigaglia.OBJECTIVES["mae"]}
_TOGETHER = sinigaglia.ADVERSARIAL
_EXPERIMENTS = {
    "unet": _BASE.but(**_ALONE),
    "adversarial": _BASE.but(**_TOGETHER),
    "unconditional": _BASE.but(**_TOGETHER, build_options={"conditional": False}),
    # Sides of the patches in pixels; 142 is the whole image.
    "discriminator-16": _BASE.but(**_TOGETHER, build_options={"discriminator": _WIDTHS[:2]}),
    "discriminator-34": _BASE.but(**_TOGETHER, build_options={"discriminator": _WIDTHS[:3]}),
    "discriminator-142": _BASE.but(**_TOGETHER).but(
        build_options={"discriminator": (*_WIDTHS, _WIDTHS[-1])}, schedule={"smallest": 64}
    ),
    "crossentropy": _BASE.but(**_TOGETHER, build_options={"objective": "crossentropy"}),
    "pretrained": _BASE.but(**_TOGETHER).but(
        build=_after, base="pix2pix/unet", schedule={"epochs": 10, "quick_images": 2_000}
    ),
    "as-published": _BASE.but(**_TOGETHER).but(build=_published, schedule={"smallest": 128}),
    "unet-patches": _PATCHES.but(**_ALONE),
    "adversarial-patches": _PATCHES.but(**_TOGETHER),
}

ROWS = tuple(each.but(name=f"pix2pix/{name}") for name, each in _EXPERIMENTS.items())
