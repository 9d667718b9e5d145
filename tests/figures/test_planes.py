import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.ndimage import binary_dilation, binary_erosion
from skimage.color import lab2rgb

from colorkit import LAB, YUV, ColorBins
from colorkit.figures.plots import planes


def raster(draw, *arguments):
    """The picture, bottom row first, that a function draws into axes, and its extent."""
    axes = Figure().add_subplot()
    draw(axes, *arguments)
    (image,) = axes.images
    left, right, bottom, top = image.get_extent()
    assert (left, bottom) == (-right, -top)
    return np.asarray(image.get_array()), right


def cells(picture, extent, chroma):
    """What a picture shows at chroma, shape `(n, 2)`."""
    side = len(picture)
    column, row = np.rint((chroma / extent + 1) / 2 * (side - 1)).astype(int).T
    return picture[row, column]


@pytest.mark.parametrize("space", [LAB, YUV])
def test_border_holds_the_colors_of_srgb_and_no_others(space, rng):
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


def test_slice_shows_the_colors_that_scikit_image_computes(rng):
    picture, extent = raster(planes.draw_slice, LAB, 60, "L = 60")
    chroma = rng.uniform(-20, 20, (200, 2))
    axis = np.linspace(-extent, extent, len(picture))
    nearest = axis[np.abs(axis - chroma[..., None]).argmin(axis=-1)]
    expected = lab2rgb(np.concatenate([np.full((200, 1), 60.0), nearest], axis=-1))
    np.testing.assert_allclose(cells(picture, extent, nearest), expected, atol=2e-3)


def test_slice_is_gray_outside_srgb():
    picture, extent = raster(planes.draw_slice, LAB, 60, "")
    outside = np.array([[-100.0, 100.0], [0.0, -100.0]])  # no sRGB color at L = 60
    np.testing.assert_allclose(cells(picture, extent, outside), 0.9)


def test_bins_have_the_colors_of_their_values():
    bins = ColorBins.grid(9)
    values = np.arange(9) / 8
    scale = planes.color_scale(values, log=False)
    picture, extent = raster(planes.draw_bins, bins, values, scale)
    shown = cells(picture, extent, 0.8 * bins.centers)
    np.testing.assert_allclose(shown[0], 0.9, err_msg="zero is gray")
    np.testing.assert_allclose(255 * shown[8], (253, 231, 37), atol=1)  # the top of viridis
    assert len(np.unique(shown, axis=0)) == 9


def test_values_for_other_bins_are_refused():
    scale = planes.color_scale(np.ones(8), log=False)
    with pytest.raises(ValueError, match=r"shape \(9,\)\. Received shape \(8,\)"):
        planes.draw_bins(Figure().add_subplot(), ColorBins.grid(9), np.ones(8), scale)


def test_logarithmic_scale_leaves_out_zero_and_what_is_tiny():
    scale = planes.color_scale([0, 1e-12, 0.1, 1], log=True)
    assert (scale.vmin, scale.vmax) == (1e-6, 1)
    scale = planes.color_scale([0, 1e-3, 0.1], log=True)
    assert (scale.vmin, scale.vmax) == (1e-3, 0.1)
    assert planes.color_scale([-1, 3], log=False)(1) == 0.5


def test_cube_shows_the_three_sides_that_meet_in_white():
    axes = Figure().add_subplot(projection="3d")
    planes.draw_cube(axes)
    for side in axes.collections:
        colors = side.get_facecolor()[:, :3]
        assert ((colors == 1).all(axis=0)).any(), "one channel is full all over"
    assert len(axes.collections) == 3
