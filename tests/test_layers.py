import keras
import numpy as np
import pytest
import scipy.ndimage
import skimage.color

from colorkit import LAB, RGB, YUV, ColorBins
from colorkit.experiments import hardware
from colorkit.layers import (
    BatchNormalization,
    ColorDecoder,
    CropLike,
    EdgeAwareSmoothing,
    Enlarge,
    GrayImage,
    PadToMultiple,
    ResizeLike,
    StopGradient,
    VGGPreprocessing,
    enlarge,
    normalize_lightness,
    to_chroma,
)
from colorkit.models.sizes import output_stride


def test_rescaling_spans_the_natural_units():
    for space in (LAB, YUV, RGB):
        inputs = keras.Input((1,))
        model = keras.Model(inputs, normalize_lightness(inputs, space))
        ends = np.array(space.lightness_range, "float32")[:, None]
        np.testing.assert_allclose(model.predict(ends, verbose=0).ravel(), [-1, 1], atol=1e-6)
        model = keras.Model(inputs, to_chroma(inputs, space))
        ends = np.array([[-2], [2]], "float32")
        scaled = model.predict(ends, verbose=0).ravel()
        np.testing.assert_allclose(scaled, space.chroma_range, atol=1e-4)


def test_decoder_decodes_bins_and_passes_chroma_through(rng):
    bins = ColorBins.grid(49)
    logits = rng.normal(size=(1, 3, 3, 49)).astype("float32")
    decoded = keras.ops.convert_to_numpy(ColorDecoder(LAB, bins, temperature=0.5)(logits))
    np.testing.assert_allclose(decoded, bins.decode(logits, 0.5), rtol=1e-6)
    chroma = rng.normal(size=(1, 3, 3, 2)).astype("float32")
    np.testing.assert_array_equal(ColorDecoder("yuv")(chroma), chroma)


def test_decoder_survives_its_config():
    for decoder in (ColorDecoder("yuv", size=32), ColorDecoder(LAB, ColorBins.gamut(), 0.2)):
        config = keras.saving.serialize_keras_object(decoder)
        restored = keras.saving.deserialize_keras_object(config)
        assert restored.get_config() == decoder.get_config()


def test_smoothing_keeps_constants_and_the_mean_of_flat_lightness(rng):
    lightness = np.full((1, 9, 12, 1), 50.0, "float32")
    layer = EdgeAwareSmoothing()
    np.testing.assert_allclose(layer([np.full((1, 9, 12, 3), 7.0, "f4"), lightness]), 7, rtol=1e-6)
    x = rng.normal(size=(1, 9, 12, 3)).astype("float32")
    # Without edges one pass is the mean over three pixels, along rows and along columns.
    expected = scipy.ndimage.uniform_filter(x, (1, 3, 3, 1))
    once = keras.ops.convert_to_numpy(EdgeAwareSmoothing(steps=(1,))([x, lightness]))
    np.testing.assert_allclose(once[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=1e-6)


def test_smoothing_stops_at_edges_of_lightness_however_thin(rng):
    lightness = np.full((1, 16, 16, 1), 20.0, "float32")
    lightness[:, :, 8] = 90.0  # a line of one pixel
    x = np.zeros((1, 16, 16, 1), "float32")
    x[:, :, 9:] = 1.0
    smoothed = keras.ops.convert_to_numpy(EdgeAwareSmoothing((1, 2, 4), edge=5.0)([x, lightness]))
    np.testing.assert_allclose(smoothed[:, :, :8], 0, atol=1e-3)
    np.testing.assert_allclose(smoothed[:, :, 9:], 1, atol=1e-3)
    unaware = keras.ops.convert_to_numpy(EdgeAwareSmoothing((1, 2, 4), edge=1e6)([x, lightness]))
    assert unaware[0, 8, 7, 0] > 0.2


def test_smoothing_raises_for_bad_arguments():
    with pytest.raises(ValueError, match="same size"):
        EdgeAwareSmoothing()([np.zeros((1, 4, 4, 2), "f4"), np.zeros((1, 8, 8, 1), "f4")])
    for options in ({"steps": (0,)}, {"steps": (0.5,)}, {"edge": 0.0}):
        with pytest.raises(ValueError, match="positive"):
            EdgeAwareSmoothing(**options)


def test_smoothing_takes_images_smaller_than_its_steps():
    x = np.float32([[[[1.0], [3.0]]]])
    smoothed = EdgeAwareSmoothing((1, 2, 4))([x, np.zeros((1, 1, 2, 1), "f4")])
    np.testing.assert_allclose(smoothed, [[[[2.0], [2.0]]]], atol=1e-6)


def test_smoothing_leaves_its_input_alone_and_survives_its_config(rng):
    lightness = rng.uniform(0, 100, (1, 6, 7, 1)).astype("float32")
    x = keras.ops.convert_to_tensor(rng.normal(size=(1, 6, 7, 2)).astype("float32"))
    before = np.array(keras.ops.convert_to_numpy(x))
    layer = EdgeAwareSmoothing((1, 2), edge=7.0)
    smoothed = keras.ops.convert_to_numpy(layer([x, lightness]))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(x), before)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(restored([x, lightness])), smoothed)
    with pytest.raises(ValueError, match=r"same size.*\(1, 6, 7, 2\)"):
        layer([x, lightness[:, :5]])


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 9), (13, 16), (840, 64), (None, None)])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_output_stride_is_found_or_makes_no_difference(size, stride, rng):
    inputs = keras.Input((*size, 1))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, strides=stride)(inputs))
    found = output_stride(model)
    if None in size or min(size) > stride:
        assert found == stride
    small = rng.normal(size=(1, *(-(-(side or 9) // stride) for side in size), 1)).astype("f4")
    sides = [side or 9 for side in size]
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(enlarge(small, found, *sides)),
        keras.ops.convert_to_numpy(enlarge(small, stride, *sides)),
    )


def test_enlarging_is_linear_between_given_values(rng):
    image = np.zeros((1, 9, 6, 1), "float32")
    rows, columns = np.meshgrid(np.arange(9.0), np.arange(6.0), indexing="ij")
    plane = (2 * rows - 3 * columns)[None, ..., None].astype("float32")
    enlarged = keras.ops.convert_to_numpy(Enlarge(4)([plane[:, ::4, ::4], image]))
    np.testing.assert_allclose(enlarged[:, :, :5], plane[:, :, :5], atol=1e-5)
    np.testing.assert_allclose(enlarged[:, :, 5], enlarged[:, :, 4])  # beyond the last
    with pytest.raises(ValueError, match=r"every 4 pixels.*\(1, 9, 6, 1\)"):
        Enlarge(4)([plane, image])
    for stride in (0, -1, 2.5):
        with pytest.raises(ValueError, match="`stride` must be a positive whole number"):
            Enlarge(stride)


def test_cropping_and_stopping_keep_values(rng):
    x = rng.normal(size=(1, 5, 6, 2)).astype("float32")
    np.testing.assert_array_equal(CropLike()([x, x[:, :4, :3]]), x[:, :4, :3])
    np.testing.assert_array_equal(StopGradient()(x), x)


def test_resizing_is_the_same_where_a_graph_does_not_know_the_size(rng):
    x, like = keras.Input((None, None, 2)), keras.Input((None, None, 1))
    model = keras.Model([x, like], ResizeLike()([x, like]))
    # From the second size on TensorFlow traces for all of them.
    for size, target in (((4, 4), (8, 8)), ((5, 3), (9, 6)), ((3, 4), (6, 7)), ((1, 1), (2, 1))):
        features = rng.normal(size=(1, *size, 2)).astype("float32")
        planes = np.zeros((1, *target, 1), "float32")
        expected = keras.ops.convert_to_numpy(keras.ops.image.resize(features, target))
        actual = model.predict([features, planes], verbose=0)
        np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("low_high", [(-1, 1), (0, 1), (0, 255), (-127.5, 100.0)], ids=str)
@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_gray_image_agrees_with_scikit_image(space, low_high):
    ramp = np.linspace(*space.lightness_range, 101)[None, :, None]
    neutral = np.concatenate([ramp, 0 * ramp, 0 * ramp], axis=-1)
    to_rgb = {
        "lab": skimage.color.lab2rgb,
        "yuv": skimage.color.yuv2rgb,
        "rgb": lambda _: np.repeat(ramp, 3, axis=-1),  # its lightness is luma
    }
    low, high = low_high
    expected = low + (high - low) * to_rgb[space.name](neutral)
    layer = GrayImage(space, low, high)
    actual = keras.ops.convert_to_numpy(layer(ramp[None].astype("float32")))
    assert actual.shape == layer.compute_output_shape((1, 1, 101, 1)) == (1, 1, 101, 3)
    np.testing.assert_allclose(actual[0], expected, atol=1e-4 * (high - low))
    np.testing.assert_allclose(actual, actual[..., :1].repeat(3, -1), atol=1e-4 * (high - low))


def test_gray_image_survives_saving_and_is_exact_under_every_policy(tmp_path):
    inputs = keras.Input((None, None, 1))
    lightness = np.linspace(0, 1, 256, dtype="float32").reshape(1, 16, 16, 1)
    exact = keras.Model(inputs, GrayImage("yuv", 0, 255)(inputs))
    with hardware.precision("mixed_bfloat16"):
        mixed = keras.Model(inputs, GrayImage("yuv", 0, 255)(inputs))
    mixed.save(tmp_path / "gray.keras")
    restored = keras.saving.load_model(tmp_path / "gray.keras")
    grays = keras.ops.convert_to_numpy(restored(lightness))
    assert len(np.unique(grays.round())) == 256
    np.testing.assert_array_equal(grays, keras.ops.convert_to_numpy(exact(lightness)))


@pytest.mark.parametrize("low_high", [(1, -1), (0, 0), (0, np.inf), (np.nan, 1)], ids=str)
def test_gray_image_raises_for_bad_ranges(low_high):
    with pytest.raises(ValueError, match=r"`low` and `high` must be .* Received: "):
        GrayImage("lab", *low_high)


def test_padding_agrees_with_numpy_and_keeps_images_that_fit(rng, tmp_path):
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, PadToMultiple(8)(inputs))
    model.save(tmp_path / "pad.keras")
    model = keras.saving.load_model(tmp_path / "pad.keras")
    # `predict` traces for unknown sizes from the second one on.
    for height, width in ((16, 8), (1, 1), (3, 9), (15, 17)):
        x = rng.normal(size=(1, height, width, 2)).astype("float32")
        spare = [(0, 0), (0, -height % 8), (0, -width % 8), (0, 0)]
        expected = np.pad(x, spare, mode="symmetric")
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        assert model.compute_output_shape(x.shape) == expected.shape
    assert model.output.shape == (None, None, None, 2)
    with pytest.raises(ValueError, match="`multiple` must be a positive whole number"):
        PadToMultiple(0)


@pytest.mark.parametrize(
    "make", [lambda x: normalize_lightness(x, LAB), lambda x: VGGPreprocessing("lab")(x)]
)
def test_half_precision_keeps_all_gray_levels(make):
    lightness = LAB.split(np.arange(256, dtype="uint8").repeat(3).reshape(1, 1, 256, 3))[0]
    with hardware.precision("mixed_bfloat16"):
        inputs = keras.Input((1, None, 1))
        found = keras.Model(inputs, make(inputs))(lightness)
    assert len(np.unique(keras.ops.convert_to_numpy(found)[..., 0])) == 256


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("options", [{}, {"scale": False, "center": False, "momentum": 0.5}])
@pytest.mark.parametrize("shape", [(4, 7, 5, 3), (1, 1, 1, 3), (6, 3)])
def test_batch_normalization_computes_what_keras_does(rng, policy, options, shape):
    x = (3 + 2 * rng.normal(size=shape)).astype("float32")
    y = rng.normal(size=shape).astype("float32")
    models = []
    for layer in (BatchNormalization, keras.layers.BatchNormalization):
        inputs = keras.Input(shape[1:], dtype="float32")
        features = keras.layers.Dense(3)(inputs)  # learns from the gradient of the layer
        model = keras.Model(inputs, layer(**options, dtype=policy)(features))
        first = models[0].get_weights() if models else model.get_weights()
        model.set_weights(first)
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        models.append(model)
    for _ in range(3):  # each step starts from the same weights
        models[1].set_weights(models[0].get_weights())
        losses = [model.train_on_batch(x, y) for model in models]
        np.testing.assert_allclose(*losses, rtol=1e-4 if policy == "float32" else 0.02)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if policy == "float32" else {"atol": 0.02}
    for own, its in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(own, its, **tolerance)
    outputs = [model.predict(x, verbose=0) for model in models]
    assert outputs[0].dtype == outputs[1].dtype
    np.testing.assert_allclose(*outputs, **tolerance)


@pytest.mark.parametrize("policy", ["float64", "float16", "bfloat16", "mixed_float16"])
def test_batch_normalization_trains_under_every_policy(rng, policy):
    x = rng.normal(size=(4, 6, 5, 3)).astype("float32")
    layers = [kind(dtype=policy) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    own, its = (layer(x, training=True) for layer in layers)
    assert own.dtype == its.dtype
    own, its = (keras.ops.convert_to_numpy(keras.ops.cast(y, "float32")) for y in (own, its))
    np.testing.assert_allclose(own, its, atol=1e-5 if policy == "float64" else 0.05)
    for one, other in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_allclose(np.float32(one), np.float32(other), atol=0.01)


def test_frozen_batch_normalization_uses_the_moving_statistics(rng):
    layer = BatchNormalization()
    x = rng.normal(size=(2, 4, 4, 3)).astype("float32")
    layer.build(x.shape)
    layer.trainable = False
    outputs = keras.ops.convert_to_numpy(layer(x, training=True))
    np.testing.assert_allclose(outputs, x / np.sqrt(1 + layer.epsilon), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, 0)


def test_batch_normalization_survives_its_config_and_keeps_the_names_of_weights():
    config = keras.saving.serialize_keras_object(BatchNormalization(momentum=0.9, name="bn"))
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is BatchNormalization and restored.momentum == 0.9
    own, its = (kind(name="bn") for kind in (BatchNormalization, keras.layers.BatchNormalization))
    own.build((None, 2, 2, 3)), its.build((None, 2, 2, 3))
    assert [w.path for w in own.weights] == [w.path for w in its.weights]
