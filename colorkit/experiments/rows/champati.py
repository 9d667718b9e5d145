"""Experiments of Champati, Houle and Zhang on CIFAR-10, their audit, and a better model."""

import itertools
import os

from colorkit import losses, models
from colorkit.color import spaces
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Data, Decoding, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Classification, ClassificationAndLabels, Labels
from colorkit.models import champati, classifier, unet


def _dense(space):
    return lambda width, num_bins: models.build_dense_regression(
        space=space, filters=scaled(champati.DENSE_FILTERS, width)
    )


def _conv(space=spaces.LAB, features=None):
    def build(width, num_bins):
        options = {"space": space, "features": features and features()}
        if num_bins is None:
            blocks = scaled(champati.REGRESSION_BLOCKS, width)
            return models.build_conv_regression(blocks=blocks, **options)
        blocks = scaled(champati.CLASSIFICATION_BLOCKS, width)
        return models.build_conv_classification(num_bins, blocks=blocks, **options)

    return build


def _lattice(num_bins, **options):
    return lambda images: ColorBins.grid(num_bins, **options)


_FILE_OF_VGG16 = (
    "Set COLORKIT_VGG16 to the weights file of VGG16 that Keras downloads (.h5). For the "
    'experiments "vgg1" it may be an .npz file with the `kernel` (3, 3, 3, 64), for BGR input, '
    'and the `bias` of the first convolution. The experiments "own" need no file'
)


def _vgg16(ending):
    """Return the path in COLORKIT_VGG16 if it has an ending, else an empty one."""
    path = os.environ.get("COLORKIT_VGG16", "")
    if path and not (os.path.isfile(path) and path.endswith((".h5", ".npz"))):
        raise FileNotFoundError(
            f"COLORKIT_VGG16 must be a file that ends in .h5 or .npz. Received: {path!r}. "
            f"{_FILE_OF_VGG16}."
        )
    return path if path.endswith(ending) else ""


def _first_of_vgg16():
    path = _vgg16(".npz")
    if not path:
        raise FileNotFoundError(
            "This experiment starts from the first convolution of VGG16, so COLORKIT_VGG16 must be "
            f"the path of an .npz file. {_FILE_OF_VGG16}."
        )
    return path


# Sources of the first two layers in the transfer experiments. Only the first is the paper's own.
_SOURCES = {
    "vgg": lambda: _vgg16(".h5") or "imagenet",
    "vgg1": _first_of_vgg16,
    "own": lambda: models.load_classifier("vgg"),
}


def features(source, **options):
    """Return a function that builds the first layers of VGG16, or of a source instead of it."""

    def build():
        weights = _SOURCES[source]()
        try:
            return models.build_vgg_features(weights, **options)
        except ConnectionError as error:
            raise ConnectionError(f"{error} {_FILE_OF_VGG16}.") from error

    return build


_REGRESSION = Experiment("", build=_conv(), schedule=Schedule(epochs=100, narrow=0.5))
_CLASSIFICATION = Experiment(
    "cifar/lab-conv-classification-81",
    build=_conv(),
    objective=Classification(bins=_lattice(81, centered=False)),
)


def _rebalanced(experiment):
    """Yield the experiment, rebalanced as the paper describes it, and with weights that cancel."""
    # Lambda is 0.2, and the Gaussian has 3 steps of the 9 x 9 lattice.
    rebalanced = experiment.but(
        name=f"{experiment.name}-rebalanced",
        objective={"uniform_weight": 0.2, "prior_sigma": 3 * 220 / 9},
    )
    yield rebalanced
    yield rebalanced.but(
        name=f"{rebalanced.name}-as-published", objective={"loss": losses.CancellingCrossentropy}
    )


def _regressions():
    """Yield Tables 3 and 4: two networks in three color spaces."""
    for network, name in itertools.product(("dense", "conv"), ("rgb", "yuv", "lab")):
        space = spaces.get(name)
        yield _REGRESSION.but(
            name=f"cifar/{name}-{network}-regression",
            build=_dense(space) if network == "dense" else _conv(space),
            space=space,
            schedule={"narrow": 1.0 if network == "dense" else 0.5},
        )


def _classifications():
    """Yield Tables 5 and 6: bins of the published lattice, and the audit's experiments."""
    name = "cifar/lab-conv-classification-{}".format
    for num_bins in (49, 64, 81, 100):
        bins = _lattice(num_bins, centered=False)
        yield _CLASSIFICATION.but(name=name(num_bins), objective={"bins": bins})
    yield from _rebalanced(_CLASSIFICATION)
    # With an even side, the published lattice is already centered.
    for num_bins in (49, 81):
        bins = _lattice(num_bins)
        yield _CLASSIFICATION.but(name=name(f"{num_bins}-centered"), objective={"bins": bins})
    # Figure 9; the paper gives no numbers.
    yield _CLASSIFICATION.but(
        name="cifar/yuv-conv-classification-81",
        build=_conv(spaces.YUV),
        space=spaces.YUV,
        objective={"bins": _lattice(81, space=spaces.YUV, centered=False)},
    )
    # The published bins of Zhang et al., ten units apart: hard codes, as in the paper, then soft
    # codes and mild rebalancing.
    hard = _CLASSIFICATION.but(
        name=name("313-hard"), objective={"bins": lambda images: ColorBins.gamut()}
    )
    yield hard
    yield hard.but(
        name=name(313),
        objective={"neighbors": 5, "uniform_weight": 0.8},
        schedule={"learning_rate": 2e-3, "batch_size": 64},
        data={"validation_split": 0.05},
    )


def _transfers():
    """Yield the experiments with layers of VGG16, or of a substitute without download."""
    for source, mode in itertools.product(_SOURCES, ("frozen", "trainable")):
        layers = features(source, trainable=mode == "trainable")
        name = f"cifar/lab-{source}-{mode}"
        yield _REGRESSION.but(name=f"{name}-regression", build=_conv(features=layers))
        bins = _CLASSIFICATION.but(name=f"{name}-classification-81", build=_conv(features=layers))
        yield bins
        yield from _rebalanced(bins)


def _residual_unet(width, num_bins):
    return models.build_residual_unet(num_bins, widths=scaled(unet.WIDTHS, width), num_classes=10)


def _classifiers():
    """Yield the evaluation classifiers: one as strong as the paper's, and a stronger one."""
    yield Experiment(
        "cifar/vgg-classifier",
        build=lambda width, num_bins: models.build_vgg_classifier(
            widths=scaled(classifier.VGG_WIDTHS, width)
        ),
        objective=Labels(),
        schedule=Schedule(epochs=15),
    )
    yield Experiment(
        "cifar/residual-classifier",
        build=lambda width, num_bins: models.build_residual_classifier(
            widths=scaled(classifier.RESIDUAL_WIDTHS, width)
        ),
        objective=Labels(),
        data=Data(shift=4, validation_split=0.05),
        schedule=Schedule(learning_rate=3e-3, weight_decay=0.2, epochs=30),
    )


# The best model for these images on two cores, `Colorizer.pretrained("cifar10")`.
BEST = Experiment(
    "cifar/lab-residual-unet",
    build=_residual_unet,
    objective=ClassificationAndLabels(
        bins=lambda images: ColorBins.fit(images[:20_000], min(64, len(images) // 2)),
        loss=losses.JointCrossentropy,
        loss_options={"regression_weight": 0.2, "delta": 30.0},
        neighbors=5,
        uniform_weight=0.5,
        label_weight=0.5,
    ),
    data=Data(shift=4, validation_split=0.05),
    schedule=Schedule(learning_rate=3e-3, weight_decay=0.2, epochs=60),
    decoding=Decoding(temperature=None, mirror=True, logit_adjustment=True),
)

# The effect of learning the classes too: the same experiment without them.
_WITHOUT_CLASSES = BEST.but(name=f"{BEST.name}-without-classes", objective={"label_weight": 0.0})

_COLORIZERS = (*_regressions(), *_classifications(), *_transfers(), BEST, _WITHOUT_CLASSES)
ROWS = (
    *(each.but(data={"classifiers": ("vgg", "residual")}) for each in _COLORIZERS),
    *_classifiers(),
)
