"""Save and load the records of runs."""

import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import math
import platform
import re
import subprocess
from pathlib import Path

import keras

from colorkit import __version__
from colorkit.evaluation.scores import is_share
from colorkit.experiments import hardware
from colorkit.files import figures_folder, make_folder, sealed, sweep, unsealed, written_whole

__all__ = [
    "Record",
    "by_profile",
    "gather",
    "markdown",
    "pretrained",
    "read",
    "read_all",
    "save_table",
]

# Increase it whenever a field changes its meaning, so that old records are not read as new ones.
VERSION = 1
_SMOKE = "**Smoke run: the numbers are meaningless.**\n\n"
RANK = {"quick": 1, "full": 2}
# The records of the package: in a checkout, they are among its figures.
_PACKAGE = Path(__file__).parents[1]
_SHIPPED = next(
    (x for x in (_PACKAGE / "records", _PACKAGE.parent / "figures/records") if x.is_dir()),
    _PACKAGE / "records",
)


@dataclasses.dataclass(frozen=True)
class Record:
    """Hold the results of one run, and the circumstances in which it was run.

    Example:
        >>> record = pretrained("cifar10")
        >>> record.value("parameters") == record.parameters
        True
    """

    experiment: str  # name of the experiment
    profile: str
    data: str  # name of the dataset
    sizes: dict  # number of images in each split, and of damaged ones as "left_out"
    seed: int  # of weights, order and augmentation
    epochs: int
    images_seen: int
    minutes: float  # of training, with that of the experiments that the run starts from
    parameters: int  # number of weights of the network
    metrics: dict  # with the names of `evaluate` or `evaluate_classifier`
    settings: dict  # others that the numbers depend on: temperature, batch size, ...
    hardware: str  # circumstances at the start of the run
    precision: str
    versions: dict
    revision: str
    date: str
    version: int = VERSION
    # Training time per image, without validation, in the fastest epoch, which other processes
    # disturbed least. 0 without training or without measurement.
    training_milliseconds: float = 0.0

    def value(self, name):
        """Return a metric, or another number of the record such as "minutes", else `None`."""
        if name == "training_milliseconds":
            return self.training_milliseconds or None
        value = self.metrics.get(name, getattr(self, name, None))
        return value if isinstance(value, (int, float)) else None


def circumstances():
    """Return hardware, precision, versions, git revision and date, as fields of a `Record`."""
    versions = {"python": platform.python_version()}
    for package in ("keras", keras.backend.backend(), "numpy", "scikit-image"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    versions["colorkit"] = __version__
    return {
        "hardware": hardware.describe(),
        "precision": hardware.fast_precision(),
        "versions": versions,
        "revision": _revision(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def save(record):
    """Save a record, unless a record of a longer run of the same kind exists; return its path.

    Each experiment has one record per profile and seed. "smoke" has its own folder.
    """
    folder = figures_folder(record.profile) / "records"
    make_folder(folder)
    sweep(folder)
    path = folder / _file_name(record.experiment, record.profile, record.seed)
    if record.profile != "smoke":
        with contextlib.suppress(ValueError):
            if read(path).images_seen > record.images_seen:
                return path
    write(record, path)
    return path


def _file_name(experiment, profile, seed):
    return f"{experiment.replace('/', '--')}.{profile}.seed{seed}.json"


def write(record, path):
    """Write a record to a file, which is never left half-written, with a checksum."""
    fields = sealed(_plain(dataclasses.asdict(record)))
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(fields, indent=2) + "\n")


def read(path):
    """Read a record from a file.

    Raises:
        ValueError: If the file is missing, damaged or was changed, or has another version.

    Example:
        >>> read("missing.json")
        Traceback (most recent call last):
        ValueError: missing.json is not a record that can be read: there is no such file
    """
    try:
        if not Path(path).is_file():
            raise ValueError("there is no such file")
        fields = json.loads(Path(path).read_text(), object_pairs_hook=_unique)
        if not isinstance(fields, dict):
            raise ValueError(f"it is a {type(fields).__name__}")
        whole, fields = fields, {key: x for key, x in fields.items() if key != "checksum"}
        if fields.get("version") != VERSION:
            raise ValueError(f"its version is {fields.get('version', 'missing')}, not {VERSION}")
        known = {field.name: field for field in dataclasses.fields(Record)}
        optional = {"training_milliseconds"}
        if wrong := (known.keys() - optional - fields.keys()) | (fields.keys() - known.keys()):
            raise ValueError(f"these fields are missing or unknown: {', '.join(sorted(wrong))}")
        for name, value in fields.items():
            _check_field(name, value, known[name].type)
        return Record(**unsealed(whole))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a record that can be read: {error}") from error


def _unique(pairs):
    """Return a dict of pairs; of two values of one name, JSON would keep the last silently."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("it has the same name twice")
    return entries


def _check_field(name, value, kind):
    """Raise a `ValueError` unless a field of a record has a valid type and value."""
    if kind in (int, float):
        fits = _is_number(value, kind) and value >= 0
    elif name in ("metrics", "sizes") and isinstance(value, dict):
        is_right = _is_measure if name == "metrics" else lambda key, entry: _is_number(entry, int)
        wrong = {key: entry for key, entry in value.items() if not is_right(key, entry)}
        value, fits = wrong, not wrong
    elif name in ("experiment", "profile", "data"):  # tables show them
        fits = isinstance(value, str) and re.fullmatch(r"[^\s|](?:[^\n|]*[^\s|])?", value)
    else:
        fits = isinstance(value, kind)
    if not fits:
        raise ValueError(f"its {name} is {str(value)[:80]!r}")


def _is_measure(name, value):
    if value is None:
        return True
    # Colored images can keep more features than the ground truth has.
    is_bounded = (is_share(name) or "ssim" in name) and not name.endswith("_kept")
    return _is_number(value, float) and not (is_bounded and abs(value) > 1)


def _is_number(value, kind):
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        return False
    return abs(value) < 1e300  # neither infinite nor too large for a float


def pretrained(name="cifar10"):
    """Return the record of the run that trained a colorizer of `Colorizer.pretrained`.

    Example:
        >>> pretrained("cifar10").seed
        0
    """
    return read(Path(__file__).parents[1] / "weights" / f"{name}.json")


def of_package(experiment, profile, seed=0):
    """Return the record of a run that came with the package, or raise a `FileNotFoundError`."""
    path = _SHIPPED / _file_name(experiment, profile, seed)
    if not path.exists():
        raise FileNotFoundError(
            f"The package has no record of {experiment} at {profile} with seed {seed}; "
            "`colorkit.run` with `train=True` trains it."
        )
    return read(path)


def gather(profile):
    """Return the records that tables of a profile show, and print which were left out.

    They are those of the package and those in `figures/records`; for "smoke" those in
    `runs/smoke/figures/records` alone.

    Args:
        profile: `Profile` or its name.

    Example:
        >>> gather("smoke")  # no smoke run in this folder
        record skipped: There is no folder ...
        []
    """
    is_smoke = getattr(profile, "name", profile) == "smoke"
    records, problems = read_all(figures_folder("smoke") / "records" if is_smoke else None)
    for problem in problems:
        print(f"record skipped: {problem}")
    return records


def read_all(folder=None):
    """Read all records of a folder.

    Some readable records are left out, as they must not count as a further seed. These are a
    second record of the same seed, and records with other images or settings than the longest run.

    Args:
        folder: `None` means the records of the package and those in `figures/records`.

    Returns:
        `(records, problems)`: a list of `Record` and a list of messages.

    Example:
        >>> records, problems = read_all()
        >>> any(record.experiment == "cifar/lab-conv-regression" for record in records)
        True
    """
    own = Path(figures_folder("full") / "records" if folder is None else folder)
    is_alone = folder is not None or own.resolve() == _SHIPPED.resolve()
    folders = [own] if is_alone else [own, _SHIPPED]
    if not any(each.is_dir() for each in folders):
        return [], [f"There is no folder {own}."]
    found, problems = {}, []
    for path in (path for each in folders for path in sorted(each.glob("*.json"))):
        try:
            found[path] = read(path)
        except ValueError as error:
            problems.append(str(error))
    records, longest = {}, {}
    for path, record in sorted(
        found.items(),
        key=lambda item: (-item[1].images_seen, item[0].parent != own, item[1].seed, item[0]),
    ):
        like = record.experiment, record.profile
        first = longest.setdefault(like, path)
        if differences := _differences(found[first], record):
            problems.append(
                f"{path} is left out: unlike {first} of the same experiment and profile, it has "
                f"{', '.join(differences)}."
            )
        elif (*like, record.seed) in records:
            if path.parent != records[*like, record.seed].parent:
                continue  # a run of the package, made again
            problems.append(
                f"{path} is left out: {records[*like, record.seed]} has the same experiment, "
                "profile and seed."
            )
        else:
            records[*like, record.seed] = path
    return [found[path] for path in sorted(records.values())], problems


# Settings that a run determines, so that they may differ from seed to seed.
_FOUND = ("temperature", "best_epoch", "validation_loss", "base_checksum", "bins_checksum")


def _differences(record, other):
    """Return the settings that should be the same for two seeds of an experiment but differ."""
    may_differ = {*_FOUND, "sizes", "epochs"} if _differ_by_copies(record, other) else _FOUND
    made, other_made = ({"data": r.data, "sizes": r.sizes, **r.settings} for r in (record, other))
    return [
        f"{name} {other_made[name]!r} for {made[name]!r}"
        for name in made
        if name in other_made and name not in may_differ and made[name] != other_made[name]
    ]


def _differ_by_copies(record, other):
    """Return whether two seeds differ in a few training images, and so in at most one epoch.

    The seed chooses the validation images, and copies of these leave the training images.
    """
    train = sorted(each.sizes.get("train", 0) for each in (record, other))
    rest, other_rest = ({**each.sizes, "train": 0} for each in (record, other))
    return (
        record.seed != other.seed
        and 0.95 * train[1] <= train[0] < train[1]
        and rest == other_rest
        and abs(record.settings.get("epochs", 0) - other.settings.get("epochs", 0)) <= 1
    )


def by_profile(records, experiments):
    """Return the records of the largest profile at which all given experiments were run.

    The result is a dict from each of the names in `experiments` to a list of its records, sorted
    by seed. The lists are empty if there is no such profile.

    Example:
        >>> records, problems = read_all()
        >>> found = by_profile(records, ["cifar/lab-conv-regression", "cifar/lab-dense-regression"])
        >>> [record.profile for record in found["cifar/lab-conv-regression"]]
        ['quick', 'quick', 'quick']
    """
    found = {name: {} for name in experiments}
    for record in sorted(records, key=lambda record: record.seed):
        if record.experiment in found:
            found[record.experiment].setdefault(record.profile, []).append(record)
    shared = set.intersection(*map(set, found.values())) if found else ()
    best = max(shared, key=lambda profile: RANK.get(profile, 0), default=None)
    return {name: profiles.get(best, []) for name, profiles in found.items()}


def markdown(rows):
    """Format rows of text as a Markdown table, with the first row as the header.

    Example:
        >>> print(markdown([("network", "PSNR"), ("U-Net", "24.4")]))
        | network | PSNR |
        | ------- | ---- |
        | U-Net   | 24.4 |
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    lines = ([c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def headed(table, profiles):
    """Put a warning above a table of smoke runs."""
    return f"{_SMOKE}{table}" if "smoke" in profiles else table


def save_table(rows, name, profile, *, data, seed):
    """Save a table that a notebook measured, with the circumstances.

    Args:
        rows: See `markdown`.
        name: File name without its ending, such as "11_architectures_sets".
        profile: `Profile` or its name; "smoke" has its own folder.
        data: Names of the datasets.
        seed: Seed of the measurements.

    Returns:
        The table as Markdown, with a warning above that of a smoke run.

    Example:
        >>> rows = [("network", "PSNR"), ("U-Net", "24.4")]
        >>> table = save_table(rows, "networks", "smoke", data="photos", seed=0)
    """
    profile = getattr(profile, "name", profile)
    path = figures_folder(profile) / f"{name}.md"
    make_folder(path.parent)
    table, now = markdown(rows), circumstances()
    versions = ", ".join(f"{package} {version}" for package, version in now["versions"].items())
    with written_whole(path) as temporary:
        temporary.write_text(
            f"{table}\n\nProfile {profile}, {data}, seed {seed}. {now['hardware']}; {versions}; "
            f"revision {now['revision']}, {now['date']}.\n"
        )
    return headed(table, [profile])


def _plain(value):
    """Convert numbers of NumPy and tensors for JSON; a NaN, which JSON lacks, becomes null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


def _revision():
    """Return the git revision of the code, with "+" if the code has changed since."""
    try:
        changed = "+" if _git("status", "--porcelain", "--", ".") else ""
        return _git("rev-parse", "--short", "HEAD") + changed
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*command):
    command = ["git", "-C", Path(__file__).parent, *command]
    options = {"capture_output": True, "text": True, "check": True, "timeout": 10}
    return subprocess.run(command, **options).stdout.strip()
