import copy
import warnings

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

import colorkit as ck
from tests.colorizer.conftest import untrained

GRAY = np.full((24, 36), 128, "uint8")


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


def test_prediction_has_the_same_colors_at_another_size(colorizer, regression, picture):
    large = np.repeat(np.repeat(picture, 4, 0), 4, 1)
    for each in (colorizer, regression):
        kept = each.prediction(large)
        shown = kept.at_size_of(picture)
        assert shown.size == picture.shape[:2]
        np.testing.assert_array_equal(shown.at_size_of(large).rgb(), kept.rgb())
        tiny = each.prediction(picture[:24, :24])  # which the network sees at full size
        np.testing.assert_array_equal(
            tiny.at_size_of(large).at_size_of(picture[:24, :24]).rgb(), tiny.rgb()
        )
        # Each pixel of the small image stands for 4 x 4 pixels of the large one.
        mean = kept.rgb(dtype="float32").reshape(len(picture), 4, -1, 4, 3).mean(axis=(1, 3))
        assert np.abs(shown.rgb(dtype="float32") - mean).mean() < 0.02


def test_hints_are_exact_at_another_size_too(colorizer, picture):
    large = np.repeat(np.repeat(picture, 4, 0), 4, 1)
    place, color = (11, 30), np.array([150, 90, 110])
    wanted = np.asarray(ck.LAB.split(color[None, None] / 255)[1])[0, 0]
    kept = colorizer.prediction(picture).with_hints([(*place, color)]).at_size_of(large)
    rgb = kept.rgb(dtype="float32")[4 * place[0] + 2, 4 * place[1] + 2]
    chroma = np.asarray(ck.LAB.split(rgb[None, None])[1])[0, 0]
    np.testing.assert_allclose(chroma, wanted, atol=2)


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


def test_regression_takes_hints_and_refuses_doubt_and_variants(regression, picture):
    assert regression(picture, hints=[(4, 4, "red")]).shape == picture.shape
    for method in (regression.uncertainty, regression.variants):
        with pytest.raises(ValueError, match=r"such as `Colorizer\.pretrained"):
            method(picture)


def test_command_line_writes_variants_doubt_and_hinted_colors(tmp_path, colorizer, picture, capsys):
    from colorkit.__main__ import main

    Image.fromarray(picture).save(tmp_path / "a.png")
    colorizer.save(tmp_path / "small.keras")
    (tmp_path / "hints.csv").write_text("20,20,red\n")
    start = ["colorize", str(tmp_path / "a.png"), "--model", f"{tmp_path}/small.keras", "-o"]
    assert main([*start, str(tmp_path / "b.png"), "--variants", "2", "--doubt"]) == 0
    assert "sureness 0." in capsys.readouterr().out
    written = {path.name for path in tmp_path.glob("b*")}
    assert written == {"b-1.png", "b-2.png", "b.png.doubt.png"}
    assert main([*start, str(tmp_path / "b.png"), "--variants", "2"]) == 0
    assert "b-1.png exists already; --overwrite colors" in capsys.readouterr().err
    assert main([*start, str(tmp_path / "b.png")]) == 0
    before = (tmp_path / "b.png").stat().st_mtime_ns
    (tmp_path / "b-2.png").unlink()
    (tmp_path / "b.png.doubt.png").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main([*start, str(tmp_path / "b.png"), "--variants", "2"]) == 0
        assert "b-1.png exists already; --overwrite writes" in capsys.readouterr().err
        assert main([*start, str(tmp_path / "b.png"), "--doubt"]) == 0
    assert {path.name for path in tmp_path.glob("b*")} == {"b.png"} | written
    assert (tmp_path / "b.png").stat().st_mtime_ns == before
    hints = ["--hints", str(tmp_path / "hints.csv")]
    assert main([*start, str(tmp_path / "c.png"), *hints]) == 0
    assert main([*start, str(tmp_path / "e.png"), *hints, "--reach", "0.1"]) == 0
    assert (tmp_path / "e.png").read_bytes() != (tmp_path / "c.png").read_bytes()
    assert main([*start, str(tmp_path / "f.png"), "--reach", "0.1"]) == 2
    assert "--reach needs --hints" in capsys.readouterr().err
    (tmp_path / "hints.csv").write_text("99,20,red\n")
    assert main([*start, str(tmp_path / "d.png"), *hints]) == 2
    assert "must be inside the image of 48 rows" in capsys.readouterr().err
    assert not (tmp_path / "d.png").exists()
