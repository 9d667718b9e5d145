"""Files: nothing half-written, and trained models at half their size."""

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

_SIGNIFICANT_BITS = 9  # of kernels in files; training multiplies with the 8 of bfloat16


@contextlib.contextmanager
def written_whole(path):
    """Yield a temporary path beside `path`, renamed on success and removed on failure."""
    path = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(temporary)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes files for their owner alone
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save_model(model, path):
    """Write a `keras.Model` to a `.keras` file, whole or not at all, and compressed.

    Compression halves the file of a model whose kernels were rounded, see `round_kernels`;
    `keras.saving.load_model` reads it as any other.
    """
    with written_whole(path) as temporary, written_whole(temporary) as compressed:
        model.save(temporary)
        with (
            zipfile.ZipFile(temporary) as plain,
            zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name in plain.namelist():
                archive.writestr(name, plain.read(name), zipfile.ZIP_DEFLATED)


def round_kernels(model):
    """Round the kernels of a `keras.Model` in place to 9 significant bits, one more than bfloat16.

    They stay float32, with its range: no kernel overflows or vanishes, each changes by less than
    one part in 500, and a compressed file of them takes half the space.
    """
    for variable in model.weights:
        if len(variable.shape) >= 2:
            mantissa, exponent = np.frexp(np.asarray(variable.numpy(), "float32"))
            rounded = np.round(mantissa * 2**_SIGNIFICANT_BITS) / 2**_SIGNIFICANT_BITS
            variable.assign(np.ldexp(rounded, exponent))
