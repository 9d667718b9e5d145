import numpy as np
import pytest
from keras import ops

from colorkit import LAB, metrics


def painted(lightness, chroma):
    """An image `(1, H, W, 3)` of planes `(H, W)` and `(H, W, 2)` inside the gamut."""
    return ops.convert_to_numpy(LAB.merge(np.float32(lightness)[None, ..., None], chroma[None]))


def halves(left, right, size=8):
    chroma = np.zeros((size, size, 2), "float32")
    chroma[:, : size // 2], chroma[:, size // 2 :] = left, right
    return chroma


def test_bleeding_is_a_step_without_an_edge_in_the_truth():
    gray, stepped = halves((0, 0), (0, 0)), halves((0, 0), (3, 4))
    flat, edged = np.full((8, 8), 60.0), np.full((8, 8), 60.0)
    edged[:, 4:] = 70.0

    def measured(truth, prediction):
        metric = metrics.Bleeding()
        metric.update_state(truth, prediction)
        return float(metric.result())

    # A step of 5 in one of eight columns, the last of the left half.
    assert measured(painted(flat, gray), painted(flat, stepped)) == pytest.approx(5 / 8, abs=0.01)
    # Where the true lightness or chroma has an edge, color may change.
    assert measured(painted(edged, gray), painted(edged, stepped)) == pytest.approx(0, abs=0.01)
    assert measured(painted(flat, stepped), painted(flat, 2 * stepped)) == pytest.approx(
        0, abs=0.01
    )
    assert measured(painted(flat, stepped), painted(flat, gray)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("edge", [0, -1.0, float("nan")])
def test_edges_must_be_positive(edge, truth):
    for name in ("lightness_edge", "chroma_edge"):
        with pytest.raises(ValueError, match=name):
            metrics.Bleeding(**{name: edge}).update_state(truth, truth)


def test_bleeding_is_a_mean_over_pixels_of_all_batches():
    flat, edged = np.full((8, 8), 60.0), np.full((8, 8), 60.0)
    edged[:, 4:] = 70.0
    gray, stepped = halves((0, 0), (0, 0)), halves((0, 0), (3, 4))
    metric = metrics.Bleeding()
    metric.update_state(painted(flat, gray), painted(flat, stepped))  # 8 steps in 64 pixels
    metric.update_state(painted(edged, gray), painted(edged, stepped))  # none in 56
    assert float(metric.result()) == pytest.approx(5 * 8 / (64 + 56), abs=0.01)


def test_chroma_gradient_error_counts_missing_and_added_steps():
    flat = np.full((8, 8), 60.0)
    gray, stepped = halves((0, 0), (0, 0)), halves((0, 0), (3, 4))
    for truth, prediction, expected in (
        (stepped, stepped, 0.0),
        (stepped, gray, 5 / 8),
        (gray, stepped, 5 / 8),
        (stepped, -stepped, 10 / 8),  # the wrong sign is twice as wrong
        (stepped, stepped + 9, 0.0),  # which colors is left open
    ):
        metric = metrics.ChromaGradientError()
        metric.update_state(painted(flat, truth), painted(flat, prediction))
        assert float(metric.result()) == pytest.approx(expected, abs=0.02)
