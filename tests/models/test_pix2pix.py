import keras
import numpy as np
import pytest

from colorkit import models


def test_discriminator_has_the_published_size():
    discriminator = models.build_patch_discriminator()
    assert discriminator.compute_output_shape([(1, 256, 256, 1), (1, 256, 256, 2)]) == (
        1,
        30,
        30,
        1,
    )
    # 2.77 million weights at three colors and a condition of three in the published code; here
    # the first of five convolutions has three channels of input instead of six.
    expected = 4 * 4 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    kernels = [v for v in discriminator.weights if v.path.endswith("kernel")]
    assert sum(int(np.prod(v.shape)) for v in kernels) == expected


@pytest.mark.parametrize(("widths", "patch"), [((8, 8, 8, 8), 70), ((8, 8, 8), 34)])
def test_discriminator_has_the_documented_patch_size(widths, patch):
    keras.utils.set_random_seed(0)
    discriminator = models.build_patch_discriminator(widths=widths, conditional=False)
    side = 128
    chroma = np.zeros((side + 1, side, side, 2), "float32")
    chroma[np.arange(side), side // 2, np.arange(side)] = 90.0
    logits = keras.ops.convert_to_numpy(discriminator(chroma))
    middle = logits.shape[1] // 2
    *changed, unchanged = logits[:, middle, middle, 0]
    changes = np.flatnonzero(np.abs(np.array(changed) - unchanged) > 1e-12)
    assert changes.max() - changes.min() + 1 == patch


@pytest.mark.parametrize(
    "build", [models.build_pix2pix_generator, models.build_patch_discriminator]
)
def test_initial_weights_depend_on_the_seed_and_differ_per_layer(build):
    def kernels(seed):
        keras.utils.set_random_seed(seed)
        model = build(widths=(8, 8, 8, 8))
        return [keras.ops.convert_to_numpy(v) for v in model.weights if v.path.endswith("/kernel")]

    first, again, other = kernels(0), kernels(0), kernels(1)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.isclose(a, c).any(axis=-1).all()
        assert a.std() == pytest.approx(0.02, rel=0.15)
    firsts = [float(kernel.ravel()[0]) for kernel in first]
    assert len(set(firsts)) == len(firsts)


def test_generator_has_as_many_weights_with_transposed_convolutions():
    resized, published = (
        models.build_pix2pix_generator(widths=(4, 6, 8), upsampling=kind)
        for kind in ("resize", "transpose")
    )
    assert published.count_params() == resized.count_params()
    kinds = [type(published.get_layer(name)) for name in ("up2", "up1", "head")]
    assert kinds == [keras.layers.Conv2DTranspose] * 3
    for side in (32, 45):
        assert published(np.zeros((1, side, side + 3, 1), "float32")).shape[1:3] == (side, side + 3)


@pytest.mark.parametrize(("widths", "least"), [((4, 4, 4, 4), 17), ((4, 4, 4), 9)])
def test_discriminator_has_one_logit_for_images_of_the_documented_least_size(widths, least):
    discriminator = models.build_patch_discriminator(widths=widths, conditional=False)
    assert discriminator.compute_output_shape((1, least, least, 2)) == (1, 1, 1, 1)


def test_generator_has_the_published_layers():
    generator = models.build_pix2pix_generator()
    down = [layer.filters for layer in generator.layers if layer.name.startswith("down")
            and isinstance(layer, keras.layers.Conv2D)]  # fmt: skip
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    up = [generator.get_layer(f"up{level}").filters for level in range(7, 0, -1)]
    assert up == [512, 512, 512, 512, 256, 128, 64]
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in generator.layers) == 3
    assert generator.get_layer("up7_skip").output.shape[-1] == 1024
