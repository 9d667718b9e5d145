"""Draw the bins of a chroma plane into the axes of a figure."""

import functools

import numpy as np
from keras import ops
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from scipy.ndimage import binary_closing, binary_fill_holes
from scipy.spatial import KDTree

_EMPTY = 0.9  # gray of a bin that never occurs
_RASTER = 420  # cells per side of a drawn chroma plane
_AXES = {"lab": ("a", "b", (-100, -50, 0, 50, 100)), "yuv": ("u", "v", (-0.6, -0.3, 0, 0.3, 0.6))}


def draw_bins(axes, bins, values, scale):
    """Draw `ColorBins` as cells of their chroma plane, with sRGB's border and a neutral cross.

    `values` of the cells, `(num_bins,)`, have a `scale` of `color_scale`; `None` uses the bins' own
    colors. Returns an artist for a color bar, or `None` without values.
    """
    if values is not None and np.shape(values) != (bins.num_bins,):
        raise ValueError(
            f"Values must have one entry per bin, shape ({bins.num_bins},). "
            f"Received shape {np.shape(values)}"
        )
    extent = _extent(bins.space)
    axis = np.linspace(-extent, extent, _RASTER, dtype="float32")
    # First channel to the right, second up.
    chroma = np.stack(np.meshgrid(axis, axis), axis=-1)
    labels = ops.convert_to_numpy(bins.encode(chroma))
    # Draw a cell where sRGB has colors, and for a lattice up to its own border.
    reach = KDTree(bins.centers).query(bins.centers, k=[2])[0].min() / 2
    inside = _gamut(bins.space)
    drawn = inside | (np.abs(chroma - bins.centers[labels]) <= reach).all(axis=-1)
    if values is None:
        image, colors = None, _bin_colors(bins)
    else:
        image = ScalarMappable(scale, "viridis")
        colors = image.to_rgba(np.asarray(values, "float64"))[:, :3]
        colors[np.asarray(values) <= 0] = _EMPTY
    rgb = np.where(drawn[..., None], colors[labels], 1.0)
    axes.imshow(rgb, origin="lower", extent=(-extent, extent) * 2, interpolation="nearest")
    name_x, name_y, ticks = _AXES[bins.space.name]
    axes.set(xlabel=name_x, ylabel=name_y, xticks=ticks, yticks=ticks)
    axes.contour(axis, axis, inside, levels=[0.5], colors="black", linewidths=0.6)
    axes.plot(0, 0, "+", color="white", markersize=9, markeredgewidth=2.4)
    axes.plot(0, 0, "+", color="black", markersize=8, markeredgewidth=1)
    return image


def color_scale(values, log):
    """Return a scale from the smallest to the largest value; logarithmic: up to six decades."""
    values = np.asarray(values, "float64")
    if log:
        positive = values[values > 0]
        if not positive.size:
            raise ValueError(f"`log` needs a value above 0. Received at most {values.max()}.")
        return LogNorm(max(positive.min(), 1e-6 * positive.max()), positive.max(), clip=True)
    return Normalize(values.min(), values.max())


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
