"""Guided upsampling, against closed forms."""

import numpy as np
import pytest
from PIL import Image

from colorkit.color import guided
from colorkit.color.guided import resize, strips, upsampled, upsampled_at


def whole(chroma, small, lightness):
    """All strips of the upsampled chroma together."""
    return np.concatenate([part for _, part in upsampled(chroma, small, lightness, (0.0, 100.0))])


def ramp(height, width):
    """Lightness from 0 to 100 along the columns."""
    return np.broadcast_to(np.linspace(0, 100, width, dtype="float32")[:, None], (height, width, 1))


@pytest.mark.parametrize("size", [(1, 1), (7, 2**18), (600, 900), (3, 2**18 + 5)])
def test_strips_cover_every_row_once_in_order(size):
    rows = [row for part in strips(*size) for row in range(*part.indices(size[0]))]
    assert rows == list(range(size[0]))


def test_constant_chroma_stays_constant():
    lightness, small = ramp(40, 60), ramp(10, 15)
    chroma = np.full((10, 15, 2), (30.0, -20.0), "float32")
    expected = np.full((40, 60, 2), (30.0, -20.0))
    np.testing.assert_allclose(whole(chroma, small, lightness), expected, atol=1e-3)


def test_chroma_follows_an_edge_of_lightness_at_full_size():
    lightness = np.full((64, 64, 1), 20, "float32")
    lightness[:, 37:] = 80  # between two pixels of the small image
    small = resize(lightness, (16, 16), Image.Resampling.BOX)
    chroma = np.concatenate([small - 50, 50 - small], axis=-1)  # linear in lightness
    found = whole(chroma, small, lightness)
    np.testing.assert_allclose(found[..., 0], lightness[..., 0] - 50, atol=3)
    np.testing.assert_allclose(found[..., 1], 50 - lightness[..., 0], atol=3)
    # Bicubic interpolation alone blurs the same edge.
    assert np.abs(resize(chroma, (64, 64), Image.Resampling.BICUBIC) - found).max() > 15


def test_strips_give_the_same_as_the_whole(rng, monkeypatch):
    small = rng.uniform(0, 100, (12, 10, 1)).astype("float32")
    chroma = rng.normal(0, 30, (12, 10, 2)).astype("float32")
    lightness = resize(small, (50, 41), Image.Resampling.BICUBIC)
    expected = whole(chroma, small, lightness)
    monkeypatch.setattr(guided, "_STRIP_PIXELS", 41 * 7)
    np.testing.assert_allclose(whole(chroma, small, lightness), expected, atol=1e-2)


def test_single_pixels_are_those_of_the_whole(rng):
    small = rng.uniform(0, 100, (12, 10, 1)).astype("float32")
    chroma = rng.normal(0, 30, (12, 10, 2)).astype("float32")
    lightness = resize(small, (50, 41), Image.Resampling.BICUBIC)
    pixels = np.array([(0, 0), (49, 40), (7, 33), (20, 1)])
    found = upsampled_at(pixels, chroma, small, lightness, (0.0, 100.0))
    np.testing.assert_allclose(found, whole(chroma, small, lightness)[tuple(pixels.T)], atol=1e-3)
