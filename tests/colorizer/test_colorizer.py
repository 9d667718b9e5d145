from pathlib import Path

import keras
import numpy as np
import pytest
import skimage.color
import skimage.data
import tifffile
from PIL import Image, ImageCms

import colorkit
from colorkit import LAB, RGB, YUV, ColorBins, Colorizer, load, models, to_gray
from colorkit.data.image_files import read_picture
from colorkit.data.images import Images
from colorkit.experiments import records
from tests.colorizer.conftest import lightness_error
from tests.conftest import DATA
from tests.mutations import original_images

SMALL = {"blocks": ((8,), (8,)), "dilation_rates": (1, 2)}


@pytest.fixture(params=["bins", "lab", "yuv", "rgb", "dense"])
def any_colorizer(request):
    """A colorizer of every kind, with random weights that give it strong colors."""
    keras.utils.set_random_seed(1)
    blocks = {"blocks": ((8,), (8,))}
    if request.param == "bins":
        model = models.build_conv_classification(49, **SMALL)
        colorizer = Colorizer(model, bins=ColorBins.grid(49), temperature=0.1)
    elif request.param == "dense":
        model = models.build_dense_regression(input_shape=(12, 12, 1), filters=(4, 4))
        colorizer = Colorizer(model)
    else:
        space = {"lab": LAB, "yuv": YUV, "rgb": RGB}[request.param]
        model = models.build_conv_regression(space=space, **blocks)
        colorizer = Colorizer(model, space=space)
    for layer in model.layers:
        if layer.name in ("head", "logits", "dense"):
            layer.set_weights([3 * weight for weight in layer.get_weights()])
    return colorizer


@pytest.mark.parametrize("size", [(1, 1), (31, 57), (16, 16), (300, 451), (1, 40)])
def test_output_is_rgb_of_the_size_of_the_input(any_colorizer, size, rng):
    colored = any_colorizer(rng.integers(0, 256, size, dtype="uint8"))
    assert colored.shape == (*size, 3) and colored.dtype == np.uint8


def test_lightness_is_kept_within_rounding(any_colorizer):
    rgb = skimage.data.cat()
    colored = any_colorizer(rgb)
    assert (colored != colored[..., :1]).any()
    # Rounding to 8 bits moves L by at most 0.28 (the slope of L at black times half a level).
    limit = 0.3 if any_colorizer.space is LAB else 1.1 / 255
    assert lightness_error(any_colorizer.space, rgb, colored) < limit


def test_lightness_of_every_format_is_kept_within_one_level(tmp_path, rng):
    for name, content in original_images(rng).items():
        (tmp_path / name).write_bytes(content)
    photo = skimage.data.cat()[60:156, 120:240]
    Image.fromarray(photo).save(tmp_path / "color.avif")
    negative = ~(photo[..., 1] * np.uint16(257))
    tifffile.imwrite(tmp_path / "negative.tif", negative, photometric="miniswhite")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    ImageCms.profileToProfile(Image.fromarray(photo), ImageCms.createProfile("sRGB"), profile,
                              outputMode="LAB").save(tmp_path / "lab.tif")  # fmt: skip
    keras.utils.set_random_seed(1)
    model = models.build_conv_classification(49, **SMALL)
    colorizer = Colorizer(model, bins=ColorBins.grid(49), temperature=0)
    grays = np.arange(256, dtype="uint8")[:, None, None].repeat(3, 2)
    levels = skimage.color.rgb2lab(grays)[:, 0, 0]  # of lightness
    for path in tmp_path.iterdir():
        colored = colorizer(path)
        is_colored = (colored != colored[..., :1]).any()
        assert is_colored or path.name == "bits.png", "black and white have no other color"
        before, after = (
            np.interp(skimage.color.rgb2lab(rgb)[..., 0], levels, np.arange(256))
            for rgb in (read_picture(path), colored)
        )
        assert np.abs(before - after).max() < 1, path.name


def test_large_image_is_colored_in_strips():
    keras.utils.set_random_seed(1)
    model = models.build_conv_classification(49, **SMALL)
    colorizer = Colorizer(model, bins=ColorBins.grid(49), size=64)
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((1600, 1200)))
    colored = colorizer(photo)
    assert colored.shape == (1200, 1600, 3)
    sample = (slice(0, 1200, 5), slice(0, 1600, 5))
    assert lightness_error(LAB, photo[sample], colored[sample]) < 0.3


def test_color_of_the_input_is_ignored(any_colorizer):
    rgb = skimage.data.cat()[:40, :40]
    gray = np.uint8(np.round(255 * skimage.color.lab2rgb(
        skimage.color.rgb2lab(rgb) * [1, 0, 0])))  # fmt: skip
    if any_colorizer.space is LAB:
        difference = np.abs(any_colorizer(rgb).astype(int) - any_colorizer(gray))
        assert np.percentile(difference, 99) <= 8


def test_arrays_files_and_pil_images_give_the_same(any_colorizer, tmp_path):
    rgb = skimage.data.cat()[:50, :60]
    Image.fromarray(rgb).save(tmp_path / "cat.png")
    expected = any_colorizer(rgb)
    for same in (tmp_path / "cat.png", str(tmp_path / "cat.png"), Image.fromarray(rgb)):
        np.testing.assert_array_equal(any_colorizer(same), expected)


def test_batch_gives_the_same_as_single_images(any_colorizer, pictures):
    batch = any_colorizer(pictures)
    single = np.stack([any_colorizer(picture) for picture in pictures])
    assert np.abs(batch.astype(int) - single).max() <= 1
    np.testing.assert_array_equal(any_colorizer(Images(pictures)), batch)


def test_stream_gives_the_same_as_single_images_of_any_size(any_colorizer, rng, tmp_path):
    sizes = [(40, 52), (12, 12), (52, 40), (300, 451), (40, 52), (1, 40), (300, 200), (12, 12)] * 2
    images = [rng.integers(0, 256, (*size, 3), dtype="uint8") // 2 + 40 for size in sizes]
    Image.fromarray(images[3]).save(tmp_path / "file.png")
    colored = list(any_colorizer.stream([tmp_path / "file.png", *images]))
    for rgb, image in zip(colored, [images[3], *images], strict=True):
        assert rgb.shape == image.shape and rgb.dtype == np.uint8
        assert np.abs(rgb - any_colorizer(image).astype(int)).max() <= 1


def test_stream_merges_colors_outside_the_gamut_as_a_call_does(rng):
    inputs = keras.Input((None, None, 1))
    strong = keras.layers.Conv2D(2, 1, kernel_initializer="ones")(inputs)
    colorizer = Colorizer(keras.Model(inputs, strong))
    images = rng.integers(0, 256, (3, 200, 210), dtype="uint8")
    for rgb, image in zip(colorizer.stream(images), images, strict=True):
        assert np.abs(rgb - colorizer(image).astype(int)).max() <= 1
        assert lightness_error(LAB, np.repeat(image[..., None], 3, -1), rgb) < 0.3


def test_stream_uses_the_colors_in_order_and_goes_on_after_a_failure(pictures):
    colorizer = Colorizer(models.build_conv_regression(blocks=((4,),)))
    images = [pictures[0], "none.png", *pictures[1:5]]
    used = {}

    def use(index, rgb):
        if index == 3:
            raise OSError("disk full")
        used[index] = rgb
        return index

    results = list(colorizer.stream(iter(images), use))
    assert isinstance(results[1], FileNotFoundError) and isinstance(results[3], OSError)
    assert [results[i] for i in (0, 2, 4, 5)] == [0, 2, 4, 5] == sorted(used)
    assert np.abs(used[2] - colorizer(images[2]).astype(int)).max() <= 1


def test_images_of_one_network_size_go_through_the_network_together(pictures, monkeypatch):
    colorizer = Colorizer(models.build_conv_regression(blocks=((4,),)), size=8)
    seen, predict = [], Colorizer.predict
    monkeypatch.setattr(
        Colorizer, "predict", lambda self, x: seen.append(x.shape[:3]) or predict(self, x)
    )
    flat = [picture[:, :14] for picture in pictures]
    list(colorizer.stream([x for pair in zip(pictures, flat, strict=True) for x in pair]))
    assert sum(shape[0] for shape in seen) == 32 and len(seen) <= 12
    assert {shape[1:] for shape in seen} == {(8, 8), (9, 8)}


def test_float32_output_rounds_to_the_uint8_output(any_colorizer, pictures):
    unrounded = any_colorizer(pictures, dtype="float32")
    np.testing.assert_array_equal(np.uint8(unrounded * 255 + 0.5), any_colorizer(pictures))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_sixteen_bits_follow_the_lightness_of_sixteen_bits(space, stream):
    keras.utils.set_random_seed(1)
    colorizer = Colorizer(models.build_conv_regression(space=space, blocks=((4,),)), space=space)
    gray = np.linspace(20_000, 24_000, 40 * 50).astype("uint16").reshape(40, 50)
    if stream:
        (rgb,) = colorizer.stream([gray], dtype="uint16")
    else:
        rgb = colorizer(gray, dtype="uint16")
    assert rgb.dtype == np.uint16 and (rgb != rgb[..., :1]).any()
    before, after = (np.asarray(space.split(np.float32(x / 65535))[0]) for x in (
        np.stack([gray] * 3, -1), rgb))  # fmt: skip
    low, high = space.lightness_range
    assert np.abs(after - before).max() < 3 * (high - low) / 65535
    assert np.abs(rgb / 257 - colorizer(np.uint8(gray / 257 + 0.5))).max() < 2
    batch = colorizer(np.stack([gray] * 2)[..., None], dtype="uint16")
    assert np.abs(batch[1].astype(int) - rgb).max() <= 8


def test_saved_and_loaded_colorizer_gives_identical_output(any_colorizer, tmp_path):
    any_colorizer.save(tmp_path / "new" / "model.keras")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.keras"]
    loaded = Colorizer.load(tmp_path / "new" / "model.keras")
    picture = skimage.data.cat()[:33, :47]
    np.testing.assert_array_equal(loaded(picture), any_colorizer(picture))
    assert loaded.space is any_colorizer.space
    assert loaded.size == any_colorizer.size
    assert loaded.temperature == any_colorizer.temperature


def test_saved_file_is_a_plain_keras_model_from_lightness_to_chroma(any_colorizer, tmp_path):
    any_colorizer.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    lightness = np.full((1, 12, 12, 1), 0.5 * any_colorizer.space.lightness_range[1], "float32")
    expected = any_colorizer.predict(lightness)
    actual = model.predict(lightness, verbose=0)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


def test_chroma_follows_edges_when_enlarged():
    """Chroma of a bright half must end at the edge of the full-size image."""
    inputs = keras.Input((None, None, 1))
    outputs = keras.layers.Concatenate()([inputs, inputs])
    edge = np.full((200, 200), 80, "uint8")
    edge[:, 93:] = 140
    colorizer = Colorizer(keras.Model(inputs, outputs), size=20)
    chroma = np.asarray(LAB.split(colorizer(edge))[1])[100, :, 1]
    low, high = chroma[10], chroma[190]
    inside = np.abs(chroma - low) < np.abs(chroma - high)
    assert np.abs(np.argmin(inside) - 93) <= 1
    assert high - low > 15


def test_lower_temperature_is_more_vivid(pictures):
    keras.utils.set_random_seed(0)
    colorizer = Colorizer(models.build_conv_classification(49, **SMALL), bins=ColorBins.grid(49))
    chroma = []
    for temperature in (0.02, 1.0):
        colorizer.temperature = temperature
        chroma.append(np.abs(np.asarray(LAB.split(colorizer(pictures))[1])).mean())
    assert chroma[0] > 2 * chroma[1]


def test_invalid_arguments_raise():
    regression = models.build_conv_regression(blocks=((4,),))
    with pytest.raises(ValueError, match="49 channels"):
        Colorizer(regression, bins=ColorBins.grid(49))
    with pytest.raises(ValueError, match="3 channels"):
        Colorizer(regression, space=RGB)
    with pytest.raises(ValueError, match="YUV"):
        Colorizer(models.build_conv_classification(49), bins=ColorBins.grid(49, space=YUV))
    with pytest.raises(ValueError, match="temperature"):
        Colorizer(regression, temperature=-0.1)
    with pytest.raises(ValueError, match="size"):
        Colorizer(regression, size=0)
    with pytest.raises(ValueError, match="dtype"):
        Colorizer(regression)(np.zeros((4, 4), "uint8"), dtype="int8")
    with pytest.raises(ValueError, match="dtype"):
        Colorizer(regression).stream([np.zeros((4, 4), "uint8")], dtype="int8")
    flat = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"lightness of shape \(height, width, 1\)"):
        Colorizer(flat)
    bins = ColorBins.grid(49)
    network = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    for weights in (np.ones(3), -np.ones(49), np.full(49, np.nan)):
        with pytest.raises(ValueError, match="class_weights"):
            Colorizer(network, bins=bins, class_weights=weights)
    with pytest.raises(ValueError, match=r"`temperature` must be a finite, non-negative.*-1"):
        Colorizer(network, bins=bins).at_temperature(-1)(np.zeros((4, 4), "uint8"))
    with pytest.raises(ValueError, match=r"`temperature` must be a finite, non-negative.*inf"):
        Colorizer(network, bins=bins, temperature=np.inf)
    for shape in ((32, 32, 1), (1, 32, 32, 3)):
        with pytest.raises(ValueError, match=r"\(N, height, width, 1\)"):
            Colorizer(regression).predict(np.zeros(shape, "float32"))


def test_damaged_and_foreign_files_raise(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.keras"):
        Colorizer.load(tmp_path / "missing.keras")
    Colorizer(models.build_conv_regression(blocks=((4,),))).save(tmp_path / "whole.keras")
    whole = (tmp_path / "whole.keras").read_bytes()
    for content in (b"PK\x03\x04 not a model", b"text", b"", whole[:-100], whole[:2000]):
        (tmp_path / "damaged.keras").write_bytes(content)
        for read in (Colorizer.load, models.load_classifier):
            with pytest.raises(ValueError, match=r"damaged\.keras is not a Keras model.*cut off"):
                read(tmp_path / "damaged.keras")
    models.build_conv_regression(blocks=((4,),)).save(tmp_path / "bare.keras")
    with pytest.raises(ValueError, match="without a color decoder"):
        Colorizer.load(tmp_path / "bare.keras")
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        Colorizer(models.build_conv_regression(blocks=((4,),))).save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match=r"'cifar10'.*'imagenet'.*colorkit train"):
        Colorizer.pretrained("imagenet")


def test_pretrained_cifar10_colors_better_than_gray_and_constant(cifar10_test):
    from colorkit import evaluate

    colorizer = Colorizer.pretrained("cifar10")
    scores = evaluate(colorizer, cifar10_test[:80], temperatures=(0, 1))
    for prefix in ("", "T=1/"):
        for free in ("gray/", "constant/"):
            accuracy = scores[f"{prefix}threshold_accuracy"]
            assert accuracy > scores[f"{free}threshold_accuracy"], prefix
    vividness = [scores[f"{prefix}colorfulness"] for prefix in ("T=0/", "", "T=1/")]
    assert vividness == sorted(vividness, reverse=True) and vividness[-1] > 10


def test_pretrained_cifar10_agrees_with_its_record():
    folder = Path(colorkit.__file__).parent / "weights"
    record = records.pretrained("cifar10")
    colorizer = Colorizer.load(folder / "cifar10.keras")
    assert colorizer.temperature == record.settings["temperature"]
    vivid = record.metrics["T=0/threshold_accuracy"]  # over all test images
    assert vivid > record.metrics["gray/threshold_accuracy"]
    assert record.parameters < 5_000_000 and (folder / "cifar10.keras").stat().st_size < 10e6
    assert Colorizer.pretrained("cifar10").temperature == 0.38
    assert Colorizer.pretrained("cifar10", temperature=0).temperature == 0
    with pytest.raises(ValueError, match="temperature"):
        Colorizer.pretrained(temperature=-1)


def test_default_model_is_photos_at_the_temperature_of_its_record():
    colorizer, record = Colorizer.pretrained(), records.pretrained("photos")
    assert colorizer.model.get_layer("efficientnet_lite0")
    assert colorizer.temperature == record.settings["temperature"]
    assert record.metrics["ciede2000"] < record.metrics["gray/ciede2000"]


def test_features_of_the_default_model_differ_between_images():
    encoder = Colorizer.pretrained().model.get_layer("efficientnet_lite0")
    rgb = np.stack([np.array(to_gray(image)) for image in load("photos", "test", size=96)[:24]])
    for features in encoder.predict(2 * rgb - 1, verbose=0):
        pooled = features.mean(axis=(1, 2))
        assert pooled.std(axis=0).mean() > 0.2 * np.abs(pooled).mean(), features.shape


def test_default_model_gives_a_portrait_the_hue_of_skin_and_keeps_its_lightness():
    import skimage.color
    import skimage.data

    photo = skimage.data.astronaut()[:280, 90:370]
    rgb = Colorizer.pretrained()(photo)
    lab, true = skimage.color.rgb2lab(rgb), skimage.color.rgb2lab(photo)
    assert np.abs(lab[..., 0] - true[..., 0]).max() < 1.0
    forehead = lab[60:80, 110:150, 1:].mean(axis=(0, 1))
    hue = np.degrees(np.arctan2(forehead[1], forehead[0]))
    assert 20 < hue < 90 and np.hypot(*forehead) > 8  # human skin lies around 50 to 70 degrees


def test_pretrained_flowers_beat_the_constant_on_test_flowers():
    from colorkit import evaluate

    record = records.pretrained("flowers")
    scores = record.metrics
    assert scores["threshold_accuracy"] > scores["constant/threshold_accuracy"]
    assert 0.75 < scores["colorfulness"] / scores["truth/colorfulness"] < 1.1
    colorizer = Colorizer.pretrained("flowers")
    assert colorizer.model.name == record.settings["network"]
    folder = DATA / "flowers"
    if not folder.is_dir():
        pytest.skip(f"no flowers in {DATA}; set COLORKIT_DATA to use them")
    test = load(f"folder:{folder}", "test", size=128)[np.arange(0, 240, 30)]
    measured = evaluate(colorizer, test)
    for metric in ("threshold_accuracy", "psnr"):
        assert measured[metric] > measured[f"constant/{metric}"]


def test_class_weights_survive_saving_and_a_change_of_temperature(tmp_path, rng):
    model = models.build_conv_classification(9, blocks=((4,),), dilation_rates=(1,))
    weights = rng.uniform(0.2, 5, 9)
    colorizer = Colorizer(model, bins=ColorBins.grid(9), temperature=1, class_weights=weights)
    colorizer.save(tmp_path / "weighted.keras")
    lightness = rng.uniform(0, 100, (1, 6, 7, 1)).astype("float32")
    plain = Colorizer(model, bins=ColorBins.grid(9), temperature=1)
    assert np.abs(colorizer.predict(lightness) - plain.predict(lightness)).max() > 1
    loaded = Colorizer.load(tmp_path / "weighted.keras")
    for same in (loaded, colorizer.at_temperature(0.3).at_temperature(1)):
        np.testing.assert_allclose(same.predict(lightness), colorizer.predict(lightness), atol=1e-3)
    with pytest.raises(ValueError, match=r"one entry per class.*\(8,\)"):
        Colorizer(model, bins=ColorBins.grid(9), class_weights=np.ones(8))


def test_settings_replace_those_of_the_file(tmp_path):
    model = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    path = tmp_path / "model.keras"
    Colorizer(model, bins=ColorBins.grid(49), mirror=True).save(path)
    loaded = Colorizer.load(path, temperature=0.1, size=64)
    assert (loaded.temperature, loaded.size, loaded.mirror) == (0.1, 64, True)
    assert loaded.name == "model" and "model" in repr(loaded)
    assert Colorizer.load(path, size=None).size is None
    assert Colorizer.pretrained("cifar10", size=16).size == 16
    for settings in ({"temperature": -1}, {"size": 0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            Colorizer.load(path, **settings)
    Colorizer(models.build_conv_regression(blocks=((4,),))).save(path)
    with pytest.raises(ValueError, match="no temperature"):
        Colorizer.load(path, temperature=0.1)


def test_predict_decodes_one_pass_at_several_temperatures(rng):
    model = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    colorizer = Colorizer(model, bins=ColorBins.grid(49))
    lightness = rng.uniform(0, 100, (2, 6, 7, 1)).astype("float32")
    for temperature, chroma in zip(
        (0.0, 1.0), colorizer.predict(lightness, (0.0, 1.0)), strict=True
    ):
        expected = colorizer.at_temperature(temperature).predict(lightness)
        np.testing.assert_allclose(chroma, expected, atol=1e-4)
    regression = Colorizer(models.build_conv_regression(blocks=((4,),)))
    with pytest.raises(ValueError, match="no temperature"):
        regression.predict(lightness, 0.5)


def test_adversarial_model_raises_and_its_generator_is_accepted(tmp_path):
    generator = models.build_pix2pix_generator(widths=(4, 6))
    adversarial = models.Adversarial(generator, models.build_patch_discriminator(widths=(4, 6)))
    with pytest.raises(ValueError, match="give its `generator`"):
        Colorizer(adversarial)
    adversarial.save(tmp_path / "both.keras")
    with pytest.raises(ValueError, match=r"both\.keras holds a model without .*\.generator"):
        Colorizer.load(tmp_path / "both.keras")
    assert Colorizer(generator)(np.zeros((20, 20, 3), "uint8")).shape == (20, 20, 3)


def test_home_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Colorizer(models.build_unet(widths=(4, 6))).save("~/mine.keras")
    assert (tmp_path / "mine.keras").is_file()
    assert Colorizer.load("~/mine.keras").size == 256


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        (256, (512, 768), (256, 384)),
        (256, (200, 300), (200, 300)),
        (256, (512, 2048), (256, 1024)),
        (128, (32, 20_000), (20, 12_800)),
        (128, (50_000, 32), (20_239, 13)),
        (None, (32, 20_000), (32, 20_000)),
        (1024, (2048, 3072), (1024, 1536)),
    ],
)
def test_network_sees_a_bounded_number_of_pixels(size, shape, expected):
    network = models.build_conv_regression(blocks=((4,),))
    colorizer = Colorizer(network, size=size)
    height, width = colorizer.network_size(*shape)
    assert (height, width) == expected
    if size is not None:
        assert height * width <= 1.02 * max(2**18, 4 * size**2)


def test_class_weights_of_a_regression_raise():
    with pytest.raises(ValueError, match="`class_weights` need `bins`"):
        Colorizer(models.build_unet(widths=(8, 16)), class_weights=np.ones(49))
