import h5py
import keras
import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2gray

from colorkit import LAB, RGB, YUV, losses, models
from colorkit.layers import VGGPreprocessing
from tests.conftest import DATA


def test_preprocessing_equals_that_of_keras(rng):
    rgb = rng.random((2, 5, 4, 3)).astype("float32")
    expected = keras.applications.vgg16.preprocess_input(255 * rgb)
    actual = keras.ops.convert_to_numpy(VGGPreprocessing()(rgb))
    np.testing.assert_allclose(actual, expected, atol=1e-3)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_preprocessing_of_lightness_is_that_of_gray_rgb(space):
    gray = np.linspace(0, 1, 256, dtype="float32")[None, :, None, None] * np.ones(3, "float32")
    expected = keras.applications.vgg16.preprocess_input(255 * gray)
    actual = keras.ops.convert_to_numpy(VGGPreprocessing(space)(space.split(gray)[0]))
    np.testing.assert_allclose(actual, expected, atol=0.1)


def test_features_have_the_weights_of_the_classifier(rng):
    classifier = models.build_vgg_classifier(widths=(64, 8), hidden=8)
    features = models.build_vgg_features(classifier)
    assert features.count_params() == 1_792 + 36_928  # as in VGG16
    assert not features.trainable_weights
    assert models.build_vgg_features(classifier, trainable=True).trainable_weights
    gray = rng.random((1, 32, 32, 1)).astype("float32").repeat(3, -1)
    inner = keras.Model(classifier.inputs, classifier.get_layer("block1_conv2").output)
    expected = inner.predict(gray, verbose=0)
    actual = features.predict(keras.ops.convert_to_numpy(LAB.split(gray)[0]), verbose=0)
    np.testing.assert_allclose(actual, expected, atol=2e-3 * np.abs(expected).max())


def test_network_trains_on_frozen_features(rng):
    features = models.build_vgg_features(models.build_vgg_classifier(widths=(64, 8), hidden=8))
    before = [np.array(weight) for weight in features.get_weights()]
    model = models.build_conv_regression(blocks=((4,),), features=features)
    model.compile("sgd", "mse", jit_compile=False)
    lightness = rng.uniform(0, 100, (2, 8, 8, 1)).astype("float32")
    model.fit(lightness, np.zeros((2, 8, 8, 2), "float32"), verbose=0)
    for old, new in zip(before, features.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_second_convolution_trains_if_only_the_first_is_loaded(tmp_path, rng):
    kernel, bias = rng.normal(size=(3, 3, 3, 64)), rng.normal(size=64)
    np.savez(tmp_path / "first.npz", kernel=kernel, bias=bias)
    features = models.build_vgg_features(tmp_path / "first.npz")
    np.testing.assert_allclose(features.get_layer("block1_conv1").get_weights()[0], kernel, 1e-5)
    assert [w.path.split("/")[0] for w in features.trainable_weights] == ["block1_conv2"] * 2


@pytest.mark.parametrize("group", ["/", "/model_weights"])
def test_both_layers_are_loaded_from_a_weights_file_of_keras(tmp_path, rng, group):
    shapes = {"block1_conv1": [(3, 3, 3, 64), (64,)], "block1_conv2": [(3, 3, 64, 64), (64,)]}
    arrays = {name: [rng.normal(size=shape) for shape in of] for name, of in shapes.items()}
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        for layer, weights in arrays.items():
            into = file.require_group(group).create_group(layer)
            into.attrs["weight_names"] = [f"{layer}_W_1:0".encode(), f"{layer}_b_1:0".encode()]
            for name, array in zip(into.attrs["weight_names"], weights, strict=True):
                into[name] = array
    features = models.build_vgg_features(tmp_path / "vgg16.h5")
    assert not features.trainable_weights
    for layer, weights in arrays.items():
        for actual, expected in zip(features.get_layer(layer).get_weights(), weights, strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_published_first_convolution_detects_edges():
    path = DATA / "vgg16_block1_conv1.npz"
    if not path.exists():
        pytest.skip(f"no weights of VGG16 in {path}")
    lightness = np.full((1, 9, 9, 1), 50.0, "float32")
    lightness[:, :, 5:] = 90
    first = models.build_vgg_features(path).get_layer("block1_conv1").output
    model = models.build_vgg_features(path)
    model = keras.Model(model.inputs, model.get_layer("block1_conv1").output)
    responses = model.predict(lightness, verbose=0)[0, 4]
    assert first.shape[-1] == 64
    assert (
        np.abs(responses[5] - responses[2]).max() > 10 * np.abs(responses[3] - responses[2]).max()
    )


def test_wrong_weights_raise(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"imagenet.*none\.h5"):
        models.build_vgg_features(tmp_path / "none.h5")
    (tmp_path / "bad.h5").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"bad\.h5 holds no weights of VGG16"):
        models.build_vgg_features(tmp_path / "bad.h5")
    np.savez(tmp_path / "odd.npz", kernel=np.zeros((3, 3, 3, 8)), bias=np.zeros(8))
    with pytest.raises(ValueError, match=r"\(3, 3, 3, 64\).*\(3, 3, 3, 8\)"):
        models.build_vgg_features(tmp_path / "odd.npz")
    (tmp_path / "text.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"text\.npz holds no weights.*no \.npz archive"):
        models.build_vgg_features(tmp_path / "text.npz")
    np.savez(tmp_path / "nan.npz", kernel=np.full((3, 3, 3, 64), np.nan), bias=np.zeros(64))
    with pytest.raises(ValueError, match=r"finite kernel and bias of block1_conv1.*NaN"):
        models.build_vgg_features(tmp_path / "nan.npz")
    with pytest.raises(ValueError, match="block1_conv1"):
        models.build_vgg_features(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))


def test_features_of_rgb_are_those_of_the_classifier(rng):
    classifier = models.build_vgg_classifier(widths=(64, 8), hidden=8)
    features = models.build_vgg_features(classifier, space=None)
    rgb = rng.random((1, 32, 32, 3)).astype("float32")
    inner = keras.Model(classifier.inputs, classifier.get_layer("block1_conv2").output)
    expected = inner.predict(rgb, verbose=0)
    np.testing.assert_allclose(features.predict(rgb, verbose=0), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not (DATA / "vgg16_block1.h5").exists(), reason="needs the weights of VGG16")
def test_default_weight_of_the_feature_loss_balances_both_errors_of_gray():
    features = models.build_vgg_features(DATA / "vgg16_block1.h5", space=None)
    color = np.float32([data.astronaut()[:256, :256], data.coffee()[:256, :256]]) / 255
    gray = np.repeat(np.float32(rgb2gray(color))[..., None], 3, -1)
    both = float(losses.FeatureLoss(features)(color, gray))
    assert 0.5 < both / np.abs(color - gray).mean() - 1 < 2
