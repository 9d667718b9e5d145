import dataclasses

import keras
import numpy as np
import pytest

from colorkit import ColorBins, losses, models
from colorkit.color.edges import MAGNITUDES, gradient_prior
from colorkit.color.priors import color_prior, smooth_prior
from colorkit.data.images import Images
from colorkit.experiments import checkpoints, fit


@pytest.fixture
def row(row):
    return dataclasses.replace(row, uniform_weight=0.5)


@pytest.fixture
def bins():
    return ColorBins.grid(49)


def test_weights_balance_the_prior_that_the_row_asks_for(row, bins, pictures):
    soft = color_prior(pictures, bins, neighbors=5)
    smooth = smooth_prior(color_prior(pictures, bins), bins, 30.0)
    for sigma, prior in ((None, soft), (30.0, smooth)):
        weights = fit.balance(dataclasses.replace(row, prior_sigma=sigma), bins, pictures)
        mixed = 0.5 * prior + 0.5 / bins.num_bins  # weights are its inverse, with a mean of 1
        expected = (1 / mixed) / (prior / mixed).sum()
        np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_gradient_coherence_balances_gradients(row, bins, pictures):
    row = dataclasses.replace(row, loss=losses.GradientCoherence)
    weights = fit.balance(row, bins, pictures)
    assert len(weights) == len(MAGNITUDES) + 1
    prior = gradient_prior(pictures, MAGNITUDES, row.space)
    np.testing.assert_allclose((prior * weights).sum(), 1, rtol=1e-5)


def test_nothing_is_balanced_without_bins_or_where_no_row_asks(row, bins, pictures):
    assert fit.balance(row, None, pictures) is None
    assert fit.balance(dataclasses.replace(row, uniform_weight=None), bins, pictures) is None


def test_whole_batches_leave_out_the_last_part():
    assert [len(fit.whole_batches(range(n), 8)) for n in (5, 8, 15, 16)] == [5, 8, 8, 16]


def test_batches_hold_what_the_target_learns(row, pictures):
    labeled = Images(pictures, labels=np.arange(len(pictures)) % 3)
    count = min(4, len(pictures))

    def first(target):
        return fit.batches(dataclasses.replace(row, target=target), labeled, count)[0]

    lightness, chroma = first("chroma")
    assert lightness.shape[-1] == 1 and chroma.shape[-1] == 2
    assert set(first("both")[1]) == {"chroma", "label"}
    rgb, labels = first("label")
    np.testing.assert_array_equal(np.uint8(rgb * 255 + 0.5), pictures[:count])
    np.testing.assert_array_equal(labels, np.arange(count) % 3)


def test_loss_follows_from_target_bins_and_what_the_row_names(row):
    def named(**changes):
        return fit.loss_class(dataclasses.replace(row, **changes)).__name__

    assert named(target="label") == "SparseCategoricalCrossentropy"
    assert named(target="adversarial") == "Adversarial"
    assert named(loss=losses.JointCrossentropy) == "JointCrossentropy"
    assert named(loss=None) == "RebalancedCrossentropy"
    assert named(loss=None, bins=None) == "MeanSquaredError"


def test_fit_ends_its_cosine_at_zero_and_keeps_its_weights(tmp_path, row, bins, pictures):
    epochs, batch_size = 2, 4
    train = fit.batches(row, pictures, batch_size, augment=True)
    log = checkpoints.EpochLog(tmp_path / "history.jsonl", train, row)
    networks = []

    def build():
        networks.append(models.build_conv_classification(bins.num_bins, blocks=((4,),) * 4))
        return networks[-1]

    fit.fit(row, 0, epochs, None, 0, tmp_path, build, bins, None, log, train,
                fit.batches(row, pictures, batch_size))  # fmt: skip
    optimizer = networks[-1].optimizer
    steps = int(optimizer.iterations)
    assert steps == epochs * len(train) and log.epochs == epochs
    rates = [float(optimizer._learning_rate(step)) for step in range(steps + 1)]
    np.testing.assert_allclose(max(rates), row.learning_rate, rtol=1e-5)
    np.testing.assert_allclose(rates[-1], 0, atol=1e-9)
    assert (tmp_path / checkpoints.BEST).exists() and (tmp_path / checkpoints.LATEST).exists()
    last = keras.models.clone_model(networks[-1])
    last.load_weights(tmp_path / checkpoints.LATEST)
    for kept, learned in zip(last.get_weights(), networks[-1].get_weights(), strict=True):
        np.testing.assert_array_equal(kept, learned)


def test_average_of_the_weights_is_validated_and_kept(tmp_path, row, bins, pictures, eager):
    row = dataclasses.replace(row, average=0.9)
    train = fit.batches(row, pictures, 4, augment=True)
    validation = fit.batches(row, pictures, 4)
    networks, averages, learned = [], [], []

    class Recording(checkpoints.EpochLog):
        """Takes the average after each step, as weights are then."""

        average = None

        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            weights = [np.array(weight, "float64") for weight in self.model.trainable_weights]
            before = weights if self.average is None else self.average
            self.average = [0.9 * a + 0.1 * w for a, w in zip(before, weights, strict=True)]

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            averages.append(self.average)
            learned.append(self.model.get_weights())

    def build():
        networks.append(row.build(0.05, bins.num_bins))
        return networks[-1]

    log = Recording(tmp_path / "history.jsonl", train, row)
    fit.fit(row, 0, 3, None, 0, tmp_path, build, bins, None, log, train, validation)
    network = networks[-1]
    steps = len(train)
    assert len(averages) == 3 and steps == 4
    network.load_weights(tmp_path / checkpoints.BEST)
    for kept, average in zip(network.trainable_weights, averages[log.best_epoch], strict=True):
        np.testing.assert_allclose(kept, average, rtol=1e-4, atol=1e-6)
    loss = network.evaluate(validation, verbose=0)
    assert loss == pytest.approx(log.best_loss, rel=1e-3), "what was validated is what was kept"
    # A run goes on with the weights themselves.
    network.load_weights(tmp_path / checkpoints.LATEST)
    for kept, last in zip(network.get_weights(), learned[-1], strict=True):
        np.testing.assert_array_equal(kept, last)
    last = map(np.array, network.trainable_weights)
    assert any(np.abs(w - a).max() > 1e-3 for w, a in zip(last, averages[-1], strict=True))


@pytest.mark.parametrize(
    ("count", "epochs", "expected"), [(63, 508, 200), (63, 40, 20), (700, 44, 20), (160, 100, 40)]
)
def test_patience_outlasts_the_warm_up_of_few_pictures(row, count, epochs, expected):
    train = fit.batches(row, np.zeros((count, 8, 8, 3), "uint8"), 32, augment=True)
    assert row.patience == 20
    assert fit.patience(row, epochs, train) == expected
