import keras
import numpy as np
import pytest

from colorkit import ColorBins, experiments, losses, models
from colorkit.color.edges import MAGNITUDES, gradient_prior
from colorkit.color.priors import color_prior, smooth_prior
from colorkit.data.images import Images


def lattice(images):
    return ColorBins.grid(49)


@pytest.fixture
def bins():
    return ColorBins.grid(49)


def test_weights_balance_the_prior_that_the_objective_asks_for(bins, pictures):
    soft = color_prior(pictures, bins, neighbors=5)
    smooth = smooth_prior(color_prior(pictures, bins), bins, 30.0)
    for sigma, prior in ((None, soft), (30.0, smooth)):
        objective = experiments.Classification(bins=lattice, uniform_weight=0.5, prior_sigma=sigma)
        weights = objective.weigh(pictures, bins, bins.space)
        mixed = 0.5 * prior + 0.5 / bins.num_bins  # weights are its inverse, with a mean of 1
        expected = (1 / mixed) / (prior / mixed).sum()
        np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_gradient_coherence_balances_gradients(bins, pictures):
    weights = experiments.Coherence(bins=lattice, uniform_weight=0.5).weigh(
        pictures, bins, bins.space
    )
    assert len(weights) == len(MAGNITUDES) + 1
    prior = gradient_prior(pictures, MAGNITUDES, bins.space)
    np.testing.assert_allclose((prior * weights).sum(), 1, rtol=1e-5)


def test_nothing_is_balanced_without_bins_or_uniform_weight(bins, pictures):
    assert experiments.Regression().weigh(pictures, None, bins.space) is None
    assert experiments.Classification(bins=lattice).weigh(pictures, bins, bins.space) is None


def test_batches_hold_what_the_objective_learns(row, pictures):
    labeled = Images(pictures, labels=np.arange(len(pictures)) % 3)
    count = min(4, len(pictures))

    def first(objective):
        return objective.batches(labeled, row, batch_size=count)[0]

    for objective in (experiments.Regression(), experiments.Adversarial()):
        lightness, chroma = first(objective)
        assert lightness.shape[-1] == 1 and chroma.shape[-1] == 2
    assert set(first(experiments.ClassificationAndLabels(bins=lattice))[1]) == {"chroma", "label"}
    rgb, labels = first(experiments.Labels())
    np.testing.assert_array_equal(np.uint8(rgb * 255 + 0.5), pictures[:count])
    np.testing.assert_array_equal(labels, np.arange(count) % 3)


def test_losses_follow_from_the_objective(bins):
    joint = experiments.Classification(
        bins=lattice, loss=losses.JointCrossentropy, loss_options={"delta": 30.0}, neighbors=5
    )
    loss = joint.compile_options(bins, None)["loss"]
    assert isinstance(loss, losses.JointCrossentropy)
    assert (loss.delta, loss.neighbors, loss.bins) == (30.0, 5, bins)
    loss = experiments.Coherence(bins=lattice).compile_options(bins, None)["loss"]
    assert isinstance(loss, losses.GradientCoherence)
    loss = experiments.Regression().compile_options(None, None)["loss"]
    assert isinstance(loss, keras.losses.MeanSquaredError)
    both = experiments.ClassificationAndLabels(bins=lattice, label_weight=0.5).compile_options(
        bins, None
    )
    assert set(both["loss"]) == {"chroma", "label"} and both["loss_weights"]["label"] == 0.5
    assert experiments.Adversarial().compile_options(None, None) == {}


def test_color_comes_from_the_generator_or_the_output_for_chroma():
    network = models.build_residual_unet(
        4, widths=(4, 4), encoder_blocks=(0, 0), decoder_blocks=(0,), num_classes=3
    )
    objective = experiments.ClassificationAndLabels(bins=lattice)
    assert objective.num_classes(network) == 3
    assert objective.coloring(network).output.shape[-1] == 4
    assert experiments.Regression().num_classes(network) is None


def test_feature_regression_adds_the_error_of_its_features(rng):
    def features():
        inputs = keras.Input((None, None, 3))
        return keras.Model(inputs, 3.0 * inputs)

    objective = experiments.FeatureRegression(
        loss_options={"feature_weight": 2.0}, features=features
    )
    true, predicted = rng.random((2, 1, 4, 4, 3)).astype("float32")
    loss = objective.compile_options(None, None)["loss"]
    expected = np.abs(true - predicted).mean() + 2 * 9 * ((true - predicted) ** 2).mean()
    np.testing.assert_allclose(float(loss(true, predicted)), expected, rtol=1e-5)
    assert objective.settings() == {"loss": "FeatureLoss", "loss_options": {"feature_weight": 2.0}}
