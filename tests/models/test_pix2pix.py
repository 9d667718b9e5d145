import keras
import numpy as np
import pytest

from colorkit import models


def test_discriminator_judges_patches_as_published():
    discriminator = models.build_patch_discriminator()
    assert discriminator.compute_output_shape([(1, 256, 256, 1), (1, 256, 256, 2)]) == (
        1,
        30,
        30,
        1,
    )
    # 2.77 million weights at three colours and a condition of three in the published code; here
    # the first of five convolutions has three channels of input instead of six.
    expected = 4 * 4 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    kernels = [v for v in discriminator.weights if v.path.endswith("kernel")]
    assert sum(int(np.prod(v.shape)) for v in kernels) == expected


@pytest.mark.parametrize(("widths", "patch"), [((8, 8, 8, 8), 70), ((8, 8, 8), 34)])
def test_patch_has_as_many_pixels_as_stated(widths, patch):
    keras.utils.set_random_seed(0)
    discriminator = models.build_patch_discriminator(widths=widths, conditional=False)
    side = 128
    gray = np.zeros((side + 1, side, side, 2), "float32")
    gray[np.arange(side), side // 2, np.arange(side)] = 90.0
    verdicts = keras.ops.convert_to_numpy(discriminator(gray))
    middle = verdicts.shape[1] // 2
    *changed, unchanged = verdicts[:, middle, middle, 0]
    felt = np.flatnonzero(np.abs(np.array(changed) - unchanged) > 1e-12)
    assert felt.max() - felt.min() + 1 == patch


def test_generator_has_the_published_layers():
    generator = models.build_pix2pix_generator()
    down = [layer.filters for layer in generator.layers if layer.name.startswith("down")
            and isinstance(layer, keras.layers.Conv2D)]  # fmt: skip
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    up = [generator.get_layer(f"up{level}").filters for level in range(7, 0, -1)]
    assert up == [512, 512, 512, 512, 256, 128, 64]
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in generator.layers) == 3
    assert generator.get_layer("up7_skip").output.shape[-1] == 1024
