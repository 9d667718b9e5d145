import numpy as np
import pytest

from colorkit import ColorBins, metrics
from tests.metrics.test_coherence import painted
from tests.metrics.test_mean import measured


def test_colorfulness_has_known_values():
    gray = np.full((1, 8, 8, 3), 0.3, "float32")
    assert measured(metrics.Colorfulness(), gray, gray) == pytest.approx(0, abs=1e-4)
    red = np.zeros((1, 8, 8, 3), "float32")
    red[..., 0] = 1
    # Constant red: no spread, rg = 255, yb = 127.5.
    expected = 0.3 * np.hypot(255, 127.5)
    assert measured(metrics.Colorfulness(), red, red) == pytest.approx(expected, rel=1e-5)
    half_green = red.copy()
    half_green[:, 4:] = [0, 1, 0]
    # rg = +-255 spreads by 255 about 0, yb is 127.5 throughout; absolute values do not spread.
    expected = 255 + 0.3 * 127.5
    assert measured(metrics.Colorfulness(), red, half_green) == pytest.approx(expected, rel=1e-5)
    absolute = measured(metrics.Colorfulness(signed=False), red, half_green)
    assert absolute == pytest.approx(0.3 * np.hypot(255, 127.5), rel=1e-5)


def test_dominant_hue_is_its_share_of_all_chroma():
    lightness = np.linspace(40, 70, 64).reshape(8, 8)
    colors = np.zeros((8, 8, 2), "float32")
    colors[:4], colors[4:7] = [10, 0], [0, -20]  # 40 parts of chroma to 60, and a row of gray
    truth = painted(lightness, 0 * colors)
    for prediction, expected in (
        (painted(lightness, colors), 0.6),
        (painted(lightness, np.full_like(colors, [0, 15])), 1.0),
        (truth, 0.0),
    ):
        metric = metrics.DominantHue()
        metric.update_state(truth, prediction)
        assert float(metric.result()) == pytest.approx(expected, abs=1e-3)


def test_occupied_bins_of_one_color_is_one():
    bins = ColorBins.grid(81)
    flat = np.full((8, 8), 60.0)
    colors = np.zeros((8, 8, 2), "float32")
    colors[:2, :, 0], colors[2:4, :, 0], colors[4:6, :, 1] = 25, -25, 25  # and neutral
    truth = painted(flat, colors)
    for prediction, expected in (
        (truth, 1.0),
        (painted(flat, 0 * colors), 1 / 4),
        (
            painted(flat, 0 * colors - np.float32([0, 25])),
            0.0,
        ),  # a bin that the truth does not occupy
    ):
        metric = metrics.OccupiedBins(bins)
        metric.update_state(truth, prediction)
        assert float(metric.result()) == pytest.approx(expected)
    # Neutral, and a bin that no more than a ninth of the pixels has.
    colors = np.zeros((9, 9, 2), "float32")
    colors[0, :, 0] = 25
    truth, gray = (
        painted(np.full((9, 9), 60.0), colors),
        painted(np.full((9, 9), 60.0), 0 * colors),
    )
    for share, expected in ((0.1, 1 / 2), (0.2, 1.0)):
        metric = metrics.OccupiedBins(bins, share=share)
        metric.update_state(truth, gray)
        assert float(metric.result()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bins": ColorBins.grid(81, space="yuv")}, "`bins` must be `ColorBins` of Lab"),
        ({"bins": ColorBins.grid(81), "share": 0}, "`share`"),
        ({"bins": ColorBins.grid(81), "share": 2}, "`share`"),
    ],
)
def test_bins_of_another_space_and_shares_out_of_range_raise(options, named):
    with pytest.raises(ValueError, match=named):
        metrics.OccupiedBins(**options)
