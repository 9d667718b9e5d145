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
# A PNG of hints gives at most so many; of more opaque pixels, every n-th one counts.
_MOST = 500


def weights(places, features, distribution, lightness, reach=1.0):
    """Return how much the correction at each hint counts for every pixel, `(rows, columns, n)`.

    The colors of a network are taken as the mean of a Gaussian process, and hints as observations
    of it. Pixels whose features, distribution and lightness agree are correlated. The weights are
    those of simple kriging (Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006,
    equation 2.25). Hints that disagree about similar pixels are averaged between them.

    `places` are rows and columns, `(n, 2)`. Features have unit length, the distribution may be
    `None`, and lightness, in units of its range, is `(rows, columns)`. For `reach` see
    `Prediction.with_hints`.
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


def last_correction(pixels, missing, lightness, side, span):
    """Return a function that makes the colors of hints exact, which upsampling has smoothed.

    In place, it adds the `missing` chroma to that of a slice of rows, at the `pixels` and in their
    surroundings of like lightness. A pixel of the prediction has `side` pixels of the image.
    `span` is the range of lightness.
    """
    reach, step = _LAST_REACH * side, _LAST_LIGHTNESS * span
    extent = int(_LAST_EXTENT * reach) + 1

    def agreement(pixel, rows, columns):
        # Without a square in the exponent, colors between hints that disagree do not overshoot.
        squared = ((rows - pixel[0]) ** 2 + (columns - pixel[1]) ** 2) / reach**2
        apart = lightness[rows, columns] - lightness[tuple(pixel)]
        return np.exp(-np.sqrt(squared + (apart / step) ** 2))

    def corrected(rows, chroma):
        top, bottom, _ = rows.indices(len(lightness))
        for pixel, amount in zip(pixels, amounts, strict=True):
            first, left = np.maximum(pixel - extent, (top, 0))
            last, right = np.minimum(pixel + extent + 1, (bottom, chroma.shape[1]))
            if first < last:
                share = agreement(pixel, *np.ogrid[first:last, left:right])
                chroma[first - top : last - top, left:right] += share[..., None] * amount
        return chroma

    among = np.stack([agreement(each, *pixels.T) for each in pixels])
    amounts = np.float32(np.linalg.solve(among + 1e-3 * np.eye(len(pixels)), missing))
    return corrected


def _squared(planes, places):
    """Return squared distances between the planes of all pixels and of the places."""
    some = planes[tuple(places.T)]
    products = planes @ some.T
    squares = (planes * planes).sum(axis=-1)[..., None] + (some * some).sum(axis=-1)
    return np.maximum(squares - 2 * products, 0)


def checked_hints(hints, size):
    """Return places `(n, 2)` and uint8 colors `(n, 3)` of hints, or raise a `ValueError`."""
    found = {}
    for number, hint in enumerate(hints, start=1):
        try:
            row, column, color = hint
            given = row, column
            row, column = int(row), int(column)
            for one, whole in zip(given, (row, column), strict=True):
                if not isinstance(one, str) and one != whole:
                    raise ValueError
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                "`hints` must be (row, column, color) with whole rows and columns, such as "
                f"(20, 30, 'red'). Received as hint {number}: {hint!r}"
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
        text = path.read_text(encoding="utf-8-sig")
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
