"""Experiments of Champati, Houle and Zhang on CIFAR-10, their audit, and a better model."""

import itertools
import os

from colorkit import losses, models
from colorkit.color import spaces
from colorkit.color.bins import ColorBins
from colorkit.experiments.definition import Data, Decoding, Experiment, Schedule, scaled
from colorkit.experiments.objectives import Classification, ClassificationAndLabels, Labels
from colorkit.models import champati, classifier, unet


def _dense_regression(space):
    return lambda width, num_bins: models.build_dense_regression(
        space=space, filters=scaled(champati.DENSE_FILTERS, width)
    )


def _conv_regression(space=spaces.LAB, features=None):
    return lambda width, num_bins: models.build_conv_regression(
        space=space,
        blocks=scaled(champati.REGRESSION_BLOCKS, width),
        features=features and features(),
    )


def _conv_classification(space=spaces.LAB, features=None):
    return lambda width, num_bins: models.build_conv_classification(
        num_bins,
        space=space,
        blocks=scaled(champati.CLASSIFICATION_BLOCKS, width),
        features=features and features(),
    )


def _bins(num_bins, *, uniform_weight=None, prior_sigma=None, **lattice):
    return Classification(
        bins=lambda images: ColorBins.grid(num_bins, **lattice),
        uniform_weight=uniform_weight,
        prior_sigma=prior_sigma,
    )


def _gamut(images):
    return ColorBins.gamut()


_FILE_OF_VGG16 = (
    "Set COLORKIT_VGG16 to the weights file of VGG16 that Keras downloads (.h5). For the "
    'experiments "vgg1" it may be an .npz file with the `kernel` (3, 3, 3, 64), for BGR input, '
    'and the `bias` of the first convolution. The experiments "own" need no file'
)


def _file_of_vgg16():
    path = os.environ.get("COLORKIT_VGG16", "")
    if path and not os.path.isfile(path):
        raise FileNotFoundError(f"COLORKIT_VGG16 must be the path of a file. Received: {path!r}")
    if path and not path.endswith((".h5", ".npz")):
        raise ValueError(
            f"COLORKIT_VGG16 must end in .h5 or .npz. Received: {path!r}. {_FILE_OF_VGG16}."
        )
    return path


def _vgg16():
    path = _file_of_vgg16()
    return path if path.endswith(".h5") else "imagenet"


def _first_of_vgg16():
    path = _file_of_vgg16()
    if not path.endswith(".npz"):
        raise FileNotFoundError(
            "This experiment starts from the first convolution of VGG16, so COLORKIT_VGG16 must be "
            f"the path of an .npz file. Received: {path!r}. {_FILE_OF_VGG16}."
        )
    return path


# Sources of the first two layers in the transfer experiments. Only the first is the paper's own.
_SOURCES = {
    "vgg": _vgg16,
    "vgg1": _first_of_vgg16,
    "own": lambda: models.load_classifier("vgg"),
}


def _features(source, trainable):
    def build():
        weights = _SOURCES[source]()
        try:
            return models.build_vgg_features(weights, trainable=trainable)
        except ConnectionError as error:
            raise ConnectionError(f"{error} {_FILE_OF_VGG16}.") from error

    return build


def _regressions():
    """Return Tables 3 and 4: two networks in three color spaces."""
    for network, name in itertools.product(("dense", "conv"), ("rgb", "yuv", "lab")):
        space = spaces.get(name)
        yield Experiment(
            f"cifar/{name}-{network}-regression",
            build=(_dense_regression if network == "dense" else _conv_regression)(space),
            space=space,
            schedule=Schedule(epochs=100, narrow=1.0 if network == "dense" else 0.5),
        )


# Rebalancing as the paper describes it: lambda 0.2, a Gaussian of 3 steps of the 9 x 9 lattice.
_REBALANCED = {"uniform_weight": 0.2, "prior_sigma": 3 * 220 / 9}


def _as_published(experiment):
    """Return the same experiment with weights that cancel."""
    return experiment.but(
        name=f"{experiment.name}-as-published", objective={"loss": losses.CancellingCrossentropy}
    )


def _classifications():
    """Return Tables 5 and 6: bins of the published lattice, and the audit's experiments."""
    name = "cifar/lab-conv-classification-{}".format
    for num_bins in (49, 64, 81, 100):
        yield Experiment(
            name(num_bins),
            build=_conv_classification(),
            objective=_bins(num_bins, centered=False),
        )
    rebalanced = Experiment(
        name("81-rebalanced"),
        build=_conv_classification(),
        objective=_bins(81, centered=False, **_REBALANCED),
    )
    yield rebalanced
    yield _as_published(rebalanced)
    # With an even side, the published lattice is already centered.
    for num_bins in (49, 81):
        yield Experiment(
            name(f"{num_bins}-centered"), build=_conv_classification(), objective=_bins(num_bins)
        )
    # Figure 9; the paper gives no numbers.
    yield Experiment(
        "cifar/yuv-conv-classification-81",
        build=_conv_classification(spaces.YUV),
        space=spaces.YUV,
        objective=_bins(81, space=spaces.YUV, centered=False),
    )
    # The published bins of Zhang et al., ten units apart: hard codes, as in the paper, then soft
    # codes and mild rebalancing.
    yield Experiment(
        name("313-hard"), build=_conv_classification(), objective=Classification(bins=_gamut)
    )
    yield Experiment(
        name(313),
        build=_conv_classification(),
        objective=Classification(bins=_gamut, neighbors=5, uniform_weight=0.8),
        schedule=Schedule(learning_rate=2e-3, batch_size=64),
        data=Data(validation_split=0.05),
    )


def _transfers():
    """Return the experiments with layers of VGG16, or of a substitute without download."""
    kinds = ("regression", "classification-81", "classification-81-rebalanced")
    for source in _SOURCES:
        for mode, kind in itertools.product(("frozen", "trainable"), kinds):
            features = _features(source, trainable=mode == "trainable")
            if kind == "regression":
                options = {
                    "build": _conv_regression(features=features),
                    "schedule": Schedule(epochs=100, narrow=0.5),
                }
            else:
                weights = _REBALANCED if kind.endswith("rebalanced") else {}
                options = {
                    "build": _conv_classification(features=features),
                    "objective": _bins(81, centered=False, **weights),
                }
            name = f"cifar/lab-{source}-{mode}-{kind}"
            transfer = Experiment(name, **options)
            yield transfer
            if kind.endswith("rebalanced"):
                yield _as_published(transfer)


def _residual_unet(width, num_bins):
    return models.build_residual_unet(num_bins, widths=scaled(unet.WIDTHS, width), num_classes=10)


def _classifiers():
    """Return the evaluation classifiers: one as strong as the paper's, and a stronger one."""
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
