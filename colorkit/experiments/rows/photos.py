"""A model for photographs: features of an image classifier, a decoder over color bins."""

import os

from colorkit import losses, models
from colorkit.color.bins import ColorBins
from colorkit.data.images import typical
from colorkit.experiments.definition import Data, Decoding, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Classification
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
    data=Data(
        "imagenette/160px-v2+caltech101+oxford_flowers102+lfw",
        validation_split=0.01,
        test_images=200,
        epoch_images=8192,
        crop=(64, 96, 128),
        context=(0.6, 1.0),
        aging=0.5,
    ),
    objective=Classification(
        bins=_fitted(64),
        loss=losses.JointCrossentropy,
        loss_options={"regression_weight": 0.2, "delta": 30.0, "stride": 2},
        neighbors=5,
        uniform_weight=0.5,
    ),
    schedule=Schedule(
        learning_rate=2e-3,
        weight_decay=0.05,
        average=0.999,
        batch_size=32,
        epochs=16,
        quick_size=64,
        quick_images=16_384,
        patience=100,
    ),
    decoding=Decoding(temperature=0.6, logit_adjustment=True),
)

# The encoder learns slowly: at 5e-4 its last ReLU6 units became constant. For an earlier
# model, 96 pixels and temperature 0.4 were a good compromise on validation images of each kind.
PHOTOS = FROZEN.but(
    name="photos/pretrained-unet",
    build=_unfrozen,
    base=FROZEN.name,
    schedule={"learning_rate": 1e-4, "epochs": 7},
    decoding={"smoothing": 5.0, "temperature": 0.4, "network_size": 96},
)

# What each choice is worth, at equal steps: 384 of 32 images, decoded at the mean.
_REFERENCE = FROZEN.but(
    name="photos/ablation",
    data={"crop": (64,), "epoch_images": 4096, "test_images": 150},
    schedule={"average": 0.99, "epochs": 3},
    decoding={"temperature": 1.0},
)
_CHANGES = {
    "unfrozen": {"build_options": {"freeze": False}, "schedule": {"learning_rate": 7e-4}},
    "random-encoder": {"build": _random},
    "200-bins": {"objective": {"bins": _fitted(200)}},
    "unweighted": {
        "objective": {"uniform_weight": None},
        "decoding": {"logit_adjustment": False},
    },
    "without-aging": {"data": {"aging": 0.0}},
    "without-average": {"schedule": {"average": None}},
    "96-pixels": {"data": {"crop": (96,)}},
    "several-sizes": {"data": {"crop": (48, 64, 96)}},
    "small-crops": {"data": {"context": (0.3, 0.7)}},
}
ABLATIONS = (
    _REFERENCE,
    *(
        _REFERENCE.but(name=f"{_REFERENCE.name}-{name}", **changes)
        for name, changes in _CHANGES.items()
    ),
)

ROWS = (FROZEN, PHOTOS, *ABLATIONS)
