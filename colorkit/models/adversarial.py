"""Train a generator, which colors images, with a discriminator of true and predicted colors."""

import math

import keras
import numpy as np
from keras import ops

from colorkit.checks import check_model, check_weight
from colorkit.color.spaces import LAB, RGB, YUV, same_size

OBJECTIVES = ("least_squares", "crossentropy")


@keras.saving.register_keras_serializable(package="colorkit")
class Adversarial(keras.Model):
    """Train two networks against each other with `compile` and `fit`, on every backend.

    The generator learns to predict the true chroma, by the mean absolute error, and to make the
    discriminator classify its colors as real. The discriminator learns to distinguish them. One
    optimizer updates both networks; the gradient of each comes from its own loss alone.
    Predictions are those of the generator, and `Colorizer(adversarial.generator)` colors images.

    Metrics in addition to the loss:

    - "reconstruction": the mean absolute error.
    - "generator_loss": the adversarial part of the generator's loss.
    - "discriminator_loss": the loss of the discriminator.
    - "generator_accuracy": share of predictions that the discriminator classifies as real.
    - "discriminator_accuracy": share of all images that it classifies correctly.

    Args:
        generator: `keras.Model` from lightness to chroma.
        discriminator: `keras.Model` to logits of any shape, from `[lightness, chroma]`, or from
            chroma alone for an unconditional model.
        objective: "least_squares" or "crossentropy".
        reconstruction_weight: Weight of the mean absolute error in chroma units. The adversarial
            loss has weight 1.
        **kwargs: `name`, `dtype` of `keras.Model`.

    Raises:
        ValueError: If the networks or their color spaces do not fit each other, or an option is
            unknown. From `fit`, if the images are too small for the discriminator, or the generator
            returns another size. Also from `fit`, if the target is not chroma alone, or there are
            sample weights or a further loss.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017; Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017.
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        objective="least_squares",
        reconstruction_weight=1.0,
        name=None,
        **kwargs,
    ):
        check_model("generator", generator)
        check_model("discriminator", discriminator)
        super().__init__(name=name or f"{generator.name}_against_{discriminator.name}", **kwargs)
        if objective not in OBJECTIVES:
            raise ValueError(f"`objective` must be one of {OBJECTIVES}. Received: {objective!r}")
        check_weight("reconstruction_weight", reconstruction_weight)
        if not len(generator.inputs) == len(generator.outputs) == 1:
            raise ValueError(
                f"`generator` must have one input and one output. Received {generator.name} with "
                f"{len(generator.inputs)} and {len(generator.outputs)}; are the networks swapped?"
            )
        if generator.inputs[0].shape[-1] != 1:
            raise ValueError(
                "`generator` must take lightness, (height, width, 1). Received "
                f"{generator.name}, which takes {tuple(generator.inputs[0].shape[1:])}; are the "
                "networks swapped?"
            )
        *seen, judged = (tuple(entry.shape) for entry in discriminator.inputs)
        expected = (tuple(generator.input_shape), tuple(generator.output_shape))
        fits = len(seen) < 2 and same_size(expected[-1], judged)
        if not fits or not all(same_size(expected[0], shape) for shape in seen):
            raise ValueError(
                "`discriminator` must take the output of `generator`, or its input and output. "
                f"Received the input shapes {[*seen, judged]} instead of {list(expected)}"
            )
        _check_spaces(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.objective = objective
        self.reconstruction_weight = reconstruction_weight
        self.conditional = len(discriminator.inputs) == 2
        names = ("reconstruction", "generator_loss", "discriminator_loss", "generator_accuracy",
                 "discriminator_accuracy")  # fmt: skip
        self._sizes_that_fit = set()
        self.meters = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True  # both networks are built

    def call(self, lightness, training=False):
        return self.generator(lightness, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.loss is not None:
            raise ValueError(
                "An adversarial model has its own losses, see `objective`: leave `loss` of "
                f"`compile` out. Received: {self.loss!r}"
            )
        if sample_weight is not None:
            raise ValueError(
                "An adversarial model takes no sample weights: leave `near_gray` and "
                "`luminance_gate` of `pairs` out."
            )
        if y is None or isinstance(y, dict):
            raise ValueError(
                "The target of an adversarial model must be chroma alone: leave `labels` of "
                f"`pairs` out. Received: {y if y is None else list(y)}"
            )
        x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        self._check_sizes(x, y, y_pred)
        real = self.discriminator(self._shown(x, y), training=training)
        fake = self.discriminator(self._shown(x, ops.stop_gradient(y_pred)), training=training)
        discriminator_loss = (self._distance(real, 1.0) + self._distance(fake, 0.0)) / 2
        # Repeat the discriminator's prediction, without gradients for its weights on this path.
        frozen = [ops.stop_gradient(v.value) for v in self.discriminator.trainable_variables]
        others = [ops.stop_gradient(v.value) for v in self.discriminator.non_trainable_variables]
        verdict, _ = self.discriminator.stateless_call(
            frozen, others, self._shown(x, y_pred), training=training
        )
        generator_loss = self._distance(verdict, 1.0)
        reconstruction = ops.mean(ops.abs(ops.cast(y, "float32") - ops.cast(y_pred, "float32")))
        count = ops.cast(ops.shape(y)[0], "float32")  # the last batch may have fewer images
        middle = 0.5 if self.objective == "least_squares" else 0.0
        fooled = ops.mean(ops.cast(fake > middle, "float32"))
        seen = ops.mean(ops.cast(real > middle, "float32"))
        for name, value in {
            "reconstruction": reconstruction,
            "generator_loss": generator_loss,
            "discriminator_loss": discriminator_loss,
            "generator_accuracy": fooled,
            "discriminator_accuracy": (seen + 1.0 - fooled) / 2,
        }.items():
            self.meters[name].update_state(value, sample_weight=count)
        total = discriminator_loss + generator_loss + self.reconstruction_weight * reconstruction
        # Results of several devices are added up; a Keras loss divides by the right number.
        share = keras.losses.MeanAbsoluteError()(ops.ones((1, 1)), ops.zeros((1, 1)))
        return share * (total + sum(self.losses))

    def _check_sizes(self, x, y, y_pred):
        """Raise a `ValueError` if the networks do not accept images of this size."""
        size = tuple(x.shape[1:3])
        if None in size or size in self._sizes_that_fit:
            return
        if not same_size(tuple(y.shape), tuple(y_pred.shape)):
            raise ValueError(
                f"The generator {self.generator.name} must predict chroma of the size of the "
                f"images. Received {tuple(y_pred.shape[1:])} instead of {tuple(y.shape[1:])}"
            )
        shown = [(1, *plane.shape[1:]) for plane in (x, y)]
        try:
            verdicts = self.discriminator.compute_output_shape(
                shown if self.conditional else shown[1]
            )
        except ValueError:
            verdicts = (1, 0)
        if 0 in verdicts:
            raise ValueError(
                f"Images of {size[0]} x {size[1]} pixels are too small for the discriminator "
                f"{self.discriminator.name}; use larger images, or another discriminator."
            )
        self._sizes_that_fit.add(size)

    def _shown(self, lightness, chroma):
        return [lightness, chroma] if self.conditional else chroma

    def _distance(self, logits, verdict):
        if self.objective == "least_squares":
            return ops.mean(ops.square(logits - verdict))
        target = verdict * ops.ones_like(logits)
        return ops.mean(ops.binary_crossentropy(target, logits, from_logits=True))

    def get_config(self):
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "objective": self.objective,
            "reconstruction_weight": self.reconstruction_weight,
        }

    @classmethod
    def from_config(cls, config):
        networks = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})


def _check_spaces(generator, discriminator):
    """Raise a `ValueError` if generator and discriminator have different color spaces.

    Shapes do not distinguish Lab from YUV, but the factors of `to_chroma` and `normalize_chroma`
    do.
    """
    spaces = []
    for player, name, power in ((generator, "chroma", 1), (discriminator, "normalize_chroma", -1)):
        for layer in player.layers:
            if layer.name == name and isinstance(layer, keras.layers.Rescaling):
                span = 4 * layer.scale**power
                spaces += [space for space in (LAB, YUV, RGB)
                           if math.isclose(span, np.ptp(space.chroma_range))]  # fmt: skip
    if len(spaces) == 2 and spaces[0] is not spaces[1]:
        raise ValueError(
            "`discriminator` must have the color space of `generator`. Received "
            f"{discriminator.name} of {spaces[1]} and {generator.name} of {spaces[0]}"
        )
