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
def test_conv_norm_normalizes_the_convolution(rng, strides):
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


def test_residual_block_with_zero_kernels_is_a_relu(rng):
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


@pytest.mark.parametrize(
    ("build", "options"),
    [
        (models.build_simple_convnet, {"filters": (4,)}),
        (models.build_additive_unet, {"filters": (4,)}),
        (models.build_pix2pix_generator, {"widths": (4,)}),
    ],
)
def test_unknown_upsampling_raises(build, options):
    with pytest.raises(ValueError, match=r"`upsampling` must be one of .*'resize'.*bilinear"):
        build(upsampling="bilinear", **options)
