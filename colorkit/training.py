"""Run an experiment: train or resume it, evaluate it, write its record."""

import functools
import json

import keras
import numpy as np

from colorkit import evaluation, experiments, hardware, results, runs
from colorkit.bins import ColorBins
from colorkit.colorizer import Colorizer
from colorkit.data import load
from colorkit.evaluation import (
    evaluate,
    evaluate_classifier,
    measure_baselines,
    temperature_curve,
)
from colorkit.files import round_kernels, save_model, written_whole
from colorkit.losses import RebalancedCrossentropy
from colorkit.models import load_classifier
from colorkit.pipeline import labeled, pairs
from colorkit.rebalancing import class_weights, color_prior, smooth_prior


def run(experiment, profile=None, *, seed=0, epochs=None, devices=None, verbose="auto"):
    """Train or resume one experiment, evaluate it on its test set and write its record.

    What was trained lies in `runs/PROFILE/EXPERIMENT/seedN` of the checkout, or of the working
    directory: a checkpoint after each epoch, the best weights by validation loss, and in the end
    `colorizer.keras`, or `classifier.keras` of an experiment that learns labels. A run that was
    interrupted goes on at its last epoch; one that is complete is not trained again.

    Args:
        experiment: Name, a row of `colorkit.experiments.EXPERIMENTS`, or an `Experiment`.
        profile: "smoke", "quick", "full" or `None`, see `colorkit.profile`.
        seed: Seed of weights, order and augmentation.
        epochs: Number of epochs, where neither the experiment's nor the profile's will do.
        devices: Devices to train on, such as `["gpu:0", "gpu:1"]`; `None` for all accelerators.
        verbose: Progress bar, as `fit` takes it.

    Returns:
        `(colorizer, record)`: a `Colorizer`, or the `keras.Model` of a classifier.

    Raises:
        ValueError: If the experiment or profile is unknown, `epochs` or `seed` make no sense, or
            the run was begun with other settings.
        RuntimeError: If the same run is under way in another process, or its loss is no number.
        FileNotFoundError, ConnectionError: If weights that the experiment starts from, or its
            data, cannot be had; the message says how they can.
    """
    experiment = experiments.experiment(experiment)
    profile = experiments.profile(profile)
    if epochs is None:
        epochs = min(profile.epochs or experiment.epochs, experiment.epochs)
    for name, value, least in (("epochs", epochs, 1), ("seed", seed, 0)):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(
                f"`{name}` must be a whole number from {least} on. Received: {value!r}"
            )
    folder = results.home() / "runs" / profile.name / experiment.name / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    with runs.alone(folder):
        return _run(experiment, profile, seed, epochs, devices, verbose, folder)


def _run(experiment, profile, seed, epochs, devices, verbose, folder):
    train, validation, test = _pictures(experiment, profile, seed)
    batch_size = min(experiment.batch_size, len(train))
    train_pairs = _batches(
        experiment, train, batch_size, augment=True, shift=experiment.shift, seed=seed
    )
    bins = _bins(experiment, train, folder)
    build = functools.partial(experiment.build, experiment.width(profile), bins and bins.num_bins)
    # In float32: what was trained in a mixed precision must run anywhere.
    with hardware.precision("float32"):
        network = build()
    begun = runs.begin(
        folder, _settings(experiment, profile, epochs, network, train_pairs, validation, test)
    )
    log = runs.EpochLog(folder / "history.jsonl", train_pairs, experiment)
    runs.mend(folder, log)
    done = log.epochs >= epochs or log.is_stuck
    record = _record(folder)
    if done and record is not None:
        return _load(experiment, folder), record

    classifiers = _classifiers(experiment, profile)  # before training: they may be missing
    weights = _class_weights(experiment, bins, train)
    if not done:
        validation_pairs = _batches(experiment, _whole_batches(validation, batch_size), batch_size)
        _fit(experiment, seed, epochs, devices, verbose, folder, build, bins, weights, log,
             train_pairs, validation_pairs)  # fmt: skip

    best_epoch = log.best_epoch
    if experiment.target == "label":
        _load_weights(network, folder / runs.BEST)
        trained = network
        save_model(network, folder / "classifier.keras")
        metrics = evaluate_classifier(network, test)
    else:
        trained = _colorizer(experiment, network, bins, weights, train)
        if bins is None or experiment.temperature is not None:
            _load_weights(network, folder / runs.BEST)
        else:
            candidates = [folder / runs.BEST, folder / runs.LATEST]
            if _choose(trained, network, candidates, validation) == folder / runs.LATEST:
                best_epoch = log.epochs - 1
        trained.save(folder / "colorizer.keras")
        metrics = evaluate(
            trained,
            test,
            classifiers=classifiers,
            baselines=_baselines(
                profile.data or experiment.data, experiment.size, len(test), tuple(classifiers)
            ),
            temperatures=experiments.TEMPERATURES,
        )
    record = results.Record(
        experiment=experiment.name,
        profile=profile.name,
        data=train.name,
        seed=seed,
        epochs=log.epochs,
        images_seen=log.epochs * len(train_pairs) * train_pairs.batch_size,
        minutes=log.seconds / 60,
        parameters=network.count_params(),
        metrics=metrics,
        **begun["circumstances"],
        sizes=begun["settings"]["sizes"],
        settings={
            **{key: value for key, value in begun["settings"].items() if key != "sizes"},
            "measures": evaluation.VERSION,
            "temperature": None if bins is None else trained.temperature,
            "best_epoch": best_epoch + 1,
            "validation_loss": log.rows[best_epoch][log.monitor],
        },
    )
    results.write(record, folder / "record.json")
    results.save(record)
    return trained, record


def _record(folder):
    """The record of a run, unless there is none or it was measured in another way than now."""
    path = folder / "record.json"
    if not path.exists():
        return None
    record = results.read(path)
    return record if record.settings.get("measures") == evaluation.VERSION else None


def _classifiers(experiment, profile):
    # They know the classes of the experiment's own data, not of what stands in for it.
    names = experiment.classifiers if profile.data is None else ()
    return {name: load_classifier(name) for name in names}


def _class_weights(experiment, bins, train):
    if bins is None or experiment.uniform_weight is None:
        return None
    if experiment.prior_sigma is None:
        prior = color_prior(train, bins, neighbors=max(5, experiment.neighbors))
    else:
        prior = smooth_prior(color_prior(train, bins), bins, experiment.prior_sigma)
    return class_weights(prior, experiment.uniform_weight)


def _load_weights(network, path):
    network.load_weights(path)
    round_kernels(network)  # what is measured is what the file holds


def _choose(colorizer, network, paths, validation):
    """Give a colorizer the temperature, and its network the weights, that are best on validation.

    Returns:
        Path of the weights that were taken.
    """
    best = {"threshold_accuracy": -1.0}
    for path in paths:
        _load_weights(network, path)
        for row in temperature_curve(colorizer, validation, experiments.TEMPERATURES):
            if row["threshold_accuracy"] > best["threshold_accuracy"]:
                best = {**row, "path": path}
    colorizer.temperature = best["temperature"]
    _load_weights(network, best["path"])
    return best["path"]


def _colorizer(experiment, network, bins, weights, train):
    """The network of a run as a colorizer."""
    if experiment.target == "both":
        network = keras.Model(network.inputs[0], network.output["chroma"], name=network.name)
    return Colorizer(
        network,
        space=experiment.space,
        bins=bins,
        temperature=experiment.temperature or 0.0,
        size=max(train.shape),
        mirror=experiment.mirror,
        class_weights=weights if experiment.logit_adjustment else None,
    )


@functools.cache
def _baselines(name, size, count, classifier_names):
    """What costs nothing is the same for all experiments on the same pictures."""
    classifiers = {name: load_classifier(name) for name in classifier_names}
    test = load(name, "test", size=size)[:count]
    return measure_baselines(test, classifiers=classifiers)


def _load(experiment, folder):
    if experiment.target == "label":
        return keras.saving.load_model(folder / "classifier.keras", compile=False)
    return Colorizer.load(folder / "colorizer.keras")


def _settings(experiment, profile, epochs, network, train_pairs, validation, test):
    """What a run's weights depend on, apart from the seed, which its folder is named after."""
    fields = ("learning_rate", "weight_decay", "shift", "neighbors", "uniform_weight",
              "prior_sigma", "label_weight", "loss_options", "patience")  # fmt: skip
    return {
        "sizes": {
            "train": len(train_pairs.images),
            "validation": len(validation),
            "test": len(test),
        },
        "epochs": epochs,
        "batch_size": train_pairs.batch_size,
        "width": experiment.width(profile),
        "network": network.name,
        "parameters": network.count_params(),
        "space": experiment.space.name,
        "data": train_pairs.images.name,
        "loss": _loss(experiment).__name__,
        **{name: getattr(experiment, name) for name in fields},
    }


def _whole_batches(images, batch_size):
    """Pictures without the last partial batch: several devices could not share it."""
    return images[: max(1, len(images) // batch_size) * batch_size]


def _bins(experiment, train, folder):
    """The bins of a run, kept with it: those fitted to pictures must be the same after a resume."""
    if experiment.bins is None:
        return None
    path = folder / "bins.json"
    if path.exists():
        return ColorBins.from_config(json.loads(path.read_text()))
    bins = experiment.bins(train)
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(bins.get_config()))
    return bins


def _batches(experiment, images, batch_size, **options):
    if experiment.target == "label":
        return labeled(images, batch_size=batch_size, **options)
    return pairs(
        images,
        space=experiment.space,
        batch_size=batch_size,
        labels=experiment.target == "both",
        **options,
    )


def _loss(experiment):
    """Class of the loss that an experiment learns from."""
    if experiment.target == "label":
        return keras.losses.SparseCategoricalCrossentropy
    if experiment.loss is not None:
        return experiment.loss
    return keras.losses.MeanSquaredError if experiment.bins is None else RebalancedCrossentropy


def _objectives(experiment, bins, weights):
    """Losses, their weights and metrics, as `compile` takes them."""
    classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if experiment.target == "label":
        return {"loss": classes, "metrics": ["accuracy"]}
    options = dict(experiment.loss_options)
    if bins is not None:
        options |= {"bins": bins, "class_weights": weights, "neighbors": experiment.neighbors}
    loss = _loss(experiment)(**options)
    if experiment.target == "both":
        return {
            "loss": {"chroma": loss, "label": classes},
            "loss_weights": {"chroma": 1.0, "label": experiment.label_weight},
            "metrics": {"label": ["accuracy"]},
        }
    return {"loss": loss}


def _fit(experiment, seed, epochs, devices, verbose, folder, build, bins, weights, log,
         train_pairs, validation_pairs):  # fmt: skip
    keras.utils.set_random_seed(seed)
    objectives = _objectives(experiment, bins, weights)
    steps = epochs * len(train_pairs)
    warmup = min(200, steps // 2)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=experiment.learning_rate, warmup_steps=warmup
    )
    callbacks = [
        log,  # first: it stops at a loss that is no number before anything is saved
        keras.callbacks.ModelCheckpoint(
            folder / runs.BEST,
            monitor=log.monitor,
            mode="min",
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=log.best_loss,
        ),
        keras.callbacks.BackupAndRestore(
            str((folder / runs.LATEST).parent), double_checkpoint=True, delete_checkpoint=False
        ),
    ]
    with (
        hardware.precision(hardware.fast_precision()),
        hardware.distributed(devices) as synchronize,
    ):
        network = build()
        synchronize(network)
        if experiment.weight_decay is None:
            optimizer = keras.optimizers.Adam(schedule)
        else:
            optimizer = keras.optimizers.AdamW(schedule, weight_decay=experiment.weight_decay)
        network.compile(optimizer, **objectives, jit_compile=hardware.jit_compile())
        network.fit(
            train_pairs,
            validation_data=validation_pairs,
            epochs=epochs,
            shuffle=False,  # the pairs shuffle themselves
            verbose=verbose,
            callbacks=callbacks,
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
