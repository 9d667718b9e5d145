import numpy as np
import pytest

from colorkit.data.aging import age

RED, BLUE = ((255, 0, 0), (0, 0, 255))


def flat(color, size=(8, 8)):
    return np.full((*size, 3), color, "uint8")


class WithoutEffects:
    """A generator that turns off all effects with a probability below 1."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.uniform, self.normal = self.rng.uniform, self.rng.normal

    def random(self):
        return 1 - 1e-9


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (33, 20)], ids=str)
def test_aging_returns_gray_of_the_same_size_and_keeps_its_input(size, rng):
    rgb = rng.integers(0, 256, (*size, 3), dtype="uint8")
    before = rgb.copy()
    for seed in range(20):
        gray = age(rgb, np.random.default_rng(seed))
        assert gray.dtype == np.uint8 and gray.shape == size
    np.testing.assert_array_equal(rgb, before)


def test_aging_depends_only_on_the_generator(rng):
    rgb = rng.integers(0, 256, (12, 9, 3), dtype="uint8")
    first, again, *others = (age(rgb, np.random.default_rng(seed)) for seed in (3, 3, 4, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert all((first != other).any() for other in others)
    one = np.random.default_rng(3)
    assert (age(rgb, one) != age(rgb, one)).any(), "each call draws new numbers"


@pytest.mark.parametrize("seed", range(10))
def test_tones_keep_their_order_without_effects(seed):
    ramp = np.arange(256, dtype="uint8")[None, :, None].repeat(3, -1)
    gray = age(ramp, WithoutEffects(seed))[0].astype(int)
    assert (np.diff(gray) >= 0).all()
    assert gray[-1] - gray[0] > 0.55 * 255, "most of the range is left"
    assert len(np.unique(gray)) > 100


def test_orthochromatic_film_darkens_red_and_brightens_blue():
    # Red is brighter than blue: 53 and 32 in L.
    reds, blues = (
        np.array([age(flat(color), np.random.default_rng(seed)).mean() for seed in range(200)])
        for color in (RED, BLUE)
    )
    darker = reds < blues
    assert 0.3 < darker.mean() < 0.7, "of film before the 1920s, not of later film"
    assert (reds - blues)[~darker].mean() > 20
    assert reds[darker].mean() < reds[~darker].mean() - 20
    assert reds.mean() < blues.mean()


def test_faded_images_keep_most_of_their_contrast():
    for seed in range(50):
        black, white = (
            age(flat((value,) * 3), np.random.default_rng(seed)).mean() for value in (0, 255)
        )
        assert black <= 0.25 * 255 and white - black > 0.3 * 255
