"""Compiled conversions, against scikit-image and against those that are not compiled."""

import numpy as np
import pytest
import skimage.color

from colorkit import LAB, RGB, YUV
from colorkit.color import spaces
from colorkit.color.compiled import conversions


def test_lightness_of_more_pixels_than_a_chunk_is_that_of_scikit_image(rng):
    rgb = rng.uniform(size=(190, 181, 3)).astype("float32")
    lightness, _ = conversions(LAB)
    assert lightness(rgb).shape == (190, 181, 1)
    np.testing.assert_allclose(
        lightness(rgb)[..., 0], skimage.color.rgb2lab(rgb)[..., 0], atol=0.01
    )


def test_colors_inside_the_gamut_are_those_of_scikit_image(rng):
    rgb = rng.uniform(0.1, 0.9, size=(20, 30, 3)).astype("float32")
    lab = skimage.color.rgb2lab(rgb).astype("float32")
    _, merge = conversions(LAB)
    np.testing.assert_allclose(merge(lab[..., :1], lab[..., 1:]), rgb, atol=1e-3)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=lambda space: space.name)
def test_colors_outside_the_gamut_keep_their_lightness_as_without_compiling(space, rng):
    low, high = space.lightness_range
    lightness = rng.uniform(low, high, (17, 23, 1)).astype("float32")
    chroma = rng.uniform(*space.chroma_range, (17, 23, space.chroma_channels)).astype("float32")
    planes, merge = conversions(space)
    merged = merge(lightness, chroma)
    np.testing.assert_allclose(merged, spaces.fit_gamut(lightness, chroma, space), atol=1e-3)
    np.testing.assert_allclose(planes(merged), lightness, atol=0.01 * (high - low))


def test_functions_are_compiled_once_per_space():
    assert conversions(LAB) is conversions(LAB)
    assert conversions(LAB) is not conversions(YUV)
