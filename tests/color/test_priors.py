import numpy as np
import pytest
from keras import ops
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist

from colorkit import LAB, YUV, ColorBins, class_weights, color_prior, load, smooth_prior


def test_prior_counts_pixels(pictures):
    bins = ColorBins.grid(49)
    prior = color_prior(pictures, bins)
    chroma = ops.convert_to_numpy(LAB.split(pictures)[1]).reshape(-1, 2)
    counts = np.bincount(cdist(chroma, bins.centers).argmin(axis=1), minlength=49)
    np.testing.assert_allclose(prior, counts / counts.sum(), atol=2e-3)
    assert prior.sum() == pytest.approx(1)


def test_prior_is_the_same_for_lists_and_arrays(pictures):
    bins = ColorBins.gamut()
    as_array = color_prior(pictures, bins, neighbors=5)
    np.testing.assert_allclose(color_prior(list(pictures), bins, neighbors=5), as_array, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_images_that_are_not_finite_raise(pictures, value):
    broken = np.float32(pictures) / 255
    broken[1, 2, 3, 0] = value
    with pytest.raises(ValueError, match=r"must be (finite|uint8, or floating)"):
        color_prior(broken, ColorBins.grid(49))
    with pytest.raises(ValueError, match=r"must be (finite|uint8, or floating)"):
        ColorBins.fit(broken, 4)


def test_smoothing_follows_distance_in_the_plane_and_keeps_the_sum():
    bins = ColorBins.grid(441)
    step = bins.centers[1, 1] - bins.centers[0, 1]
    prior = np.zeros((21, 21))
    prior[10, 10] = 0.75
    prior[8, 12] = 0.25
    actual = smooth_prior(prior.ravel(), bins, sigma=1.5 * step)
    np.testing.assert_allclose(actual.reshape(21, 21), gaussian_filter(prior, 1.5), atol=2e-5)
    assert actual.sum() == pytest.approx(1)


@pytest.mark.parametrize("uniform_weight", [0.0, 0.2, 0.5, 1.0])
def test_weights_average_to_one_and_rare_colors_weigh_more(rng, uniform_weight):
    prior = rng.dirichlet(np.ones(81))
    weights = class_weights(prior, uniform_weight)
    assert (prior * weights).sum() == pytest.approx(1)
    order = np.argsort(prior)
    assert (np.diff(weights[order]) <= 1e-12).all()
    mixed = (1 - uniform_weight) * prior + uniform_weight / 81
    np.testing.assert_allclose(weights * mixed, (weights * mixed)[0])


def test_uniform_prior_gives_unit_weights():
    np.testing.assert_allclose(class_weights(np.full(64, 1 / 64)), 1.0)


def test_bad_priors_raise():
    with pytest.raises(ValueError, match="at least one image"):
        color_prior([], ColorBins.grid(49))
    with pytest.raises(ValueError, match="never occur"):
        class_weights(np.array([0.0, 1.0]), uniform_weight=0)
    with pytest.raises(ValueError, match="NaN"):
        class_weights(np.array([np.nan, 1.0]))
    with pytest.raises(ValueError, match=r"infinite.*to inf"):
        class_weights(np.array([np.inf, 1.0]))
    for prior in ([], [0.5, 0.6]):
        with pytest.raises(ValueError, match="sum to 1"):
            class_weights(prior)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        class_weights(np.array([0.5, 0.5]), uniform_weight=2)


def test_prior_of_yuv_counts_the_bins_of_encode():
    images, bins = load("photos", size=32)[:64], ColorBins.grid(289, space="yuv")
    chroma = ops.convert_to_numpy(YUV.split(np.asarray(images))[1])
    counts = np.bincount(np.ravel(bins.encode(chroma)), minlength=bins.num_bins)
    # A few of the pixels may be rounded across a border.
    np.testing.assert_allclose(color_prior(images, bins), counts / counts.sum(), atol=1e-4)
