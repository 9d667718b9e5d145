import numpy as np
import pytest
from skimage.color import rgb2lab

import colorkit as ck
from colorkit.colorizer.variants import _gumbel, noises

GRAY = np.full((24, 36), 128, "uint8")


def test_variants_are_sorted_differ_and_repeat_with_their_seed(colorizer, picture):
    variants = colorizer.variants(picture, 3, seed=1)
    assert variants.shape == (3, *picture.shape)
    np.testing.assert_array_equal(variants, colorizer.variants(picture, 3, seed=1))
    chroma = [rgb2lab(each)[..., 1:] for each in variants]
    assert min(np.abs(chroma[i] - chroma[j]).mean() for i in range(3) for j in range(i)) > 2


def test_variants_of_a_certain_distribution_are_alike():
    bins = ck.ColorBins.grid(9)
    logs = np.full((4, 4, 9), -1e3)
    logs[..., 2] = 0
    noise = noises(logs, bins, 4, seed=0)
    assert noise.shape == (4, 9)
    assert ((logs + noise[:, None, None]).argmax(axis=-1) == 2).all()


def test_noise_draws_each_bin_with_its_probability():
    bins = ck.ColorBins.grid(9)
    wanted = np.array([0.3, 0.05, 0.1, 0.05, 0.2, 0.1, 0.1, 0.05, 0.05])
    noise = _gumbel(bins, 20000, np.random.default_rng(0))
    drawn = np.bincount((np.log(wanted) + noise).argmax(axis=-1), minlength=9) / 20000
    np.testing.assert_allclose(drawn, wanted, atol=0.02)


@pytest.mark.parametrize("n", [0, 1.5, -1])
def test_number_of_variants_must_be_positive(colorizer, n):
    with pytest.raises(ValueError, match="`n` must be a positive whole number"):
        colorizer.variants(GRAY, n)
