"""Fit a network as an experiment defines: batches, loss, class weights and schedule."""

import keras

from colorkit.color.edges import MAGNITUDES, gradient_prior
from colorkit.color.priors import class_weights, color_prior, smooth_prior
from colorkit.data.batches import labeled, pairs
from colorkit.data.images import typical
from colorkit.experiments import checkpoints, hardware
from colorkit.losses import GradientCoherence, RebalancedCrossentropy
from colorkit.models import Adversarial


def balance(experiment, bins, train):
    """Compute weights of an experiment's classes from their frequency in images, or `None`."""
    if bins is None or experiment.uniform_weight is None or not experiment.epochs:
        return None
    train = typical(train)
    if experiment.loss is GradientCoherence:
        magnitudes = experiment.loss_options.get("magnitudes", MAGNITUDES)
        prior = gradient_prior(train, magnitudes, experiment.space)
    elif experiment.prior_sigma is None:
        prior = color_prior(train, bins, neighbors=max(5, experiment.neighbors))
    else:
        prior = smooth_prior(color_prior(train, bins), bins, experiment.prior_sigma)
    return class_weights(prior, experiment.uniform_weight)


def whole_batches(images, batch_size):
    """Return images without the last partial batch, which several devices could not share."""
    return images[: max(1, len(images) // batch_size) * batch_size]


def batches(experiment, images, batch_size, **options):
    """Return images as the training batches of an experiment, see `pairs` and `labeled`."""
    options |= {"batch_size": batch_size, "crop": experiment.crop, "zoom": experiment.zoom}
    if experiment.target == "label":
        return labeled(images, **options)
    if experiment.epoch_images is not None and options.get("augment"):
        most = min(experiment.epoch_images, len(images))
        options["epoch_batches"] = max(1, most // batch_size)
    return pairs(
        images,
        space=experiment.space,
        near_gray=experiment.near_gray,
        luminance_gate=experiment.luminance_gate,
        context=experiment.context,
        aging=experiment.aging,
        labels=experiment.target == "both",
        **options,
    )


def loss_class(experiment):
    """Return the class of an experiment's loss, or of the model that has its own loss."""
    if experiment.target == "label":
        return keras.losses.SparseCategoricalCrossentropy
    if experiment.target == "adversarial":
        return Adversarial
    if experiment.loss is not None:
        return experiment.loss
    return keras.losses.MeanSquaredError if experiment.bins is None else RebalancedCrossentropy


def _objectives(experiment, bins, weights):
    """Return losses, their weights and metrics, as arguments of `compile`."""
    classes = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if experiment.target == "label":
        return {"loss": classes, "metrics": ["accuracy"]}
    if experiment.target == "adversarial":
        return {}
    options = dict(experiment.loss_options)
    if bins is not None:
        options |= {"bins": bins, "class_weights": weights}
        if experiment.loss is not GradientCoherence:
            options["neighbors"] = experiment.neighbors
    loss = loss_class(experiment)(**options)
    if experiment.target == "both":
        return {
            "loss": {"chroma": loss, "label": classes},
            "loss_weights": {"chroma": 1.0, "label": experiment.label_weight},
            "metrics": {"label": ["accuracy"]},
        }
    return {"loss": loss}


def _warmup(steps):
    """Return the number of steps in which the learning rate rises to its peak."""
    return min(200, steps // 2)


def patience(experiment, epochs, train_pairs):
    """Return how many epochs to wait for an improvement, at least as long as the warm-up.

    With few images an epoch has one or two steps, and training could otherwise stop during the
    warm-up.
    """
    return max(experiment.patience, -(-_warmup(epochs * len(train_pairs)) // len(train_pairs)))


class _Best(keras.callbacks.ModelCheckpoint):
    """Save the weights with the best validation, or their average if `swap` provides it.

    Unlike with `swap_on_epoch`, the weights themselves are restored at the end of the epoch, so
    that later callbacks save them.
    """

    def __init__(self, path, *, swap=None, **options):
        super().__init__(path, **options)
        self.swap = swap

    def on_epoch_end(self, epoch, logs=None):
        if self.swap is None:
            super().on_epoch_end(epoch, logs)
            return
        self.swap.on_test_begin()
        super().on_epoch_end(epoch, logs)
        self.swap.on_test_end()


def fit(experiment, seed, epochs, devices, verbose, folder, build, bins, weights, log,
        train_pairs, validation_pairs):  # fmt: skip
    """Train or resume; `folder` holds the weights, under the names in `runs`."""
    keras.utils.set_random_seed(seed)
    objectives = _objectives(experiment, bins, weights)
    steps = epochs * len(train_pairs)
    warmup = _warmup(steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=experiment.learning_rate, warmup_steps=warmup
    )
    average = experiment.average
    # The average is validated and saved as the best; training resumes with the weights themselves.
    swap = keras.callbacks.SwapEMAWeights() if average else None
    callbacks = [
        log,  # first: it stops at a loss that is not a number before anything is saved
        *([swap] if average else []),
        _Best(
            folder / checkpoints.BEST,
            swap=swap,
            monitor=log.monitor,
            mode="min",
            save_best_only=log.monitor is not None,
            save_weights_only=True,
            initial_value_threshold=log.best_loss,
        ),
        # After the best weights: a checkpoint must never mark an epoch whose files are missing.
        keras.callbacks.BackupAndRestore(
            str((folder / checkpoints.LATEST).parent),
            double_checkpoint=True,
            delete_checkpoint=False,
        ),
    ]
    with (
        hardware.precision(hardware.fast_precision()),
        hardware.distributed(devices) as synchronize,
    ):
        network = build()
        synchronize(network)
        options = {"beta_1": experiment.beta_1, "weight_decay": experiment.weight_decay}
        if average:
            options |= {"use_ema": True, "ema_momentum": average}
        optimizer = keras.optimizers.AdamW if experiment.weight_decay else keras.optimizers.Adam
        optimizer = optimizer(schedule, **options)
        optimizer.build(network.trainable_variables)  # slower within the first step
        network.compile(optimizer, **objectives, jit_compile=hardware.jit_compile())
        try:
            network.fit(
                train_pairs,
                validation_data=validation_pairs,
                epochs=epochs,
                shuffle=False,  # the pairs shuffle themselves
                verbose=verbose,
                callbacks=callbacks,
            )
        except Exception as error:
            failure = train_pairs.failure or validation_pairs.failure
            if failure is None:
                raise
            kinds = (FileNotFoundError, OSError, MemoryError, ValueError)
            raise next(kind for kind in kinds if isinstance(failure, kind))(
                f"{failure} Training stopped there. Fix this, such as by restoring the file, and "
                "train again; training resumes after its last complete epoch."
            ) from error
