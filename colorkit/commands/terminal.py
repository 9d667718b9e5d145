"""What all commands do with the process they run in: its end, its warnings, its start of Keras."""

import contextlib
import gc
import os
import signal
import sys
import threading

_received = []  # signals that end the command


def _end(number, _):
    _received.append(number)
    sys.exit(128 + number)


@contextlib.contextmanager
def terminated():
    """Let SIGTERM raise `SystemExit`, so that no temporary file stays behind."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        _received.clear()


def exit_if_ended():
    """Exit after SIGTERM, which code in C may have turned into an error of one file."""
    if _received:
        sys.exit(128 + _received[0])


def start_keras():
    """Import Keras and start its backend, without the log lines that the backend prints."""
    gc.disable()  # else it searches, again and again, the many objects that the import creates
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras

        keras.ops.zeros(1)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
        gc.freeze()
        gc.enable()


def print_warning(message, *_):
    """Print a warning as one line, without its line in the code."""
    print(f"colorkit: {' '.join(str(message).split())}", file=sys.stderr, flush=True)
