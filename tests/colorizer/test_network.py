import keras
import numpy as np
import pytest

import colorkit
from colorkit import LAB, ColorBins, Colorizer, models
from tests.colorizer.conftest import lightness_error


def tutorial_unet(levels, *, skip_first=False, transposed=False, join=None, shape=(None, None, 1)):
    """A U-Net of plain layers as tutorials write it, which needs multiples of 2**levels pixels."""
    layers = keras.layers
    x = inputs = keras.Input(shape)
    skips = []
    for _ in range(levels):
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for skip in reversed(skips):
        x = layers.Conv2DTranspose(4, 2, strides=2)(x) if transposed else layers.UpSampling2D()(x)
        x = (join or layers.Concatenate)()([skip, x] if skip_first else [x, skip])
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))


@keras.saving.register_keras_serializable(package="tests")
class Join(keras.layers.Layer):
    """Concatenates, without declaring its output shape."""

    def call(self, inputs):
        return keras.ops.concatenate(inputs, axis=-1)


@pytest.mark.parametrize(
    "options",
    [
        {"levels": 2},
        {"levels": 2, "skip_first": True},
        {"levels": 2, "join": keras.layers.Add, "transposed": True},
        {"levels": 2, "join": Join},
        {"levels": 5},
        {"levels": 5, "skip_first": True, "transposed": True},
    ],
    ids=lambda options: "-".join(str(getattr(v, "__name__", v)) for v in options.values()),
)
def test_unet_of_a_tutorial_colors_any_size(options, rng):
    keras.utils.set_random_seed(1)
    colorizer = Colorizer(tutorial_unet(**options))
    for size in ((62, 63), (1, 1), (33, 95), (1, 300)):
        gray = rng.integers(0, 256, (*size, 1), dtype="uint8").repeat(3, axis=-1)
        colored = colorizer(gray)
        assert colored.shape == gray.shape
        assert lightness_error(LAB, gray, colored) < 0.3
        assert (colored != gray).any()


@pytest.mark.parametrize("mirror", [False, True])
def test_input_of_a_valid_size_is_not_padded(mirror, rng):
    network = tutorial_unet(2)
    lightness = rng.uniform(0, 100, (2, 36, 44, 1)).astype("float32")
    expected = keras.ops.convert_to_numpy(network(lightness))
    if mirror:
        flipped = keras.ops.convert_to_numpy(network(lightness[:, :, ::-1]))[:, :, ::-1]
        expected = (expected + flipped) / 2
    np.testing.assert_array_equal(Colorizer(network, mirror=mirror).predict(lightness), expected)


def test_input_of_another_size_is_padded_by_reflection_and_cropped(rng):
    network = tutorial_unet(2, skip_first=True)
    lightness = rng.uniform(0, 100, (2, 34, 1, 1)).astype("float32")
    padded = np.pad(lightness, ((0, 0), (0, 2), (0, 3), (0, 0)), mode="symmetric")
    expected = keras.ops.convert_to_numpy(network(padded))[:, :34, :1]
    np.testing.assert_array_equal(Colorizer(network).predict(lightness), expected)


def test_network_that_rounds_down_colors_the_last_rows():
    """Pooling of 2 x 2 gives 3 rows for 7, and 4 for the padded 8."""
    inputs = keras.Input((None, None, 1))
    pooled = keras.layers.AveragePooling2D(2)(inputs)
    colorizer = Colorizer(keras.Model(inputs, keras.layers.Concatenate()([pooled, -pooled])))
    lightness = np.full((1, 7, 9, 1), 50, "float32")
    np.testing.assert_allclose(
        colorizer.predict(lightness), np.concatenate([lightness, -lightness], -1), rtol=1e-6
    )


def test_network_that_needs_multiples_is_saved_loaded_and_evaluated(tmp_path, rng):
    images = rng.integers(0, 256, (3, 30, 35, 3), dtype="uint8")
    colorizer = Colorizer(tutorial_unet(3, skip_first=True), mirror=True)
    colorizer.save(tmp_path / "unet.keras")
    loaded = Colorizer.load(tmp_path / "unet.keras")
    np.testing.assert_array_equal(loaded(images[0]), colorizer(images[0]))
    np.testing.assert_allclose(
        colorizer.predict(np.float32(images[:, :, ::-1, :1]))[:, :, ::-1],
        colorizer.predict(np.float32(images[..., :1])),
        atol=1e-4,
    )
    single = np.stack([colorizer(image) for image in images])
    assert np.abs(colorizer(images).astype(int) - single).max() <= 1
    assert np.isfinite(colorkit.evaluate(colorizer, images)["psnr"])


def test_network_with_one_fixed_side_is_padded_along_the_other(rng):
    colorizer = Colorizer(tutorial_unet(4, shape=(None, 48, 1)))
    assert colorizer(rng.integers(0, 256, (50, 31), dtype="uint8")).shape == (50, 31, 3)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (keras.layers.Conv2D(2, 3), "output of 35 x 44 for an input of 37 x 46"),
        (keras.layers.Conv2D(2, 1, strides=3), "output of 13 x 16 for an input of 37 x 46"),
        (keras.layers.Conv2D(2, 1, strides=(1, 2)), "output of 37 x 23 for an input of 37 x 46"),
        (keras.layers.UpSampling2D(), "output of 74 x 92 for an input of 37 x 46"),
        (keras.layers.Resizing(32, 32), "output of 32 x 32 for an input of 37 x 46"),
        (
            keras.layers.GlobalAveragePooling2D(keepdims=True),
            "output of 1 x 1 for an input of 37 x 46",
        ),
        (keras.layers.Cropping2D(20), "output of 34 x 52 for an input of 74 x 92"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_network_that_changes_the_size_raises(layer, message):
    inputs = keras.Input((None, None, 1))
    network = keras.Model(inputs, keras.layers.Conv2D(2, 1)(layer(inputs)))
    with pytest.raises(ValueError, match=f"keep height and width.*{message}"):
        Colorizer(network)


def test_network_that_fails_at_every_size_raises():
    inputs = keras.Input((None, None, 1))
    smaller = keras.layers.Conv2D(2, 3)(inputs)
    network = keras.Model(inputs, keras.layers.Conv2D(2, 1)(Join()([inputs, smaller])))
    with pytest.raises(ValueError, match=r"keep height and width.*fails at every tested size"):
        Colorizer(network)


def test_mirror_images_are_averaged_per_pixel_with_a_stride(rng):
    inputs = keras.Input((None, None, 1))
    sampled = keras.layers.Conv2D(1, 1, strides=4, kernel_initializer="ones")(inputs)
    network = keras.Model(inputs, keras.layers.Concatenate()([sampled, -sampled]))
    ramp = np.arange(16, dtype="float32")[None, None, :, None]
    lightness = np.broadcast_to(ramp, (1, 8, 16, 1))
    plain = Colorizer(network).predict(lightness)
    mirrored = Colorizer(network).predict(lightness[:, :, ::-1])[:, :, ::-1]
    both = Colorizer(network, mirror=True).predict(lightness)
    np.testing.assert_allclose(both, (plain + mirrored) / 2, atol=1e-5)
    # Between the predictions of both, the average is the ramp itself.
    np.testing.assert_allclose(both[0, :, 3:13, 0], lightness[0, :, 3:13, 0], atol=1e-5)


@pytest.mark.parametrize("stride", [2, 4])
def test_chroma_with_a_stride_is_interpolated_linearly(stride):
    # The network predicts chroma that is proportional to lightness.
    inputs = keras.Input((None, None, 1))
    sampled = keras.layers.Conv2D(1, 1, strides=stride, kernel_initializer="ones")(inputs)
    network = keras.Model(inputs, keras.layers.Concatenate()([sampled, -sampled]))
    ramp = np.linspace(20, 60, 17, dtype="float32")  # the last pixel is a sampled one
    lightness = np.broadcast_to(ramp[:, None], (17, 17))[None, ..., None]
    chroma = Colorizer(network).predict(lightness)
    np.testing.assert_allclose(chroma, np.concatenate([lightness, -lightness], -1), rtol=1e-5)


def test_network_that_predicts_nan_raises():
    bins = ColorBins.grid(49)
    for network, options in (
        (models.build_conv_regression(blocks=((4,),)), {}),
        (
            models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,)),
            {"bins": bins, "temperature": 0},
        ),
    ):
        network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
        with pytest.raises(ValueError, match="NaN"):
            Colorizer(network, **options)(np.zeros((8, 8), "uint8"))


def test_mirror_gives_a_mirror_image_the_same_colors(tmp_path, rng, monkeypatch):
    model = models.build_conv_classification(49, blocks=((4, 4),), dilation_rates=(1,))
    gray = rng.integers(0, 256, (20, 24), dtype="uint8")
    plain = Colorizer(model, bins=ColorBins.grid(49))
    assert (plain(gray[:, ::-1])[:, ::-1] != plain(gray)).any()
    mirrored = Colorizer(model, bins=ColorBins.grid(49), mirror=True)
    np.testing.assert_allclose(
        mirrored(gray[:, ::-1], dtype="float32")[:, ::-1],
        mirrored(gray, dtype="float32"),
        atol=1e-4,
    )
    lightness = rng.uniform(0, 100, (1, 20, 24, 1)).astype("float32")
    together = mirrored.predict(lightness)
    monkeypatch.setattr(colorkit.colorizer.network, "NETWORK_PIXELS", 20 * 24)  # for one of them
    np.testing.assert_allclose(mirrored.predict(lightness), together, atol=1e-3)
    mirrored.save(tmp_path / "mirrored.keras")
    assert Colorizer.load(tmp_path / "mirrored.keras").mirror
    assert mirrored.at_temperature(0).mirror


def test_compiled_network_predicts_as_the_first_call_does_and_follows_training(rng):
    model = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    colorizer = Colorizer(model, bins=ColorBins.grid(49), mirror=True)
    lightness = rng.uniform(0, 100, (2, 9, 7, 1)).astype("float32")
    first, second = colorizer.predict(lightness), colorizer.predict(lightness)
    np.testing.assert_allclose(first, second, atol=1e-3)
    model.set_weights([2 * weights for weights in model.get_weights()])
    trained = Colorizer(model, bins=ColorBins.grid(49), mirror=True).predict(lightness)
    assert np.abs(trained - first).max() > 0.1
    np.testing.assert_allclose(colorizer.predict(lightness), trained, atol=1e-3)


def test_features_of_a_single_stride_are_planes():
    inputs = keras.Input((None, None, 1))
    hidden = keras.layers.Conv2D(8, 3, 2, "same")(inputs)
    colorizer = Colorizer(keras.Model(inputs, keras.layers.Conv2D(2, 1)(hidden)))
    (plane,) = colorizer.features(np.full((32, 48, 1), 50.0))
    assert plane.shape == (16, 24, 8)
