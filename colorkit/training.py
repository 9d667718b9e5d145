"""Run an experiment: train or resume it, evaluate it, write its record."""

import contextlib
import json
import time
from pathlib import Path

import keras
import numpy as np

from colorkit import experiments, hardware, results
from colorkit.colorizer import Colorizer
from colorkit.data import load, pairs
from colorkit.evaluation import evaluate
from colorkit.losses import RebalancedCrossentropy
from colorkit.rebalancing import class_weights, color_prior


def run(experiment, profile=None, *, seed=0, epochs=None, devices=None, verbose="auto"):
    """Train or resume one experiment, evaluate it on its test set and write its record.

    What was trained lies in `runs/PROFILE/EXPERIMENT/seedN` of the checkout, or of the working
    directory: a checkpoint after each epoch, the best weights by validation loss, and in the end
    `colorizer.keras`. A run that was interrupted goes on at its last epoch; one that is complete
    is not trained again.

    Args:
        experiment: Name, a row of `colorkit.experiments.EXPERIMENTS`, or an `Experiment`.
        profile: "smoke", "quick", "full" or `None`, see `colorkit.profile`.
        seed: Seed of weights, order and augmentation.
        epochs: Number of epochs, where neither the experiment's nor the profile's will do.
        devices: Devices to train on, such as `["gpu:0", "gpu:1"]`; `None` for all accelerators.
        verbose: Progress bar, as `fit` takes it.

    Returns:
        `(colorizer, record)`.

    Raises:
        ValueError: If the experiment or profile is unknown.
        RuntimeError: If the same run is under way in another process.
    """
    experiment = experiments.experiment(experiment)
    profile = experiments.profile(profile)
    epochs = epochs or min(profile.epochs or experiment.epochs, experiment.epochs)
    folder = results.home() / "runs" / profile.name / experiment.name / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _run(experiment, profile, seed, epochs, devices, verbose, folder)


def _run(experiment, profile, seed, epochs, devices, verbose, folder):
    train, validation, test = _pictures(experiment, profile, seed)
    bins = experiment.bins() if experiment.bins else None
    options = {"space": experiment.space, "batch_size": min(experiment.batch_size, len(train))}
    train_pairs = pairs(train, augment=True, seed=seed, **options)
    log = _EpochLog(folder / "history.jsonl", train_pairs)
    finished = log.epochs >= epochs and (folder / "best.weights.h5").exists()
    if not finished:
        _fit(experiment, profile, seed, epochs, devices, verbose, folder, bins, log,
             train, train_pairs, pairs(validation, **options))  # fmt: skip

    # Rebuilt in float32: what was trained in a mixed precision must run anywhere.
    with _precision("float32"):
        network = experiment.build(profile.width, bins and bins.num_bins)
    network.load_weights(folder / "best.weights.h5")
    colorizer = Colorizer(
        network,
        space=experiment.space,
        bins=bins,
        temperature=experiment.temperature,
        size=max(train.shape),
    )
    colorizer.save(folder / "colorizer.keras")
    record = results.Record(
        experiment=experiment.name,
        profile=profile.name,
        data=train.name,
        sizes={"train": len(train), "validation": len(validation), "test": len(test)},
        seed=seed,
        epochs=log.epochs,
        images_seen=log.epochs * len(train_pairs) * train_pairs.batch_size,
        minutes=log.seconds / 60,
        parameters=network.count_params(),
        metrics=evaluate(colorizer, test),
        settings={
            "temperature": experiment.temperature,
            "learning_rate": experiment.learning_rate,
            "batch_size": train_pairs.batch_size,
            "width": profile.width,
            "precision": hardware.fast_precision(),
            "best_epoch": log.best_epoch,
            "validation_loss": log.best_loss,
        },
        **results.circumstances(),
    )
    results.save(record)
    return colorizer, record


def _fit(experiment, profile, seed, epochs, devices, verbose, folder, bins, log,
         train, train_pairs, validation_pairs):  # fmt: skip
    keras.utils.set_random_seed(seed)
    if bins is None:
        loss = keras.losses.MeanSquaredError()
    else:
        weights = None
        if experiment.uniform_weight is not None:
            prior = color_prior(np.asarray(train), bins, neighbors=max(5, experiment.neighbors))
            weights = class_weights(prior, experiment.uniform_weight)
        loss = RebalancedCrossentropy(bins, weights, neighbors=experiment.neighbors)
    steps = epochs * len(train_pairs)
    warmup = min(200, steps // 2)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=experiment.learning_rate, warmup_steps=warmup
    )
    with _precision(hardware.fast_precision()), distributed(devices) as synchronize:
        network = experiment.build(profile.width, bins and bins.num_bins)
        synchronize(network)
        network.compile(keras.optimizers.Adam(schedule), loss, jit_compile=hardware.jit_compile())
    network.fit(
        train_pairs,
        validation_data=validation_pairs,
        epochs=epochs,
        shuffle=False,  # the pairs shuffle themselves
        verbose=verbose,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                folder / "best.weights.h5",
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=log.best_loss,
            ),
            log,
            keras.callbacks.BackupAndRestore(
                str(folder / "backup"), double_checkpoint=True, delete_checkpoint=False
            ),
            keras.callbacks.TerminateOnNaN(),
        ],
    )


def _pictures(experiment, profile, seed):
    """Pictures for training, validation and test; the first two are apart by picture."""
    name = profile.data or experiment.data
    pool = load(name, "train", size=experiment.size)
    order = np.random.default_rng(seed).permutation(len(pool))
    count = max(1, round(experiment.validation_split * len(pool)))
    validation, train = pool[order[:count]], pool[order[count:]]
    test = load(name, "test", size=experiment.size)
    return (
        train[: profile.train],
        validation[: profile.validation],
        test[: profile.test],
    )


class _EpochLog(keras.callbacks.Callback):
    """A line of JSON an epoch: what it measured and how long it took. Survives interruption."""

    def __init__(self, path, train_pairs):
        super().__init__()
        self.path = Path(path)
        self.train_pairs = train_pairs
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.rows = {row["epoch"]: row for row in map(json.loads, lines)}

    @property
    def epochs(self):
        return len(self.rows)

    @property
    def seconds(self):
        return sum(row["seconds"] for row in self.rows.values())

    @property
    def best_epoch(self):
        return min(self.rows, key=lambda epoch: self.rows[epoch]["val_loss"], default=None)

    @property
    def best_loss(self):
        return self.rows[self.best_epoch]["val_loss"] if self.rows else None

    def on_epoch_begin(self, epoch, logs=None):
        self.train_pairs.epoch = epoch  # after a resume, the order that this epoch would have had
        self._start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch, "seconds": round(time.monotonic() - self._start, 3)}
        row.update({key: float(value) for key, value in (logs or {}).items()})
        self.rows[epoch] = row
        with open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")


@contextlib.contextmanager
def distributed(devices=None):
    """Context in which a model is built for all accelerators, or for the given devices.

    Args:
        devices: Names such as `["gpu:0", "gpu:1"]`; `None` for all GPUs or the TPU there is.

    Yields:
        Function that makes a model's batch normalisation use the statistics of the whole batch,
        so that several devices compute what one would.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if devices is None and tf.config.list_logical_devices("TPU"):
            strategy = tf.distribute.TPUStrategy()
        else:
            devices = devices or [d.name for d in tf.config.list_logical_devices("GPU")]
            strategy = tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else None
        with strategy.scope() if strategy else contextlib.nullcontext():
            yield _synchronize if strategy else lambda model: None
    elif backend == "jax":
        devices = devices or keras.distribution.list_devices()
        previous = keras.distribution.distribution()
        if len(devices) > 1:
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        try:
            yield lambda model: None  # a sharded batch is one batch already
        finally:
            keras.distribution.set_distribution(previous)
    else:
        yield lambda model: None


def _synchronize(model):
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


@contextlib.contextmanager
def _alone(folder):
    """Refuse to run where another process runs already; its lock ends with the process."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(
                f"This experiment is already running in another process ({folder}). Wait for it, "
                "or choose another seed."
            ) from None
        yield


@contextlib.contextmanager
def _precision(policy):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)
