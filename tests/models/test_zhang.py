import keras
import numpy as np
import pytest

from colorkit import models


def test_full_width_has_the_published_number_of_weights():
    # 32.24 million, as the model zoo that ships the released network states.
    assert models.build_zhang().count_params() == pytest.approx(32.24e6, rel=1e-3)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (33, 30), (41, 7), (1, 1)])
def test_logits_have_a_quarter_of_any_size(size, rng):
    network = models.build_zhang(20, width=0.02)
    lightness = rng.uniform(0, 100, (1, *size, 1)).astype("float32")
    expected = tuple(-(-side // 4) for side in size)
    assert network.predict(lightness, verbose=0).shape == (1, *expected, 20)


def test_regression_keeps_the_size(rng):
    network = models.build_zhang(None, width=0.02)
    lightness = rng.uniform(0, 100, (1, 33, 30, 1)).astype("float32")
    assert network.predict(lightness, verbose=0).shape == (1, 33, 30, 2)


def test_layers_are_those_of_the_published_network():
    network = models.build_zhang()
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    strided = [layer.name for layer in convolutions if layer.strides == (2, 2)]
    assert strided == ["conv1_2", "conv2_2", "conv3_3"]
    assert network.get_layer("conv8_1").strides == (2, 2)  # transposed
    dilated = [layer.name for layer in convolutions if layer.dilation_rate == (2, 2)]
    assert dilated == [f"conv{block}_{i}" for block in (5, 6) for i in (1, 2, 3)]
    norms = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert len(norms) == 7 and not any(norm.center or norm.scale for norm in norms)


def test_features_belong_to_every_nth_pixel():
    # What a strided convolution keeps is the pixel it is centred on, at every size on the way.
    network = models.build_zhang(4, width=0.02)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (3, 3):
            kernel = np.zeros(layer.kernel.shape, "float32")
            kernel[1, 1] = 1.0
            layer.set_weights([kernel, *layer.get_weights()[1:]])
    lightness = np.full((1, 32, 32, 1), 50, "float32")
    lightness[0, 8, 16] = 100
    for name, stride in (("conv1_2", 2), ("conv2_2", 4), ("conv3_3", 8), ("conv7_3", 8)):
        features = keras.Model(network.inputs[0], network.get_layer(name).output)
        found = np.argwhere(features.predict(lightness, verbose=0)[0, ..., 0] > 1e-6)
        assert found.tolist() == [[8 // stride, 16 // stride]], name


def test_width_must_be_positive():
    with pytest.raises(ValueError, match="width"):
        models.build_zhang(width=0)
