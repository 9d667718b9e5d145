import numpy as np
import pytest
import scipy.stats
import skimage.color
import skimage.data

import colorkit as ck


@pytest.fixture(scope="module")
def images():
    photo = skimage.data.astronaut()
    return [photo[:64, :80], photo[100:150, 200:240], photo[300:364, 100:180]]


def difference(rgb, truth):
    lab, true = skimage.color.rgb2lab(rgb), skimage.color.rgb2lab(truth)
    return skimage.color.deltaE_ciede2000(true, lab).mean()


def half_red(rgb):
    lab = skimage.color.rgb2lab(rgb)
    lab[..., 1:] = (20, 10)
    return np.clip(skimage.color.lab2rgb(lab), 0, 1)


def test_differences_agree_with_scikit_image(images):
    rows = ck.compare({"red": half_red}, images)
    expected = [difference(half_red(image), image) for image in images]
    np.testing.assert_allclose(rows["red"]["ciede2000"], np.mean(expected), rtol=1e-3)
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(expected), scipy.stats.sem(expected))
    np.testing.assert_allclose(rows["red"]["ciede2000_interval"], (low, high), rtol=1e-2)
    gray = [difference(skimage.color.gray2rgb(to_gray(image)), image) for image in images]
    np.testing.assert_allclose(rows["gray"]["ciede2000"], np.mean(gray), rtol=1e-3)
    better = np.mean(np.array(expected) < gray)
    np.testing.assert_allclose(rows["red"]["better_than_gray"], better)


def to_gray(rgb):
    lab = skimage.color.rgb2lab(rgb)
    lab[..., 1:] = 0
    return skimage.color.lab2rgb(lab)[..., 0]


def test_truth_is_better_in_every_image_and_ties_do_not_count(images):
    rows = ck.compare({"same": lambda rgb: rgb, "flat": lambda rgb: ck.to_gray(rgb)}, images)
    assert rows["same"]["ciede2000"] == pytest.approx(0, abs=1e-3)
    assert rows["same"]["better_than_both"] == 1
    assert rows["same"]["better_than_both_interval"][0] < 1  # an interval of three images is wide
    assert rows["same"]["colorfulness_share"] == pytest.approx(1)
    assert rows["gray"]["better_than_gray"] == 0
    assert rows["truth"]["better_than_both"] == 1


def test_inputs_are_colored_instead_of_the_ground_truth(images):
    seen = []

    def spy(rgb):
        seen.append(rgb)
        return rgb

    inputs = [np.zeros_like(image) for image in images]
    rows = ck.compare({"spy": spy}, images, inputs=inputs)
    assert all((rgb == 0).all() for rgb in seen)
    black = np.mean([difference(np.zeros_like(image), image) for image in images])
    np.testing.assert_allclose(rows["gray"]["ciede2000"], black, rtol=1e-3)
    assert rows["spy"]["ciede2000"] == pytest.approx(rows["gray"]["ciede2000"])


def test_invalid_arguments_raise(images):
    with pytest.raises(ValueError, match="at least one image"):
        ck.compare({}, [])
    with pytest.raises(ValueError, match=r"as many as `images`, 3\. Received: 1"):
        ck.compare({}, images, inputs=images[:1])
    with pytest.raises(ValueError, match=r"sizes of `images`\. Received .* at number 0"):
        ck.compare({}, images, inputs=[*images[1:], images[0]])
    with pytest.raises(ValueError, match="other names than the baselines"):
        ck.compare({"gray": half_red}, images)


def test_single_image_has_no_interval(images):
    rows = ck.compare({"half red": half_red}, images[:1])
    assert np.isnan(rows["half red"]["ciede2000_interval"]).all()
