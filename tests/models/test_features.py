import keras
import numpy as np

from colorkit import models
from colorkit.models.features import feature_model


def test_features_are_the_last_at_each_stride_fine_ones_last():
    features = feature_model(models.build_unet(widths=(8, 16)))
    found = [x.shape[1:] for x in features(np.ones((1, 32, 48, 1), "float32"))]
    assert found == [(16, 24, 16), (32, 48, 8)]


def test_features_are_what_the_layers_compute():
    inputs = keras.Input((None, None, 1))
    known = keras.layers.Conv2D(4, 3, padding="same", activation="relu")
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1)(known(inputs)))
    found = keras.tree.flatten(feature_model(model)(np.ones((1, 8, 8, 1), "float32")))[0]
    np.testing.assert_allclose(found, known(np.ones((1, 8, 8, 1), "float32")), rtol=1e-5)


def test_network_of_one_layer_has_no_features():
    inputs = keras.Input((None, None, 1))
    assert feature_model(keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))) is None
