import numpy as np

from colorkit import models
from tests.models.test_residual import seen


def test_autoencoder_has_the_fifteen_blocks_of_the_source():
    network = models.build_autoencoder()
    assert sum(layer.name.endswith("_conv") for layer in network.layers) == 15


def test_deep_cnn_sees_two_pixels_more_with_every_convolution():
    narrow, wide = (seen(models.build_deep_cnn(width=8, num_blocks=n)) for n in (2, 5))
    assert wide - narrow == 2 * 3


def test_autoencoder_sees_far_beyond_its_convolutions_and_passes_no_detail_around_them(rng):
    """What pooling drops is lost: nothing leads around the smallest features."""
    network = models.build_autoencoder(widths=(4, 6, 8))
    assert seen(network, side=81) > 2 * 15 + 1
    assert not [layer for layer in network.layers if type(layer).__name__ == "Concatenate"]
    assert network(np.zeros((1, 45, 38, 1), "float32")).shape == (1, 45, 38, 2)
