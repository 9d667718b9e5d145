import keras
import numpy as np
import pytest

from colorkit import models


def rows_reached(network, side=61):
    """Count the rows of the output that one pixel of lightness changes."""
    keras.utils.set_random_seed(0)
    # Positive kernels: no unit is dead, and no two paths cancel.
    for variable in network.trainable_variables:
        if len(variable.shape) == 4:
            variable.assign(np.abs(np.random.default_rng(0).normal(0, 0.3, variable.shape)))
    lightness = np.full((2, side, side, 1), 60, "float32")
    lightness[1, side // 2, side // 2] = 90
    outputs = keras.ops.convert_to_numpy(network(lightness, training=False))
    change = np.abs(outputs[1] - outputs[0]).max(axis=(1, 2))
    return int((change > 1e-6 * np.abs(outputs).max()).sum())  # more than rounding


@pytest.mark.parametrize("num_blocks", [1, 4])
@pytest.mark.parametrize(
    "build",
    [
        lambda num_blocks: models.build_resnet(width=8, bottleneck=4, num_blocks=num_blocks),
        lambda num_blocks: models.build_densenet(growth=4, num_blocks=num_blocks),
    ],
    ids=["resnet", "densenet"],
)
def test_receptive_field_grows_by_two_pixels_per_block(build, num_blocks):
    assert rows_reached(build(num_blocks)) == 2 * num_blocks + 3


def test_densenet_concatenates_all_previous_outputs():
    network = models.build_densenet(growth=4, num_blocks=3)
    joined = [layer.output.shape[-1] for layer in network.layers if layer.name.endswith("_join")]
    assert len(joined) == 3 and set(np.diff(joined)) == {4}


def test_resnet_blocks_add_their_input():
    network = models.build_resnet(width=8, bottleneck=4, num_blocks=2)
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 9, 9, 1)).astype("float32")
    block = network.get_layer("block1_add")
    parts = keras.Model(network.inputs[0], [*block.input, block.output])
    before, added, after = parts.predict(lightness, verbose=0)
    np.testing.assert_allclose(after, before + added, rtol=1e-6)


def test_autoencoder_has_the_fifteen_blocks_of_the_source():
    network = models.build_autoencoder()
    assert sum(layer.name.endswith("_conv") for layer in network.layers) == 15


def test_deep_cnn_receptive_field_grows_by_two_pixels_per_convolution():
    narrow, wide = (rows_reached(models.build_deep_cnn(width=8, num_blocks=n)) for n in (2, 5))
    assert wide - narrow == 2 * 3


def test_autoencoder_has_a_large_receptive_field_and_no_skip_connections():
    network = models.build_autoencoder(widths=(4, 6, 8))
    assert rows_reached(network, side=81) > 2 * 15 + 1
    assert not [layer for layer in network.layers if type(layer).__name__ == "Concatenate"]
    assert network(np.zeros((1, 45, 38, 1), "float32")).shape == (1, 45, 38, 2)
