"""Find folders and write files atomically. It imports no framework."""

import contextlib
import json
import os
import secrets
import time
import zlib
from pathlib import Path

_TEMPORARY = ".colorkit-"


def expanded(path):
    """Return a path with the home folder instead of a "~" at its beginning."""
    path = Path(path)
    return path.expanduser() if path.parts[:1] == ("~",) else path  # "~film.mp4" is a name


def make_folder(path):
    """Create a folder and its missing parents, or raise an `OSError` with its name."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The folder {path} cannot be created ({error.strerror}); choose another place."
        ) from error


def home():
    """Return the folder for results: the checkout around the working directory, or the latter."""
    here = Path.cwd()
    folders = (here, *here.parents)
    return next((x for x in folders if (x / "colorkit" / "experiments").is_dir()), here)


def figures_folder(profile):
    """Return the folder for figures and records of a profile; "smoke" never uses figures/."""
    return home() / ("runs/smoke/figures" if profile == "smoke" else "figures")


def sweep(folder, age=3600):
    """Remove temporary files of `written_whole` that killed processes left `age` seconds ago."""
    for path in Path(folder).glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime >= age:
                path.unlink()


def sealed(fields):
    """Return a dict of JSON values with a checksum of them."""
    return {**fields, "checksum": f"{zlib.crc32(json.dumps(fields, sort_keys=True).encode()):08x}"}


def unsealed(fields):
    """Return a dict without its checksum, which older files lack, or raise a `ValueError`."""
    values = {name: value for name, value in fields.items() if name != "checksum"}
    if "checksum" in fields and fields != sealed(values):
        raise ValueError("it was changed after it was written, as its checksum shows")
    return values


@contextlib.contextmanager
def written_whole(path):
    """Write a file atomically: yield a temporary path, renamed on success, removed on failure."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} cannot be written: it is a folder; name a file.")
    # (A name of its own length could exceed the longest that file systems allow.)
    temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(4)}{path.suffix[-20:]}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
