import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

from colorkit import LAB, RGB, YUV, ColorBins, Colorizer, models, pairs
from colorkit.experiments import hardware
from colorkit.losses import JointCrossentropy
from colorkit.models import files
from colorkit.models.pretrained import _pyramid

NARROW = {"widths": (4, 4, 4, 4)}


@functools.cache
def mobilenet():
    return keras.applications.MobileNetV2(
        include_top=False, weights=None, alpha=0.35, input_shape=(None, None, 3)
    )


@functools.cache
def efficientnet_v2():
    return keras.applications.EfficientNetV2B0(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


def tiny_encoder(strides=(2, 2), **options):
    """Build convolutions with batch normalization; the last pair is in a nested model."""
    inputs = x = keras.Input((None, None, 3), **options)
    for i, stride in enumerate(strides):
        x = layers.Conv2D(4, 3, stride, padding="same", name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        x = layers.ReLU(name=f"out{i}")(x)
    inner = keras.Sequential(
        [keras.Input((None, None, 4)), layers.Conv2D(4, 1), layers.BatchNormalization()],
        name="inner",
    )
    return keras.Model(inputs, inner(x), name="tiny_encoder")


def tiny_unet(num_bins=None, **options):
    return models.build_pretrained_unet(num_bins, encoder=tiny_encoder(), widths=(4,), **options)


def norms(model):
    """Yield the batch normalization layers of a model and of its nested models."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from norms(layer)
        elif isinstance(layer, layers.BatchNormalization):
            yield layer


@pytest.fixture(scope="module")
def own():
    return models.build_pretrained_unet(**NARROW)


@pytest.fixture(scope="module")
def on_mobilenet():
    return models.build_pretrained_unet(encoder=mobilenet(), **NARROW)


@pytest.mark.parametrize("kind", ["own", "on_mobilenet"])
def test_model_accepts_any_size_and_predicts_every_second_pixel(kind, request):
    model = request.getfixturevalue(kind)
    for height, width in ((1, 1), (33, 95)):
        chroma = model(np.full((1, height, width, 1), 50, "float32"))
        assert chroma.shape == (1, -(-height // 2), -(-width // 2), 2)
        assert np.isfinite(chroma).all()
    assert model.compute_output_shape((1, 33, 95, 1)) == (1, 17, 48, 2)


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_outputs_are_logits_or_chroma_of_each_space(space):
    lightness = np.full((1, 8, 10, 1), space.lightness_range[1], "float32")
    chroma = tiny_unet(space=space)(lightness)
    assert chroma.shape == (1, 4, 5, space.chroma_channels)
    assert tiny_unet(9, space=space)(lightness).shape == (1, 4, 5, 9)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        # Each is the last before a layer that pads explicitly and makes sides a pixel larger.
        (mobilenet, ["block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu",
                     "block_13_expand_relu", "out_relu"]),
        (efficientnet_v2, ["block1a_project_activation", "block2b_add", "block4a_expand_activation",
                           "block6a_expand_activation", "top_activation"]),
    ],
)  # fmt: skip
def test_skips_are_the_last_features_at_each_stride(build, expected):
    encoder = build()
    pyramid = _pyramid(encoder, None, 5)
    sources = [output._keras_history.operation.name for output in pyramid.outputs]
    assert sources == expected
    for height, width in ((32, 64), (160, 96)):
        shapes = pyramid.compute_output_shape((1, height, width, 3))
        for stride, shape in zip((2, 4, 8, 16, 32), shapes, strict=True):
            assert shape[1:3] == (height // stride, width // stride)


def test_odd_sizes_are_padded_by_reflection_for_an_encoder_of_keras(on_mobilenet, rng):
    """MobileNetV2 pads for even sizes; with other sizes, its features would be shifted."""
    lightness = rng.uniform(0, 100, (1, 33, 40, 1)).astype("float32")
    padded = np.pad(lightness, ((0, 0), (0, 31), (0, 24), (0, 0)), mode="symmetric")
    expected = on_mobilenet(padded)[:, :17, :20]
    np.testing.assert_allclose(on_mobilenet(lightness), expected, atol=1e-3)


def test_encoder_receives_its_pixel_range():
    encoder = keras.Sequential(
        [keras.Input((None, None, 3)), *(layers.AveragePooling2D(2) for _ in range(2))]
    )
    model = models.build_pretrained_unet(encoder=encoder, widths=(4,), pixel_range=(0, 255))
    seen = keras.Model(model.inputs[0], model.get_layer("up0_skip").output)
    white = seen(np.full((1, 8, 8, 1), 100, "float32"))
    np.testing.assert_allclose(white, 255, atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": tiny_encoder((2, 1))}, r"at strides \[2, 4\].*'tiny_encoder'.*\[1, 2\]"),
        ({"encoder": tiny_encoder((4,))}, r"at strides \[2, 4\].*\[1, 4\]"),
        ({"encoder": tiny_encoder(batch_size=1)}, r"RGB.*\(None, None, 3\).*\[\(1, None"),
        ({"encoder": tiny_encoder(), "weights": "some.npz"}, r"`encoder` has.*some\.npz"),
        ({"encoder": tiny_encoder(), "pixel_range": (1, -1)}, r"values of black and white.* 1 and"),
    ],
)
def test_encoder_and_options_that_do_not_fit_raise(options, message):
    with pytest.raises(ValueError, match=message):
        models.build_pretrained_unet(**{"widths": (4,), **options})


def test_encoder_of_fixed_size_raises():
    encoder = keras.Sequential([keras.Input((32, 32, 3)), layers.MaxPooling2D(2)])
    with pytest.raises(ValueError, match=r"RGB images of any size.*\(None, 32, 32, 3\)"):
        models.build_pretrained_unet(encoder=encoder, widths=(4,))


def fit(model, pictures, epochs=1):
    bins = ColorBins.grid(9)
    model.compile(
        keras.optimizers.Adam(1e-2),
        JointCrossentropy(bins, neighbors=5, stride=2),
        run_eagerly=True,
    )
    return model.fit(pairs(pictures, batch_size=8), epochs=epochs, verbose=0).history["loss"]


def copied(variables):
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def equal(before, variables):
    return [np.array_equal(old, new) for old, new in zip(before, copied(variables), strict=True)]


def test_frozen_encoder_keeps_its_weights_and_an_unfrozen_one_trains(pictures):
    model = tiny_unet(9)
    encoder = model.get_layer("tiny_encoder")
    kernels = [w for w in encoder.weights if "kernel" in w.path]
    statistics = [w for norm in norms(encoder) for w in norm.weights]
    assert len(kernels) == 3 and len(statistics) == 12
    models.freeze_encoder(model)
    before = copied(encoder.weights)
    moving = copied(model.get_layer("up0_1_bn").non_trainable_variables)
    losses = fit(model, pictures, epochs=3)
    assert losses[-1] < losses[0]
    assert all(equal(before, encoder.weights))
    # The decoder's own statistics move.
    assert not any(equal(moving, model.get_layer("up0_1_bn").non_trainable_variables))
    models.freeze_encoder(model, frozen=False)
    before, of_norms = copied(kernels), copied(statistics)
    fit(model, pictures)
    assert not any(equal(before, kernels))
    assert all(equal(of_norms, statistics)), "batch normalization is unchanged, nested or not"


def test_encoder_keeps_batch_normalization_in_inference_mode_by_default(pictures):
    model = tiny_unet(9)
    encoder = model.get_layer("tiny_encoder")
    before = copied(encoder.weights)
    fit(model, pictures)
    for weight, same in zip(encoder.weights, equal(before, encoder.weights), strict=True):
        assert same == any(part in weight.path for part in ("gamma", "beta", "moving")), weight.path


def test_default_encoder_can_be_frozen_and_unfrozen(own):
    encoder = own.get_layer("efficientnet_lite0")
    of_decoder = {weight.path for weight in own.trainable_weights if "up" in weight.path}
    for frozen, count in ((True, 0), (False, 2 * 48)):  # 48 convolutions, each with a bias
        models.freeze_encoder(own, frozen)
        assert len(encoder.trainable_weights) == count
        assert of_decoder <= {weight.path for weight in own.trainable_weights}


def test_freeze_encoder_requires_an_encoder():
    with pytest.raises(ValueError, match=r"`model` must be .*build_pretrained_unet.*'unet'"):
        models.freeze_encoder(models.build_unet(widths=(4, 6), name="unet"))


def test_encoder_has_the_weights_of_the_file(lite0_file):
    model = models.build_pretrained_unet(weights=lite0_file, **NARROW)
    expected = models.build_efficientnet_lite0(lite0_file).get_weights()
    for kept, given in zip(
        model.get_layer("efficientnet_lite0").get_weights(), expected, strict=True
    ):
        np.testing.assert_array_equal(kept, given)


def test_encoder_input_is_the_same_under_every_policy(rng):
    lightness = rng.uniform(0, 100, (1, 8, 8, 1)).astype("float32")
    with hardware.precision("mixed_bfloat16"):
        model = tiny_unet()
    seen = keras.Model(model.inputs[0], model.get_layer("gray").output)(lightness)
    np.testing.assert_allclose(
        LAB.split(ops.convert_to_numpy(seen) / 2 + 0.5)[0], lightness, atol=0.01
    )


def test_saved_colorizer_colors_the_same(own, pictures, tmp_path):
    colorizer = Colorizer(own)
    assert colorizer(pictures[0, :1, :1]).shape == (1, 1, 3)
    colorizer.save(tmp_path / "mine.keras")
    loaded = Colorizer.load(tmp_path / "mine.keras")
    np.testing.assert_allclose(loaded(pictures[0]), colorizer(pictures[0]), atol=1)


def test_saved_model_with_an_encoder_of_keras_predicts_the_same(tmp_path):
    model = models.build_pretrained_unet(encoder=efficientnet_v2(), pixel_range=(0, 255), **NARROW)
    files.save_model(model, tmp_path / "model.keras")
    lightness = np.linspace(0, 100, 33 * 35, dtype="float32").reshape(1, 33, 35, 1)
    restored = files.read_model(tmp_path / "model.keras")
    np.testing.assert_allclose(restored(lightness), model(lightness), rtol=1e-4, atol=1e-4)
