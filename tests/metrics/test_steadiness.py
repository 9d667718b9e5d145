import math

import numpy as np
import pytest
from keras import ops

from colorkit import LAB, metrics


def painted(chroma):
    """Images of one lightness and the chroma `(N, H, W, 2)`."""
    chroma = np.float32(chroma)
    return ops.convert_to_numpy(LAB.merge(np.full_like(chroma[..., :1], 60), chroma))


def rows_and_columns(height, width, down=0.0, right=0.0):
    return np.mgrid[:height, :width] - np.reshape([down, right], (2, 1, 1))


@pytest.mark.parametrize("down, right", [(0, 0), (2, 1), (0, 0.5)])
def test_warp_error_of_moved_colors_is_zero_and_of_changed_colors_their_distance(down, right):
    ramp = np.stack([np.mgrid[:12, :16][1], np.mgrid[:12, :16][0]], axis=-1) - 8.0
    moved = ramp - [right, down]  # a linear ramp, moved
    places = rows_and_columns(12, 16, down, right)[None]
    assert metrics.warp_error(painted([ramp, moved]), places) == pytest.approx(0, abs=0.01)
    assert metrics.warp_error(painted([ramp, np.add(moved, [3, 4])]), places) == pytest.approx(
        5, abs=0.02
    )


def test_warp_error_leaves_out_what_comes_from_outside():
    first, second = np.zeros((8, 8, 2)), np.zeros((8, 8, 2))
    second[:, :3] = 20  # enters the picture from the left
    second[:, 3] = 6  # and one of the five columns that were there changes
    places = rows_and_columns(8, 8, right=3)[None]
    error = metrics.warp_error(painted([first, second]), places)
    assert error == pytest.approx([6 * math.sqrt(2) / 5], abs=0.02)


def test_one_error_per_pair_and_wrong_shapes_raise():
    frames = painted(np.zeros((4, 8, 8, 2)))
    places = np.stack([rows_and_columns(8, 8)] * 3)
    assert metrics.warp_error(frames, places).shape == (3,)
    with pytest.raises(ValueError, match=r"`places` must have shape \(3, 2, 8, 8\)"):
        metrics.warp_error(frames, places[:2])
    with pytest.raises(ValueError, match="RGB"):
        metrics.warp_error(frames[0], places)


def test_divergence_of_histograms_has_its_closed_form():
    black, white = np.zeros((8, 8, 3), "float32"), np.ones((8, 8, 3), "float32")
    half = black.copy()
    half[:4] = 1
    cdc = metrics.color_distribution_consistency
    assert cdc(np.stack([black] * 5)) == 0
    assert cdc(np.stack([half, half[::-1]]), [1]) == 0, "places do not count"
    assert cdc(np.stack([black, white]), [1]) == pytest.approx(math.log(2))
    expected = (math.log(4 / 3) + math.log(2 / 3) / 2 + math.log(2) / 2) / 2
    assert cdc(np.stack([black, half]), [1]) == pytest.approx(expected)
    red = black.copy()
    red[..., 0] = 1
    assert cdc(np.stack([black, red]), [1]) == pytest.approx(math.log(2) / 3), (
        "one channel of three"
    )


def test_divergence_is_averaged_over_distances():
    black, white = np.zeros((4, 4, 3), "float32"), np.ones((4, 4, 3), "float32")
    flicker = np.stack([black, white] * 3)
    cdc = metrics.color_distribution_consistency
    assert cdc(flicker, [2, 4]) == 0
    assert cdc(flicker) == pytest.approx(math.log(2) / 3)
    with pytest.raises(ValueError, match=r"the largest distance, 4\. Received: 4"):
        cdc(flicker[:4])
