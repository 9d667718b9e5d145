"""What follows from a kept prediction: colors again, hints, variants and doubt."""

import copy
import dataclasses

import keras
import numpy as np
import pytest
import scipy.stats
from PIL import Image
from skimage.color import rgb2lab

import colorkit as ck
from colorkit.prediction import read_hints
from colorkit.prediction.variants import _gumbel, noises

GRAY = np.full((24, 36), 128, "uint8")


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
    return untrained()


@pytest.fixture(scope="module")
def picture():
    return np.asarray(ck.load("photos", size=48)[5])


@pytest.fixture(scope="module")
def regression():
    return ck.Colorizer(ck.models.build_unet(widths=(8, 16)), size=32)


def test_prediction_gives_the_colors_of_a_call(colorizer, regression, picture):
    for each in (colorizer, regression):
        kept, called = each.prediction(picture).rgb(), each(picture)
        assert np.abs(kept.astype(int) - called).max() <= 1


def test_prediction_runs_the_network_once_for_all_temperatures(colorizer, picture, monkeypatch):
    expected = {t: colorizer.at_temperature(t)(picture) for t in (0, 0.5, 1)}
    kept = colorizer.prediction(picture)
    monkeypatch.setattr(colorizer, "_network", None)
    for temperature, rgb in expected.items():
        assert np.abs(kept.rgb(temperature).astype(int) - rgb).max() <= 1


def test_saturation_scales_chroma(colorizer, picture):
    pale = copy.copy(colorizer)
    pale.saturation = 0.5
    lightness = rgb2lab(picture)[None, ..., :1]
    np.testing.assert_allclose(pale.predict(lightness), colorizer.predict(lightness) / 2, atol=1e-3)
    kept = colorizer.prediction(picture)
    np.testing.assert_array_equal(kept.rgb(saturation=0.5), pale.prediction(picture).rgb())
    assert np.ptp(kept.rgb(saturation=0).astype(int), axis=-1).max() <= 1


def test_saturation_is_saved(tmp_path, picture):
    colorizer = untrained(saturation=0.5)
    colorizer.save(tmp_path / "pale.keras")
    loaded = ck.Colorizer.load(tmp_path / "pale.keras")
    np.testing.assert_array_equal(loaded(picture), colorizer(picture))


def test_masked_region_stays_gray_and_the_rest_does_not_change(colorizer, picture):
    mask = np.zeros(picture.shape[:2])
    mask[:20] = 1
    for image in (picture, np.repeat(np.repeat(picture, 3, 0), 3, 1)):
        whole = np.kron(mask, np.ones((image.shape[0] // 48,) * 2))
        colored = colorizer(image, keep_gray=whole)
        assert np.ptp(colored[whole == 1].astype(int), axis=-1).max() <= 2
        np.testing.assert_array_equal(colored[whole == 0], colorizer(image)[whole == 0])


@pytest.mark.parametrize("shape", [(3, 3), (24, 36), (24, 36, 1)])
def test_mask_of_another_size_or_range_raises(colorizer, shape):
    for value in (2.0, np.nan):
        with pytest.raises(ValueError, match="`keep_gray` must be a mask of shape"):
            colorizer(GRAY, keep_gray=np.full(shape, value))


def test_hint_gives_its_pixel_the_color_and_keeps_lightness(picture):
    colorizer = ck.Colorizer(ck.models.build_unet(widths=(8, 16)))  # it predicts each pixel
    wanted = rgb2lab(np.array([[[0x80, 0x60, 0xA0]]], "uint8"))[0, 0, 1:]
    kept = colorizer.prediction(picture).with_hints([(30, 20, "#8060a0")])
    np.testing.assert_allclose(kept.chroma()[30, 20], wanted, atol=2)
    difference = rgb2lab(kept.rgb())[..., 0] - rgb2lab(picture)[..., 0]
    assert np.abs(difference).max() < 1


def test_hint_reaches_its_own_object_and_not_another(colorizer):
    image = np.full((32, 32), 30, "uint8")
    image[:, 16:] = 250
    kept = colorizer.prediction(image)
    change = kept.with_hints([(20, 5, "green")]).chroma() - kept.chroma()
    change = np.linalg.norm(change, axis=-1)
    columns = change.shape[1] // 2
    assert change[:, : columns - 1].mean() > 2 * change[:, columns + 1 :].mean()


def test_hints_of_the_predicted_colors_change_nothing(regression, picture):
    kept = regression.prediction(picture)
    before = kept.chroma()
    places = np.array([[3, 4], [20, 9]])
    weights = kept.with_hints([(5, 6, "red"), (30, 14, "blue")]).hints[2]
    same = dataclasses.replace(kept, hints=(places, before[tuple(places.T)], weights))
    np.testing.assert_allclose(same.chroma(), before, atol=1e-4)


def test_true_hints_bring_the_colors_nearer_to_the_truth(colorizer, picture):
    rows = ck.evaluation.measure_hints(colorizer, [picture], (0, 20))
    before, after = rows["colorizer"]
    assert after < 0.8 * before


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        ((24, 0, "red"), r"inside the image of 24 rows and 36 columns.*hint 1: row 24"),
        ((0, -1, "red"), "inside the image"),
        ((0, 0, "no color"), "The color of a hint must be a name"),
        ((0, 0, ""), "The color of a hint must be a name"),
        ((0, 0, None), "The color of a hint must be a name"),
        ((0, 0, (0, 0, 256)), "from 0 to 255"),
        ((0, 0, (0.5, 0, float("nan"))), "from 0 to 255"),
        ((0, 0), r"must be \(row, column, color\)"),
        (("x", 0, "red"), r"must be \(row, column, color\)"),
    ],
)
def test_bad_hint_raises(colorizer, hint, message):
    with pytest.raises(ValueError, match=message):
        colorizer(GRAY, hints=[hint])


def test_hints_that_contradict_each_other_raise(colorizer):
    with pytest.raises(ValueError, match=r"must not contradict each other\. Hint 2"):
        colorizer(GRAY, hints=[(3, 4, "red"), (3, 4, "blue")])
    with pytest.raises(ValueError, match="at least one hint"):
        colorizer(GRAY, hints=[])


def test_hints_that_disagree_nearby_stay_between_their_colors(colorizer):
    kept = colorizer.prediction(np.full((32, 32), 128, "uint8"))
    chroma = kept.with_hints([(10, 10, "red"), (10, 11, "blue")]).chroma()
    assert np.abs(chroma).max() < 200


def test_hints_are_read_from_both_kinds_of_files(tmp_path):
    (tmp_path / "a.csv").write_text("row,column,color\n1,2,red\n3, 4, #00ff00\n\n5,6,7,8,9\n")
    rgba = np.zeros((10, 12, 4), "uint8")
    rgba[3, 5] = 10, 20, 30, 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    read = read_hints(tmp_path / "a.csv", (10, 12))
    assert read == [("1", "2", "red"), ("3", "4", "#00ff00"), ("5", "6", ["7", "8", "9"])]
    ((row, column, color),) = read_hints(tmp_path / "a.png", (10, 12))
    assert (row, column, tuple(color)) == (3, 5, (10, 20, 30))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"row,column,color\n", "holds no hints"),
        ("a.csv", b"1,2\n", "must have lines row,column,color"),
        ("a.csv", b"\xff\xfe\x00", "not a CSV file"),
        ("a.png", b"no image", "not a PNG file of hints"),
        ("a.txt", b"1,2,red", "must end in .csv or .png"),
    ],
)
def test_bad_file_of_hints_raises(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_hints(tmp_path / name, (10, 12))


def test_variants_are_sorted_differ_and_repeat_with_their_seed(colorizer, picture):
    variants = colorizer.variants(picture, 3, seed=1)
    assert variants.shape == (3, *picture.shape)
    np.testing.assert_array_equal(variants, colorizer.variants(picture, 3, seed=1))
    chroma = [rgb2lab(each)[..., 1:] for each in variants]
    assert min(np.abs(chroma[i] - chroma[j]).mean() for i in range(3) for j in range(i)) > 2


def test_variants_of_a_certain_distribution_are_alike():
    bins = ck.ColorBins.grid(9)
    logs = np.full((4, 4, 9), -1e3)
    logs[..., 2] = 0
    noise = noises(logs, bins, 4, seed=0)
    assert noise.shape == (4, 9)
    assert ((logs + noise[:, None, None]).argmax(axis=-1) == 2).all()


def test_noise_draws_each_bin_with_its_probability():
    bins = ck.ColorBins.grid(9)
    wanted = np.array([0.3, 0.05, 0.1, 0.05, 0.2, 0.1, 0.1, 0.05, 0.05])
    noise = _gumbel(bins, 20000, np.random.default_rng(0))
    drawn = np.bincount((np.log(wanted) + noise).argmax(axis=-1), minlength=9) / 20000
    np.testing.assert_allclose(drawn, wanted, atol=0.02)


@pytest.mark.parametrize("n", [0, 1.5, -1])
def test_number_of_variants_must_be_positive(colorizer, n):
    with pytest.raises(ValueError, match="`n` must be a positive whole number"):
        colorizer.variants(GRAY, n)


def test_regression_takes_hints_and_refuses_doubt_and_variants(regression, picture):
    assert regression(picture, hints=[(4, 4, "red")]).shape == picture.shape
    for method in (regression.uncertainty, regression.variants):
        with pytest.raises(ValueError, match=r"such as `Colorizer\.pretrained"):
            method(picture)


def test_entropy_is_that_of_scipy(colorizer, picture):
    kept = colorizer.prediction(picture)
    expected = scipy.stats.entropy(kept.probabilities(), base=2, axis=-1)
    found, most = kept.uncertainty(), np.log2(colorizer.bins.num_bins)
    np.testing.assert_allclose(found.entropy, expected, atol=1e-3)
    assert found.sureness == pytest.approx(1 - expected.mean() / most, abs=1e-4)
    assert found.doubt.shape == picture.shape[:2]


def test_sets_without_a_calibration_say_how_to_calibrate(colorizer, picture):
    found = dataclasses.replace(colorizer.uncertainty(picture), sets=None)
    with pytest.raises(ValueError, match=r"colorizer.calibrated\(images\).save\(path\)"):
        assert found.sizes


def test_command_line_writes_variants_doubt_and_hinted_colors(tmp_path, colorizer, picture, capsys):
    from colorkit.__main__ import main

    Image.fromarray(picture).save(tmp_path / "a.png")
    colorizer.save(tmp_path / "small.keras")
    (tmp_path / "hints.csv").write_text("20,20,red\n")
    start = ["colorize", str(tmp_path / "a.png"), "--model", f"{tmp_path}/small.keras", "-o"]
    assert main([*start, str(tmp_path / "b.png"), "--variants", "2", "--doubt"]) == 0
    assert "sureness 0." in capsys.readouterr().out
    written = {path.name for path in tmp_path.glob("b*")}
    assert written == {"b-1.png", "b-2.png", "b.doubt.png"}
    hints = ["--hints", str(tmp_path / "hints.csv")]
    assert main([*start, str(tmp_path / "c.png"), *hints]) == 0
    (tmp_path / "hints.csv").write_text("99,20,red\n")
    assert main([*start, str(tmp_path / "d.png"), *hints]) == 2
    assert "must be inside the image of 48 rows" in capsys.readouterr().err
    assert not (tmp_path / "d.png").exists()
