"""A variational autoencoder of color images, to measure how typical images are.

Kingma, Welling, "Auto-Encoding Variational Bayes", ICLR 2014. Sinigaglia, Bertipaglia, Colato,
"Image Colorization", use the density that it estimates as a metric.
"""

import math

import keras
from keras import layers, ops

from colorkit.checks import check_weight
from colorkit.models.blocks import conv_norm


@keras.saving.register_keras_serializable(package="colorkit")
class Posterior(layers.Layer):
    """Sample from the Gaussian of a mean and a log variance, and add its divergence as a loss.

    `Posterior()([mean, log_variance])` takes two tensors `(N, latent)` and returns a sample in
    training, and the mean in inference. `weight` is that of the divergence.
    """

    def __init__(self, weight=1.0, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.weight = weight
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        mean, log_variance = inputs
        self.add_loss(self.weight * ops.mean(divergence(mean, log_variance)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        return mean + ops.exp(log_variance / 2) * noise

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "seed": self.seed}


def divergence(mean, log_variance):
    """Compute the Kullback-Leibler divergence from the standard normal, in nats, shape `(N,)`."""
    terms = ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def build_vae(
    *, input_shape=(32, 32, 3), widths=(32, 64, 128), latent=64, divergence_weight=1e-4, name="vae"
):
    """Build a variational autoencoder of RGB images.

    Args:
        input_shape: `(H, W, 3)`, both sides divisible by `2 ** len(widths)`.
        widths: Channels after each halving of the size.
        latent: Number of latent dimensions.
        divergence_weight: Weight of the divergence in nats; the mean squared error has weight 1.

    Returns:
        `keras.Model` from RGB `(H, W, 3)` in [0, 1] to RGB in [0, 1], to be compiled with the mean
        squared error. Its layers "mean" and "log_variance" are the posterior, see
        `distances.mean_divergence`.

    Raises:
        ValueError: If the sides do not fit, or the weight is negative.

    References:
        Kingma, Welling, "Auto-Encoding Variational Bayes", ICLR 2014.

    Example:
        >>> build_vae().output_shape
        (None, 32, 32, 3)
    """
    check_weight("divergence_weight", divergence_weight)
    step = 2 ** len(widths)
    if not all(side and side % step == 0 for side in input_shape[:2]):
        raise ValueError(
            f"`input_shape` must have sides divisible by {step}. Received: {input_shape}"
        )
    inputs = keras.Input(input_shape, name="rgb")
    x = layers.Rescaling(2.0, offset=-1.0, name="normalize")(inputs)
    for i, width in enumerate(widths):
        x = conv_norm(x, width, strides=2, name=f"encoder{i}")
    small = x.shape[1:]
    x = layers.Flatten(name="flatten")(x)
    mean = layers.Dense(latent, dtype="float32", name="mean")(x)
    log_variance = layers.Dense(latent, dtype="float32", name="log_variance")(x)
    x = Posterior(divergence_weight, name="posterior")([mean, log_variance])
    x = layers.Dense(math.prod(small), activation="relu", name="enlarge")(x)
    x = layers.Reshape(small, name="reshape")(x)
    for i, width in enumerate(reversed(widths)):
        x = layers.UpSampling2D(interpolation="bilinear", name=f"up{i}")(x)
        x = conv_norm(x, width, name=f"decoder{i}")
    rgb = layers.Conv2D(3, 3, padding="same", activation="sigmoid", dtype="float32", name="rgb_out")
    return keras.Model(inputs, rgb(x), name=name)
