"""Keep the pictures of one visitor of the page, and color them as the controls say."""

import functools
import itertools
import math
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from colorkit import __version__
from colorkit.colorizer import Colorizer
from colorkit.data.image_files import as_rgb, output_format, picture_size, write_picture
from colorkit.data.metadata import read_metadata

# Limits of what a visitor may upload: the size of a file, the pixels of a picture, their number.
MEGABYTES, MEGAPIXELS, PICTURES = 100, 64, 100
VARIANTS = 4
# What is shown has at most so many pixels, so that it follows a slider. A download has all.
_SHOWN_PIXELS, _THUMBNAIL = 2**20, (160, 160)
_RECENT = 40  # files that a browser may still be reading
_ORANGE = np.array([255, 120, 0])
_LEFT = "The picture is no longer here, as the page lost its connection. Drop it again."


def loaders(models):
    """Return functions that load each colorizer once, by name. See `server.build`."""
    found = {}
    for model in models:
        if isinstance(model, Colorizer):
            name, load = model.name, functools.partial(lambda loaded: loaded, model)
        elif Path(model).suffix == ".keras":
            name, load = Path(model).stem, functools.partial(Colorizer.load, model)
        else:
            name, load = model, functools.partial(Colorizer.pretrained, model)
        others = (f"{name} ({i})" for i in itertools.count(2))  # such as a file of another folder
        name = next(x for x in itertools.chain([name], others) if x not in found)
        found[name] = functools.cache(load)
    return found


class Picture:
    """Hold an uploaded picture, what a network predicts for it, and what a person chose."""

    def __init__(self, path, name):
        self.path, self.name = path, name
        self.before, self.thumbnail = (path.with_suffix(f".{x}.jpg") for x in ("gray", "small"))
        self.hints = {}  # color by (row, column), in pixels of what is shown
        self.reach = 1.0  # of hints
        self.variant = 0  # 0 is as predicted
        self._colorizer = None
        small = Image.fromarray(as_rgb(path))
        small.thumbnail(_THUMBNAIL)
        write_picture(self.thumbnail, np.asarray(small))

    def predict(self, colorizer):
        """Run a network, unless it was the last one."""
        if colorizer is self._colorizer:
            return
        rgb = as_rgb(self.path)
        kept = colorizer.prediction(rgb)
        scale = (_SHOWN_PIXELS / (kept.size[0] * kept.size[1])) ** 0.5
        image = Image.fromarray(rgb)
        if scale < 1:
            size = [max(1, round(scale * side)) for side in image.size]
            image = image.resize(size, Image.Resampling.LANCZOS)
            kept = kept.at_size_of(image)
        self.gray = np.asarray(image.convert("L").convert("RGB"))
        write_picture(self.before, self.gray)
        self._kept, self._colorizer, self.variant = kept, colorizer, 0
        self._variants = self._chosen = None

    def prediction(self, variant=None):
        """Return the prediction of a variant, or of the one that was chosen, with the hints."""
        key = self.variant if variant is None else variant, self.reach, *self.hints.items()
        if self._chosen and self._chosen[0] == key:
            return self._chosen[1]
        found = self._kept
        if key[0]:
            self._variants = self._variants or self._kept.variants(VARIANTS)
            found = self._variants[key[0] - 1]
        if self.hints:
            given = [(*place, color) for place, color in self.hints.items()]
            found = found.with_hints(given, self.reach)
        if variant is None:
            self._chosen = key, found
        return found

    def doubt(self):
        """Return the `Uncertainty` of the model, and a map of it: orange over gray."""
        found = self._kept.uncertainty()
        share = found.doubt[..., None] ** 2
        return found, np.uint8((1 - share) * self.gray + share * _ORANGE + 0.5)

    def marked(self, rgb):
        """Return the colors of the picture with a dot at each hint."""
        image = Image.fromarray(rgb)
        radius = max(4, min(image.size) // 70)
        for (row, column), color in self.hints.items():
            ImageDraw.Draw(image).circle(
                (column, row), radius, fill=color, outline="white", width=max(2, radius // 4)
            )
        return np.asarray(image)

    def write(self, folder, temperature, saturation):
        """Write the picture at full size, with its metadata, and return its path."""
        path = folder / f"{Path(self.name).stem}-colored{Path(self.name).suffix}"
        try:
            output_format(path)
        except ValueError:  # a format that is only read
            path = path.with_suffix(".png")
        full = self.prediction()
        if picture_size(self.path) != full.size:
            full = full.at_size_of(self.path)
        metadata = read_metadata(self.path, f"colorized by colorkit {__version__}")
        write_picture(path, full.rgb(temperature, saturation), metadata)
        return path


class Album:
    """Hold the pictures of one visitor, in a folder inside `parent`, and what the controls say."""

    def __init__(self, models, parent):
        self._models, self._numbers = models, itertools.count()
        self.lock = threading.Lock()  # events of one visitor wait for each other
        self.folder = Path(tempfile.mkdtemp(dir=parent))
        self.pictures, self.index, self.view = [], 0, "compare"
        self.use(next(iter(models)))

    @property
    def picture(self):
        """The picture that is shown, with its prediction."""
        if not self.pictures:
            raise ValueError(_LEFT)
        picture = self.pictures[self.index]
        picture.predict(self.colorizer)
        return picture

    def use(self, model):
        """Choose a model, and take its own temperature and saturation."""
        self.model, self.colorizer = model, self._models[model]()
        self.adjust(self.colorizer.temperature, self.colorizer.saturation)

    def adjust(self, temperature, saturation):
        """Set the temperature, which a regression lacks, and the saturation."""
        self.temperature = None if self.colorizer.bins is None else temperature
        self.saturation = saturation

    def choose(self, index):
        """Choose a picture."""
        self.index = index

    def look(self, view):
        """Choose "compare", "hints", "variants" or "doubt", and return whether this is new."""
        before, self.view = self.view, view
        return view != before

    def hint(self, place, color):
        """Give a place, column and row of what is shown, a color."""
        column, row = place
        self.picture.hints.pop((row, column), None)  # so that the new one is the last
        self.picture.hints[row, column] = color
        try:
            self.picture.prediction()
        except ValueError:  # the model takes no hints
            self.undo()
            raise

    def stretch(self, reach):
        """Set the distance up to which pixels follow the hints of the picture."""
        self.picture.reach = reach

    def undo(self):
        """Take the last hint back."""
        if self.picture.hints:
            self.picture.hints.popitem()

    def clear(self):
        """Take all hints back."""
        self.picture.hints.clear()

    def vary(self, index):
        """Choose a variant, or 0 for what is predicted."""
        self.picture.variant = index

    def add(self, paths):
        """Move uploaded files into the album, and return what is wrong with some of them."""
        problems, first = [], len(self.pictures)
        for path in map(Path, paths):
            kept = self.folder / f"{next(self._numbers)}{path.suffix.lower()}"
            shutil.move(path, kept)
            try:
                if len(self.pictures) == PICTURES:
                    raise ValueError(f"{path.name}: at most {PICTURES} pictures fit on the page.")
                _check_pixels(kept)
                self.pictures.append(Picture(kept, path.name))
                self.index = first
            except (OSError, ValueError) as error:
                kept.unlink()
                problems.append(str(error).replace(str(kept), path.name))
        return problems

    def rgb(self, variant=None):
        """Return the colors of the picture that is shown."""
        return self.picture.prediction(variant).rgb(self.temperature, self.saturation)

    def file(self, rgb):
        """Write what is to be shown into a file, and return its path."""
        number = next(self._numbers)
        (self.folder / f"view-{number - _RECENT}.jpg").unlink(missing_ok=True)
        path = self.folder / f"view-{number}.jpg"
        write_picture(path, rgb)
        return str(path)

    def download(self):
        """Write the picture that is shown at full size, and return its path."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return str(self.picture.write(folder, self.temperature, self.saturation))

    def download_all(self):
        """Write all pictures at full size into a ZIP file, and return its path."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        with zipfile.ZipFile(folder / "colored.zip", "w") as archive:
            for number, picture in enumerate(self.pictures, start=1):
                picture.predict(self.colorizer)
                path = picture.write(folder, self.temperature, self.saturation)
                taken = path.name in archive.namelist()
                archive.write(path, f"{number}-{path.name}" if taken else path.name)
                path.unlink()
        return str(folder / "colored.zip")

    def forget(self):
        """Delete all files and predictions."""
        self.pictures.clear()  # which also ends `download_all`
        shutil.rmtree(self.folder, ignore_errors=True)


def _check_pixels(path):
    text = f"{path} has more than {MEGAPIXELS} megapixels, the most that fit. Reduce it first."
    try:
        pixels = math.prod(picture_size(path))
    except ValueError as error:
        if isinstance(error.__context__, Image.DecompressionBombError):
            raise ValueError(text) from error
        raise
    if pixels > MEGAPIXELS * 10**6:
        raise ValueError(text)
