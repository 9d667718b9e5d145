"""Run an experiment: train or resume it, evaluate it, and write its record."""

import collections
import contextlib
import dataclasses
import functools
import json
import warnings

import keras
import numpy as np

from colorkit import evaluation, experiments, models
from colorkit.checks import check_whole
from colorkit.color.bins import ColorBins
from colorkit.colorizer import Colorizer
from colorkit.data.batches import has_color
from colorkit.data.image_files import checksum
from colorkit.evaluation import evaluate, evaluate_classifier, measure_baselines, temperature_curve
from colorkit.experiments import checkpoints, fit, hardware, records
from colorkit.experiments.splits import divided, large
from colorkit.files import home, make_folder, sweep, written_whole
from colorkit.models import load_classifier
from colorkit.models.files import round_kernels, save_model

__all__ = ["history", "run", "splits"]

_LARGEST = 2**32 - 1  # largest seed that Keras accepts
_BINS = "bins.json"
_BASELINES = {}


def run(experiment, profile=None, *, data=None, seed=0, epochs=None, verbose="auto", train=True):
    """Train or resume one experiment, evaluate it on its test set, and write its record.

    The results are in `runs/PROFILE/EXPERIMENT/seedN` of the checkout, or of the working
    directory. They are a checkpoint after each epoch, the best weights by validation loss, and at
    the end `colorizer.keras`. An experiment that learns labels writes `classifier.keras` instead.
    An interrupted run resumes at its last epoch, and a complete run is not trained again. All GPUs
    that TensorFlow or JAX see, or the TPU, are used.

    Args:
        experiment: Name in `colorkit.experiments.EXPERIMENTS`, or an `Experiment`.
        profile: "smoke", "quick", "full" or `None`, see `colorkit.profile`.
        data: Dataset to train on instead of the experiment's own, a name for `colorkit.load`. The
            name of the experiment is then "EXPERIMENT@DATA".
        seed: Seed of weights, order and augmentation.
        epochs: Number of epochs, instead of that of the experiment or the profile.
        verbose: Progress bar, as in `fit`.
        train: `False` does not train an experiment that has no complete run here. The colorizer is
            then `None`, and the record is that of the package.

    Returns:
        `(colorizer, record)`: a `Colorizer`, or the `keras.Model` of a classifier.

    Raises:
        ValueError: If the experiment or profile is unknown, or files of the run are damaged or of
            another run. Also if images cannot be read, have no color, or have more classes than the
            network.
        RuntimeError: If another process runs the same experiment, or its loss is not a number.
        MemoryError: If memory is too small.
        FileNotFoundError, ConnectionError: If data, or weights that the experiment starts from,
            are not available, or with `train=False` the record. The message has the solution.

    Example:
        >>> experiment = ck.experiments.experiment("cifar/lab-dense-regression")
        >>> experiment = experiment.but(data={"classifiers": ()})  # do not measure features kept
        >>> colorizer, record = run(experiment, "smoke", epochs=1, verbose=0)
        >>> record.epochs
        1
    """
    experiment, profile = _chosen(experiment, profile, data)
    check_whole("seed", seed, 0, _LARGEST)
    if epochs is not None:
        check_whole("epochs", epochs, 1, _LARGEST)
    if epochs and not experiment.schedule.epochs:
        raise ValueError(
            f"{experiment.name} has nothing to learn; leave `epochs` out. Received: {epochs!r}"
        )
    folder = _folder(experiment, profile, seed)
    if not train and _record(folder, experiment, profile, seed) is None:
        return None, records.of_package(experiment.name, profile.name, seed)
    train, validation, test = pictures = divided(experiment, profile, seed)
    objective = experiment.objective
    if objective.colors and not any(map(has_color, train)):
        raise ValueError(
            f"All training images of {train.name} are gray, or nearly gray; give images in color."
        )
    if epochs is None:
        shown = min(len(train), experiment.data.epoch_images or len(train))
        epochs = experiment.epochs(profile, shown)
    batch_size = min(experiment.schedule.batch_size, len(train))
    train_pairs = fit.training_batches(experiment, train, batch_size, seed)
    bins = _bins(experiment, train, folder)
    base = _base(experiment, profile, seed, verbose)
    sizes = experiment.width(profile), bins and bins.num_bins
    build = functools.partial(_build, experiment, base, *sizes)
    # In float32: a colorizer trained in mixed precision must run anywhere.
    with hardware.precision("float32"):
        network = build()
    _check_labels(experiment, network, pictures)
    settings = _settings(experiment, profile, epochs, network, train_pairs, validation, test)
    settings["base_checksum"] = base and checksum(base.weights)
    settings["bins_checksum"] = bins and checksum([bins.centers])
    make_folder(folder)  # only here, where nothing is missing
    with checkpoints.alone(folder):
        sweep(folder, age=0)  # no other process writes here now
        if bins is not None and not (folder / _BINS).exists():
            with written_whole(folder / _BINS) as temporary:
                temporary.write_text(json.dumps(bins.get_config()))
        begun = checkpoints.begin(folder, settings)
        record = _record(folder, experiment, profile, seed)
        if record is not None:
            # If the file is missing or damaged, it is created again from the weights.
            with contextlib.suppress(OSError, ValueError):
                if objective.colors:
                    return Colorizer.load(folder / "colorizer.keras"), record
                return keras.saving.load_model(folder / "classifier.keras", compile=False), record
        patience = fit.patience(experiment.schedule, epochs, train_pairs)
        path = folder / checkpoints.HISTORY
        log = checkpoints.EpochLog(path, train_pairs, objective.monitor, patience)
        checkpoints.mend(folder, log)
        # Before training, as they may be missing. They know no classes of a replaced dataset.
        names = experiment.data.classifiers if profile.data is None else ()
        classifiers = {name: load_classifier(name) for name in names}
        weights = objective.weigh(train, bins, experiment.space) if epochs else None
        if log.epochs < epochs and not log.is_stuck:
            if (folder / checkpoints.LATEST).exists():
                _load_weights(network, folder, checkpoints.LATEST)  # refuses other weights
            fit.fit(
                build,
                train_pairs,
                fit.validation_batches(experiment, validation, batch_size),
                schedule=experiment.schedule,
                losses=objective.compile_options(bins, weights),
                folder=folder,
                log=log,
                epochs=epochs,
                seed=seed,
                verbose=verbose,
            )
        best_epoch = log.best_epoch
        if not objective.colors:
            _load_weights(network, folder)
            trained = network
            save_model(network, folder / "classifier.keras")
            metrics = evaluate_classifier(network, test)
        else:
            trained = _colorizer(experiment, network, bins, weights, train)
            if not epochs:
                round_kernels(network)  # no training rounded them
            elif bins is None or experiment.decoding.temperature is not None:
                _load_weights(network, folder)
            elif _choose(trained, network, folder, validation) == checkpoints.LATEST:
                best_epoch = log.epochs - 1
            trained.save(folder / "colorizer.keras")
            if verbose:
                print(f"evaluating on {len(test)} images", flush=True)
            metrics = _measured(trained, test, classifiers, experiments.TEMPERATURES)
            if experiment.data.large_size:
                whole = large(experiment, profile, len(test))
                if verbose:
                    print(f"evaluating on {len(whole)} images of a larger size", flush=True)
                for name, value in _measured(trained, whole, {}).items():
                    head, slash, last = name.rpartition("/")
                    metrics[f"{head}{slash}large/{last}"] = value  # such as "gray/large/psnr"
        record = records.Record(
            experiment=experiment.name,
            profile=profile.name,
            data=train.name,
            seed=seed,
            epochs=log.epochs,
            images_seen=log.epochs * len(train_pairs) * train_pairs.batch_size,
            minutes=sum(row["seconds"] for row in log.rows) / 60 + (base.minutes if base else 0),
            training_milliseconds=log.milliseconds,
            parameters=getattr(network, "generator", network).count_params(),
            metrics=metrics,
            **begun["circumstances"],
            sizes=begun["settings"].pop("sizes"),
            settings={
                **begun["settings"],
                "measures": evaluation.VERSION,
                "source_side": train.source_side,
                "temperature": None if bins is None else trained.temperature,
                "best_epoch": 0 if best_epoch is None else best_epoch + 1,
                "validation_loss": log.rows[best_epoch].get(log.monitor) if log.rows else None,
            },
        )
        records.write(record, folder / "record.json")
        records.save(record)
        return trained, record


def history(experiment, profile=None, *, data=None, seed=0):
    """Return the metrics of a run by epoch. The arguments are those of `run`.

    Returns:
        List of dicts, one per epoch. Each has "epoch", starting at 0, "seconds", and
        "training_seconds", which leaves validation out. It also has each loss and metric, and those
        of the validation images with "val_" before their names.

    Raises:
        FileNotFoundError: If the run was never started.
        ValueError: If the file of the metrics is damaged.

    Example:
        >>> experiment = ck.experiments.experiment("cifar/lab-dense-regression")
        >>> history(experiment, "smoke")
        Traceback (most recent call last):
        FileNotFoundError: ...
    """
    experiment, profile = _chosen(experiment, profile, data)
    path = _folder(experiment, profile, seed) / checkpoints.HISTORY
    if not path.exists():
        raise FileNotFoundError(
            f"There is no run of {experiment.name} at {profile.name} with seed {seed} yet; "
            "`colorkit.run` with the same arguments starts one."
        )
    return checkpoints.EpochLog(path, None, experiment.objective.monitor).rows


def splits(experiment, profile=None, *, data=None, seed=0):
    """Return the `Images` that `run` uses for training, validation and test.

    The arguments and errors are those of `run`.

    Example:
        >>> train, validation, test = splits("cifar/lab-dense-regression", "smoke")
        >>> train.shape
        (32, 32)
    """
    experiment, profile = _chosen(experiment, profile, data)
    return divided(experiment, profile, seed)


def _chosen(experiment, profile, data):
    experiment, profile = experiments.experiment(experiment), experiments.profile(profile)
    if data is not None:
        experiment, profile = experiment.on(str(data)), dataclasses.replace(profile, data=None)
    return experiment.at(profile), profile


def _folder(experiment, profile, seed):
    return home() / "runs" / profile.name / experiment.name / f"seed{seed}"


def _record(folder, experiment, profile, seed):
    """Return the record of a complete run, unless it was measured in another way than now."""
    try:
        record = records.read(folder / "record.json")
    except ValueError:
        return None
    found = record.experiment, record.profile, record.seed, record.settings.get("measures")
    return record if found == (experiment.name, profile.name, seed, evaluation.VERSION) else None


def _check_labels(experiment, network, pictures):
    """Raise a `ValueError` if the images have classes that the network does not know."""
    known = experiment.objective.num_classes(network)
    for images in pictures if known else ():
        if images.labels is not None and max(images.labels) >= known:
            raise ValueError(
                f"{images.name} has images of class {max(images.labels)}; {experiment.name} "
                f"has {known} classes, numbered from 0."
            )


# The trained experiment that another experiment starts from.
_Base = collections.namedtuple("_Base", "experiment weights minutes")


def _base(experiment, profile, seed, verbose):
    if experiment.base is None:
        return None
    base = experiments.experiment(experiment.base)
    if "@" in experiment.name:
        base = base.on(experiment.data.name)
    try:
        colorizer, record = run(base, profile, seed=seed, verbose=verbose)
    except ValueError as error:
        raise ValueError(f"{experiment.name} starts from {base.name}: {error}") from error
    return _Base(base, colorizer.model.get_weights(), record.minutes)


def _build(experiment, base, width, num_bins):
    """Build the network of an experiment; the network that it starts from is trained and frozen."""
    if base is None:
        return experiment.build(width, num_bins, **experiment.build_options)
    network = base.experiment.build(width, num_bins, **base.experiment.build_options)
    network.set_weights(base.weights)
    network.trainable = False
    return experiment.build(width, num_bins, network, **experiment.build_options)


def _load_weights(network, folder, name=checkpoints.BEST):
    path = folder / name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the error below has the details
            network.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"{path} does not hold weights of the network {network.name} ({why}). Restore the "
            f"right weights, or delete the folder {folder} to start again."
        ) from error
    round_kernels(network)  # so that the file holds the measured weights


def _choose(colorizer, network, folder, validation):
    """Choose temperature and weights by validation, and return the name of the weights."""
    best = {"threshold_accuracy": -1.0}
    for name in (checkpoints.BEST, checkpoints.LATEST):
        _load_weights(network, folder, name)
        for row in temperature_curve(colorizer, validation, experiments.TEMPERATURES):
            if row["threshold_accuracy"] > best["threshold_accuracy"]:
                best = {**row, "name": name}
    colorizer.temperature = best["temperature"]
    _load_weights(network, folder, best["name"])
    return best["name"]


def _colorizer(experiment, network, bins, weights, train):
    """Return the network of a run as a colorizer."""
    data, decoding = experiment.data, experiment.decoding
    network = experiment.objective.coloring(network)
    if decoding.smoothing is not None:
        network = models.smooth_predictions(
            network, edge=decoding.smoothing, space=experiment.space
        )
    if data.context is not None:
        side, scale = np.max(data.crop), data.context[1]
    else:
        side, scale = max(train.shape), 1.0
    if data.zoom is not None:  # color at the scale of the validation images
        scale = min(data.zoom[1], side / (data.crop or side))
    return Colorizer(
        network,
        space=experiment.space,
        bins=bins,
        temperature=decoding.temperature or 0.0,
        size=decoding.network_size or round(side / scale),
        mirror=decoding.mirror,
        class_weights=weights if decoding.logit_adjustment else None,
    )


def _measured(colorizer, images, classifiers, temperatures=()):
    """Compute every metric; baselines are shared between equal images and classifiers."""
    key = checksum(images), *classifiers
    if key not in _BASELINES:
        _BASELINES[key] = measure_baselines(images, classifiers=classifiers)
    options = {"classifiers": classifiers, "baselines": _BASELINES[key]}
    return evaluate(colorizer, images, temperatures=temperatures, **options)


def _settings(experiment, profile, epochs, network, train_pairs, validation, test):
    """Return everything that a run's weights depend on, except the seed in its folder's name."""
    left_out = train_pairs.images.left_out + test.left_out
    return {
        "sizes": {
            "train": len(train_pairs.images),
            "validation": len(validation),
            "test": len(test),
            **({"left_out": left_out} if left_out else {}),
        },
        "epochs": epochs,
        "batch_size": train_pairs.batch_size,
        "width": experiment.width(profile),
        "network": network.name,
        "parameters": network.count_params(),
        "data": train_pairs.images.name,
        "checksum": train_pairs.images.checksum,
        **experiment.settings(),
    }


def _bins(experiment, train, folder):
    """Return the bins that a run has saved, as fitted bins must be the same, or create them."""
    path = folder / _BINS
    if experiment.objective.bins is None or not path.exists():
        return experiment.objective.bins and experiment.objective.bins(train)
    config = checkpoints.stored(path)
    try:
        return ColorBins.from_config(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} holds no bins: {error}. Delete it to create them again."
        ) from error
