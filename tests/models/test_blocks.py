import functools

import keras
import numpy as np
import pytest
from scipy.ndimage import correlate

from colorkit import models
from colorkit.models.blocks import conv_norm, residual_block


def model_of(block, channels, **options):
    inputs = keras.Input((None, None, channels))
    return keras.Model(inputs, block(inputs, name="block", **options))


@pytest.mark.parametrize("strides", [1, 2])
def test_conv_norm_is_a_convolution_less_its_mean_over_its_deviation(rng, strides):
    model = model_of(conv_norm, 1, filters=1, strides=strides)
    kernel = rng.normal(size=(3, 3)).astype("float32")
    scale, shift, mean, variance = 2.0, -0.5, 0.3, 4.0
    values = [kernel[..., None, None], *([value] for value in (scale, shift, mean, variance))]
    model.set_weights([np.float32(value) for value in values])
    x = rng.normal(size=(1, 9, 9, 1)).astype("float32")
    convolved = correlate(x[0, ..., 0], kernel, mode="constant")[::strides, ::strides]
    normed = scale * (convolved - mean) / np.sqrt(variance + 1e-3) + shift
    found = model.predict(x, verbose=0)[0, ..., 0]
    np.testing.assert_allclose(found, np.maximum(normed, 0), atol=1e-4)


def test_residual_block_of_zeros_passes_what_is_positive(rng):
    model = model_of(residual_block, 3)
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            variable.assign(np.zeros(variable.shape))
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), np.maximum(x, 0), atol=1e-6)


def test_residual_block_adds_before_its_last_activation(rng):
    model = model_of(residual_block, 2)
    x = rng.normal(size=(1, 6, 6, 2)).astype("float32")
    branch = keras.Model(model.inputs, model.get_layer("block_2_out").output)
    added = x + branch.predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), np.maximum(added, 0), atol=1e-5)
    assert (branch.predict(x, verbose=0) < 0).any(), "no activation before the sum"


WIDTHS = {
    "widths": (
        models.build_unet,
        models.build_residual_unet,
        models.build_autoencoder,
        models.build_pix2pix_generator,
        models.build_patch_discriminator,
        models.build_vae,
        models.build_vgg_classifier,
        models.build_residual_classifier,
    ),
    "filters": (
        models.build_additive_unet,
        models.build_picture_discriminator,
        models.build_simple_convnet,
        models.build_shallow_classification,
    ),
}
WRONG_WIDTHS = [(4, 0, 4), (4, -1, 4), (4, 2.5, 4), (4, None, 4), 4, "444", {4, 8}, {4: 1, 8: 1}]


@pytest.mark.parametrize(
    ("name", "build"), [(name, build) for name in WIDTHS for build in WIDTHS[name]]
)
def test_widths_are_positive_whole_numbers_and_not_none_at_all(name, build):
    for widths in WRONG_WIDTHS:
        with pytest.raises(ValueError, match=f"`{name}` must be a tuple of positive whole"):
            build(**{name: widths})
    with pytest.raises(ValueError, match=r"one entry|1 entries"):
        build(**{name: ()})


def test_widths_behind_others_are_positive_whole_numbers():
    colorful = models.build_zhang(9, width=0.03)
    for build in (
        models.build_dense_regression,
        functools.partial(models.build_coherent, colorful),
        functools.partial(models.build_coherent_as_published, colorful),
    ):
        for widths in WRONG_WIDTHS:
            with pytest.raises(ValueError, match="`filters` must be a tuple of positive whole"):
                build(filters=widths)


@pytest.mark.parametrize(
    "build",
    [
        models.build_conv_regression,
        functools.partial(models.build_conv_classification, 9, dilation_rates=(1, 2)),
    ],
)
def test_blocks_are_tuples_of_widths(build):
    for block in (4, (), (4, 0), (2.5,)):
        with pytest.raises(ValueError, match=r"`blocks\[1\]` must be a tuple of positive whole"):
            build(blocks=((4,), block))


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (models.build_resnet, ("width", "bottleneck", "num_blocks")),
        (models.build_densenet, ("growth", "num_blocks")),
        (models.build_deep_cnn, ("width", "num_blocks")),
        (models.build_autoencoder, ("num_blocks",)),
    ],
)
def test_numbers_of_channels_and_blocks_are_positive_whole_numbers(build, names):
    for name in names:
        for value in (0, -1, 2.5, None):
            with pytest.raises(ValueError, match=f"`{name}` must be a positive whole .*{value}"):
                build(**{name: value})


@pytest.mark.parametrize(
    "build",
    [
        *WIDTHS["widths"][:5],
        *WIDTHS["filters"],
        functools.partial(models.build_patch_discriminator, conditional=False),
        functools.partial(models.build_picture_discriminator, conditional=False),
        models.build_deep_cnn,
        models.build_resnet,
        models.build_densenet,
        models.build_zhang,
        models.build_dense_regression,
        models.build_conv_regression,
        functools.partial(models.build_conv_classification, 9),
        models.build_vgg_features,
    ],
)
def test_input_is_lightness_of_at_least_a_pixel(build):
    for shape in ((32, 32, 3), (0, 32, 1), (32, -1, 1), (32.0, 32, 1), (32, 32), 32, None):
        with pytest.raises(ValueError, match=r"`input_shape` must be \(height, width, 1\)"):
            build(input_shape=shape)


@pytest.mark.parametrize("build", WIDTHS["widths"][5:])
def test_input_is_rgb_of_at_least_a_pixel(build):
    for shape in ((32, 32, 1), (0, 32, 3), (32, 32), None):
        with pytest.raises(ValueError, match=r"`input_shape` must be \(height, width, 3\)"):
            build(input_shape=shape)
