import itertools

import keras
import numpy as np
import pytest

from colorkit import models

SMALL = {
    "simple": lambda **options: models.build_simple_convnet(
        filters=(4, 4, 4, 4, 4, 8, 8), **options
    ),
    "classification": lambda **options: models.build_shallow_classification(9, **options),
    "generator": lambda **options: models.build_additive_unet(filters=(4, 4, 4, 8, 8), **options),
}


def weights(model):
    return sum(int(np.prod(v.shape)) for v in model.weights if v.path.endswith("kernel"))


def test_networks_have_as_many_weights_as_the_published_code():
    # The author's code, counted: 3.95 million, 43,641 with biases and 7.82 million.
    simple = models.build_simple_convnet(upsampling="transpose")
    assert simple.count_params() == pytest.approx(3.95e6, rel=0.005)
    assert models.build_shallow_classification().count_params() == 43_641
    generator = models.build_additive_unet(space="rgb", upsampling="transpose")
    assert weights(generator) == pytest.approx(7.82e6, rel=0.005)
    discriminator = models.build_picture_discriminator(space="rgb", head_size=7, conditional=False)
    assert weights(discriminator) == pytest.approx(16.75e6, rel=0.005)


def test_five_filters_are_required_for_one_transposed_convolution():
    with pytest.raises(ValueError, match=r"at least 5 entries for `upsampling=.*4, 4"):
        models.build_simple_convnet(filters=(4, 4), upsampling="transpose")


def kernels(model):
    return {
        v.path.split("/")[0]: keras.ops.convert_to_numpy(v)
        for v in model.weights
        if v.path.endswith("/kernel")
    }


def test_initial_weights_as_coded_differ_per_layer_and_have_the_distribution_of_the_code():
    keras.utils.set_random_seed(0)
    simple = kernels(models.build_simple_convnet(filters=(32,) * 7, upsampling="transpose"))
    classification = kernels(models.build_shallow_classification(stddev=0.1))
    # PyTorch's uniform distribution of a transposed convolution, 1 / sqrt(channels * 64 * 64).
    upsample = simple.pop("upsample")
    assert np.abs(upsample).max() == pytest.approx(1 / np.sqrt(2 * 64**2), rel=0.01)
    assert upsample.std() == pytest.approx(1 / np.sqrt(3 * 2 * 64**2), rel=0.05)
    drawn = [*simple.values(), *classification.values()]
    for kernel in drawn:
        assert kernel.std() == pytest.approx(0.1, rel=0.25)
    assert len({float(kernel.ravel()[0]) for kernel in drawn}) == len(drawn)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("side", [32, 64, 96, 128, 45])
def test_networks_keep_every_size(name, side):
    model = SMALL[name]()
    height, width = side, side + 7
    output = model(np.zeros((1, height, width, 1), "float32"))
    assert output.shape[1:3] == (height, width)


@pytest.mark.parametrize("name", ["simple", "generator"])
@pytest.mark.parametrize("side", [32, 45])
def test_networks_with_transposed_convolutions_keep_every_size(name, side):
    output = SMALL[name](upsampling="transpose")(np.zeros((1, side, side, 1), "float32"))
    assert output.shape[1:] == (side, side, 2)


def receptive_field(model, width=96):
    """Return the columns, relative to the middle one, that the middle output depends on."""
    middle = width // 2
    lightness = np.full((width + 1, 1, width, 1), 50.0, "float32")
    lightness[np.arange(width), 0, np.arange(width)] = 90.0
    *changed, unchanged = keras.ops.convert_to_numpy(model(lightness))[:, 0, middle]
    changes = np.flatnonzero([np.abs(output - unchanged).max() > 1e-7 for output in changed])
    return (changes - middle).tolist()


def test_classification_has_a_receptive_field_of_7_pixels_and_27_with_dilation():
    for dilation_rates, reach in (((1, 1, 1), 3), ((1, 3, 9), 13)):
        keras.utils.set_random_seed(0)
        model = models.build_shallow_classification(9, dilation_rates=dilation_rates)
        assert receptive_field(model) == list(range(-reach, reach + 1)), "without gaps"


def test_one_large_transposed_convolution_causes_blocks_and_resizing_does_not():
    # All output pixels of a uniform image should be equal, far from the border.
    uniform = np.full((1, 448, 448, 1), 60.0, "float32")
    spread = {"resize": 0.0, "transpose": 0.0}
    for upsampling, seed in itertools.product(spread, range(4)):  # one may have zeros alone
        keras.utils.set_random_seed(seed)
        output = keras.ops.convert_to_numpy(SMALL["simple"](upsampling=upsampling)(uniform))
        output = output[0, 208:240, 208:240]
        spread[upsampling] = max(spread[upsampling], np.ptp(output, axis=(0, 1)).max())
    assert spread["resize"] < 1e-3 * spread["transpose"]


def test_discriminator_has_one_logit_with_or_without_lightness():
    pair = [np.zeros((2, 40, 33, channels), "float32") for channels in (1, 2)]
    conditional = models.build_picture_discriminator(filters=(4, 4))
    assert conditional(pair).shape == (2, 1)
    alone = models.build_picture_discriminator(filters=(4, 4), conditional=False)
    assert alone(pair[1]).shape == (2, 1)
