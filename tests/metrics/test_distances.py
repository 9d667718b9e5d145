import numpy as np
import pytest

from colorkit import models
from colorkit.data.images import Images
from colorkit.metrics import distances
from colorkit.metrics.distances import (
    features,
    frechet_distance,
    kernel_distance,
    kernel_distance_error,
)


@pytest.fixture
def network():
    return models.build_residual_classifier(3, widths=(4,), blocks=(0,))


def test_frechet_distance_of_gaussians_agrees_with_the_closed_form(rng):
    # Independent features: the squared distance of means plus that of standard deviations.
    deviations, others = np.float64([1.0, 2.0, 0.5]), np.float64([1.5, 1.0, 0.5])
    shift = np.float64([3.0, 0.0, -1.0])
    first = rng.normal(size=(200_000, 3)) * deviations
    second = rng.normal(size=(200_000, 3)) * others + shift
    expected = (shift**2).sum() + ((deviations - others) ** 2).sum()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=0.01)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_is_the_average_over_pairs(rng):
    first, second = rng.normal(size=(4, 3)), rng.normal(1, 2, size=(5, 3))

    def kernel(a, b):
        return (np.dot(a, b) / 3 + 1) ** 3

    def mean(a, b, same):
        return np.mean(
            [
                kernel(x, y)
                for i, x in enumerate(a)
                for j, y in enumerate(b)
                if not (same and i == j)
            ]
        )

    expected = (
        mean(first, first, True) + mean(second, second, True) - 2 * mean(first, second, False)
    )
    assert kernel_distance(first, second) == pytest.approx(expected)


def test_kernel_distance_is_unbiased_for_few_images(rng):
    same = [kernel_distance(*rng.normal(size=(2, 20, 4))) for _ in range(400)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 20
    apart = kernel_distance(rng.normal(size=(20, 4)), rng.normal(1, 1, size=(20, 4)))
    assert apart > 10 * np.std(same) / 20


def test_kernel_distance_error_is_the_spread_over_other_images(rng):
    drawn = [(rng.normal(size=(60, 3)), rng.normal(0.7, 1, size=(40, 3))) for _ in range(300)]
    spread = np.std([kernel_distance(*pair) for pair in drawn])
    errors = np.array([kernel_distance_error(*pair) for pair in drawn])
    assert np.sqrt((errors**2).mean()) == pytest.approx(spread, rel=0.15)
    with pytest.raises(ValueError, match="minimum of 3"):
        kernel_distance_error(drawn[0][0][:2], drawn[0][1])


def test_images_are_resized_to_the_input_of_the_network(rng):
    classifier = models.load_classifier("vgg")
    colors = rng.integers(0, 256, (3, 1, 1, 3), dtype="uint8")
    expected, seen = (
        features(classifier, np.broadcast_to(colors, (3, side, side, 3))) for side in (32, 72)
    )
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_size_resizes_images_for_a_network_of_any_size(rng):
    classifier = models.load_classifier("residual")
    colors = rng.integers(0, 256, (3, 1, 1, 3), dtype="uint8")
    small, large = (np.broadcast_to(colors, (3, side, side, 3)) for side in (32, 72))
    expected = features(classifier, small)
    seen = features(classifier, large, size=32)
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(features(classifier, large, 2, size=32), seen, atol=1e-4)
    assert np.abs(features(classifier, large) - expected).max() > 0.01, "borders have less weight"


def test_features_are_the_input_of_the_last_layer(rng):
    classifier = models.load_classifier("vgg")
    images = rng.integers(0, 256, (5, 32, 32, 3), dtype="uint8")
    seen = features(classifier, images)
    assert seen.shape[0] == 5 and seen.shape[1] > 10
    kernel, bias = classifier.layers[-1].get_weights()
    logits = classifier.predict(np.float32(images / 255), verbose=0)
    np.testing.assert_allclose(seen @ kernel.reshape(seen.shape[1], -1) + bias, logits, atol=1e-3)


def test_too_few_images_and_different_features_raise(rng):
    few = rng.normal(size=(3, 8))
    with pytest.raises(ValueError, match=r"more images than the 8.*kernel_distance"):
        frechet_distance(few, few)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        kernel_distance(few[:1], few)
    with pytest.raises(ValueError, match=r"== 8 .* == 7"):
        kernel_distance(few, few[:, :7])


@pytest.mark.parametrize(
    ("change", "received"),
    [
        (lambda rgb: rgb.astype("int64"), r"in \[0, 1\]. Received values from 0 to 255"),
        (lambda rgb: rgb.astype("uint16") * 257, "Received values from 0 to 65535"),
        (lambda rgb: rgb.astype("float32"), r"in \[0, 1\]. Received values from 0.0 to 255.0"),
        (lambda rgb: np.full(rgb.shape, np.nan), "values from nan"),
        (lambda rgb: rgb[0], r"one image is `image\[None\]`.*\(32, 3\)"),
        (lambda rgb: rgb[..., 0], r"\(32, 32\)"),
        (lambda rgb: rgb[..., :1], r"\(32, 32, 1\)"),
    ],
)
def test_invalid_images_raise(network, change, received):
    pictures = np.linspace(0, 255, 2 * 32 * 32 * 3).reshape(2, 32, 32, 3).astype("uint8")
    with pytest.raises(ValueError, match=f"`images` must .*{received}"):
        features(network, change(pictures))


def test_features_that_are_not_finite_raise(rng):
    sound, broken = rng.normal(size=(2, 9, 3))
    for value in (np.nan, np.inf):
        broken[4, 1] = value
        for distance in (kernel_distance, frechet_distance):
            for pair in ((sound, broken), (broken, sound)):
                with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
                    distance(*pair)


def test_images_of_several_sizes_raise_in_any_batch(rng):
    network = models.build_vae(input_shape=(8, 8, 3), widths=(4,), latent=2)
    images = [rng.uniform(size=(side, side, 3)).astype("float32") for side in (16, 16, 32, 32)]
    with pytest.raises(ValueError, match="RGB images of one size"):
        distances.mean_divergence(network, Images([np.uint8(255 * x) for x in images]), 2)
