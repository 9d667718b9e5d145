import keras
import numpy as np
import pytest

from colorkit import models


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


# The authors' training network: filters, stride and dilation of each convolution, "norm" for a
# normalization without scale and shift; all but the last are 3x3, or 4x4 where transposed, and
# pass a ReLU.
PUBLISHED = """
64/1/1 64/2/1 norm
128/1/1 128/2/1 norm
256/1/1 256/1/1 256/2/1 norm
512/1/1 512/1/1 512/1/1 norm
512/1/2 512/1/2 512/1/2 norm
512/1/2 512/1/2 512/1/2 norm
512/1/1 512/1/1 512/1/1 norm
up256/2/1 256/1/1 256/1/1
313/1/1
"""


def test_layers_equal_the_published_network():
    found, network = [], models.build_zhang()
    # 32.24 million weights, as the model zoo that ships the released network states.
    assert network.count_params() == pytest.approx(32.24e6, rel=1e-3)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert not (layer.center or layer.scale)
            found.append("norm")
        elif hasattr(layer, "filters"):
            up = "up" if isinstance(layer, keras.layers.Conv2DTranspose) else ""
            found.append(f"{up}{layer.filters}/{layer.strides[0]}/{layer.dilation_rate[0]}")
            last = layer.name == "logits"
            assert layer.kernel_size == ((1, 1) if last else (4, 4) if up else (3, 3))
            assert layer.activation.__name__ == ("linear" if last else "relu")
    assert found == PUBLISHED.split()


def test_features_are_centered_on_every_nth_pixel():
    # A strided convolution keeps the pixel on which it is centered, at every size on the way.
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
