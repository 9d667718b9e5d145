"""Plots: functions that return matplotlib figures and change no global state.

A notebook shows the figure at the end of a cell. `save` writes it to the folder of its profile.
"""

import io

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from colorkit.color import spaces
from colorkit.figures import diagrams, planes
from colorkit.files import figures_folder, make_folder, written_whole

_DPI = 120
_GAP = 6 / _DPI  # inches between the images of a grid


class _Figure(Figure):
    """A figure that notebooks show without pyplot."""

    def _repr_png_(self):
        buffer = io.BytesIO()
        _write(self, buffer)
        return buffer.getvalue()


def save(figure, name, profile):
    """Save a figure as PNG in the folder of a profile; "smoke" never writes into figures/.

    Args:
        figure: Matplotlib figure.
        name: File name without its ending, such as "01_color_spaces_slices".
        profile: `Profile` or its name.

    Returns:
        Path of the file.

    Raises:
        OSError: If the folder cannot be created or written.
    """
    path = figures_folder(getattr(profile, "name", profile)) / f"{name}.png"
    make_folder(path.parent)
    with written_whole(path) as temporary:
        _write(figure, temporary)
    return path


def picture_grid(columns, row_titles=None):
    """Draw images side by side, one row for each set of images.

    Args:
        columns: Dict from title to images, the same number per column: `(H, W, 3)`, or `(H, W)`
            or `(H, W, 1)` for gray; uint8 or floating point in [0, 1].
        row_titles: Title to the left of each row, or `None`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are no images, or columns or titles differ in number.
    """
    _check_lengths("columns", columns)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    if row_titles is not None and len(row_titles) != len(rows):
        raise ValueError(f"`row_titles` must have {len(rows)} entries. Received: {len(row_titles)}")
    return _grid(rows, list(columns), row_titles)


def picture_rows(rows):
    """Draw images below each other, one row for each kind.

    Args:
        rows: Dict from title to images, as `picture_grid` takes columns.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are no images, or rows differ in number.
    """
    _check_lengths("rows", rows)
    return _grid([list(pictures) for pictures in rows.values()], None, list(rows))


def example_pictures(images, count=8):
    """Draw the first images of each class, one row per class.

    Args:
        images: `Images` with labels.
        count: Maximum number of images per class.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the images have no classes.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figure 1.
    """
    if images.labels is None or images.class_names is None:
        raise ValueError(f"`images` must have labels and class names. Received: {images!r}")
    rows = {}
    for label, class_name in enumerate(images.class_names):
        chosen = np.flatnonzero(images.labels == label)[:count]
        if len(chosen):
            rows[class_name] = [images[i] for i in chosen]
    return _grid(list(rows.values()), None, list(rows))


def color_space_slices():
    """Draw the RGB cube, the ab plane at L = 30 and the uv plane at y = 0.5.

    Gray marks colors outside sRGB.

    Returns:
        `matplotlib.figure.Figure`.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figure 2.
    """
    figure = _Figure(figsize=(10.5, 3.5), layout="compressed")
    cube = figure.add_subplot(1, 3, 1, projection="3d")
    planes.draw_cube(cube)
    cube.set_title("RGB")
    planes.draw_slice(figure.add_subplot(1, 3, 2), spaces.LAB, 30, "Lab, L = 30")
    planes.draw_slice(figure.add_subplot(1, 3, 3), spaces.YUV, 0.5, "Yuv, y = 0.5")
    return figure


def lightness_slices(space, levels):
    """Draw the chroma plane of a color space at several levels of lightness.

    Args:
        space: `ColorSpace` with two chroma channels, or its name.
        levels: Lightness of each slice, in natural units.

    Returns:
        `matplotlib.figure.Figure`.
    """
    space = spaces.get(space)
    figure = _Figure(figsize=(2.5 * len(levels), 2.8), layout="compressed")
    all_axes = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for axes, level in zip(all_axes, levels, strict=True):
        planes.draw_slice(axes, space, level, f"{'L' if space.name == 'lab' else 'y'} = {level:g}")
        axes.label_outer()
    return figure


def bin_map(panels, *, label=None, log=False):
    """Draw color bins as cells of the chroma plane, in their own colors or colored by a value.

    A line marks the limit of sRGB and a cross marks neutral. Gray cells have the value zero. All
    panels share one color scale.

    Args:
        panels: `ColorBins`, or a dict from title to `ColorBins` (own colors) or to a pair of
            `ColorBins` and values, shape `(num_bins,)`.
        label: Name of the values.
        log: If True, use a logarithmic scale.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is not one value per bin.
    """
    if not isinstance(panels, dict):
        panels = {f"{panels.num_bins} bins": panels}
    panels = {k: v if isinstance(v, tuple) else (v, None) for k, v in panels.items()}
    values = [np.ravel(v) for _, v in panels.values() if v is not None]
    norm = planes.color_scale(np.concatenate(values), log) if values else None
    figure = _Figure(figsize=(2.8 * len(panels) + 0.7 * bool(values), 3.1), layout="compressed")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, (bins, value)) in zip(all_axes, panels.items(), strict=True):
        image = planes.draw_bins(axes, bins, value, norm)
        axes.set_title(title)
    if values:
        figure.colorbar(image, ax=all_axes, label=label, shrink=0.8, pad=0.02)
    return figure


def priors_and_weights(rows):
    """Draw the prior, the smoothed prior and the weights of each set of bins.

    Args:
        rows: Dict from the name of a plane, such as "ab", to `(bins, prior, smoothed, weights)`,
            the last three of shape `(num_bins,)`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is not one value per bin.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figure 3.
    """
    figure = _Figure(figsize=(10.5, 3.2 * len(rows)), layout="compressed")
    all_axes = figure.subplots(len(rows), 3, squeeze=False)
    for row_axes, (name, (bins, *columns)) in zip(all_axes, rows.items(), strict=True):
        for axes, title, values in zip(
            row_axes, ("prior", "smoothed prior", "weights"), columns, strict=True
        ):
            image = planes.draw_bins(
                axes, bins, values, planes.color_scale(values, title == "prior")
            )
            axes.set_title(f"{name}: {title}")
            figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def temperature_strip(colorizer, images, temperatures=(0, 0.2, 0.38, 0.6, 1)):
    """Draw images decoded at several temperatures, with the ground truth at the end.

    Args:
        colorizer: `Colorizer` with bins.
        images: Color images, uint8 `(H, W, 3)`.
        temperatures: 0 is the mode, 1 the mean.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the colorizer has no bins.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figure 7.
    """
    images = [np.asarray(image) for image in images]
    columns = {}
    for temperature in temperatures:
        annealed = colorizer.at_temperature(temperature)
        columns[f"T = {temperature:g}"] = [annealed(image) for image in images]
    return picture_grid({**columns, "truth": images})


def network_diagram(model):
    """Draw the convolutions and dense layers of a network, from left to right, as boxes.

    The height of a box is the height of the features; its thickness is their number. A black edge
    is batch normalization. The text below gives the number of features and special properties of
    the layer. Branches are below each other, and lines connect them.

    Args:
        model: Functional `keras.Model`, of fixed or free size.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no convolution or dense layer.

    References:
        Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", Figures 4 to 6.
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

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are no curves.
    """
    if not curves:
        raise ValueError("`curves` must hold at least one curve. Received none")
    figure = _Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for label, rows in curves.items():
        x = [row["colorfulness"] for row in rows]
        y = [100 * row["threshold_accuracy"] for row in rows]
        (line,) = axes.plot(x, y, marker=".", label=label)
        axes.scatter(x[-1:], y[-1:], color="white", edgecolor=line.get_color(), zorder=3)
    for (label, (x, y)), marker in zip((marks or {}).items(), "sDv^ox*", strict=False):
        axes.plot(x, 100 * y, marker, color="black", label=label)
    if truth is not None:
        axes.axvline(truth, color="gray", linewidth=0.8, linestyle=":", label="truth")
    axes.set(xlabel="colorfulness, mean over images", ylabel="threshold accuracy, percent")
    axes.grid(alpha=0.3)
    ends = {f"T = {rows[-1]['temperature']:g}" for rows in curves.values()}
    axes.legend(fontsize=8, title=f"open: {', '.join(sorted(ends))}", title_fontsize=8)
    return figure


def training_curves(rows, names):
    """Draw the metrics of a run by epoch, one panel per name; validation is dashed.

    Args:
        rows: List of dicts, as `training.history` returns them.
        names: Names of the metrics to draw.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If one of the names has no values.
    """
    missing = [name for name in names if not any(name in row for row in rows)]
    if missing or not names:
        measured = sorted({key for row in rows for key in row if not key.startswith("val_")})
        raise ValueError(f"`names` must be of {measured}. Received: {list(names)}")
    figure = _Figure(figsize=(3.4 * len(names), 2.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            points = [(row["epoch"] + 1, row[key]) for row in rows if key in row]
            if points:
                label = "training" if key == name else "validation"
                axes.plot(
                    *zip(*points, strict=True), style, marker=".", color="tab:blue", label=label
                )
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def dot_plot(panels):
    """Draw values as dots, one panel per metric, with names on the left and one scale per panel.

    Args:
        panels: Dict from a metric to a dict from name to value. All metrics have the same names.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are no panels, or their names differ.
    """
    names = [list(values) for values in panels.values()]
    if not names or any(other != names[0] for other in names):
        raise ValueError(f"`panels` must hold measures of the same names. Received: {names}")
    names = names[0]
    size = (2.2 * len(panels) + 0.08 * max(map(len, names)), 0.3 * len(names) + 0.8)
    figure = _Figure(figsize=size, layout="compressed")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, values) in zip(all_axes, panels.items(), strict=True):
        axes.plot(list(values.values()), names, "o", color="tab:blue")
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


def _check_lengths(name, kinds):
    lengths = {title: len(pictures) for title, pictures in kinds.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(
            f"`{name}` must hold as many images each, at least one. Received: {lengths}"
        )


def _grid(rows, column_titles, row_titles):
    """Draw rows of images, laid out in inches: a layout engine is slow with a hundred axes."""
    rows = [[ops.convert_to_numpy(picture) for picture in row] for row in rows]
    # Small images are enlarged to make their pixels visible; large images get more room.
    side = rows[0][0].shape[1]
    small = side <= 64
    width = (128 if side <= 128 else 176) / _DPI
    heights = [width * max(p.shape[0] / p.shape[1] for p in row) for row in rows]
    left = _GAP + ((12 + 10 * max(map(len, row_titles))) / _DPI if row_titles else 0)
    top = 36 / _DPI if column_titles else _GAP
    total_width = left + max(map(len, rows)) * (width + _GAP)
    total_height = top + sum(heights) + len(rows) * _GAP
    figure = _Figure(figsize=(total_width, total_height))
    bottom = total_height - top
    for i, (row, height) in enumerate(zip(rows, heights, strict=True)):
        bottom -= height
        for j, picture in enumerate(row):
            box = np.array([left + j * (width + _GAP), bottom, width, height])
            axes = figure.add_axes(box / ([total_width, total_height] * 2))
            white = 255 if picture.dtype == np.uint8 else 1
            options = {"interpolation": "nearest"} if small else {}
            axes.imshow(picture, cmap="gray", vmin=0, vmax=white, **options)
            axes.set_axis_off()
            if i == 0 and column_titles:
                axes.set_title(column_titles[j], fontsize=9, pad=5)
        if row_titles:
            place = (left - 0.1) / total_width, (bottom + height / 2) / total_height
            figure.text(*place, row_titles[i], ha="right", va="center", fontsize=9)
        bottom -= _GAP
    return figure
