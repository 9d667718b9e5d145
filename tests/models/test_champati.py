import keras
import numpy as np
import pytest

from colorkit import LAB, RGB, YUV, ColorBins, models, pairs
from colorkit.losses import RebalancedCrossentropy

BUILDERS = {
    "dense_regression": models.build_dense_regression,
    "conv_regression": models.build_conv_regression,
    "conv_classification": lambda **kwargs: models.build_conv_classification(81, **kwargs),
}


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
@pytest.mark.parametrize("name", BUILDERS)
def test_network_predicts_the_target_of_each_space(name, space):
    model = BUILDERS[name](space=space)
    channels = 81 if name == "conv_classification" else space.chroma_channels
    outputs = model.predict(np.zeros((2, 32, 32, 1), "float32"), verbose=0)
    assert outputs.shape == (2, 32, 32, channels)
    assert np.isfinite(outputs).all()
    assert model.name == name and not model.compiled


@pytest.mark.parametrize("name", ["conv_regression", "conv_classification"])
def test_convolutional_networks_accept_any_size(name):
    outputs = BUILDERS[name]()(np.zeros((1, 9, 14, 1), "float32"))
    assert tuple(outputs.shape[:3]) == (1, 9, 14)


def test_dense_regression_has_the_published_layers():
    # Convolutions of 16 (stride 2), 16, 32, 32 without padding leave 9 x 9 of 32 pixels.
    model = models.build_dense_regression()
    convolutions = 160 + 2_320 + 4_640 + 9_248 + 4 * (16 + 16 + 32 + 32)
    assert model.count_params() == convolutions + (9 * 9 * 32 + 1) * 32 * 32 * 2


def test_conv_regression_with_blocks_of_one_has_the_size_of_the_authors_code():
    widths = (32, 32, 64, 64, 128, 128, 256, 256, 128, 128, 64, 64, 32)
    model = models.build_conv_regression(blocks=tuple((width,) for width in widths))
    assert model.count_params() == 1_749_570


def test_classification_has_a_receptive_field_of_33_pixels():
    # 4 plain 3 x 3 convolutions and 6 of dilation 2.
    blocks = ((2, 2), (2, 2), (2, 2, 2), (2, 2, 2))
    model = models.build_conv_classification(9, blocks=blocks)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([np.ones_like(weight) for weight in layer.get_weights()])
    lightness = np.full((1, 65, 65, 1), 50, "float32")
    before = model.predict(lightness, verbose=0)
    lightness[0, 32, 32, 0] = 100
    changed = np.argwhere(model.predict(lightness, verbose=0)[0, ..., 0] != before[0, ..., 0])
    np.testing.assert_array_equal(changed.min(axis=0), [16, 16])
    np.testing.assert_array_equal(changed.max(axis=0), [48, 48])


@pytest.mark.parametrize("name", BUILDERS)
def test_fit_lowers_the_loss(name, rng):
    keras.utils.set_random_seed(0)
    images = np.broadcast_to(rng.integers(0, 256, (32, 1, 1, 3)), (32, 32, 32, 3)).astype("uint8")
    small = {"filters": (4, 4)} if name == "dense_regression" else {"blocks": ((4,), (4,))}
    if name == "conv_classification":
        small["dilation_rates"] = (1, 2)
    model = BUILDERS[name](**small)
    loss = RebalancedCrossentropy(ColorBins.grid(81)) if name == "conv_classification" else "mse"
    model.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=False)
    history = model.fit(pairs(images, batch_size=16), epochs=4, verbose=0).history["loss"]
    assert np.isfinite(history).all() and history[-1] < history[0]


def test_dense_network_of_any_size_raises():
    with pytest.raises(ValueError, match="`input_shape` must have fixed sides"):
        models.build_dense_regression(input_shape=(None, None, 1))
