"""Files in the folder of a run, so that it can stop at any time and resume."""

import contextlib
import json
import math
import shutil
import time
from pathlib import Path

import h5py
import keras
import numpy as np

from colorkit.experiments import records
from colorkit.files import sealed, unsealed, written_whole

# Weights in the folder of a run: with the lowest validation loss, and of the last epoch. The second
# name is that of `keras.callbacks.BackupAndRestore`.
BEST, LATEST = "best.weights.h5", "backup/latest.weights.h5"
HISTORY = "history.jsonl"
_SETTINGS = "settings.json"
# Settings that experiments of older runs did not have, and the values that they stand for.
_LATER = {
    "shift": 0,
    "zoom": None,
    "context": None,
    "aging": 0.0,
    "epoch_images": None,
    "average": None,
}
_HINTS = {
    "checksum": " Folders or films of one name share a run.",
    "bins_checksum": " The file bins.json has changed; restore it.",
}
_DIVERGED = (
    "The loss is no longer a number, so training stopped; nothing of this epoch was kept. A lower "
    "learning rate usually helps."
)


@contextlib.contextmanager
def alone(folder):
    """Lock a folder for this process, or raise a `RuntimeError` if another process uses it."""
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


def begin(folder, settings):
    """Save a run's settings and circumstances, or read those with which it started.

    `settings` are everything that the weights depend on. Other ones than at the start, or a file
    that cannot be read, raise a `ValueError`.
    """
    path = folder / _SETTINGS
    settings = json.loads(json.dumps(settings))  # convert to the types that a file gives
    now = {"settings": settings, "circumstances": records.circumstances()}
    if not path.exists():
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(sealed(now), indent=2))
        return now
    begun = stored(path)
    whole = all(isinstance(begun.get(key), dict) for key in now)
    if not whole or now["circumstances"].keys() - begun["circumstances"].keys():
        raise _damaged(path, "required fields are missing")
    # A setting that older runs lack had its default value, or it was not recorded.
    before = {**settings, **_LATER, **begun["settings"]}
    changed = [key for key in settings if before.get(key) != settings[key]]
    if changed:
        changes = ", ".join(f"{key} was {before.get(key)}, is {settings[key]}" for key in changed)
        hints = "".join(hint for key, hint in _HINTS.items() if key in changed)
        raise ValueError(
            f"This run was started with other settings ({changes}). Use those again, delete "
            f"{folder} to start again, or take another seed.{hints}"
        )
    return begun


def stored(path):
    """Read a dict that a run has saved as JSON, or raise a `ValueError` if it is damaged."""
    try:
        value = json.loads(path.read_text())
        if not isinstance(value, dict):
            raise ValueError(f"it is a {type(value).__name__}")
        return unsealed(value)
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, error) from error


def _damaged(path, why):
    return ValueError(
        f"{path} is damaged: {why}. Restore it, or delete {path.parent} to start again."
    )


class EpochLog(keras.callbacks.Callback):
    """Write a line of JSON per epoch with metrics and duration, which survives an interruption.

    It also stops training after `patience` epochs without improvement, and when the loss is not a
    number. `monitor` names the loss whose lowest value marks the best epoch; `None` takes the last.
    Lines of earlier epochs are read from the file, and a `ValueError` is raised if one is damaged.
    """

    def __init__(self, path, train_pairs, monitor, patience=math.inf):
        super().__init__()
        self.path = Path(path)
        self.train_pairs = train_pairs
        self.monitor = monitor
        self.patience = patience
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        self.rows = [self._row(epoch, line) for epoch, line in enumerate(lines)]

    def _row(self, epoch, line):
        try:
            row = unsealed(json.loads(line))
            sum(row.values())  # raises for a value that is no number
            times = row["seconds"], row.get("training_seconds", 0.0)
            needed = *times, row[self.monitor or "seconds"]
            if row["epoch"] == epoch and min(times) >= 0 and np.isfinite(needed).all():
                return row
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        raise _damaged(self.path, f"line {epoch + 1} does not have the numbers of epoch {epoch}")

    @property
    def epochs(self):
        return len(self.rows)

    @property
    def milliseconds(self):
        """Return the training time per image in the fastest epoch; 0 without an epoch."""
        pictures = len(self.train_pairs) * self.train_pairs.batch_size
        # Older runs only have the time of the whole epoch, with validation.
        seconds = (row.get("training_seconds", row["seconds"]) for row in self.rows)
        return 1000 * min(seconds, default=0.0) / pictures

    @property
    def best_epoch(self):
        """Return the epoch with the lowest loss, or the last one; `None` without an epoch."""
        if self.monitor is None:
            return self.epochs - 1 if self.rows else None
        losses = [row[self.monitor] for row in self.rows]
        return losses.index(min(losses)) if losses else None

    @property
    def best_loss(self):
        return self.rows[self.best_epoch][self.monitor] if self.monitor and self.rows else None

    @property
    def is_stuck(self):
        """Return whether the best epoch is so long ago that training must stop."""
        return bool(self.rows) and self.epochs - 1 - self.best_epoch >= self.patience

    def on_epoch_begin(self, epoch, logs=None):
        self.train_pairs.epoch = epoch  # after a resume, use the order of this epoch
        self._start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(float((logs or {}).get("loss", 0.0))):
            raise RuntimeError(_DIVERGED)

    def on_test_begin(self, logs=None):
        self._trained = time.monotonic()  # the rest of the epoch is validation

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor and not np.isfinite(float((logs or {}).get(self.monitor, 0.0))):
            raise RuntimeError(_DIVERGED)
        row = {
            "epoch": epoch,
            "seconds": round(time.monotonic() - self._start, 3),
            "training_seconds": round(self._trained - self._start, 3),
        }
        row.update({key: float(value) for key, value in (logs or {}).items()})
        self.rows.append(row)
        with written_whole(self.path) as temporary:
            temporary.write_text("".join(json.dumps(sealed(row)) + "\n" for row in self.rows))
        self.model.stop_training = self.is_stuck


def mend(folder, log):
    """After an interruption, keep the newest complete checkpoint and the epochs before it."""
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
        epoch = 0  # the best weights do not follow from the latest: start again
    if epoch > log.epochs:
        epoch = 0  # the best weights cannot be known either
    if epoch == 0:
        shutil.rmtree(latest.parent, ignore_errors=True)
        best.unlink(missing_ok=True)
    del log.rows[epoch:]
