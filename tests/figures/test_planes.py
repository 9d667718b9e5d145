import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.ndimage import binary_dilation, binary_erosion

from colorkit import LAB, YUV, ColorBins
from colorkit.figures import planes


def raster(draw, *arguments):
    """Return the image that a function draws into axes, bottom row first, and its extent."""
    axes = Figure().add_subplot()
    draw(axes, *arguments)
    (image,) = axes.images
    left, right, bottom, top = image.get_extent()
    assert (left, bottom) == (-right, -top)
    return np.asarray(image.get_array()), right


def cells(picture, extent, chroma):
    """Return the colors of an image at chroma, shape `(n, 2)`."""
    side = len(picture)
    column, row = np.rint((chroma / extent + 1) / 2 * (side - 1)).astype(int).T
    return picture[row, column]


@pytest.mark.parametrize("space", [LAB, YUV])
def test_border_encloses_the_colors_of_srgb(space, rng):
    inside, extent = planes._gamut(space), planes._extent(space)
    chroma = np.asarray(space.split(rng.random((100_000, 3), dtype="float32"))[1])
    assert cells(binary_dilation(inside), extent, chroma).all(), "to a cell"
    places = np.argwhere(binary_erosion(inside, iterations=3))
    places = places[rng.choice(len(places), 300)]
    chroma = np.linspace(-extent, extent, len(inside), dtype="float32")[places[:, ::-1]]
    levels = np.linspace(*space.lightness_range, 200, dtype="float32")[:, None, None]
    levels = np.broadcast_to(levels, (200, 300, 1))
    back = space.split(space.merge(levels, np.broadcast_to(chroma, (200, 300, 2))))[1]
    error = np.abs(np.asarray(back) - chroma).max(axis=-1).min(axis=0)
    assert error.max() < 0.01 * extent, "some lightness makes a color of each place"


def test_bins_show_their_values_as_colors():
    bins = ColorBins.grid(9)
    values = np.arange(9) / 8
    scale = planes.color_scale(values, log=False)
    picture, extent = raster(planes.draw_bins, bins, values, scale)
    shown = cells(picture, extent, 0.8 * bins.centers)
    np.testing.assert_allclose(shown[0], 0.9, err_msg="zero is gray")
    np.testing.assert_allclose(255 * shown[8], (253, 231, 37), atol=1)  # the top of viridis
    assert len(np.unique(shown, axis=0)) == 9


def test_logarithmic_scale_omits_zero_and_tiny_values():
    scale = planes.color_scale([0, 1e-12, 0.1, 1], log=True)
    assert (scale.vmin, scale.vmax) == (1e-6, 1)
    scale = planes.color_scale([0, 1e-3, 0.1], log=True)
    assert (scale.vmin, scale.vmax) == (1e-3, 0.1)
    assert planes.color_scale([-1, 3], log=False)(1) == 0.5
