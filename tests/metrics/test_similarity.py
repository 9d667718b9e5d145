import numpy as np
import pytest
import skimage.color
from keras import ops
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorkit import LAB, ColorBins, metrics
from tests.metrics.test_mean import measured, spoiled

# The 34 pairs of Sharma, Wu, Dalal, "The CIEDE2000 Color-Difference Formula", 2005, Table 1.
SHARMA = np.fromstring(
    """
    50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
    50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
    50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
    50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
    50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
    50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
    50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
    50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
    50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
    50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
    50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
    50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
    50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
    50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
    50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
    50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
    50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
    50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
    50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
    50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
    50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
    50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
    50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
    50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
    60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
    63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
    61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
    35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
    22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
    36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
    90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
    90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
    6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
    2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
    """,
    sep=" ",
).reshape(34, 7)


def test_published_threshold_accuracy_agrees_with_its_definition(truth, rng):
    prediction = spoiled(truth, rng)
    squared = (truth.astype("float64") - prediction) ** 2
    expected = np.mean([(squared <= i / 2028).mean() for i in range(256)])
    actual = measured(metrics.ThresholdAccuracy(), truth, prediction)
    assert actual == pytest.approx(expected, abs=1e-5)


def test_euclidean_threshold_accuracy_agrees_with_its_definition(truth, rng):
    prediction = spoiled(truth, rng)
    distance = 255 * np.linalg.norm(truth.astype("float64") - prediction, axis=-1)
    expected = np.mean([(distance <= i).mean() for i in range(256)])
    actual = measured(metrics.ThresholdAccuracy("euclidean"), truth, prediction)
    assert actual == pytest.approx(expected, abs=1e-5)


def test_perfect_prediction_is_perfect(truth):
    for protocol in ("published", "euclidean"):
        assert measured(metrics.ThresholdAccuracy(protocol), truth, truth) == 1
    assert measured(metrics.PSNR(), truth, truth) == 100
    assert measured(metrics.SSIM(), truth, truth) == pytest.approx(1)
    assert measured(metrics.CIEDE2000(), truth, truth) == 0
    assert measured(metrics.AbAUC(), truth, truth) == 1


def test_psnr_and_ssim_are_means_per_image_by_scikit_image(truth, rng):
    prediction = spoiled(truth, rng)
    prediction[0] = truth[0] * 0.5
    pairs = list(zip(truth, prediction, strict=True))
    expected = np.mean([peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs])
    assert measured(metrics.PSNR(), truth, prediction) == pytest.approx(expected, rel=1e-4)
    options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1}
    expected = np.mean([structural_similarity(a, b, channel_axis=-1, **options) for a, b in pairs])
    assert measured(metrics.SSIM(), truth, prediction) == pytest.approx(expected, rel=1e-5)


def test_ciede2000_gives_the_published_values():
    from skimage.color import deltaE_ciede2000

    actual = deltaE_ciede2000(SHARMA[:, :3], SHARMA[:, 3:6])
    np.testing.assert_allclose(actual, SHARMA[:, 6], atol=1e-4)


def test_ciede2000_of_images_is_the_mean_over_pixels(truth, rng):
    prediction = spoiled(truth, rng)
    lab = [skimage.color.rgb2lab(x.astype("float64")) for x in (truth, prediction)]
    expected = skimage.color.deltaE_ciede2000(*lab).mean()
    assert measured(metrics.CIEDE2000(), truth, prediction) == pytest.approx(expected, rel=1e-3)


def test_auc_of_a_constant_error_is_known(rng):
    lightness = np.full((2, 6, 6, 1), 60, "float32")
    chroma = rng.uniform(-8, 8, (2, 6, 6, 2)).astype("float32")
    y_true = LAB.merge(lightness, chroma)
    y_pred = LAB.merge(lightness, chroma + np.float32([6.3, 8.4]))  # every pixel is 10.5 away
    assert measured(metrics.AbAUC(), y_true, y_pred) == pytest.approx((151 - 11) / 151, rel=1e-5)


def test_rebalanced_auc_weights_pixels_by_their_true_color():
    bins = ColorBins.grid(49)
    lightness = np.full((1, 1, 4, 1), 60, "float32")
    chroma = np.zeros((1, 1, 4, 2), "float32")
    chroma[0, 0, 3] = [30, 30]
    y_true, y_pred = LAB.merge(lightness, chroma), LAB.merge(lightness, np.zeros_like(chroma))
    weights = np.ones(49)
    weights[int(bins.encode(np.float32([30, 30])))] = 3.0
    missed = (151 - np.ceil(np.hypot(30, 30))) / 151
    raw = measured(metrics.AbAUC(), y_true, y_pred)
    assert raw == pytest.approx((3 + missed) / 4, abs=2e-3)
    rebalanced = measured(metrics.AbAUC(bins, weights), y_true, y_pred)
    assert rebalanced == pytest.approx((3 + 3 * missed) / 6, abs=2e-3)


def test_published_baselines_of_cifar10_are_reproduced(cifar10_test):
    """Champati et al. print 91.05 for "grayscale": it is the red channel copied three times."""
    names = ("red", "gray", "constant")
    accuracies = {name: metrics.ThresholdAccuracy() for name in names}
    for start in range(0, len(cifar10_test), 1000):
        rgb = np.float32(np.asarray(cifar10_test[start : start + 1000]) / 255)
        lightness, chroma = LAB.split(rgb)
        constant = ops.zeros_like(chroma) + np.float32([0.43, 5.59])
        predictions = (
            np.repeat(rgb[..., :1], 3, axis=-1),
            LAB.merge(lightness, ops.zeros_like(chroma), keep_lightness=False),
            LAB.merge(lightness, constant, keep_lightness=False),
        )
        for name, prediction in zip(names, predictions, strict=True):
            accuracies[name].update_state(rgb, prediction)
    percent = {name: 100 * float(accuracy.result()) for name, accuracy in accuracies.items()}
    assert percent == pytest.approx({"red": 91.05, "gray": 94.49, "constant": 94.79}, abs=0.01)
