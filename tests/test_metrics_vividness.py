import numpy as np
import pytest

from colorkit import ColorBins, metrics
from tests.test_metrics_coherence import painted


def test_occupied_bins_of_one_colour_is_one():
    bins = ColorBins.grid(81)
    flat = np.full((8, 8), 60.0)
    colours = np.zeros((8, 8, 2), "float32")
    colours[:2, :, 0], colours[2:4, :, 0], colours[4:6, :, 1] = 25, -25, 25  # and neutral
    truth = painted(flat, colours)
    for prediction, expected in (
        (truth, 1.0),
        (painted(flat, 0 * colours), 1 / 4),
        (painted(flat, 0 * colours - np.float32([0, 25])), 0.0),  # a bin that the truth has not
    ):
        metric = metrics.OccupiedBins(bins)
        metric.update_state(truth, prediction)
        assert float(metric.result()) == pytest.approx(expected)
    # Neutral, and a bin that no more than a ninth of the pixels has.
    colours = np.zeros((9, 9, 2), "float32")
    colours[0, :, 0] = 25
    truth, gray = (
        painted(np.full((9, 9), 60.0), colours),
        painted(np.full((9, 9), 60.0), 0 * colours),
    )
    for share, expected in ((0.1, 1 / 2), (0.2, 1.0)):
        metric = metrics.OccupiedBins(bins, share=share)
        metric.update_state(truth, gray)
        assert float(metric.result()) == pytest.approx(expected)
