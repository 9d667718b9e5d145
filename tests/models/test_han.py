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
    simple = models.build_simple_convnet(gradual=False)
    assert simple.count_params() == pytest.approx(3.95e6, rel=0.005)
    assert models.build_shallow_classification().count_params() == 43_641
    generator = models.build_additive_unet(space="rgb", gradual=False)
    assert weights(generator) == pytest.approx(7.82e6, rel=0.005)
    discriminator = models.build_picture_discriminator(space="rgb", head_size=7, conditional=False)
    assert weights(discriminator) == pytest.approx(16.75e6, rel=0.005)


def test_too_few_filters_are_refused():
    with pytest.raises(ValueError, match=r"at least 5 entries for `gradual=False`.*4, 4"):
        models.build_simple_convnet(filters=(4, 4), gradual=False)
    with pytest.raises(ValueError, match="at least 1 entries"):
        models.build_simple_convnet(filters=())
    with pytest.raises(ValueError, match="one entry"):
        models.build_additive_unet(filters=())
    with pytest.raises(ValueError, match="one entry per convolution"):
        models.build_shallow_classification(filters=(), dilation_rates=())


def kernels(model):
    return {
        v.path.split("/")[0]: keras.ops.convert_to_numpy(v)
        for v in model.weights
        if v.path.endswith("/kernel")
    }


def test_layers_as_coded_are_drawn_apart_and_as_the_code_draws_them():
    keras.utils.set_random_seed(0)
    simple = kernels(models.build_simple_convnet(filters=(32,) * 7, gradual=False))
    classification = kernels(models.build_shallow_classification(stddev=0.1))
    # PyTorch's uniform distribution of a transposed convolution, 1 / sqrt(channels * 64 * 64).
    upsample = simple.pop("upsample")
    assert np.abs(upsample).max() == pytest.approx(1 / np.sqrt(2 * 64**2), rel=0.01)
    assert upsample.std() == pytest.approx(1 / np.sqrt(3 * 2 * 64**2), rel=0.05)
    drawn = [*simple.values(), *classification.values()]
    for kernel in drawn:
        assert kernel.std() == pytest.approx(0.1, rel=0.25)
    assert len({float(kernel.ravel()[0]) for kernel in drawn}) == len(drawn)


def test_a_spread_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match=r"`stddev` must be a finite, non-negative number.*-1"):
        models.build_shallow_classification(9, stddev=-1)
    with pytest.raises(ValueError, match="`stddev` must be positive"):
        models.build_shallow_classification(9, stddev=0)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("side", [32, 64, 96, 128, 45])
def test_networks_keep_every_size(name, side):
    model = SMALL[name]()
    height, width = side, side + 7
    output = model(np.zeros((1, height, width, 1), "float32"))
    assert output.shape[1:3] == (height, width)


@pytest.mark.parametrize("name", ["simple", "generator"])
@pytest.mark.parametrize("side", [32, 45])
def test_networks_as_coded_keep_every_size_too(name, side):
    output = SMALL[name](gradual=False)(np.zeros((1, side, side, 1), "float32"))
    assert output.shape[1:] == (side, side, 2)


def seen(model, width=96):
    """Columns, relative to the middle one, that the middle output depends on."""
    middle = width // 2
    even = np.full((width + 1, 1, width, 1), 50.0, "float32")
    even[np.arange(width), 0, np.arange(width)] = 90.0
    *changed, unchanged = keras.ops.convert_to_numpy(model(even))[:, 0, middle]
    felt = np.flatnonzero([np.abs(output - unchanged).max() > 1e-7 for output in changed])
    return (felt - middle).tolist()


def test_classification_sees_seven_pixels_as_coded_and_27_dilated():
    for dilation_rates, reach in (((1, 1, 1), 3), ((1, 3, 9), 13)):
        keras.utils.set_random_seed(0)
        model = models.build_shallow_classification(9, dilation_rates=dilation_rates)
        assert seen(model) == list(range(-reach, reach + 1)), "without gaps"


def test_one_large_transposed_convolution_makes_blocks_and_gradual_doubling_does_not():
    # Of an even picture all output pixels should be alike, far from the border.
    even = np.full((1, 448, 448, 1), 60.0, "float32")
    spread = {True: 0.0, False: 0.0}
    for gradual, seed in itertools.product(spread, range(4)):  # one may have nothing but zeros
        keras.utils.set_random_seed(seed)
        output = keras.ops.convert_to_numpy(SMALL["simple"](gradual=gradual)(even))
        output = output[0, 208:240, 208:240]
        spread[gradual] = max(spread[gradual], np.ptp(output, axis=(0, 1)).max())
    assert spread[True] < 1e-3 * spread[False]


def test_discriminator_gives_one_verdict_with_or_without_the_gray_picture():
    pair = [np.zeros((2, 40, 33, channels), "float32") for channels in (1, 2)]
    conditional = models.build_picture_discriminator(filters=(4, 4))
    assert conditional(pair).shape == (2, 1)
    alone = models.build_picture_discriminator(filters=(4, 4), conditional=False)
    assert alone(pair[1]).shape == (2, 1)


def test_dilation_rates_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"3.*\(1, 2\)"):
        models.build_shallow_classification(9, dilation_rates=(1, 2))
