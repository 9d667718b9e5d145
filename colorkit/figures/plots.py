"""Plots: functions that return a matplotlib figure and change no global state.

Images are `(H, W, 3)`, or `(H, W)` or `(H, W, 1)` for gray, uint8 or floating point in [0, 1].
"""

import io
import itertools

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from colorkit.figures import diagrams, planes
from colorkit.files import figures_folder, make_folder, written_whole

_DPI = 120
_GAP = 6 / _DPI  # inches between the images of a grid
_LONGEST = 5.0  # height by width, and width by height, of the images in a figure of doubt


class _Figure(Figure):
    """A figure that notebooks show without pyplot."""

    def _repr_png_(self):
        buffer = io.BytesIO()
        _write(self, buffer)
        return buffer.getvalue()


def save(figure, name, profile):
    """Save a figure as `name`.png in the folder of a profile, and return the path.

    `profile` is a `Profile` or its name; "smoke" never writes into figures/. A folder or file that
    cannot be written raises an `OSError`.

    Example:
        >>> save(picture_rows({"black": np.zeros((3, 8, 8, 3))}), "rows", "smoke").name
        'rows.png'
    """
    path = figures_folder(getattr(profile, "name", profile)) / f"{name}.png"
    make_folder(path.parent)
    with written_whole(path) as temporary:
        _write(figure, temporary)
    return path


def picture_grid(columns, row_titles=None):
    """Draw columns of images, a dict from title to images, side by side.

    Images are `(H, W, 3)`, or `(H, W)` for gray, uint8 or floating point in [0, 1]. `row_titles`
    are to the left of the rows. Columns of different lengths raise a `ValueError`.

    Example:
        >>> images = ck.load("photos")[:3]
        >>> figure = picture_grid({"gray": [image[..., 0] for image in images], "truth": images})
    """
    return _grid(list(zip(*columns.values(), strict=True)), list(columns), row_titles)


def picture_rows(rows):
    """Draw rows of images, a dict from title to images, below each other.

    Images are as for `picture_grid`. Rows of different lengths raise a `ValueError`.

    Example:
        >>> figure = picture_rows({"photos": ck.load("photos")[:3]})
    """
    return _grid(list(rows.values()), None, list(rows))


def bin_map(panels, *, label=None, log=False):
    """Draw color bins as cells of the chroma plane, in their own colors or colored by a value.

    A line marks the limit of sRGB and a cross marks neutral. Gray cells have the value zero. All
    panels share one color scale.

    Args:
        panels: `ColorBins`, or a dict from title to `ColorBins` (own colors) or to a pair of
            `ColorBins` and values, shape `(num_bins,)`.
        label: Name of the values.
        log: If True, use a logarithmic scale.

    Raises:
        ValueError: If there is not one value per bin.

    Example:
        >>> bins = ck.ColorBins.grid(49)
        >>> figure = bin_map({"49 bins": bins, "numbers": (bins, np.arange(49))}, label="number")
    """
    if not isinstance(panels, dict):
        panels = {f"{panels.num_bins} bins": panels}
    panels = {k: v if isinstance(v, tuple) else (v, None) for k, v in panels.items()}
    values = [np.ravel(v) for _, v in panels.values() if v is not None]
    scale = planes.color_scale(np.concatenate(values), log) if values else None
    figure = _Figure(figsize=(2.8 * len(panels) + 0.7 * bool(values), 3.1), layout="compressed")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    image = None  # the last one that has values, for the color bar
    for axes, (title, (bins, value)) in zip(all_axes, panels.items(), strict=True):
        image = planes.draw_bins(axes, bins, value, scale) or image
        axes.set_title(title)
    if values:
        figure.colorbar(image, ax=all_axes, label=label, shrink=0.8, pad=0.02)
    return figure


def temperature_strip(colorizer, images, temperatures=(0, 0.2, 0.38, 0.6, 1)):
    """Draw images decoded at several temperatures, with the ground truth at the end.

    Args:
        colorizer: `Colorizer` with bins.
        images: Color images, uint8 `(H, W, 3)`.
        temperatures: 0 is the mode, 1 the mean.

    Raises:
        ValueError: If the colorizer has no bins.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figure 7.

    Example:
        >>> bins = ck.ColorBins.grid(9)
        >>> colorizer = ck.Colorizer(ck.models.build_shallow_classification(9), bins=bins)
        >>> figure = temperature_strip(colorizer, ck.load("photos")[:2], temperatures=(0, 1))
    """
    columns = {
        f"T = {temperature:g}": list(map(colorizer.at_temperature(temperature), images))
        for temperature in temperatures
    }
    return picture_grid({**columns, "truth": images})


def doubt(images, uncertainties):
    """Draw images, the doubt about each pixel's color, and the number of colors that it may have.

    Args:
        images: Colored images, `(H, W, 3)`.
        uncertainties: `Uncertainty` of each, see `Colorizer.uncertainty`. Without a calibration,
            the numbers of colors are left out.

    Example:
        >>> colorizer, image = ck.Colorizer.pretrained("cifar10"), ck.load("photos", size=32)[0]
        >>> figure = doubt([colorizer(image)], [colorizer.uncertainty(image)])
    """
    panels = {"bits of entropy": [each.entropy for each in uncertainties]}
    if all(each.sets is not None for each in uncertainties):
        panels[f"colors that hold the true one, {uncertainties[0].coverage:.0%}"] = [
            each.sizes for each in uncertainties
        ]
    heights = [image.shape[0] / image.shape[1] for image in images]
    heights = np.clip(heights, 1 / _LONGEST, _LONGEST)
    size = 2.6 * (1 + len(panels)), 0.3 + 2.6 * sum(heights)
    figure = _Figure(figsize=size, layout="compressed")
    rows = figure.subplots(len(images), 1 + len(panels), squeeze=False, height_ratios=heights)
    for axes, image, each in zip(rows, images, uncertainties, strict=True):
        axes[0].imshow(image)
        axes[0].set_title(f"sureness {each.sureness:.2f}", fontsize=9)
    for column, (title, maps) in enumerate(panels.items(), start=1):
        top = max(plane.max() for plane in maps)
        for axes, plane in zip(rows[:, column], maps, strict=True):
            shown = axes.imshow(plane, vmin=0, vmax=top, interpolation="bilinear")
        rows[0, column].set_title(title, fontsize=9)
        figure.colorbar(shown, ax=rows[:, column], location="bottom", shrink=0.8, pad=0.02)
    for axes in rows.flat:
        axes.set_axis_off()
    return figure


def network_diagram(model):
    """Draw the convolutions and dense layers of a functional model, from left to right, as boxes.

    The height of a box is the height of the features; its thickness is their number. A black edge
    is batch normalization. The text below gives the number of features and special properties of
    the layer. Branches are below each other, and lines connect them.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figures 4 to 6.

    Example:
        >>> figure = network_diagram(ck.models.build_conv_classification(81))
    """
    figure = _Figure(layout="constrained")
    figure.set_size_inches(*diagrams.draw_network(figure.add_subplot(), model))
    return figure


def vividness_curves(curves, marks=None, truth=None):
    """Draw threshold accuracy against colorfulness, one curve per colorizer.

    The marker at the last temperature of a curve is open.

    Args:
        curves: Dict from label to rows of `evaluation.temperature_curve`.
        marks: Dict from label to a pair of colorfulness and threshold accuracy, for single
            points, such as baselines.
        truth: Colorfulness of the ground truth, drawn as a line, or `None`.

    Example:
        >>> row = {"temperature": 0, "colorfulness": 20.0, "threshold_accuracy": 0.95}
        >>> figure = vividness_curves({"mode": [row]}, marks={"gray": (0.0, 0.94)}, truth=33.0)
    """
    figure = _Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for label, rows in curves.items():
        x = [row["colorfulness"] for row in rows]
        y = [100 * row["threshold_accuracy"] for row in rows]
        (line,) = axes.plot(x, y, marker=".", label=label)
        axes.scatter(x[-1:], y[-1:], color="white", edgecolor=line.get_color(), zorder=3)
    markers = itertools.cycle("sDv^ox*")
    for (label, (x, y)), marker in zip((marks or {}).items(), markers, strict=False):
        axes.plot(x, 100 * y, marker, color="black", label=label)
    if truth is not None:
        axes.axvline(truth, color="gray", linewidth=0.8, linestyle=":", label="truth")
    axes.set(xlabel="colorfulness, mean over images", ylabel="threshold accuracy, percent")
    axes.grid(alpha=0.3)
    ends = {f"T = {rows[-1]['temperature']:g}" for rows in curves.values()}
    axes.legend(fontsize=8, title=f"open: {', '.join(sorted(ends))}", title_fontsize=8)
    return figure


def training_curves(rows, names):
    """Draw the metrics `names` of a run by epoch, one panel each; validation is dashed.

    `rows` are those of `training.history`: dicts with "epoch", metrics, and metrics after "val_".

    Example:
        >>> figure = training_curves([{"epoch": 0, "loss": 2.0, "val_loss": 2.2}], ["loss"])
    """
    figure = _Figure(figsize=(3.4 * len(names), 2.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        curves = (name, "-", "training"), (f"val_{name}", "--", "validation")
        for key, style, label in curves:
            if points := [(row["epoch"] + 1, row[key]) for row in rows if key in row]:
                axes.plot(*np.transpose(points), style, marker=".", color="tab:blue", label=label)
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def dot_plot(panels):
    """Draw values as dots, one panel per metric, with names on the left and one scale per panel.

    `panels` is a dict from a metric to a dict from name to value, of the same names.

    Example:
        >>> figure = dot_plot({"PSNR": {"U-Net": 24.4, "ResNet": 24.1}})
    """
    names = list(next(iter(panels.values())))
    size = (2.2 * len(panels) + 0.08 * max(map(len, names)), 0.3 * len(names) + 0.8)
    figure = _Figure(figsize=size, layout="compressed")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, values) in zip(all_axes, panels.items(), strict=True):
        axes.plot(list(values.values()), list(values), "o", color="tab:blue")
        for name, value in values.items():
            place = {"textcoords": "offset points", "xytext": (0, 5), "ha": "center"}
            axes.annotate(f"{value:#.4g}", (value, name), fontsize=7, **place)
        axes.margins(x=0.2, y=0.1)
        axes.grid(alpha=0.3)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
    all_axes[0].invert_yaxis()
    return figure


def _write(figure, target):
    # Without matplotlib's version in the file, the same figure gives the same file.
    options = {"format": "png", "bbox_inches": "tight", "pad_inches": _GAP}
    figure.savefig(
        target, dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True}, **options
    )


def _grid(rows, column_titles, row_titles):
    """Draw rows of images, laid out in inches: a layout engine is slow with a hundred axes."""
    rows = [[ops.convert_to_numpy(picture) for picture in row] for row in rows]
    lengths = [len(row) for row in rows]
    if len(set(lengths)) != 1 or 0 in lengths:
        raise ValueError(f"Rows must have the same number of images, not 0. Received: {lengths}")
    # Small images are enlarged to make their pixels visible; large images get more room.
    side = rows[0][0].shape[1]
    options = {"interpolation": "nearest"} if side <= 64 else {}
    width = (128 if side <= 128 else 176) / _DPI
    heights = [width * max(p.shape[0] / p.shape[1] for p in row) for row in rows]
    left = _GAP + ((12 + 10 * max(map(len, row_titles))) / _DPI if row_titles else 0)
    top = 36 / _DPI if column_titles else _GAP
    total_width = left + len(rows[0]) * (width + _GAP)
    total_height = top + sum(heights) + len(rows) * _GAP
    figure = _Figure(figsize=(total_width, total_height))
    bottom = total_height - top
    titles = row_titles or [""] * len(rows)
    for i, (row, height, title) in enumerate(zip(rows, heights, titles, strict=True)):
        bottom -= height
        for j, picture in enumerate(row):
            box = np.array([left + j * (width + _GAP), bottom, width, height])
            axes = figure.add_axes(box / ([total_width, total_height] * 2))
            white = 255 if picture.dtype == np.uint8 else 1
            axes.imshow(picture, cmap="gray", vmin=0, vmax=white, **options)
            axes.set_axis_off()
            if i == 0 and column_titles:
                axes.set_title(column_titles[j], fontsize=9, pad=5)
        place = (left - 0.1) / total_width, (bottom + height / 2) / total_height
        figure.text(*place, title, ha="right", va="center", fontsize=9)
        bottom -= _GAP
    return figure
