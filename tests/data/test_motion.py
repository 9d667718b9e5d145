"""Motion between frames, against known displacements of a photograph."""

import numpy as np
import pytest
import skimage.color
import skimage.data

from colorkit.data.motion import estimated, moved

LIGHTNESS = skimage.color.rgb2lab(skimage.data.astronaut())[..., :1].astype("float32")


@pytest.mark.parametrize("shift", [(0, 0), (2, -3), (-4, 1)])
@pytest.mark.parametrize("side", [96, 192])
def test_places_are_where_a_shifted_photograph_was(shift, side):
    down, right = shift
    before = LIGHTNESS[100 : 100 + side, 100 : 100 + side]
    after = LIGHTNESS[100 + down : 100 + down + side, 100 + right : 100 + right + side]
    inner = (slice(None), slice(16, -16), slice(16, -16))
    motion = (estimated(after, before) - np.mgrid[:side, :side])[inner]
    assert np.abs(np.median(motion, axis=(1, 2)) - shift).max() < 0.5


def test_places_have_the_shape_of_frames_that_are_not_square():
    frame = LIGHTNESS[:120, :201]
    assert estimated(frame, frame).shape == (2, 120, 201)


def test_planes_are_taken_from_their_places(rng):
    planes = rng.normal(size=(6, 7, 3))
    places = np.mgrid[:6, :7] + np.array([1, -2]).reshape(2, 1, 1)
    found = moved(planes, places, fill=-9.0)
    np.testing.assert_allclose(found[:5, 2:], planes[1:, :5])
    assert (found[5] == -9).all() and (found[:, :2] == -9).all()


def test_between_pixels_planes_are_interpolated():
    planes = np.arange(5.0).reshape(1, 5, 1)
    places = np.stack([np.zeros((1, 4)), np.arange(4.0)[None] + 0.25])
    np.testing.assert_allclose(moved(planes, places, fill=0)[0, :, 0], [0.25, 1.25, 2.25, 3.25])
