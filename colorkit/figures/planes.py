"""Draw color spaces and chroma planes into the axes of a figure."""

import functools

import numpy as np
from keras import ops
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from scipy.ndimage import binary_closing, binary_fill_holes
from scipy.spatial import KDTree

_OUTSIDE = 0.9  # gray for colors outside sRGB, and for a bin that never occurs
_RASTER = 420  # cells per side of a drawn chroma plane
_AXES = {"lab": ("a", "b", (-100, -50, 0, 50, 100)), "yuv": ("u", "v", (-0.6, -0.3, 0, 0.3, 0.6))}


def draw_cube(axes):
    """Draw the three sides of the RGB cube that meet in white."""
    ramp = np.linspace(0, 1, 25)
    middles = (ramp[:-1] + ramp[1:]) / 2
    for channel in range(3):
        corners = np.insert(np.stack(np.meshgrid(ramp, ramp)), channel, 1.0, axis=0)
        colors = np.insert(np.stack(np.meshgrid(middles, middles)), channel, 1.0, axis=0)
        options = {"facecolors": np.moveaxis(colors, 0, -1), "rstride": 1, "cstride": 1}
        axes.plot_surface(*(255 * corners), shade=False, linewidth=0, antialiased=False, **options)
    ticks = {"xticks": (0, 255), "yticks": (0, 255), "zticks": (0, 255)}
    axes.set(xlabel="R", ylabel="G", zlabel="B", box_aspect=(1, 1, 1), **ticks)
    axes.view_init(elev=28, azim=40)


def draw_slice(axes, space, lightness, title):
    """Draw the chroma plane of a `ColorSpace` at one lightness; gray marks colors outside sRGB."""
    chroma = _plane(space)
    levels = np.full((*chroma.shape[:2], 1), lightness, "float32")
    rgb = ops.convert_to_numpy(space.merge(levels, chroma))
    # Colors that `merge` had to change are outside sRGB.
    back = ops.convert_to_numpy(space.split(rgb)[1])
    outside = np.abs(back - chroma).max(axis=-1) > 0.005 * space.chroma_range[1]
    _show_plane(axes, space, np.where(outside[..., None], _OUTSIDE, rgb))
    axes.set_title(title)


def draw_bins(axes, bins, values, scale):
    """Draw `ColorBins` as cells of their chroma plane, with sRGB's border and a neutral cross.

    Args:
        axes: Matplotlib axes.
        bins: `ColorBins`.
        values: Value that sets the color of each cell, shape `(num_bins,)`. `None` uses the bins'
            own colors.
        scale: Result of `color_scale`, or `None` without values.

    Returns:
        Artist for a color bar, or `None` without values.

    Raises:
        ValueError: If there is not one value per bin.
    """
    if values is not None and np.shape(values) != (bins.num_bins,):
        raise ValueError(
            f"Values must have one entry per bin, shape ({bins.num_bins},). "
            f"Received shape {np.shape(values)}"
        )
    chroma = _plane(bins.space)
    labels = ops.convert_to_numpy(bins.encode(chroma))
    # Draw a cell where sRGB has colors, and for a lattice up to its own border.
    reach = KDTree(bins.centers).query(bins.centers, k=[2])[0].min() / 2
    inside = _gamut(bins.space)
    drawn = inside | (np.abs(chroma - bins.centers[labels]) <= reach).all(axis=-1)
    image = None
    if values is None:
        colors = _bin_colors(bins)[labels]
    else:
        image = ScalarMappable(scale, "viridis")
        colors = image.to_rgba(np.asarray(values, "float64"))[:, :3]
        colors[np.asarray(values) <= 0] = _OUTSIDE
        colors = colors[labels]
    _show_plane(axes, bins.space, np.where(drawn[..., None], colors, 1.0))
    extent = _extent(bins.space)
    ticks = np.linspace(-extent, extent, _RASTER)
    axes.contour(ticks, ticks, inside, levels=[0.5], colors="black", linewidths=0.6)
    axes.plot(0, 0, "+", color="white", markersize=9, markeredgewidth=2.4)
    axes.plot(0, 0, "+", color="black", markersize=8, markeredgewidth=1)
    return image


def color_scale(values, log):
    """Return a scale from the smallest to the largest value; logarithmic: up to six decades."""
    values = np.asarray(values, "float64")
    if log:
        positive = values[values > 0]
        return LogNorm(max(positive.min(), 1e-6 * positive.max()), positive.max(), clip=True)
    return Normalize(values.min(), values.max())


def _show_plane(axes, space, rgb):
    name_x, name_y, ticks = _AXES[space.name]
    extent = _extent(space)
    axes.imshow(rgb, origin="lower", extent=(-extent, extent) * 2, interpolation="nearest")
    axes.set(xlabel=name_x, ylabel=name_y, xticks=ticks, yticks=ticks)


def _plane(space):
    """Return the chroma of every cell of the plane: first channel to the right, second up."""
    axis = np.linspace(-_extent(space), _extent(space), _RASTER, dtype="float32")
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def _extent(space):
    return 1.06 * space.chroma_range[1]


@functools.cache
def _gamut(space):
    """Return which cells of the drawn plane contain a color of sRGB."""
    # The projection of a solid is that of its surface: the six sides of the RGB cube.
    side = np.stack(np.meshgrid(*[np.linspace(0, 1, 400, dtype="float32")] * 2), axis=-1)
    sides = [np.insert(side, channel, level, axis=-1) for channel in range(3) for level in (0, 1)]
    chroma = ops.convert_to_numpy(space.split(np.stack(sides))[1]).reshape(-1, 2)
    cells = np.rint((chroma / _extent(space) + 1) / 2 * (_RASTER - 1)).astype(int)
    inside = np.zeros((_RASTER, _RASTER), bool)
    inside[cells[:, 1], cells[:, 0]] = True
    return binary_fill_holes(binary_closing(inside, iterations=3))


def _bin_colors(bins):
    """Return each bin's color at the lightness near 60 % that shows it best."""
    low, high = bins.space.lightness_range
    levels = low + (high - low) * np.linspace(0.1, 0.95, 18, dtype="float32")
    levels = np.broadcast_to(levels[:, None, None], (18, bins.num_bins, 1))
    rgb = bins.space.merge(levels, np.broadcast_to(bins.centers, (18, bins.num_bins, 2)))
    error = np.linalg.norm(ops.convert_to_numpy(bins.space.split(rgb)[1]) - bins.centers, axis=-1)
    cost = error / bins.space.chroma_range[1] + 0.05 * np.abs(levels[..., 0] / high - 0.6)
    return ops.convert_to_numpy(rgb)[cost.argmin(axis=0), np.arange(bins.num_bins)]
