"""Baselines of hints behave as their papers say."""

import numpy as np

from colorkit.evaluation.propagation import optimized, segmented

HALVES = np.repeat([[0.2] * 10 + [0.8] * 10], 12, axis=0)
PLACES, CHROMA = np.array([[6, 3], [6, 16]]), np.array([[40.0, 0.0], [0.0, -40.0]])


def test_colors_fill_their_side_of_an_edge():
    for spread in (optimized, segmented):
        filled = spread(HALVES, PLACES, CHROMA)
        np.testing.assert_allclose(filled[:, :9], np.broadcast_to(CHROMA[0], (12, 9, 2)), atol=1)
        np.testing.assert_allclose(filled[:, 11:], np.broadcast_to(CHROMA[1], (12, 9, 2)), atol=1)


def test_optimization_leaves_given_pixels_and_weighs_neighbors_to_one():
    rng = np.random.default_rng(0)
    filled = optimized(rng.uniform(size=(9, 8)), PLACES // 3, CHROMA)
    np.testing.assert_allclose(filled[tuple((PLACES // 3).T)], CHROMA)
    assert filled.min() >= -40.001 and filled.max() <= 40.001  # a weighted mean of neighbors
