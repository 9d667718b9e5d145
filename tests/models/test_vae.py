import keras
import numpy as np
import pytest

from colorkit.metrics.distances import mean_divergence
from colorkit.models.vae import Posterior, build_vae, divergence


def test_divergence_equals_the_closed_form_of_two_gaussians(rng):
    mean, deviation = rng.normal(size=(5, 3)), rng.uniform(0.2, 3, (5, 3))
    # KL(N(m, s) || N(0, 1)) = log(1 / s) + (s^2 + m^2) / 2 - 1 / 2, dimension by dimension.
    expected = (np.log(1 / deviation) + (deviation**2 + mean**2) / 2 - 0.5).sum(axis=-1)
    found = divergence(mean.astype("float32"), 2 * np.log(deviation).astype("float32"))
    np.testing.assert_allclose(np.array(found), expected, rtol=1e-4)


def test_posterior_samples_in_training_and_returns_the_mean_in_inference():
    mean, log_variance = np.full((20_000, 1), 3.0, "f4"), np.full((20_000, 1), np.log(4.0), "f4")
    layer = Posterior()
    np.testing.assert_array_equal(np.array(layer([mean, log_variance])), mean)
    samples = np.array(layer([mean, log_variance], training=True))
    assert samples.mean() == pytest.approx(3, abs=0.1) and samples.std() == pytest.approx(
        2, abs=0.1
    )


def test_trained_vae_finds_noise_less_typical_than_images(rng, pictures):
    keras.utils.set_random_seed(0)
    vae = build_vae(input_shape=(16, 16, 3), widths=(8, 16), latent=8, divergence_weight=1e-3)
    vae.compile(keras.optimizers.Adam(3e-3), loss="mse", jit_compile=False)
    rgb = np.float32(pictures / 255)
    often = np.tile(rgb, (20, 1, 1, 1))
    losses = vae.fit(often, often, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
    noise = np.float32(rng.random((16, 16, 16, 3)) > 0.5)
    assert mean_divergence(vae, noise) > mean_divergence(vae, pictures) > 0


def test_indivisible_sides_raise():
    for shape in ((30, 32, 3), (None, None, 3)):
        with pytest.raises(ValueError, match="divisible by 8"):
            build_vae(input_shape=shape)


def test_divergence_weight_is_finite_and_non_negative():
    for weight in (-1e-4, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"`divergence_weight` must be .*{weight}"):
            build_vae(divergence_weight=weight)
