"""Objectives: what a network learns, its batches and loss, and the network that colors."""

import dataclasses
from collections.abc import Callable

import keras

from colorkit import losses, models
from colorkit.color.edges import MAGNITUDES, gradient_prior
from colorkit.color.priors import class_weights, color_prior, smooth_prior
from colorkit.data.batches import labeled, pairs
from colorkit.data.images import typical


@dataclasses.dataclass(frozen=True)
class Regression:
    """Learn chroma.

    Example:
        >>> Regression(keras.losses.MeanAbsoluteError).monitor
        'val_loss'
    """

    loss: type = keras.losses.MeanSquaredError
    loss_options: dict = dataclasses.field(default_factory=dict)  # arguments of `loss`

    bins = None
    colors = True  # whether the trained network colors images
    monitor = "val_loss"  # its lowest value marks the best weights

    def batches(self, images, experiment, *, labels=False, **options):
        """Return training batches of images, see `pairs`."""
        names = ("near_gray", "luminance_gate", "crop", "zoom", "context", "aging")
        options |= {name: getattr(experiment.data, name) for name in names}
        return pairs(images, space=experiment.space, labels=labels, **options)

    def weigh(self, images, bins, space):
        """Compute weights of the classes from their frequency in images, or `None`."""

    def compile_options(self, bins, weights):
        """Return losses, their weights and metrics, as arguments of `compile`."""
        return {"loss": self.loss(**self.loss_options)}

    def coloring(self, network):
        """Return the part of the trained network that predicts colors."""
        return network

    def num_classes(self, network):
        """Return the number of classes that the network knows, or `None`."""

    def settings(self):
        """Return the fields that trained weights depend on, as JSON values."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("bins", "features"):  # functions; the bins themselves are saved with the run
            fields.pop(name, None)
        return fields | {"loss": self.loss.__name__}


@dataclasses.dataclass(frozen=True)
class FeatureRegression(Regression):
    """Learn RGB by its own error and by that of a classifier's features.

    Example:
        >>> FeatureRegression(features=lambda: None).loss.__name__
        'FeatureLoss'
    """

    loss: type = losses.FeatureLoss
    features: Callable = dataclasses.field(kw_only=True)  # builds the network of the features

    def compile_options(self, bins, weights):
        return {"loss": self.loss(self.features(), **self.loss_options)}


@dataclasses.dataclass(frozen=True)
class Classification(Regression):
    """Learn a distribution over color bins.

    Example:
        >>> Classification(bins=lambda images: ck.ColorBins.gamut(), neighbors=5).neighbors
        5
    """

    loss: type = losses.RebalancedCrossentropy
    bins: Callable = dataclasses.field(kw_only=True)  # from the training images to `ColorBins`
    neighbors: int = 1  # number of bins per pixel in the soft code; 1 is a hard code
    uniform_weight: float | None = None  # lambda of `class_weights`; `None` does not rebalance
    # Sigma of `smooth_prior` in chroma units; `None` takes the prior of soft codes.
    prior_sigma: float | None = None

    def weigh(self, images, bins, space):
        if self.uniform_weight is None:
            return None
        return class_weights(self._prior(typical(images), bins, space), self.uniform_weight)

    def _prior(self, images, bins, space):
        if self.prior_sigma is None:
            return color_prior(images, bins, neighbors=max(5, self.neighbors))
        return smooth_prior(color_prior(images, bins), bins, self.prior_sigma)

    def compile_options(self, bins, weights):
        options = {"class_weights": weights, "neighbors": self.neighbors, **self.loss_options}
        return {"loss": self.loss(bins=bins, **options)}


@dataclasses.dataclass(frozen=True)
class Coherence(Classification):
    """Learn a distribution over color bins whose decoded gradients are those of the image.

    `uniform_weight` rebalances sizes of gradients instead of colors.

    Example:
        >>> Coherence(bins=lambda images: ck.ColorBins.gamut()).loss.__name__
        'GradientCoherence'
    """

    loss: type = losses.GradientCoherence

    def _prior(self, images, bins, space):
        return gradient_prior(images, self.loss_options.get("magnitudes", MAGNITUDES), space)

    def compile_options(self, bins, weights):
        return {"loss": self.loss(bins=bins, class_weights=weights, **self.loss_options)}


@dataclasses.dataclass(frozen=True)
class ClassificationAndLabels(Classification):
    """Learn a distribution over color bins, and the class of each image beside it.

    Example:
        >>> bins = {"bins": lambda images: ck.ColorBins.gamut()}
        >>> ClassificationAndLabels(**bins, label_weight=0.1).monitor
        'val_chroma_loss'
    """

    label_weight: float = 0.0  # weight of the classes' loss

    monitor = "val_chroma_loss"

    def batches(self, images, experiment, **options):
        return super().batches(images, experiment, labels=True, **options)

    def compile_options(self, bins, weights):
        return {
            "loss": {"chroma": super().compile_options(bins, weights)["loss"], "label": _classes()},
            "loss_weights": {"chroma": 1.0, "label": self.label_weight},
            "metrics": {"label": ["accuracy"]},
        }

    def coloring(self, network):
        return keras.Model(network.inputs[0], network.output["chroma"], name=network.name)

    def num_classes(self, network):
        return network.output["label"].shape[-1]


@dataclasses.dataclass(frozen=True)
class Adversarial(Regression):
    """Learn chroma against a discriminator; `build` returns a `models.Adversarial`.

    Example:
        >>> Adversarial().compile_options(None, None)
        {}
    """

    loss: type = models.Adversarial

    monitor = None  # no loss shows which weights are best, so the last ones are used

    def compile_options(self, bins, weights):
        return {}

    def coloring(self, network):
        return network.generator


@dataclasses.dataclass(frozen=True)
class Labels(Regression):
    """Learn the class of each image, for an evaluation classifier.

    Example:
        >>> Labels().colors
        False
    """

    loss: type = keras.losses.SparseCategoricalCrossentropy

    colors = False

    def batches(self, images, experiment, **options):
        return labeled(images, crop=experiment.data.crop, zoom=experiment.data.zoom, **options)

    def compile_options(self, bins, weights):
        return {"loss": _classes(), "metrics": ["accuracy"]}

    def num_classes(self, network):
        return network.output.shape[-1]


def _classes():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
