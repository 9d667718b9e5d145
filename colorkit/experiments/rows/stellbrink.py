"""Experiments of Zhang, Isola and Efros, of Kisan, and of Stellbrink on coherence."""

import keras

from colorkit import models
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Data, Experiment, Schedule
from colorkit.experiments.objectives import Classification, Coherence, Regression

# Sides of the images. Larger ones than CIFAR-10's are photographs: of COCO by default, in splits of
# the sizes that Stellbrink gives. He validates on the second split. Here it is the test split, and
# a twentieth of the first one is held out for validation.
SIDES = (32, 64, 128)
_COCO = {"name": "coco/2017", "splits": ("train[:86301]", "train[86301:]+validation")}


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
    is_cifar = side == 32
    data = {} if is_cifar else {**_COCO, "size": side}
    return Experiment(
        f"coherence/colorful-{side}",
        build=_zhang,
        data=Data(near_gray="mask", validation_split=0.05, **data),
        objective=Classification(
            bins=lambda images: ColorBins.gamut(),
            loss_options={"stride": 4},
            neighbors=5,
            uniform_weight=0.5,
        ),
        schedule=Schedule(
            learning_rate=2e-3,
            weight_decay=0.1,
            batch_size=128 if is_cifar else 32,
            epochs=40,
            narrow=0.5,
            quick_images=200_000 * 32**2 // side**2,
        ),
    )


def _step(published=True, *, signed=True, rebalanced=True, gated=True, learned=True, **options):
    """Return changes to the colorful experiment. Decoding uses the training temperature."""
    temperature = 0.01 if published else 0.38
    return {
        "build_options": {"as_published": True, **options} if published else options,
        "objective": Coherence(
            bins=lambda images: ColorBins.gamut(),
            loss_options={"temperature": temperature, "signed": signed},
            uniform_weight=0.5 if rebalanced else None,
        ),
        "data": {"luminance_gate": gated},
        "decoding": {"temperature": temperature},
        "schedule": {"epochs": 15 if learned else 0},
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
    "enlarged": _step(False, smoothing=(), learned=False),
    "blurred": _step(False, smoothing=_SMOOTHING, edge=1e6, learned=False),
    "once": _step(False, smoothing=(1,), learned=False),
    "upwards": _step(False, smoothing=_SMOOTHING[::-1], learned=False),
    "coherent": _step(False, smoothing=_SMOOTHING, learned=False),
    "corrected": _step(False, smoothing=(), filters=(32, 32, 32, 64), regularization=16.0),
    "coherent-corrected": _step(
        False, smoothing=_SMOOTHING, filters=(32, 32, 32, 64), regularization=16.0
    ),
}


def _rows():
    for side in SIDES:
        colorful = _colorful(side)
        yield colorful
        yield colorful.but(name=f"coherence/regression-{side}", objective=Regression())
        yield colorful.but(name=f"{colorful.name}-as-published", build_options={"squash": True})
        # Stellbrink also asks for the gate in the loss of the colors.
        yield colorful.but(name=f"coherence/colorful-gated-{side}", data={"luminance_gate": True})
        for name, changes in _STEPS.items():
            yield colorful.but(
                **changes,
                name=f"coherence/{name}-{side}",
                base=f"{colorful.name}-as-published" if name == "published" else colorful.name,
                build=_coherent,
            ).but(schedule={"quick_images": 48_000 * 32**2 // side**2})


ROWS = tuple(_rows())
