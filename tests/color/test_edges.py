import keras
import numpy as np
import pytest
import skimage.data

from colorkit import LAB
from colorkit.color.edges import gradient, gradient_prior, magnitude


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_gradient_is_the_signed_difference_to_the_next_pixel(rng):
    planes = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    vectors = to_numpy(gradient(planes))
    np.testing.assert_allclose(vectors[:, :-1, :, :3], np.diff(planes, axis=1), rtol=1e-6)
    np.testing.assert_allclose(vectors[:, :, :-1, 3:], np.diff(planes, axis=2), rtol=1e-6)
    assert not vectors[:, -1, :, :3].any() and not vectors[:, :, -1, 3:].any()


def test_gradient_of_a_ramp_is_its_slope_everywhere():
    ramp = np.arange(8, dtype="float32")[None, None, :, None] * np.float32(2.5)
    ramp = np.broadcast_to(ramp, (1, 8, 8, 1))
    np.testing.assert_allclose(to_numpy(magnitude(gradient(ramp)))[:, :, :-1], 2.5, rtol=1e-5)


def test_gradient_prior_counts_the_gradients_of_each_size():
    # Halves of two colors: of 64 pixels, the eight beside the border change, by a known step.
    image = np.zeros((8, 8, 3), "uint8")
    image[:, :4], image[:, 4:] = (200, 60, 60), (60, 60, 200)
    left, right = (to_numpy(LAB.split(image)[1])[0, column] for column in (0, 7))
    step = np.linalg.norm(left - right)
    prior = gradient_prior([image], magnitudes=(1.0, 0.9 * step, 1.1 * step))
    np.testing.assert_allclose(prior, [56 / 64, 0, 8 / 64, 0])


def test_gradient_prior_of_natural_images_is_mostly_flat():
    prior = gradient_prior([skimage.data.coffee()[::2, ::2]])
    assert prior.sum() == pytest.approx(1) and prior[:4].sum() > prior[4:].sum() > 0


def test_gradient_prior_of_gray_or_no_images_raises():
    gray = np.random.default_rng(0).integers(0, 255, (3, 8, 8, 1)).repeat(3, -1).astype("uint8")
    with pytest.raises(ValueError, match="gray images"):
        gradient_prior(gray)
    with pytest.raises(ValueError, match="at least one image"):
        gradient_prior([])


@pytest.mark.parametrize("magnitudes", [(), (2.0, 1.0), (0.0, 1.0), (1.0, 1.0)])
def test_limits_that_do_not_increase_raise(magnitudes, pictures):
    with pytest.raises(ValueError, match="increase"):
        gradient_prior(pictures, magnitudes)
