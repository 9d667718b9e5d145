"""A model for photographs: features of an image classifier, a decoder over color bins."""

import dataclasses
import os

from colorkit import losses, models
from colorkit.color.bins import ColorBins
from colorkit.colorizer import Colorizer
from colorkit.data.images import typical
from colorkit.experiments.definition import Experiment, scaled
from colorkit.models import efficientnet, pretrained

# Names the file of EfficientNet-Lite0's ImageNet weights.
WEIGHTS = "COLORKIT_EFFICIENTNET"


def _frozen(width, num_bins, *, freeze=True):
    """The network with a frozen encoder: the decoder alone learns.

    The encoder is that of the file, at its full width, wherever there is one. Below the full
    profile the network may do without: to see that it runs, with a random encoder that learns.
    """
    weights = os.environ.get(WEIGHTS)
    widths = scaled(pretrained.WIDTHS, width)
    if weights:
        network = models.build_pretrained_unet(num_bins, weights=weights, widths=widths)
        models.freeze_encoder(network, freeze)
        return network
    if width == 1:
        raise FileNotFoundError(
            f"This experiment begins with a network that was trained to classify photographs. Set "
            f"{WEIGHTS} to a file of {efficientnet.ORIGIN}; or take an encoder that Keras "
            "downloads, `build_pretrained_unet(encoder=keras.applications.MobileNetV2(...))`."
        )
    return _random(width, num_bins)


def _random(width, num_bins):
    """The network with a random encoder that learns; its name keeps its runs apart."""
    widths = scaled(pretrained.WIDTHS, width)
    return models.build_pretrained_unet(num_bins, widths=widths, name="random_encoder_unet")


def _continued(width, num_bins):
    """The network of the package at its own width, to be trained further."""
    if width != 1:
        return _random(width, num_bins)
    network = models.build_pretrained_unet(num_bins)
    network.set_weights(Colorizer.pretrained("photos").model.get_weights())
    return network


def _fitted(num_bins):
    return lambda images: ColorBins.fit(typical(images), min(num_bins, len(images) // 2))


def _unfrozen(width, num_bins, network):
    """The trained network, its encoder free to learn."""
    network.trainable = True
    models.freeze_encoder(network, frozen=False)
    return network


FROZEN = Experiment(
    "photos/pretrained-unet-frozen",
    build=_frozen,
    bins=_fitted(64),
    loss=losses.JointCrossentropy,
    loss_options={"regression_weight": 0.2, "delta": 30.0, "stride": 2},
    neighbors=5,
    uniform_weight=0.5,
    logit_adjustment=True,
    temperature=0.6,
    data="imagenette/160px-v2+caltech101+oxford_flowers102+lfw",
    crop=(64, 96, 128),
    context=(0.6, 1.0),
    aging=0.5,
    epoch_images=8192,
    average=0.999,
    learning_rate=2e-3,
    weight_decay=0.05,
    batch_size=32,
    epochs=10,
    quick_size=64,
    quick_images=16_384,
    patience=100,
    test_images=600,
    validation_split=0.01,
)

PHOTOS = dataclasses.replace(
    FROZEN,
    name="photos/pretrained-unet",
    build=_unfrozen,
    base=FROZEN.name,
    learning_rate=7e-4,
    epochs=26,
)

# From the model in the package on: longer, and with the distribution smoothed in the end.
CONTINUED = dataclasses.replace(
    PHOTOS,
    name="photos/continued",
    build=_continued,
    base=None,
    bins=lambda images: Colorizer.pretrained("photos").bins,
    smoothing=5.0,
    learning_rate=5e-4,
    epochs=60,
    test_images=200,
)

# What each choice is worth, at equal steps: 1,024 of 32 images, decoded at the mean.
_REFERENCE = dataclasses.replace(
    FROZEN,
    name="photos/ablation",
    crop=(96,),
    temperature=1.0,
    average=0.99,
    epochs=4,
)
_CHANGES = {
    "unfrozen": {"build_options": {"freeze": False}, "learning_rate": 7e-4},
    "random-encoder": {"build": _random},
    "200-bins": {"bins": _fitted(200)},
    "unweighted": {"uniform_weight": None, "logit_adjustment": False},
    "without-aging": {"aging": 0.0},
    "without-average": {"average": None},
    "64-pixels": {"crop": (64,)},
    "128-pixels": {"crop": (128,)},
    "several-sizes": {"crop": (64, 96, 128)},
    "small-crops": {"context": (0.3, 0.7)},
}
ABLATIONS = (
    _REFERENCE,
    *(
        dataclasses.replace(_REFERENCE, name=f"{_REFERENCE.name}-{name}", **changes)
        for name, changes in _CHANGES.items()
    ),
)

ROWS = (FROZEN, PHOTOS, CONTINUED, *ABLATIONS)
