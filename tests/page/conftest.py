"""A model with bins, one without, and a picture with metadata, for the tests of the page."""

import keras
import numpy as np
import pytest
from PIL import Image

import colorkit as ck


def network(name, channels):
    """A small untrained network."""
    inputs = keras.Input((None, None, 1))
    features = keras.layers.Conv2D(8, 3, 2, "same", bias_initializer="normal")(inputs / 100)
    return keras.Model(inputs, keras.layers.Conv2D(channels, 1)(features), name=name)


@pytest.fixture(scope="package")
def bins():
    keras.utils.set_random_seed(0)
    return ck.Colorizer(network("bins", 49), bins=ck.ColorBins.grid(49), size=32)


@pytest.fixture(scope="package")
def regression():
    return ck.Colorizer(network("regression", 2), size=32)


@pytest.fixture(scope="package")
def photograph(tmp_path_factory):
    """A JPEG file of 90 x 120 pixels with a description."""
    path = tmp_path_factory.mktemp("photograph") / "rose.jpg"
    image = Image.fromarray(np.asarray(ck.load("photos", size=96)[3])).convert("L")
    exif = Image.Exif()
    exif[0x010E] = "a rose"
    image.resize((120, 90)).save(path, exif=exif)
    return path
