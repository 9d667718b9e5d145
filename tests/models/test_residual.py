import keras
import numpy as np
import pytest

from colorkit import models


def seen(network, side=61):
    """How many rows of the output one pixel of lightness reaches."""
    keras.utils.set_random_seed(0)
    for variable in network.trainable_variables:  # all paths open: no unit is dead, none cancels
        if len(variable.shape) == 4:
            variable.assign(np.abs(np.random.default_rng(0).normal(0, 0.3, variable.shape)))
    lightness = np.full((2, side, side, 1), 60, "float32")
    lightness[1, side // 2, side // 2] = 90
    outputs = keras.ops.convert_to_numpy(network(lightness, training=False))
    return int((np.abs(outputs[1] - outputs[0]).max(axis=(1, 2)) > 0).sum())


@pytest.mark.parametrize("num_blocks", [1, 4])
@pytest.mark.parametrize(
    "build",
    [
        lambda num_blocks: models.build_resnet(width=8, bottleneck=4, num_blocks=num_blocks),
        lambda num_blocks: models.build_densenet(growth=4, num_blocks=num_blocks),
    ],
    ids=["resnet", "densenet"],
)
def test_every_block_sees_two_pixels_more(build, num_blocks):
    assert seen(build(num_blocks)) == 2 * num_blocks + 3


def test_dense_blocks_see_the_results_of_all_before():
    network = models.build_densenet(growth=4, num_blocks=3)
    joined = [layer.output.shape[-1] for layer in network.layers if layer.name.endswith("_join")]
    assert len(joined) == 3 and set(np.diff(joined)) == {4}


def test_residual_blocks_add_to_what_came_in():
    network = models.build_resnet(width=8, bottleneck=4, num_blocks=2)
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 9, 9, 1)).astype("float32")
    block = network.get_layer("block1_add")
    parts = keras.Model(network.inputs[0], [*block.input, block.output])
    before, added, after = parts.predict(lightness, verbose=0)
    np.testing.assert_allclose(after, before + added, rtol=1e-6)
