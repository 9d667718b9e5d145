import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from colorkit import LAB, YUV, ColorBins, Colorizer, models
from colorkit.experiments import records
from colorkit.figures import plots


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty checkout to write figures into."""
    (tmp_path / "colorkit").mkdir()
    (tmp_path / "colorkit" / "experiments").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def colorizer():
    bins = ColorBins.grid(9)
    network = models.build_conv_classification(9, blocks=((4,), (4,)), dilation_rates=(1, 1))
    return Colorizer(network, bins=bins, size=None)


def drawn(figure):
    """Return the image of a figure, `(height, width, 3)`."""
    assert isinstance(figure, Figure)
    with Image.open(io.BytesIO(figure._repr_png_())) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has_color(picture, rgb):
    return (np.abs(picture.astype(int) - np.asarray(rgb)).max(axis=-1) <= 2).any()


def test_grid_shows_every_image():
    colors = np.array([[250, 10, 20], [10, 250, 20], [20, 10, 250], [120, 130, 140]])
    pictures = np.broadcast_to(colors[:, None, None], (4, 8, 8, 3)).astype("uint8")
    picture = drawn(plots.picture_grid({"left": pictures[:2], "right": pictures[2:] / 255}))
    assert all(has_color(picture, color) for color in colors)


def test_grid_accepts_gray_images_with_and_without_channel(rng):
    gray = rng.integers(0, 256, (2, 8, 8), dtype="uint8")
    flat = drawn(plots.picture_grid({"gray": gray}))
    np.testing.assert_array_equal(flat, drawn(plots.picture_grid({"gray": gray[..., None]})))
    np.testing.assert_array_equal(flat, drawn(plots.picture_grid({"gray": gray / 255})))


def test_dark_gray_images_stay_dark():
    # The range of a dark image must not be stretched to white.
    picture = drawn(plots.picture_grid({"": [np.full((8, 8), 40, "uint8")]}))
    assert has_color(picture, (40, 40, 40))


def test_grid_accepts_images_of_different_sizes(rng):
    pictures = [rng.random((100, 80, 3)), rng.random((60, 90, 3))]
    drawn(plots.picture_grid({"input": pictures, "truth": pictures}, ["first", "second"]))


def test_columns_of_different_lengths_raise(pictures):
    with pytest.raises(ValueError, match="zip"):
        plots.picture_grid({"input": pictures[:3], "truth": pictures[:2]})


def test_rows_are_horizontal(pictures):
    across = plots.picture_rows({"input": pictures[:6], "truth": pictures[:6]})
    down = plots.picture_grid({"input": pictures[:6], "truth": pictures[:6]})
    assert across.get_figwidth() > across.get_figheight()
    assert down.get_figwidth() < down.get_figheight()
    with pytest.raises(ValueError, match=r"same number of images.* \[2, 3\]"):
        plots.picture_rows({"input": pictures[:2], "truth": pictures[:3]})


@pytest.mark.parametrize("columns", [{}, {"input": []}])
def test_grid_without_images_raises(columns):
    with pytest.raises(ValueError, match="not 0"):
        plots.picture_grid(columns)


def test_too_few_row_titles_raise(pictures):
    with pytest.raises(ValueError, match="zip"):
        plots.picture_grid({"input": pictures[:2]}, ["only one"])


@pytest.mark.parametrize("bins", [ColorBins.gamut(), ColorBins.grid(81, space=YUV)], ids=repr)
def test_bins_of_both_planes_can_be_drawn(bins):
    drawn(plots.bin_map(bins))


def test_bins_are_drawn_in_their_own_colors():
    bins = ColorBins([[0, 0], [50, 40], [-40, 30]])
    picture = drawn(plots.bin_map(bins))
    chroma = np.asarray(LAB.split(picture)[1])
    places = []
    for center in bins.centers[1:]:
        found = np.argwhere(np.linalg.norm(chroma - center, axis=-1) < 1)
        assert len(found) > 1000
        places.append(found.mean(axis=0))
    red, green = places
    assert green[1] < red[1]  # a grows to the right


def test_values_of_bins_share_one_scale_and_zero_is_gray():
    bins = ColorBins.grid(9)
    first, second = np.zeros(9), np.zeros(9)
    first[4], second[0] = 1.0, 1e-3
    figure = plots.bin_map({"a": (bins, first), "b": (bins, second)}, label="share", log=True)
    picture = drawn(figure)
    assert has_color(picture, (230, 230, 230))
    assert has_color(picture, (253, 231, 37))  # the top of the scale
    assert has_color(picture, (68, 1, 84))  # and its end


def test_color_bar_is_that_of_the_values_whatever_panel_is_last():
    bins = ColorBins.grid(9)
    figure = plots.bin_map({"n": (bins, np.arange(9)), "own": bins}, label="number")
    assert figure.axes[-1].get_ylim() == (0, 8)


def test_logarithm_of_zeros_raises():
    with pytest.raises(ValueError, match=r"`log` needs a value above 0. Received at most 0"):
        plots.bin_map({"zero": (ColorBins.grid(9), np.zeros(9))}, log=True)


def test_every_mark_is_drawn():
    marks = {str(i): (float(i), 0.9) for i in range(9)}
    row = {"temperature": 0, "colorfulness": 20.0, "threshold_accuracy": 0.95}
    figure = plots.vividness_curves({"a": [row]}, marks)
    assert len(figure.axes[0].get_legend().get_texts()) == 1 + len(marks)


def test_wrong_number_of_values_raises():
    with pytest.raises(ValueError, match=r"shape \(9,\). Received shape \(8,\)"):
        plots.bin_map({"bins": (ColorBins.grid(9), np.ones(8))})


def test_temperature_strip_keeps_the_temperature_of_the_colorizer(colorizer, pictures):
    colorizer.temperature = 0.7
    figure = plots.temperature_strip(colorizer, pictures[:2], temperatures=(0, 1))
    drawn(figure)
    assert colorizer.temperature == 0.7
    assert [axes.get_title() for axes in figure.axes[:3]] == ["T = 0", "T = 1", "truth"]


def test_smoke_figures_are_saved_outside_figures(checkout, pictures):
    figure = plots.picture_grid({"": pictures[:1]})
    path = plots.save(figure, "00_test", "smoke")
    assert path.is_file()
    assert not (checkout / "figures").exists()
    assert path.parent == records.figures_folder("smoke")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_figures_of_other_profiles_are_saved_in_figures(checkout, pictures, profile):
    path = plots.save(plots.picture_grid({"": pictures[:1]}), "00_test", profile)
    assert path == checkout / "figures" / "00_test.png"
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert [p.name for p in path.parent.iterdir()] == ["00_test.png"], "no temporary file"


def test_same_figure_gives_the_same_file(checkout, pictures):
    first, second = (
        plots.save(plots.picture_grid({"a": pictures[:2]}), name, "smoke").read_bytes()
        for name in ("first", "second")
    )
    assert first == second


def test_figures_do_not_change_pyplot(pictures):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    drawn(plots.picture_grid({"": pictures[:1]}))
    assert plt.get_fignums() == before


def test_vividness_curves_show_every_temperature():
    rows = [
        {"temperature": t, "threshold_accuracy": 0.95 + t / 100, "colorfulness": 30 - 10 * t}
        for t in (0.0, 0.5, 1.0)
    ]
    figure = plots.vividness_curves({"model": rows}, {"gray": (0.0, 0.9449)})
    curve, mark = figure.axes[0].lines
    np.testing.assert_allclose(curve.get_xdata(), [30, 25, 20])
    np.testing.assert_allclose(curve.get_ydata(), [95, 95.5, 96])
    np.testing.assert_allclose(mark.get_ydata(), [94.49])
    (end,) = figure.axes[0].collections
    np.testing.assert_allclose(end.get_offsets(), [(20, 96)])
    assert figure.axes[0].get_legend().get_title().get_text() == "open: T = 1"
    drawn(figure)


def test_dot_plot_shows_every_value():
    panels = {"PSNR": {"gray": 24.8, "ours": 26.0}, "SSIM": {"gray": 0.9, "ours": 0.94}}
    figure = plots.dot_plot(panels)
    for axes, values in zip(figure.axes, panels.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), list(values.values()))
    drawn(figure)


def test_training_curves_show_training_and_validation():
    rows = [{"epoch": i, "loss": 3.0 - i, "val_loss": 4.0 - i, "seconds": 1.0} for i in range(3)]
    figure = plots.training_curves(rows, ("loss", "seconds"))
    loss, seconds = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[3, 2, 1], [4, 3, 2]]
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3] and len(seconds.lines) == 1


@pytest.mark.parametrize("size", [(2000, 1), (1, 2000)])
def test_figure_of_doubt_of_a_strip_is_not_as_long(size):
    network = models.build_shallow_classification(9)
    colorizer, image = Colorizer(network, bins=ColorBins.grid(9)), np.full(size, 90, "uint8")
    figure = plots.doubt([colorizer(image)], [colorizer.uncertainty(image)])
    figure.savefig(io.BytesIO())
    assert max(figure.get_size_inches()) < 20
