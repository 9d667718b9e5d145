"""Small networks and an image for the tests of predictions."""

import keras
import numpy as np
import pytest

import colorkit as ck

GRAY = np.full((24, 36), 128, "uint8")


def lightness_error(space, before, after):
    """Largest change of lightness between two images."""
    before, after = (np.asarray(space.split(rgb)[0], "float64") for rgb in (before, after))
    return np.abs(before - after).max()


def untrained(**settings):
    """A small network with bins, a stride and mirror images."""
    bins = ck.ColorBins.grid(49)
    inputs = keras.Input((None, None, 1))
    features = keras.layers.Conv2D(8, 3, 2, "same", bias_initializer="normal")(inputs / 100)
    model = keras.Model(inputs, keras.layers.Conv2D(bins.num_bins, 1)(features))
    weights = np.linspace(0.5, 1.5, bins.num_bins)
    return ck.Colorizer(model, bins=bins, size=32, mirror=True, class_weights=weights, **settings)


@pytest.fixture(scope="module")
def colorizer():
    keras.utils.set_random_seed(0)
    found = untrained()
    found(GRAY)  # the first call runs without a graph, which may round otherwise
    return found


@pytest.fixture(scope="module")
def picture():
    return np.asarray(ck.load("photos", size=48)[5])


@pytest.fixture(scope="module")
def regression():
    return ck.Colorizer(ck.models.build_unet(widths=(8, 16)), size=32)
