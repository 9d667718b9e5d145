"""Spread the colors that a person gives for a few pixels to all that is like them."""

import csv

import numpy as np
from PIL import Image, ImageColor

from colorkit.files import expanded

__all__ = ["read_hints"]

# Weights of the differences between two pixels: of features, of the predicted distributions and of
# lightness. They were chosen on photographs that no table shows.
_FEATURES, _DISTRIBUTION, _LIGHTNESS = 2.0, 3.0, 2.5
# Extra agreement of pixels nearby, and its reach in pixels of the prediction. It makes the color
# of a hint exact where it was given.
_NEARBY, _REACH = 0.1, 2.0
_NOISE = 0.01
# Reach of the last correction at a hint, in full size, in pixels of the prediction, and the
# difference of lightness that counts as much. Beyond so many reaches, it is left out.
_LAST_REACH, _LAST_LIGHTNESS, _LAST_EXTENT = 1.0, 0.1, 4.0
# A PNG of hints has at most so many; a painted stroke counts once per cell of a grid.
_MOST = 500


def weights(places, features, distribution, lightness, reach=1.0):
    """Return how much the correction at each hint counts for every pixel.

    The colors of a network are taken as the mean of a Gaussian process, and hints as observations
    of it. Pixels whose features, distribution and lightness agree are correlated. The weights are
    those of simple kriging. Hints that disagree about similar pixels are averaged between them.

    Args:
        places: Row and column of each hint, whole numbers of shape `(n, 2)`.
        features: List of features of unit length, `(rows, columns, channels)`.
        distribution: Probability of each bin `(rows, columns, num_bins)`, or `None`.
        lightness: In units of its range, `(rows, columns)`.
        reach: Distance up to which pixels follow a hint, as a share of the longer side. At 1,
            distance does not matter.

    Returns:
        float32 array `(rows, columns, n)`.

    References:
        Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006, equation 2.25.
    """
    rows, columns = places.T
    size = lightness.shape
    apart = _LIGHTNESS * _squared(lightness[..., None], places)
    for plane in features:
        apart = apart + _FEATURES / len(features) * _squared(plane, places)
    if distribution is not None:
        apart = apart + _DISTRIBUTION * _squared(np.sqrt(distribution), places)
    position = np.stack(np.mgrid[: size[0], : size[1]], axis=-1).astype("float32")
    distance = _squared(position, places)
    apart = apart + (1 / reach**2 - 1) / 2 * distance / max(size) ** 2
    nearby = np.exp(-distance / (2 * _REACH**2))
    agreement = np.exp(-apart) * (1 + _NEARBY * nearby)
    among = agreement[rows, columns] + _NOISE * np.eye(len(places), dtype="float32")
    return np.linalg.solve(among, agreement.reshape(-1, len(places)).T).T.reshape(*size, -1)


class LastCorrection:
    """Make the color of a hint exact at its own pixel, after upsampling has smoothed it.

    What is missing at each pixel is added there, and to its surroundings of like lightness.

    Args:
        pixels: Row and column of each hint in the image, shape `(n, 2)`.
        missing: Chroma that is missing there, shape `(n, channels)`.
        lightness: Of the image, shape `(height, width)`.
        scale: Side of a pixel of the prediction, in pixels of the image; and the range of
            lightness.
    """

    def __init__(self, pixels, missing, lightness, scale):
        self._pixels, self._lightness = pixels, lightness
        self._reach, self._step = _LAST_REACH * scale[0], _LAST_LIGHTNESS * scale[1]
        among = np.stack([self._agreement(each, *pixels.T) for each in pixels])
        self._amounts = np.float32(np.linalg.solve(among + 1e-3 * np.eye(len(pixels)), missing))

    def __call__(self, rows, chroma):
        """Add the correction to the chroma of a slice of rows, in place, and return it."""
        top, bottom, _ = rows.indices(len(self._lightness))
        extent = int(_LAST_EXTENT * self._reach) + 1
        for pixel, amount in zip(self._pixels, self._amounts, strict=True):
            first, left = np.maximum(pixel - extent, (top, 0))
            last, right = np.minimum(pixel + extent + 1, (bottom, chroma.shape[1]))
            if first < last:
                grid = np.ogrid[first:last, left:right]
                agreement = self._agreement(pixel, *grid)
                chroma[first - top : last - top, left:right] += agreement[..., None] * amount
        return chroma

    def _agreement(self, pixel, rows, columns):
        # Without a square in the exponent, colors between hints that disagree do not overshoot.
        squared = ((rows - pixel[0]) ** 2 + (columns - pixel[1]) ** 2) / self._reach**2
        apart = self._lightness[rows, columns] - self._lightness[tuple(pixel)]
        return np.exp(-np.sqrt(squared + (apart / self._step) ** 2))


def _squared(planes, places):
    """Return squared distances between the planes of all pixels and of the places."""
    some = planes[tuple(places.T)]
    products = planes @ some.T
    squares = (planes * planes).sum(axis=-1)[..., None] + (some * some).sum(axis=-1)
    return np.maximum(squares - 2 * products, 0)


def checked_hints(hints, size):
    """Return places `(n, 2)` and uint8 colors `(n, 3)` of hints in an image of a size.

    Raises:
        ValueError: If a hint is outside the image, has no color, or contradicts another one.
    """
    found = {}
    for number, hint in enumerate(hints, start=1):
        try:
            row, column, color = hint
            row, column = int(row), int(column)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "`hints` must be (row, column, color), such as (20, 30, 'red'). "
                f"Received as hint {number}: {hint!r}"
            ) from error
        if not (0 <= row < size[0] and 0 <= column < size[1]):
            raise ValueError(
                f"`hints` must be inside the image of {size[0]} rows and {size[1]} columns, "
                f"counted from 0. Received as hint {number}: row {row}, column {column}"
            )
        rgb = _color(color, number)
        if found.setdefault((row, column), rgb) != rgb:
            raise ValueError(
                f"`hints` must not contradict each other. Hint {number} gives row {row}, column "
                f"{column} the color {rgb}, and an earlier one {found[row, column]}. Remove one."
            )
    if not found:
        raise ValueError("`hints` must hold at least one hint. Received none")
    return np.array(list(found)), np.array(list(found.values()), "uint8")


def _color(color, number):
    try:
        if isinstance(color, str):
            return ImageColor.getrgb(color.strip())[:3]
        red, green, blue = (float(value) for value in color)
        if not all(0 <= value <= 255 and value == int(value) for value in (red, green, blue)):
            raise ValueError
        return int(red), int(green), int(blue)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The color of a hint must be a name such as 'red', '#c03028', or red, green and blue "
            f"from 0 to 255. Received as hint {number}: {color!r}"
        ) from error


def read_hints(path, size):
    r"""Read hints from a CSV or PNG file.

    Args:
        path: CSV file with a line `row,column,color` per hint, such as `20,30,#c03028`, or with
            semicolons. A first line of names is skipped. Or a PNG file of the size of the image
            with transparency, whose opaque pixels are hints.
        size: Height and width of the image.

    Returns:
        List of `(row, column, color)`, as `Colorizer` takes it.

    Raises:
        ValueError: If the file holds no hints, or has another format or size.
        OSError: If it cannot be read.

    Example:
        >>> import pathlib
        >>> pathlib.Path("hints.csv").write_text("row,column,color\n20,30,red\n") and None
        >>> read_hints("hints.csv", (64, 64))
        [('20', '30', 'red')]
    """
    path = expanded(path)
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise FileNotFoundError(f"A file of hints was expected at {path}; {what}.")
    if path.suffix.lower() == ".csv":
        hints = _rows(path)
    elif path.suffix.lower() == ".png":
        hints = _painted(path, size)
    else:
        raise ValueError(f"A file of hints must end in .csv or .png. Received: {path}")
    if not hints:
        raise ValueError(
            f"{path} holds no hints. A CSV file has a line row,column,color per hint; a PNG file "
            "has opaque pixels where hints are, and is transparent elsewhere."
        )
    return hints


def _rows(path):
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            text = file.read()
        delimiter = ";" if ";" in text else ","
        lines = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
        rows = [row for row in lines if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file that can be read: {error}") from error
    if rows and not any(character.isdigit() for character in rows[0][0]):  # names of columns
        rows = rows[1:]
    for row in rows:
        if len(row) not in (3, 5):
            raise ValueError(
                f"{path} must have lines row,column,color or row,column,red,green,blue. "
                f"Received: {','.join(row)!r}"
            )
    return [(row[0], row[1], row[2] if len(row) == 3 else row[2:]) for row in rows]


def _painted(path, size):
    try:
        with Image.open(path) as image:
            if image.size[::-1] != tuple(size):
                raise ValueError(
                    f"it has {image.height} rows and {image.width} columns, and the image "
                    f"{size[0]} and {size[1]}"
                )
            rgba = np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a PNG file of hints that fits: {error}") from error
    opaque = np.argwhere(rgba[..., 3] > 127)
    if len(opaque) == size[0] * size[1]:
        raise ValueError(f"{path} must be transparent where there are no hints. It is opaque.")
    # Of a stroke, keep evenly spaced pixels.
    opaque = opaque[np.linspace(0, len(opaque) - 1, min(_MOST, len(opaque))).astype(int)]
    return [(row, column, rgba[row, column, :3]) for row, column in opaque.tolist()]
