"""Experiments of Zhang, Isola and Efros, of Kisan, and of Stellbrink on coherence."""

import dataclasses

import keras

from colorkit import losses, models
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Experiment

# Sides of the images. Larger ones than CIFAR-10's are photographs: of COCO by default, in splits of
# the sizes that Stellbrink gives. He validates on the second split. Here it is the test split, and
# a twentieth of the first one is held out for validation.
SIDES = (32, 64, 128)
_CIFAR = {"batch_size": 128}
_COCO = {
    "data": "coco/2017",
    "splits": ("train[:86301]", "train[86301:]+validation"),
    "batch_size": 32,
}


def _zhang(width, num_bins, squash=False):
    """Build the colorful network; `squash` adds a sigmoid before the softmax, as in his code."""
    network = models.build_zhang(num_bins, width=width)
    if not squash:
        return network
    squashed = keras.layers.Activation("sigmoid", dtype="float32", name="squash")(network.output)
    return keras.Model(network.inputs[0], squashed, name=network.name)


def _coherent(width, num_bins, colorful, as_published=False, **options):
    build = models.build_coherent_as_published if as_published else models.build_coherent
    network = build(colorful, **options)
    return keras.Model(network.inputs[0], network.output["coherent"], name=network.name)


def _colorful(side):
    return Experiment(
        f"coherence/colorful-{side}",
        build=_zhang,
        bins=lambda images: ColorBins.gamut(),
        loss_options={"stride": 4},
        neighbors=5,
        uniform_weight=0.5,
        near_gray="mask",
        size=None if side == 32 else side,
        narrow=0.5,
        learning_rate=2e-3,
        weight_decay=0.1,
        epochs=40,
        quick_images=200_000 * 32**2 // side**2,
        validation_split=0.05,
        **(_CIFAR if side == 32 else _COCO),
    )


def _step(published=True, *, signed=True, rebalanced=True, gated=True, **build_options):
    """Return changes to the colorful experiment. Decoding uses the training temperature."""
    temperature = 0.01 if published else 0.38
    return {
        "build_options": {"as_published": True, **build_options} if published else build_options,
        "loss_options": {"temperature": temperature, "signed": signed},
        "temperature": temperature,
        "uniform_weight": 0.5 if rebalanced else None,
        "luminance_gate": gated,
    }


# Stellbrink's branch as coded and as written, then his proposals of sections 5 and 6, one by one.
# Then another approach: the distribution of the colorful network, enlarged; blurred; smoothed up to
# the edges of lightness, without learning: once, with growing steps, and with shrinking steps; and
# a branch that corrects the distribution without or with smoothing.
_SMOOTHING = (8, 4, 2, 1)
_STEPS = {
    "published": _step(signed=False, rebalanced=False, gated=False, squash=True),
    "equations": _step(rebalanced=False, gated=False),
    "rebalanced": _step(gated=False),
    "gated": _step(),
    "held": _step(regularization=16.0),
    "enlarged": _step(False, smoothing=()) | {"epochs": 0},
    "blurred": _step(False, smoothing=_SMOOTHING, edge=1e6) | {"epochs": 0},
    "once": _step(False, smoothing=(1,)) | {"epochs": 0},
    "upwards": _step(False, smoothing=_SMOOTHING[::-1]) | {"epochs": 0},
    "coherent": _step(False, smoothing=_SMOOTHING) | {"epochs": 0},
    "corrected": _step(False, smoothing=(), filters=(32, 32, 32, 64), regularization=16.0),
    "coherent-corrected": _step(
        False, smoothing=_SMOOTHING, filters=(32, 32, 32, 64), regularization=16.0
    ),
}


def _steps(colorful, side):
    for name, changes in _STEPS.items():
        defaults = {
            "name": f"coherence/{name}-{side}",
            "base": colorful.name,
            "build": _coherent,
            "loss": losses.GradientCoherence,
            "epochs": 15,
            "quick_images": 48_000 * 32**2 // side**2,
            "neighbors": 1,
        }
        if name == "published":
            defaults["base"] = f"{colorful.name}-as-published"
        yield dataclasses.replace(colorful, **defaults | changes)


def _rows():
    for side in SIDES:
        colorful = _colorful(side)
        yield colorful
        yield dataclasses.replace(
            colorful,
            name=f"coherence/regression-{side}",
            bins=None,
            loss_options={},
            uniform_weight=None,
        )
        yield dataclasses.replace(
            colorful, name=f"{colorful.name}-as-published", build_options={"squash": True}
        )
        # Stellbrink also asks for the gate in the loss of the colors.
        yield dataclasses.replace(
            colorful, name=f"coherence/colorful-gated-{side}", luminance_gate=True
        )
        yield from _steps(colorful, side)


ROWS = tuple(_rows())
