import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from colorkit.models.files import read_model, round_kernels, save_model


@pytest.fixture
def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(64, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(64, 3),
            keras.layers.Rescaling(0.5),
            keras.layers.Dense(4),
        ]
    )


def test_rounded_kernels_have_nine_significant_bits(network):
    before = [np.asarray(v) for v in network.weights]
    round_kernels(network)
    for old, variable in zip(before, network.weights, strict=True):
        new = np.asarray(variable)
        if old.ndim < 2:
            np.testing.assert_array_equal(new, old)
        else:
            # Of the 24 of float32 the last 15 are zero, and the rest is the nearest such number.
            assert not (new.view("uint32") % 2**15).any()
            assert (np.abs(new - old) <= np.abs(old) * 2.0**-9).all()
            nearest = (old.view("uint32").astype("int64") + 2**14) // 2**15 * 2**15
            tie = old.view("uint32") % 2**15 == 2**14
            np.testing.assert_array_equal(new.view("uint32")[~tie], nearest[~tie])


def test_rounded_kernels_neither_overflow_nor_vanish(network):
    kernel = network.layers[0].kernel
    values = np.resize(np.array([1e30, -1e-30, 70000.0, 0.0], "float32"), kernel.shape)
    kernel.assign(values)
    round_kernels(network)
    np.testing.assert_allclose(np.asarray(kernel), values, rtol=1 / 500)


def test_rounded_model_is_smaller_and_predicts_the_same(network, tmp_path, rng):
    inputs = rng.random((2, 8, 8, 1), "float32")
    round_kernels(network)
    expected = network.predict(inputs, verbose=0)
    network.save(tmp_path / "plain.keras")
    save_model(network, tmp_path / "small.keras")
    model = keras.saving.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(model.predict(inputs, verbose=0), expected)
    sizes = [sum(member.compress_size for member in zipfile.ZipFile(tmp_path / name).infolist())
             for name in ("plain.keras", "small.keras")]  # fmt: skip
    assert sizes[1] < 0.6 * sizes[0]


def test_saved_model_has_no_options_of_default_value(network, tmp_path):
    """Keras 3.10 cannot read options of Keras 3.15, which are `None` by default."""
    save_model(network, tmp_path / "model.keras")
    config = json.loads(zipfile.ZipFile(tmp_path / "model.keras").read("config.json"))
    layers = {layer["config"]["name"]: layer for layer in config["config"]["layers"]}
    for layer in network.layers:
        written = layers[layer.name]["config"]
        assert None not in written.values()
        if isinstance(layer, keras.layers.Conv2D):
            assert written["filters"] == 64 and written["kernel_initializer"]["config"] == {}
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert [layer.get_config() for layer in model.layers] == [
        layer.get_config() for layer in network.layers
    ]


def blanks(config, weights):
    return json.dumps(config) + " " * 2**25, weights


def zeros(config, weights):
    return json.dumps(config), bytes(2**27)


def huge_kernel(config, weights):
    layer = next(each for each in config["config"]["layers"] if each["class_name"] == "Conv2D")
    layer["config"] |= {"kernel_size": [16384, 16384], "padding": "same"}
    return json.dumps(config), weights


def declared(dtype):
    def spoil(config, weights):
        buffer = io.BytesIO(weights)
        with h5py.File(buffer, "a") as file:
            file.create_dataset("more", (2**14, 2**14), dtype, chunks=(1, 1))  # takes no space
        return json.dumps(config), buffer.getvalue()

    return spoil


def of(thing):
    return lambda config, weights: (
        json.dumps(keras.saving.serialize_keras_object(thing)),
        weights,
    )


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (blanks, r"config\.json would take 33,\S+ bytes"),
        (zeros, r"model\.weights\.h5 would take 134,217,728 bytes"),
        (huge_kernel, r"declares 17,\S+ weights and holds \d\d,\d+ numbers"),
        (declared("float32"), r"\d+ bytes of weights declare 1,07\S+ bytes"),
        (declared("S100000"), r"\d+ bytes of weights declare 26,84\S+ bytes"),
        (of(keras.layers.Dense(3)), "no network with layers but Dense"),
        (of(keras.optimizers.Adam()), "no network with layers but Adam"),
        (of(keras.Sequential([])), "no network with layers but Sequential"),
        (lambda config, weights: ("[]", weights), "'list' object"),
    ],
    ids=["blanks", "zeros", "kernel", "weights", "strings", "layer", "optimizer", "empty", "list"],
)
def test_file_that_would_fill_memory_or_holds_no_network_raises(
    spoil, cause, network, tmp_path, monkeypatch
):
    path = tmp_path / "mine.keras"
    save_model(network, path)
    assert read_model(path).count_params() == network.count_params()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    parts = ("config.json", "model.weights.h5")
    spoiled = spoil(json.loads(members[parts[0]]), members[parts[1]])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (members | dict(zip(parts, spoiled, strict=True))).items():
            archive.writestr(name, content)
    monkeypatch.setattr(keras.saving, "load_model", None)  # it would take the memory
    with pytest.raises(ValueError, match=rf"mine\.keras is not a Keras model .*{cause}"):
        read_model(path)
