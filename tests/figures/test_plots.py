import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from colorkit import LAB, YUV, ColorBins, Colorizer, models
from colorkit.data.images import Images
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
    """The picture that a figure becomes, `(height, width, 3)`."""
    assert isinstance(figure, Figure)
    with Image.open(io.BytesIO(figure._repr_png_())) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has_color(picture, rgb):
    return (np.abs(picture.astype(int) - np.asarray(rgb)).max(axis=-1) <= 2).any()


def test_grid_shows_every_picture_with_its_own_pixels():
    colors = np.array([[250, 10, 20], [10, 250, 20], [20, 10, 250], [120, 130, 140]])
    pictures = np.broadcast_to(colors[:, None, None], (4, 8, 8, 3)).astype("uint8")
    picture = drawn(plots.picture_grid({"left": pictures[:2], "right": pictures[2:] / 255}))
    assert all(has_color(picture, color) for color in colors)


def test_grid_takes_gray_pictures_with_and_without_channel(rng):
    gray = rng.integers(0, 256, (2, 8, 8), dtype="uint8")
    flat = drawn(plots.picture_grid({"gray": gray}))
    np.testing.assert_array_equal(flat, drawn(plots.picture_grid({"gray": gray[..., None]})))
    np.testing.assert_array_equal(flat, drawn(plots.picture_grid({"gray": gray / 255})))


def test_gray_keeps_its_brightness():
    # A picture that is dark all over must not be stretched to white.
    picture = drawn(plots.picture_grid({"": [np.full((8, 8), 40, "uint8")]}))
    assert has_color(picture, (40, 40, 40))


def test_grid_takes_pictures_of_different_sizes(rng):
    pictures = [rng.random((100, 80, 3)), rng.random((60, 90, 3))]
    drawn(plots.picture_grid({"input": pictures, "truth": pictures}, ["first", "second"]))


def test_grid_refuses_columns_of_different_lengths(pictures):
    with pytest.raises(ValueError, match=r"Received: \{'input': 3, 'truth': 2\}"):
        plots.picture_grid({"input": pictures[:3], "truth": pictures[:2]})


def test_rows_lie_across(pictures):
    across = plots.picture_rows({"input": pictures[:6], "truth": pictures[:6]})
    down = plots.picture_grid({"input": pictures[:6], "truth": pictures[:6]})
    assert across.get_figwidth() > across.get_figheight()
    assert down.get_figwidth() < down.get_figheight()
    with pytest.raises(ValueError, match="`rows` must hold as many"):
        plots.picture_rows({"input": pictures[:2], "truth": pictures[:3]})


@pytest.mark.parametrize("columns", [{}, {"input": []}])
def test_grid_refuses_no_pictures(columns):
    with pytest.raises(ValueError, match="at least one"):
        plots.picture_grid(columns)


def test_grid_refuses_too_few_row_titles(pictures):
    with pytest.raises(ValueError, match=r"must have 2 entries\. Received: 1"):
        plots.picture_grid({"input": pictures[:2]}, ["only one"])


def test_examples_have_a_row_a_class(pictures):
    images = Images(pictures, labels=np.arange(16) % 3, class_names=["cat", "dog", "sky", "none"])
    figure = plots.example_pictures(images, count=4)
    assert len(figure.axes) == 12  # three classes occur
    assert [text.get_text() for text in figure.texts] == ["cat", "dog", "sky"]


def test_examples_refuse_pictures_without_classes(pictures):
    with pytest.raises(ValueError, match="must have labels"):
        plots.example_pictures(Images(pictures))


def test_slices_show_colors_and_mark_what_is_outside():
    picture = drawn(plots.color_space_slices())
    assert has_color(picture, (230, 230, 230))
    gray = 255 * np.asarray(LAB.merge(np.float32([30]), np.zeros(2, "float32")))
    assert has_color(picture, gray)


@pytest.mark.parametrize(("space", "levels"), [(LAB, (30, 60)), ("yuv", (0.5,))])
def test_lightness_slices_have_a_panel_a_level(space, levels):
    figure = plots.lightness_slices(space, levels)
    drawn(figure)
    assert len(figure.axes) == len(levels)


def test_every_kind_of_bins_can_be_drawn(any_bins):
    drawn(plots.bin_map(any_bins))


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


def test_bin_map_refuses_values_for_other_bins():
    with pytest.raises(ValueError, match=r"shape \(9,\). Received shape \(8,\)"):
        plots.bin_map({"bins": (ColorBins.grid(9), np.ones(8))})


def test_priors_and_weights_have_three_panels_a_row():
    rows = {}
    for name, space in (("ab", LAB), ("uv", YUV)):
        bins = ColorBins.grid(81, space=space, centered=False)
        rows[name] = (bins, np.eye(81)[40], np.full(81, 1 / 81), np.ones(81))
    figure = plots.priors_and_weights(rows)
    drawn(figure)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 6
    assert "uv: weights" in titles


def test_temperature_strip_leaves_the_temperature_alone(colorizer, pictures):
    colorizer.temperature = 0.7
    figure = plots.temperature_strip(colorizer, pictures[:2], temperatures=(0, 1))
    drawn(figure)
    assert colorizer.temperature == 0.7
    assert [axes.get_title() for axes in figure.axes[:3]] == ["T = 0", "T = 1", "truth"]


def test_temperature_strip_refuses_a_regression(pictures):
    network = models.build_conv_regression(blocks=((4,),))
    with pytest.raises(ValueError, match="no temperature"):
        plots.temperature_strip(Colorizer(network), pictures[:1])


def test_smoke_figures_stay_out_of_figures(checkout, pictures):
    figure = plots.picture_grid({"": pictures[:1]})
    path = plots.save(figure, "00_test", "smoke")
    assert path.is_file()
    assert not (checkout / "figures").exists()
    assert path.parent == records.figures_folder("smoke")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_figures_of_real_runs_are_kept(checkout, pictures, profile):
    path = plots.save(plots.picture_grid({"": pictures[:1]}), "00_test", profile)
    assert path == checkout / "figures" / "00_test.png"
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert [p.name for p in path.parent.iterdir()] == ["00_test.png"]  # nothing half-written


def test_same_figure_gives_the_same_file(checkout, pictures):
    first, second = (
        plots.save(plots.picture_grid({"a": pictures[:2]}), name, "smoke").read_bytes()
        for name in ("first", "second")
    )
    assert first == second


def test_figures_leave_no_state_in_pyplot(pictures):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    drawn(plots.picture_grid({"": pictures[:1]}))
    assert plt.get_fignums() == before


def test_vividness_curves_hold_every_temperature():
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
    with pytest.raises(ValueError, match="at least one curve"):
        plots.vividness_curves({})


def test_dot_plot_puts_every_value_in_its_place():
    panels = {"PSNR": {"gray": 24.8, "ours": 26.0}, "SSIM": {"gray": 0.9, "ours": 0.94}}
    figure = plots.dot_plot(panels)
    for axes, values in zip(figure.axes, panels.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), list(values.values()))
    drawn(figure)
    with pytest.raises(ValueError, match="same names"):
        plots.dot_plot({"PSNR": {"gray": 1}, "SSIM": {"ours": 1}})


def test_training_curves_show_what_was_measured():
    rows = [{"epoch": i, "loss": 3.0 - i, "val_loss": 4.0 - i, "seconds": 1.0} for i in range(3)]
    figure = plots.training_curves(rows, ("loss", "seconds"))
    loss, seconds = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[3, 2, 1], [4, 3, 2]]
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3] and len(seconds.lines) == 1
    with pytest.raises(ValueError, match=r"'loss', 'seconds'.*'accuracy'"):
        plots.training_curves(rows, ("accuracy",))
