import itertools

import keras
import numpy as np
import pytest
import skimage.color
from keras import ops

from colorkit import LAB, RGB, YUV, lab_to_rgb, rgb_to_lab, rgb_to_yuv, to_gray, yuv_to_rgb
from colorkit.color.spaces import fit_gamut, lightness_of

CORNERS = np.array(list(itertools.product((0.0, 1.0), repeat=3)), "float32")


def to_numpy(x):
    return ops.convert_to_numpy(x)


@pytest.fixture(scope="module")
def million_colors():
    return np.random.default_rng(0).random((1_000_000, 3), dtype="float32")


def test_rgb_to_lab_agrees_with_scikit_image(million_colors):
    for colors in (million_colors, CORNERS):
        expected = skimage.color.rgb2lab(colors.astype("float64"))
        np.testing.assert_allclose(to_numpy(rgb_to_lab(colors)), expected, atol=2e-3, rtol=0)


def test_lab_to_rgb_inverts_rgb_to_lab(million_colors):
    for colors in (million_colors, CORNERS):
        np.testing.assert_allclose(to_numpy(lab_to_rgb(rgb_to_lab(colors))), colors, atol=1e-4)


def test_lab_to_rgb_agrees_with_scikit_image_inside_the_gamut(million_colors):
    lab = skimage.color.rgb2lab(million_colors[:10_000].astype("float64"))
    expected = skimage.color.lab2rgb(lab)
    np.testing.assert_allclose(to_numpy(lab_to_rgb(np.float32(lab))), expected, atol=1e-4)


def test_yuv_agrees_with_scikit_image_and_inverts(million_colors):
    yuv = to_numpy(rgb_to_yuv(million_colors))
    np.testing.assert_allclose(yuv, skimage.color.rgb2yuv(million_colors), atol=1e-5)
    np.testing.assert_allclose(to_numpy(yuv_to_rgb(yuv)), million_colors, atol=1e-4)


def test_uint8_images_are_scaled():
    rgb = np.arange(256, dtype="uint8").repeat(3).reshape(16, 16, 3)
    np.testing.assert_allclose(rgb_to_lab(rgb), rgb_to_lab(np.float32(rgb / 255)), atol=1e-4)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 5, 3), (1, 2, 3, 4, 3)])
def test_any_leading_shape_is_kept(shape, rng):
    rgb = rng.random(shape, dtype="float32")
    for convert in (rgb_to_lab, lab_to_rgb, rgb_to_yuv, yuv_to_rgb):
        assert tuple(convert(rgb).shape) == shape


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, rgb_to_yuv, yuv_to_rgb])
def test_wrong_channels_and_integers_raise(convert):
    with pytest.raises(ValueError, match=r"3 channels last.*\(4, 2\)"):
        convert(np.zeros((4, 2), "float32"))
    with pytest.raises(ValueError, match="dtype int"):
        convert(np.zeros((4, 3), "int64"))


def gradient(function, x):
    """Gradient of the sum of `function(x)`, on the active backend."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = ops.sum(function(x))
        return to_numpy(tape.gradient(total, x))
    if backend == "jax":
        import jax

        return to_numpy(jax.grad(lambda x: ops.sum(function(x)))(x))
    import torch

    x = torch.tensor(x, requires_grad=True)
    ops.sum(function(x)).backward()
    return x.grad.numpy()


def test_values_and_gradients_are_finite_on_the_whole_cube(rng):
    axis = np.linspace(0, 1, 17, dtype="float32")
    cube = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    tiny = rng.random((1000, 3), dtype="float32") * 1e-6
    edges = np.array([[0.04045] * 3, [0.0031308] * 3], "float32")
    colors = np.concatenate([cube, tiny, CORNERS, edges])
    for convert in (rgb_to_lab, rgb_to_yuv, lambda x: lab_to_rgb(rgb_to_lab(x))):
        assert np.isfinite(to_numpy(convert(colors))).all()
        assert np.isfinite(gradient(convert, colors)).all()


def test_gradient_agrees_with_finite_differences(rng):
    rgb = rng.uniform(0.1, 0.9, (20, 3)).astype("float32")

    def first_channel(x):
        return rgb_to_lab(x)[..., 1]

    step = np.float32(1e-2)
    expected = np.stack(
        [
            (
                to_numpy(first_channel(rgb + step * unit))
                - to_numpy(first_channel(rgb - step * unit))
            )
            / (2 * step)
            for unit in np.eye(3, dtype="float32")
        ],
        axis=-1,
    )
    np.testing.assert_allclose(gradient(first_channel, rgb), expected, rtol=0.02, atol=1.0)


def test_conversion_runs_inside_tf_data(rng):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.data traces with TensorFlow alone")
    import tensorflow as tf

    rgb = rng.random((4, 5, 5, 3), dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices(rgb).map(LAB.split).batch(4)
    lightness, chroma = next(iter(dataset))
    expected_lightness, expected_chroma = LAB.split(rgb)
    np.testing.assert_allclose(lightness, expected_lightness, atol=1e-4)
    np.testing.assert_allclose(chroma, expected_chroma, atol=1e-4)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_merge_inverts_split(space, rng):
    rgb = rng.random((2, 9, 7, 3), dtype="float32")
    for keep_lightness in (True, False):
        merged = space.merge(*space.split(rgb), keep_lightness=keep_lightness)
        np.testing.assert_allclose(to_numpy(merged), rgb, atol=2e-4)


@pytest.mark.parametrize("space", [LAB, YUV], ids=repr)
def test_merge_keeps_lightness_and_hue_of_colors_outside_the_gamut(space, rng):
    low, high = space.lightness_range
    lightness = rng.uniform(low, high, (20_000, 1)).astype("float32")
    chroma = 2 * rng.uniform(*space.chroma_range, (20_000, 2)).astype("float32")
    rgb = to_numpy(space.merge(lightness, chroma))
    assert rgb.min() >= 0 and rgb.max() <= 1
    kept, merged = map(to_numpy, space.split(rgb))
    np.testing.assert_allclose(kept, lightness, atol=2e-3 * high)
    # Same hue: the cross product of the two chroma vectors vanishes, and they point the same way.
    cross = chroma[:, 0] * merged[:, 1] - chroma[:, 1] * merged[:, 0]
    away = np.linalg.norm(chroma, axis=1)
    assert np.abs(cross / away).max() < 4e-3 * space.chroma_range[1]
    assert ((chroma * merged).sum(axis=1) / away >= -1e-2).all()


def test_merge_reaches_the_edge_of_the_gamut(rng):
    lightness = rng.uniform(20, 80, (1000, 1)).astype("float32")
    angle = rng.uniform(0, 2 * np.pi, 1000)
    chroma = 200 * np.stack([np.cos(angle), np.sin(angle)], -1).astype("float32")
    rgb = to_numpy(LAB.merge(lightness, chroma))
    on_edge = np.minimum(rgb.min(axis=-1), 1 - rgb.max(axis=-1))
    assert on_edge.max() < 0.01


def test_rgb_merge_restores_the_luma_by_default(rng):
    lightness = rng.random((100, 1), dtype="float32")
    chroma = rng.random((100, 3), dtype="float32")
    kept = RGB.split(RGB.merge(lightness, chroma))[0]
    np.testing.assert_allclose(to_numpy(kept), lightness, atol=1e-5)
    np.testing.assert_array_equal(
        to_numpy(RGB.merge(lightness, chroma, keep_lightness=False)), chroma
    )


def test_merge_without_lightness_kept_clips_as_scikit_image_does(rng):
    lightness = rng.uniform(30, 70, (1000, 1))
    chroma = rng.uniform(-60, 60, (1000, 2))
    expected = skimage.color.lab2rgb(np.concatenate([lightness, chroma], -1))
    actual = LAB.merge(np.float32(lightness), np.float32(chroma), keep_lightness=False)
    np.testing.assert_allclose(to_numpy(actual), expected, atol=1e-3)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_fit_gamut_gives_the_same_image_as_merge(space, rng):
    lightness = rng.uniform(*space.lightness_range, (40, 50, 1)).astype("float32")
    shape = (40, 50, space.chroma_channels)
    chroma = rng.uniform(*space.chroma_range, shape).astype("float32")
    # Where a backend rounds otherwise, the last step of the search may, too: an eighth of 1/255.
    limit = 1e-5 if keras.backend.backend() == "tensorflow" else 5e-4
    for scale in (0.0, 0.1, 1.0):
        expected = to_numpy(space.merge(lightness, scale * chroma))
        actual = fit_gamut(ops.convert_to_tensor(lightness), scale * chroma, space)
        np.testing.assert_allclose(actual, expected, atol=limit)


def test_arrays_in_the_gamut_are_converted_as_by_scikit_image(rng):
    rgb = rng.uniform(0.1, 0.9, (190, 181, 3)).astype("float32")
    lab = skimage.color.rgb2lab(rgb).astype("float32")
    np.testing.assert_allclose(fit_gamut(lab[..., :1], lab[..., 1:]), rgb, atol=1e-3)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_lightness_of_arrays_is_that_of_split(space, rng):
    levels = rng.integers(0, 256, (190, 181, 3), dtype="uint8")
    for rgb in (levels, np.float32(levels / 255), levels[:3, ::2], levels[:0]):
        expected = to_numpy(space.split(rgb)[0])
        actual = lightness_of(rgb, space)
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, atol=1e-5 * space.lightness_range[1])


def test_merge_raises_for_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match="same size"):
        LAB.merge(np.zeros((4, 5, 1), "float32"), np.zeros((5, 5, 2), "float32"))
    with pytest.raises(ValueError, match="2 channels"):
        LAB.merge(np.zeros((4, 5, 1), "float32"), np.zeros((4, 5, 3), "float32"))


def test_gray_has_the_lightness_of_its_image_and_no_chroma(rng):
    rgb = rng.integers(0, 256, (5, 6, 3), dtype="uint8")
    gray = ops.convert_to_numpy(to_gray(rgb))
    lab = skimage.color.rgb2lab(gray)
    np.testing.assert_allclose(lab[..., 0], skimage.color.rgb2lab(rgb)[..., 0], atol=0.01)
    np.testing.assert_allclose(lab[..., 1:], 0, atol=0.01)
    np.testing.assert_allclose(
        ops.convert_to_numpy(to_gray(np.float32(rgb / 255))), gray, atol=1e-6
    )


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=lambda space: space.name)
def test_arrays_outside_the_range_of_rgb_are_refused(space):
    with pytest.raises(ValueError, match=r"`rgb` must be .* in \[0, 1\].* to 255"):
        space.split(np.full((2, 2, 3), 255.0, "float32"))


def test_half_precision_is_converted_in_float32(rng):
    rgb = rng.uniform(size=(4, 4, 3)).astype("float16")
    expected = skimage.color.rgb2lab(np.float32(rgb))
    np.testing.assert_allclose(rgb_to_lab(rgb), expected, atol=1e-3)


def test_fit_gamut_and_lightness_refuse_what_merge_and_split_refuse():
    with pytest.raises(ValueError, match="must have the same size"):
        fit_gamut(np.zeros((4, 4, 1)), np.zeros((2, 8, 2)))
    with pytest.raises(ValueError, match="`rgb` must be uint8, or floating point"):
        lightness_of(np.full((4, 4, 3), 200.0, "float32"))
