import keras
import numpy as np
import pytest

from colorkit import ColorBins
from colorkit.experiments import checkpoints, fit


@pytest.fixture
def row(row):
    return row.but(objective={"uniform_weight": 0.5})


@pytest.fixture
def bins():
    return ColorBins.grid(49)


def options(row, folder, bins):
    return {
        "schedule": row.schedule,
        "losses": row.objective.compile_options(bins, None),
        "folder": folder,
        "seed": 0,
        "verbose": 0,
    }


def test_validation_batches_leave_out_the_last_partial_batch(row):
    images = np.zeros((16, 8, 8, 3), "uint8")
    sizes = [len(fit.validation_batches(row, images[:n], 8).images) for n in (5, 8, 15, 16)]
    assert sizes == [5, 8, 8, 16]


def test_training_batches_show_as_many_images_as_an_epoch_has(row, pictures):
    row = row.but(data={"epoch_images": 8})
    assert len(fit.training_batches(row, pictures, 4, seed=0)) == 2


def test_fit_ends_its_cosine_at_zero_and_keeps_its_weights(tmp_path, row, bins, pictures):
    epochs, batch_size = 2, 4
    train = fit.training_batches(row, pictures, batch_size, seed=0)
    log = checkpoints.EpochLog(tmp_path / "history.jsonl", train, "val_loss")
    networks = []

    def build():
        networks.append(row.build(0.05, bins.num_bins))
        return networks[-1]

    validation = fit.validation_batches(row, pictures, batch_size)
    fit.fit(build, train, validation, log=log, epochs=epochs, **options(row, tmp_path, bins))
    optimizer = networks[-1].optimizer
    steps = int(optimizer.iterations)
    assert steps == epochs * len(train) and log.epochs == epochs
    rates = [float(optimizer._learning_rate(step)) for step in range(steps + 1)]
    np.testing.assert_allclose(max(rates), row.schedule.learning_rate, rtol=1e-5)
    np.testing.assert_allclose(rates[-1], 0, atol=1e-9)
    assert (tmp_path / checkpoints.BEST).exists() and (tmp_path / checkpoints.LATEST).exists()
    last = keras.models.clone_model(networks[-1])
    last.load_weights(tmp_path / checkpoints.LATEST)
    for kept, learned in zip(last.get_weights(), networks[-1].get_weights(), strict=True):
        np.testing.assert_array_equal(kept, learned)


def test_average_of_the_weights_is_validated_and_kept(tmp_path, row, bins, pictures, eager):
    row = row.but(schedule={"average": 0.9})
    train = fit.training_batches(row, pictures, 4, seed=0)
    validation = fit.validation_batches(row, pictures, 4)
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

    log = Recording(tmp_path / "history.jsonl", train, "val_loss")
    fit.fit(build, train, validation, log=log, epochs=3, **options(row, tmp_path, bins))
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
    train = fit.training_batches(row, np.zeros((count, 8, 8, 3), "uint8"), 32, seed=0)
    assert row.schedule.patience == 20
    assert fit.patience(row.schedule, epochs, train) == expected
