"""Damage files at random, and check what happens to them.

The unit tests run a few mutations. The large numbers run on demand:

    python -m tests.mutations --images 10000 --films 1000 --models 1000 --records 1000 --runs 1000

A damaged file may still be read, or be refused with a `ValueError` or `OSError` that names it. Any
other exception is a fault. So are files that stay behind, and results that change silently.
"""

import argparse
import collections
import contextlib
import io
import json
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from colorkit import Colorizer
from colorkit.data.image_files import picture_size, write_picture
from colorkit.data.metadata import read_metadata
from colorkit.data.video import color_video, read_frames
from colorkit.experiments import checkpoints, records
from colorkit.files import sealed

SIDE = 24
FORMATS = {
    "jpeg.jpg": {"quality": 90},
    "progressive.jpg": {"progressive": True, "comment": b"a harbor"},
    "exif.jpg": {"exif": {0x0112: 6, 0x010E: "a harbor", 0x0132: "1912:05:01 12:00:00"}},
    "color.png": {"dpi": (300, 300)},
    "palette.png": {"mode": "P"},
    "deep.png": {"mode": "I;16"},
    "alpha.png": {"mode": "RGBA"},
    "bits.png": {"mode": "1"},
    "plain.tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "deep.tif": {"mode": "I;16"},
    "cmyk.tif": {"mode": "CMYK"},
    "color.webp": {},
    "lossless.webp": {"lossless": True},
    "color.bmp": {},
    "color.gif": {"mode": "P"},
    "color.ppm": {},
    "color.tga": {},
    "color.jp2": {},
}


def mutate(content, rng):
    """Return bytes with one to four random changes, most of them near the beginning."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if not content:
            break
        length = len(content) if rng.random() < 0.5 else min(len(content), 256)
        at, count = int(rng.integers(length)), int(rng.geometric(0.2))
        kind = rng.integers(7)
        if kind == 0:  # flip a bit
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:  # random bytes
            content[at : at + count] = rng.bytes(min(count, len(content) - at))
        elif kind == 2:  # extreme values
            content[at : at + count] = rng.choice([b"\x00", b"\xff", b"\x7f"]) * count
        elif kind == 3:  # missing bytes
            del content[at : at + 8 * count]
        elif kind == 4:  # repeated bytes
            content[at:at] = content[at : at + 8 * count]
        elif kind == 5:  # cut off
            del content[max(1, at) :]
        else:  # a large number
            content[at : at + 4] = int(rng.integers(2**32)).to_bytes(4, "big")
    return bytes(content)


def mutate_json(value, rng):
    """Return a JSON value with one field deleted, or replaced by an odd value."""
    value = json.loads(json.dumps(value))
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)) and node[key]:
                walk(node[key])

    walk(value)
    node, key = places[int(rng.integers(len(places)))]
    odd = [None, -1, 0, 1e308, float("nan"), "", "x" * 100_000, [], {}, [[]], True, 2**80]
    choice = int(rng.integers(len(odd) + 1))
    if choice == len(odd):
        del node[key]
    else:
        node[key] = odd[choice]
    return value


class Report:
    """Counts of outcomes, and the faults."""

    def __init__(self):
        self.outcomes = collections.Counter()
        self.faults = []

    @contextlib.contextmanager
    def tried(self, kind, path, content):
        """Count the outcome of one damaged file, and check that it is refused properly."""
        before = set(path.parent.rglob("*"))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                yield
        except (ValueError, OSError) as error:
            self.outcomes[kind, "refused"] += 1
            if path.name not in str(error):
                self.fault(kind, content, f"no name of the file in {error!r}")
        except Exception as error:
            self.fault(kind, content, repr(error))
        else:
            self.outcomes[kind, "read"] += 1
        litter = set(path.parent.rglob("*")) - before
        if litter:
            self.fault(kind, content, f"files left: {sorted(x.name for x in litter)}")
            for each in litter:
                each.unlink()

    def fault(self, kind, content, what):
        self.outcomes[kind, "fault"] += 1
        self.faults.append((kind, what[:300], content))


def picture(rng, height=SIDE, width=SIDE + 8):
    """Return a smooth random image, uint8 `(height, width, 3)`."""
    small = Image.fromarray(rng.integers(0, 256, (3, 4, 3), dtype="uint8"))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def damaged(originals, count, rng, folder):
    """Yield paths and contents of damaged files, made from each of the originals in turn."""
    names = list(originals)
    for i in range(count):
        path = folder / names[i % len(names)]
        content = mutate(originals[path.name], rng)
        path.write_bytes(content)
        yield path, content


def colorizer():
    """Return a small colorizer, which colors everything in one color."""
    lightness = keras.Input((None, None, 1))
    chroma = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer="ones")
    return Colorizer(keras.Model(lightness, chroma(lightness)), size=16)


def original_images(rng):
    """Return the content of a small image file of each format, by name."""
    originals = {}
    for name, options in FORMATS.items():
        options = dict(options)
        image = Image.fromarray(picture(rng))
        mode = options.pop("mode", "RGB")
        if mode == "I;16":
            image = Image.fromarray(np.uint16(np.asarray(image.convert("L"))) * 257)
        elif mode != "RGB":
            image = image.convert(mode)
        if "exif" in options:
            exif = Image.Exif()
            exif.update(options["exif"])
            options["exif"] = exif
        file = io.BytesIO()
        image.save(file, Image.registered_extensions()[Path(name).suffix], **options)
        originals[name] = file.getvalue()
    return originals


def run_images(count, rng, folder, report):
    """Color damaged images."""
    color, target = colorizer(), folder / "colored.png"
    for path, content in damaged(original_images(rng), count, rng, folder):
        with report.tried("image", path, content):
            rgb = color(path)
            write_picture(target, rgb, read_metadata(path))
            with Image.open(target) as written:
                whole = np.asarray(written)
            target.unlink()
            if whole.shape != rgb.shape or rgb.shape[:2] != picture_size(path):
                report.fault("image", content, f"shapes {whole.shape} and {rgb.shape}")


def original_films(rng):
    """Return the content of small films, by name."""
    import av

    originals = {}
    for name, codec in {"a.mp4": "libx264", "b.mkv": "libx264", "c.avi": "mpeg4"}.items():
        file = io.BytesIO()
        with av.open(file, "w", {"a": "mp4", "b": "matroska", "c": "avi"}[name[0]]) as film:
            stream = film.add_stream(codec, rate=10, width=SIDE + 8, height=SIDE)
            stream.pix_fmt = "yuv420p"
            for _ in range(4):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(picture(rng))))
            film.mux(stream.encode())
        originals[name] = file.getvalue()
    return originals


def run_films(count, rng, folder, report):
    """Color damaged films."""
    target = folder / "colored.mp4"
    for path, content in damaged(original_films(rng), count, rng, folder):
        with report.tried("film", path, content):
            number = color_video(lambda rgb: rgb, path, target)
            found = sum(1 for _ in read_frames(target))
            target.unlink()
            if found != number:
                report.fault("film", content, f"{found} frames of {number}")


def run_models(count, rng, folder, report):
    """Load damaged models: files with damaged bytes, and archives with damaged members."""
    gray = picture(rng)
    colorizer().save(folder / "whole.keras")
    original = (folder / "whole.keras").read_bytes()
    expected = Colorizer.load(folder / "whole.keras")(gray)
    with zipfile.ZipFile(folder / "whole.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    path = folder / "damaged.keras"
    for i in range(count):
        content = mutate(original, rng)
        if i % 2:  # a valid archive, whose members are damaged
            name = list(members)[int(rng.integers(len(members)))]
            if name.endswith(".json") and rng.random() < 0.7:
                inner = json.dumps(mutate_json(json.loads(members[name]), rng)).encode()
            else:
                inner = mutate(members[name], rng)
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for member, whole in members.items():
                    archive.writestr(member, inner if member == name else whole)
            content = file.getvalue()
        path.write_bytes(content)
        with report.tried("model", path, content):
            loaded = Colorizer.load(path)
            if i % 2 == 0 and not np.array_equal(loaded(gray), expected):
                report.fault("model", content, "the colors changed silently")


def run_records(count, rng, folder, report):
    """Read damaged records."""
    path = folder / "record.json"
    originals = []
    for older in sorted((Path(__file__).parents[1] / "figures/records").glob("*.json"))[::40]:
        records.write(records.read(older), path)  # with a checksum, which older records lack
        originals.append(path.read_bytes())
    for i in range(count):
        original = originals[i % len(originals)]
        content = mutate(original, rng)
        if i % 2:
            content = json.dumps(mutate_json(json.loads(original), rng)).encode()
        path.write_bytes(content)
        with report.tried("record", path, content):
            record = records.read(path)
            path.write_bytes(original)
            if record != records.read(path):
                report.fault("record", content, "the record changed silently")


def run_runs(count, rng, folder, report):
    """Resume runs with damaged files."""
    rows = [
        {"epoch": epoch, "seconds": 1.0, "training_seconds": 0.5, "loss": 2.0, "val_loss": 1.0}
        for epoch in range(3)
    ]
    settings = {"settings": {"epochs": 3}, "circumstances": records.circumstances()}
    originals = {
        "history.jsonl": "".join(json.dumps(sealed(row)) + "\n" for row in rows).encode(),
        "settings.json": json.dumps(settings).encode(),
    }
    for path, content in damaged(originals, count, rng, folder):
        with report.tried("run", path, content):
            if path.name == "settings.json":
                checkpoints.begin(folder, settings["settings"])
            else:
                kept = checkpoints.EpochLog(path, None, "val_loss").rows
                if kept != rows[: len(kept)]:
                    report.fault("run", content, f"the log changed silently: {kept}")
        path.unlink(missing_ok=True)


RUNS = {
    "images": run_images,
    "films": run_films,
    "models": run_models,
    "records": run_records,
    "runs": run_runs,
}


def run(counts, seed=0):
    """Run mutations and return their `Report`.

    Args:
        counts: Dict from names in `RUNS` to numbers of mutated files.
        seed: Seed of the mutations.
    """
    report = Report()
    for number, (name, count) in enumerate(counts.items()):
        with tempfile.TemporaryDirectory() as folder:
            RUNS[name](count, np.random.default_rng([seed, number]), Path(folder), report)
    return report


def main():
    """Run the numbers of the command line, print outcomes, and save files with faults."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in RUNS:
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", type=Path, help="folder for the files with faults")
    options = parser.parse_args()
    start = time.monotonic()
    report = run({name: getattr(options, name) for name in RUNS}, options.seed)
    for (kind, outcome), count in sorted(report.outcomes.items()):
        print(f"{kind:8} {outcome:8} {count:6}")
    for number, (kind, what, content) in enumerate(report.faults):
        print(f"fault {number}: {kind}: {what}")
        if options.faults:
            options.faults.mkdir(parents=True, exist_ok=True)
            (options.faults / f"{number}-{kind}").write_bytes(content)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{time.monotonic() - start:.0f} s, peak memory {peak / 2**20:.2f} GiB")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
