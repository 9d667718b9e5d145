"""Train a generator, which colors images, with a discriminator of true and predicted colors."""

import math

import keras
from keras import ops

from colorkit.checks import check_weight
from colorkit.color.spaces import same_size

OBJECTIVES = ("least_squares", "crossentropy")
_METRICS = ("reconstruction", "generator_loss", "discriminator_loss", "generator_accuracy",
            "discriminator_accuracy")  # fmt: skip


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
    - "generator_accuracy": share of the discriminator's logits, one per predicted image or patch,
      that say real.
    - "discriminator_accuracy": share of all its logits that are correct.

    Args:
        generator: `keras.Model` from lightness to chroma.
        discriminator: `keras.Model` to logits of any shape, from `[lightness, chroma]`, or from
            chroma alone for an unconditional model.
        objective: "least_squares" or "crossentropy".
        reconstruction_weight: Weight of the mean absolute error in chroma units. The adversarial
            loss has weight 1.
        **kwargs: `name`, `dtype` of `keras.Model`.

    Raises:
        ValueError: If the networks or their color spaces do not fit each other. From `fit`, if they
            do not fit the images, or the target is not chroma alone.

    References:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
        2017; Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017.

    Example:
        >>> generator = build_pix2pix_generator(widths=(8, 8, 8))
        >>> model = Adversarial(generator, build_patch_discriminator(widths=(8, 8, 8)))
        >>> model.compile(keras.optimizers.Adam(2e-4, beta_1=0.5))
        >>> colorizer = ck.Colorizer(model.generator)  # after `model.fit(ck.pairs(images))`
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
        super().__init__(name=name or f"{generator.name}_against_{discriminator.name}", **kwargs)
        if objective not in OBJECTIVES:
            raise ValueError(f"`objective` must be one of {OBJECTIVES}. Received: {objective!r}")
        check_weight("reconstruction_weight", reconstruction_weight)
        _check_networks(generator, discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.objective = objective
        self.reconstruction_weight = reconstruction_weight
        self.conditional = len(discriminator.inputs) == 2
        self.meters = {name: keras.metrics.Mean(name=name) for name in _METRICS}
        self.built = True  # both networks are built

    def call(self, lightness, training=False):
        return self.generator(lightness, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.loss is not None or sample_weight is not None or isinstance(y, dict):
            raise ValueError(
                "An adversarial model has its own losses, and its target is chroma alone: leave "
                "`loss` of `compile`, sample weights, and `labels`, `near_gray` and "
                "`luminance_gate` of `pairs` out."
            )
        x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        if not same_size(tuple(y.shape), tuple(y_pred.shape)):
            raise ValueError(
                f"The generator {self.generator.name} must predict chroma of the size of the "
                f"images. Received {tuple(y_pred.shape[1:])} instead of {tuple(y.shape[1:])}"
            )
        try:  # some backends compute an empty output
            shapes = self._input(tuple(x.shape), tuple(y.shape))
            is_empty = 0 in self.discriminator.compute_output_shape(shapes)
        except ValueError:
            is_empty = True
        if is_empty:
            raise ValueError(
                f"Images of {x.shape[1]} x {x.shape[2]} pixels are too small for the discriminator "
                f"{self.discriminator.name}; use larger images, or another discriminator."
            )
        real = self.discriminator(self._input(x, y), training=training)
        fake = self.discriminator(self._input(x, ops.stop_gradient(y_pred)), training=training)
        discriminator_loss = (self._distance(real, 1.0) + self._distance(fake, 0.0)) / 2
        # Repeat the discriminator's prediction, without gradients for its weights on this path.
        frozen = [ops.stop_gradient(v.value) for v in self.discriminator.trainable_variables]
        others = [ops.stop_gradient(v.value) for v in self.discriminator.non_trainable_variables]
        logits, _ = self.discriminator.stateless_call(
            frozen, others, self._input(x, y_pred), training=training
        )
        generator_loss = self._distance(logits, 1.0)
        reconstruction = ops.mean(ops.abs(ops.cast(y, "float32") - ops.cast(y_pred, "float32")))
        count = ops.cast(ops.shape(y)[0], "float32")  # the last batch may have fewer images
        middle = 0.5 if self.objective == "least_squares" else 0.0
        fooled = ops.mean(ops.cast(fake > middle, "float32"))
        recognized = ops.mean(ops.cast(real > middle, "float32"))
        accuracy = (recognized + 1.0 - fooled) / 2
        values = (reconstruction, generator_loss, discriminator_loss, fooled, accuracy)
        for name, value in zip(_METRICS, values, strict=True):
            self.meters[name].update_state(value, sample_weight=count)
        total = discriminator_loss + generator_loss + self.reconstruction_weight * reconstruction
        # Results of several devices are added up; a Keras loss divides by the right number.
        share = keras.losses.MeanAbsoluteError()(ops.ones((1, 1)), ops.zeros((1, 1)))
        return share * (total + sum(self.losses))

    def _input(self, lightness, chroma):
        return [lightness, chroma] if self.conditional else chroma

    def _distance(self, logits, label):
        if self.objective == "least_squares":
            return ops.mean(ops.square(logits - label))
        target = label * ops.ones_like(logits)
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


def _check_networks(generator, discriminator):
    """Raise a `ValueError` unless two networks are a generator and its discriminator."""
    given = [tuple(each.shape) for each in discriminator.inputs]
    expected = [tuple(each.shape) for each in (*generator.inputs, *generator.outputs)]
    fits = all(map(same_size, expected[-len(given) :], given))
    if not fits or len(given) > len(expected) or [shape[-1] for shape in expected[:-1]] != [1]:
        raise ValueError(
            "`generator` must take lightness (height, width, 1), and `discriminator` the output of "
            f"`generator`, or its input and output. Received {generator.name} with {expected} and "
            f"{discriminator.name}, which takes {given}; are the networks swapped?"
        )
    # Shapes do not distinguish Lab from YUV, but the factors of `to_chroma` and
    # `normalize_chroma` do.
    scales = [
        layer.scale
        for network, name in ((generator, "chroma"), (discriminator, "normalize_chroma"))
        for layer in network.layers
        if layer.name == name and isinstance(layer, keras.layers.Rescaling)
    ]
    if len(scales) == 2 and not math.isclose(math.prod(scales), 1):
        raise ValueError(
            "`discriminator` must have the color space of `generator`. Received "
            f"{discriminator.name} and {generator.name}, whose ranges of chroma differ"
        )
