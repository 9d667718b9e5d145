"""Sets of colors hold the true one as often as calibrated."""

import copy
import dataclasses
import warnings

import numpy as np
import pytest

import colorkit as ck
from colorkit.colorizer import Calibration

PICTURES = list(ck.load("photos", size=32)[:24])


def image(rng, level=0.0):
    """One image: probability of the true color, lower in the light; lightness; features; size."""
    lightness = rng.uniform(0, 100, 400)
    probabilities = rng.uniform(size=400) ** (1 + lightness / 50)
    return probabilities, lightness, rng.normal(size=6) + level, 1.0


@pytest.fixture(scope="module")
def calibration():
    rng = np.random.default_rng(0)
    return Calibration.of((image(rng) for _ in range(200)), 0.9)


@pytest.fixture(scope="module")
def colorizer():
    bins = ck.ColorBins.grid(49)
    model = ck.models.build_unet(bins.num_bins, widths=(8, 16))
    return ck.Colorizer(model, bins=bins).calibrated(PICTURES)


def test_new_images_are_covered_as_calibrated_in_each_third_of_lightness(calibration):
    rng = np.random.default_rng(1)
    probabilities, lightness, *_ = zip(*map(image, [rng] * 200), strict=True)
    probabilities, lightness = np.concatenate(probabilities), np.concatenate(lightness)
    covered = probabilities >= calibration.limits_at(lightness)
    assert covered.mean() == pytest.approx(0.9, abs=0.01)
    for low, high in ((0, 33), (33, 67), (67, 101)):
        inside = (lightness >= low) & (lightness < high)
        assert covered[inside].mean() == pytest.approx(0.9, abs=0.02)


def test_weights_count_like_copies_of_an_image():
    rng = np.random.default_rng(3)
    light, dark = ([image(rng) for _ in range(40)] for _ in range(2))
    light = [(probabilities / 4, *rest) for probabilities, *rest in light]
    copies = Calibration.of(light + 4 * dark, 0.9)
    weighed = Calibration.of(light + dark, 0.9, np.repeat((1.0, 4.0), 40))
    np.testing.assert_allclose(weighed.limits, copies.limits, rtol=0.1)
    assert Calibration.of(light + dark, 0.9).limits < weighed.limits


def test_few_images_of_the_kind_are_far_and_others_are(calibration):
    rng = np.random.default_rng(2)
    own = [calibration.distance(*image(rng)[2:]) > 1 for _ in range(300)]
    assert np.mean(own) < 0.06
    assert calibration.distance(*image(rng, level=10.0)[2:]) > 1


def test_calibration_survives_saving_and_loading(tmp_path, colorizer):
    colorizer.save(tmp_path / "calibrated.keras")
    loaded = ck.Colorizer.load(tmp_path / "calibrated.keras")
    assert loaded.calibration == colorizer.calibration
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # 24 images know little
        doubt = loaded.uncertainty(PICTURES[0])
    assert doubt.coverage == 0.9 and doubt.sizes.shape == (32, 32)
    assert 1 <= doubt.sizes.mean() <= colorizer.bins.num_bins


def test_image_far_from_what_the_model_knows_warns(colorizer):
    other = copy.copy(colorizer)
    other.calibration = dataclasses.replace(colorizer.calibration, far=1e-3)
    with pytest.warns(UserWarning, match="far from those that"):
        other.uncertainty(PICTURES[0])


def test_large_image_is_far_from_what_a_model_of_small_images_knows():
    cifar, photos = (ck.Colorizer.pretrained(name) for name in ("cifar10", "photos"))
    (portrait,) = ck.load("photos", "train", size=400)[:1]
    with pytest.warns(UserWarning, match="far from those that 'cifar10' knows"):
        cifar.uncertainty(portrait)
    assert cifar.uncertainty(portrait[:32, :32]).distance < photos.calibration.reduction
    assert photos.calibration.reduction > 2  # it has seen large images


def test_too_few_images_raise(colorizer):
    with pytest.raises(ValueError, match="at least 20 images"):
        colorizer.calibrated(PICTURES[:3])


@pytest.mark.parametrize("change", [{"limits": (0.1,)}, {"rest": float("nan")}, {"coverage": 2}])
def test_damaged_calibration_raises(calibration, change):
    with pytest.raises(ValueError, match=r"calibration|coverage"):
        dataclasses.replace(calibration, **change)


def test_calibration_of_a_regression_raises(calibration):
    with pytest.raises(ValueError, match="`calibration` needs `bins`"):
        ck.Colorizer(ck.models.build_unet(widths=(8, 16)), calibration=calibration)


def test_images_that_are_mostly_black_have_a_limit_for_each_third():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(40):
        probabilities, lightness, *rest = image(rng)
        held.append((probabilities, np.where(lightness < 80, 0, lightness), *rest))
    limits = Calibration.of(held, 0.9).limits
    assert len(limits) == 3 and np.isfinite(limits).all()


def test_image_shown_at_another_size_is_as_far():
    kept = ck.Colorizer.pretrained("cifar10").prediction(np.zeros((160, 160), "uint8"))
    with pytest.warns(UserWarning, match="far from those"):
        far = kept.uncertainty()
    with pytest.warns(UserWarning, match="far from those"):
        shown = kept.at_size_of(np.zeros((40, 40), "uint8")).uncertainty()
    assert far.is_far and shown.distance == far.distance


def test_regression_cannot_be_calibrated():
    regression = ck.Colorizer(ck.models.build_unet(widths=(8, 16)))
    with pytest.raises(ValueError, match="`calibrated` needs `bins`"):
        regression.calibrated(PICTURES)
