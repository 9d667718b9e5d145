"""Fit a network as an experiment defines: batches, schedule and callbacks."""

import keras

from colorkit.experiments import checkpoints, hardware


def training_batches(experiment, images, batch_size, seed):
    """Return images as augmented training batches."""
    options = {"batch_size": batch_size, "augment": True, "shift": experiment.data.shift}
    if experiment.data.epoch_images is not None:
        shown = min(experiment.data.epoch_images, len(images))
        options["epoch_batches"] = max(1, shown // batch_size)
    return experiment.objective.batches(images, experiment, seed=seed, **options)


def validation_batches(experiment, images, batch_size):
    """Return images as batches without the last partial one, which devices could not share."""
    images = images[: max(1, len(images) // batch_size) * batch_size]
    return experiment.objective.batches(images, experiment, batch_size=batch_size)


def _warmup(steps):
    return min(200, steps // 2)  # steps in which the learning rate rises to its peak


def patience(schedule, epochs, train_pairs):
    """Return how many epochs to wait for an improvement, at least as long as the warm-up.

    With few images an epoch has one or two steps, and training could otherwise stop during the
    warm-up.
    """
    return max(schedule.patience, -(-_warmup(epochs * len(train_pairs)) // len(train_pairs)))


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


def fit(
    build, train_pairs, validation_pairs, *, schedule, losses, folder, log, epochs, seed, verbose
):
    """Train or resume the network that `build` returns.

    `losses` are arguments of `compile`. `folder` holds the weights, under the names in
    `checkpoints`. `log` is the `EpochLog` of the run. Others are as in `run`.
    """
    keras.utils.set_random_seed(seed)
    steps = epochs * len(train_pairs)
    warmup = _warmup(steps)
    learning_rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=schedule.learning_rate, warmup_steps=warmup
    )
    average = schedule.average
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
    with hardware.precision(hardware.fast_precision()), hardware.distributed() as synchronize:
        network = build()
        synchronize(network)
        options = {"beta_1": schedule.beta_1, "weight_decay": schedule.weight_decay}
        if average:
            options |= {"use_ema": True, "ema_momentum": average}
        optimizer = keras.optimizers.AdamW if schedule.weight_decay else keras.optimizers.Adam
        optimizer = optimizer(learning_rate, **options)
        optimizer.build(network.trainable_variables)  # slower within the first step
        network.compile(optimizer, **losses, jit_compile=hardware.jit_compile())
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
                if type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's, of memory
                    raise MemoryError(str(error).partition("\n")[0]) from error
                raise
            kinds = (FileNotFoundError, OSError, MemoryError, ValueError)
            raise next(kind for kind in kinds if isinstance(failure, kind))(
                f"{failure} Training stopped there. Fix this, such as by restoring the file, and "
                "train again; training resumes after its last complete epoch."
            ) from error
