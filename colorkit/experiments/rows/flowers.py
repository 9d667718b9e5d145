"""An experiment on flowers: the best network for CIFAR-10, trained on larger images."""

import dataclasses

from colorkit import models
from colorkit.color.bins import ColorBins
from colorkit.colorizer import Colorizer
from colorkit.experiments.definition import scaled
from colorkit.experiments.rows import champati
from colorkit.models import unet


def _residual_unet(width, num_bins, pretrained):
    network = models.build_residual_unet(
        num_bins, widths=scaled(unet.WIDTHS, width), num_classes=102
    )
    if width == 1:
        models.copy_weights(Colorizer.pretrained(pretrained).model, network)
    return network


ROWS = (
    dataclasses.replace(
        champati.BEST,
        name="flowers/residual-unet",
        build=_residual_unet,
        build_options={"pretrained": "cifar10"},
        bins=lambda images: ColorBins.fit(images[:1000], min(64, len(images) // 2)),
        data="oxford_flowers102",
        size=128,
        # A crop shows half of the image to all of it, at half its size.
        crop=64,
        zoom=(1.0, 2.0),
        shift=0,
        narrow=2.0,
        learning_rate=1e-3,
        batch_size=32,
        epochs=150,
        quick_images=16_000,
        patience=50,
        validation_split=0.1,
    ),
)
