"""What a run keeps in its folder, so that it can stop at any time and go on where it was."""

import contextlib
import dataclasses
import json
import shutil
import time
from pathlib import Path

import h5py
import keras
import numpy as np

from colorkit import experiments, results
from colorkit.files import written_whole

# Weights in the folder of a run: of the lowest validation loss, and of the last epoch. The second
# name is what `keras.callbacks.BackupAndRestore` gives.
BEST, LATEST = "best.weights.h5", "backup/latest.weights.h5"
_SETTINGS = "settings.json"
# All that there is in a folder before a run has settings.
_BEFORE = {"lock", "bins.json"}
_DIVERGED = (
    "The loss is no longer a number, so training stopped; nothing of this epoch was kept. A lower "
    "learning rate usually helps."
)


@contextlib.contextmanager
def alone(folder):
    """Context that one process at a time can enter; its lock ends with the process.

    Raises:
        RuntimeError: If another process is in it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"This experiment is already running in another process ({folder}). Wait for it, "
                "or choose another seed."
            ) from None
        yield


@contextlib.contextmanager
def unless_begun_removed(folder):
    """Context that takes the folder of a run away when it fails before there is anything in it.

    The folders that it lies in go with it, up to "runs", where they hold nothing else.
    """
    try:
        yield
    except BaseException:
        if {path.name for path in folder.iterdir()} <= _BEFORE:
            shutil.rmtree(folder)
            with contextlib.suppress(OSError):
                for parent in folder.parents:
                    parent.rmdir()
                    if parent.name == "runs":
                        break
        raise


def begin(folder, settings):
    """Write down a run's settings, or read those that it began with.

    Args:
        folder: Folder of the run.
        settings: Dict of what its weights depend on, which JSON can hold.

    Returns:
        Dict of `settings` and `circumstances`, as they were when the run began.

    Raises:
        ValueError: If the run was begun with other settings, or they cannot be read.
    """
    path = folder / _SETTINGS
    settings = json.loads(json.dumps(settings))  # so that they compare with what was written
    if path.exists():
        begun = stored(path)
        whole = all(isinstance(begun.get(key), dict) for key in ("settings", "circumstances"))
        if not (whole and begun["circumstances"].keys() >= results.circumstances().keys()):
            raise _damaged(path, "it lacks what it should hold")
        # What a run from before a setting existed has not stored is what the setting began as.
        before = {
            **{field.name: field.default for field in dataclasses.fields(experiments.Experiment)},
            **{
                name: settings.get(name)
                for name in ("data", "loss", "network", "parameters", "space")
            },
            "loss_options": {},
            "build_options": {},
            **begun["settings"],
        }
        changed = {key: (before.get(key), settings[key]) for key in settings
                   if before.get(key) != settings[key]}  # fmt: skip
        if changed:
            changes = ", ".join(f"{key} was {old}, is {new}" for key, (old, new) in changed.items())
            hint = " Folders or films of one name share a run." if "checksum" in changed else ""
            raise ValueError(
                f"This run was begun with other settings ({changes}). Give it those again, delete "
                f"{folder} to begin anew, or take another seed.{hint}"
            )
        return begun
    begun = {
        "settings": settings,
        "circumstances": results.circumstances(),
    }
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(begun, indent=2))
    return begun


def stored(path):
    """A dict that a run has stored as JSON.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    if not isinstance(value, dict):
        raise _damaged(path, f"it is a {type(value).__name__}")
    return value


def _damaged(path, why):
    return ValueError(
        f"{path} is damaged: {why}. Bring it back, or delete {path.parent} to begin anew."
    )


class EpochLog(keras.callbacks.Callback):
    """A line of JSON an epoch: what it measured and how long it took. Survives interruption.

    It also stops training that no longer helps, and one whose loss is no number.

    Args:
        path: File, of which lines of earlier epochs are read.
        train_pairs: What is fitted to; it is told the epoch.
        experiment: `Experiment`, for what its best epoch is and how long to wait for a better.
        patience: Epochs to wait for a better one; `None` for the experiment's.
    """

    def __init__(self, path, train_pairs, experiment, patience=None):
        super().__init__()
        self.path = Path(path)
        self.train_pairs = train_pairs
        self.patience = experiment.patience if patience is None else patience
        # Where classes are learned beside, the best weights are those that color best; where two
        # networks play against each other, no loss says which are: the last ones are taken.
        self.monitor = {"both": "val_chroma_loss", "adversarial": None}.get(
            experiment.target, "val_loss"
        )
        self.rows = {}
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        for line in lines:
            # What is damaged is as if it had not been: training goes on from before.
            with contextlib.suppress(ValueError, TypeError, KeyError):
                row = json.loads(line)
                needed = [row["seconds"], *([row[self.monitor]] if self.monitor else [])]
                if isinstance(row["epoch"], int) and np.isfinite(np.float64(needed)).all():
                    self.rows[row["epoch"]] = row

    @property
    def epochs(self):
        return len(self.rows)

    @property
    def seconds(self):
        return sum(row["seconds"] for row in self.rows.values())

    @property
    def milliseconds(self):
        """What an image took to train in the fastest epoch; 0 where there was none."""
        pictures = len(self.train_pairs) * self.train_pairs.batch_size
        # Runs from before the training was timed apart have the whole epoch alone.
        seconds = (row.get("training_seconds", row["seconds"]) for row in self.rows.values())
        return 1000 * min(seconds, default=0.0) / pictures

    @property
    def best_epoch(self):
        if self.monitor is None:
            return max(self.rows, default=None)
        return min(self.rows, key=lambda epoch: self.rows[epoch][self.monitor], default=None)

    @property
    def best_loss(self):
        return self.rows[self.best_epoch][self.monitor] if self.monitor and self.rows else None

    @property
    def is_stuck(self):
        """Whether the best epoch lies so far back that training should stop."""
        return bool(self.rows) and self.epochs - 1 - self.best_epoch >= self.patience

    def keep(self, epochs):
        """Forget what came after so many epochs."""
        self.rows = {epoch: row for epoch, row in self.rows.items() if epoch < epochs}

    def on_epoch_begin(self, epoch, logs=None):
        self.train_pairs.epoch = epoch  # after a resume, the order that this epoch would have had
        self._start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(float((logs or {}).get("loss", 0.0))):
            raise RuntimeError(_DIVERGED)

    def on_test_begin(self, logs=None):
        self._trained = time.monotonic()  # what follows in the epoch is validation

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor and not np.isfinite(float((logs or {}).get(self.monitor, 0.0))):
            raise RuntimeError(_DIVERGED)
        row = {
            "epoch": epoch,
            "seconds": round(time.monotonic() - self._start, 3),
            "training_seconds": round(self._trained - self._start, 3),
        }
        row.update({key: float(value) for key, value in (logs or {}).items()})
        self.rows[epoch] = row
        with written_whole(self.path) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows.values()))
        self.model.stop_training = self.is_stuck


def mend(folder, log):
    """After an interruption: keep the newest complete checkpoint, and the epochs that led to it."""
    latest = folder / LATEST
    metadata = latest.with_name("training_metadata.json")
    epoch = 0
    for ending in ("", ".bkp"):
        weights, state = (path.with_name(path.name + ending) for path in (latest, metadata))
        try:
            with h5py.File(weights):
                epoch = json.loads(state.read_text())["epoch"]
            if not isinstance(epoch, int) or epoch < 0:
                raise ValueError(epoch)
        except (OSError, ValueError, TypeError, KeyError):
            epoch = 0
            continue
        if ending:
            shutil.copy(weights, latest)
            shutil.copy(state, metadata)
        break
    best = folder / BEST
    try:
        h5py.File(best).close()
    except OSError:
        epoch = 0  # the best weights cannot be had from the latest: begin anew
    if not set(range(epoch)) <= set(log.rows):
        epoch = 0  # nor can it be known which were the best
    if epoch == 0:
        shutil.rmtree(latest.parent, ignore_errors=True)
        best.unlink(missing_ok=True)
    log.keep(epoch)
