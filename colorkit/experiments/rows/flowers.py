"""An experiment on flowers: the best network for CIFAR-10, trained on larger images."""

from colorkit import models
from colorkit.color.bins import ColorBins
from colorkit.colorizer import Colorizer
from colorkit.experiments.definition import Data, scaled
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
    champati.BEST.but(
        name="flowers/residual-unet",
        build=_residual_unet,
        build_options={"pretrained": "cifar10"},
        objective={"bins": lambda images: ColorBins.fit(images[:1000], min(64, len(images) // 2))},
        # A crop shows half of the image to all of it, at half its size.
        data=Data(
            "oxford_flowers102",
            size=128,
            crop=64,
            zoom=(1.0, 2.0),
            validation_split=0.1,
            similarity=0.9,
        ),
        schedule={
            "narrow": 2.0,
            "learning_rate": 1e-3,
            "batch_size": 32,
            "epochs": 150,
            "quick_images": 16_000,
            "patience": 50,
        },
    ),
)
