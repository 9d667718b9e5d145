import dataclasses

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

import colorkit as ck
from colorkit.colorizer import read_hints

GRAY = np.full((24, 36), 128, "uint8")


def test_hint_gives_its_pixel_the_color_and_keeps_lightness(picture):
    colorizer = ck.Colorizer(ck.models.build_unet(widths=(8, 16)))  # it predicts each pixel
    wanted = rgb2lab(np.array([[[0x80, 0x60, 0xA0]]], "uint8"))[0, 0, 1:]
    kept = colorizer.prediction(picture).with_hints([(30, 20, "#8060a0")])
    np.testing.assert_allclose(kept.chroma()[30, 20], wanted, atol=2)
    difference = rgb2lab(kept.rgb())[..., 0] - rgb2lab(picture)[..., 0]
    assert np.abs(difference).max() < 1


@pytest.mark.parametrize("strips", [2**18, 500])
def test_hints_give_their_pixels_of_a_large_image_the_colors(colorizer, monkeypatch, strips):
    monkeypatch.setattr("colorkit.color.guided._STRIP_PIXELS", strips)
    image = np.asarray(ck.load("photos", size=200)[5])
    places = np.array([(5, 190), (60, 80), (61, 80), (140, 30), (199, 199)])
    kept = colorizer.prediction(image)
    found = kept.with_hints([(*place, image[tuple(place)]) for place in places]).rgb()
    apart = np.abs(found.astype(int) - image)[tuple(places.T)]
    assert apart.max() <= 2
    assert np.abs(kept.rgb().astype(int) - image)[tuple(places.T)].max() > 20


def test_hint_of_a_large_image_is_scaled_and_masked_as_the_rest(colorizer):
    image = np.asarray(ck.load("photos", size=200)[5])
    kept = colorizer.prediction(image).with_hints([(60, 80, image[60, 80]), (5, 5, "red")])
    mask = np.zeros((200, 200))
    mask[:20] = 1
    found = rgb2lab(kept.rgb(saturation=0.5, keep_gray=mask, dtype="float32"))
    np.testing.assert_allclose(found[60, 80, 1:], rgb2lab(image)[60, 80, 1:] / 2, atol=0.5)
    assert np.abs(found[5, 5, 1:]).max() < 0.5


def test_hint_reaches_its_own_object_and_not_another(colorizer):
    image = np.full((32, 32), 30, "uint8")
    image[:, 16:] = 250
    kept = colorizer.prediction(image)
    change = kept.with_hints([(20, 5, "green")]).chroma() - kept.chroma()
    change = np.linalg.norm(change, axis=-1)
    columns = change.shape[1] // 2
    assert change[:, : columns - 1].mean() > 2 * change[:, columns + 1 :].mean()


def test_hint_of_short_reach_leaves_similar_pixels_far_away(colorizer):
    kept = colorizer.prediction(np.full((64, 96), 90, "uint8"))  # all pixels are similar
    hint = [(32, 4, "green")]
    far, near = (kept.with_hints(hint, reach) for reach in (1.0, 0.1))
    before = kept.chroma()
    middle, width = before.shape[0] // 2, before.shape[1]

    def change(kept, column):
        return np.linalg.norm(kept.chroma()[middle, column] - before[middle, column])

    assert change(far, width - 1) > 0.5 * change(far, 0)
    assert change(near, width - 1) < 0.01 * change(near, 0)
    np.testing.assert_array_equal(near.rgb()[32, 4], far.rgb()[32, 4])
    for reach in (0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=f"`reach` must be above 0 and at most 1.*{reach}"):
            kept.with_hints(hint, reach)


def test_hints_of_the_predicted_colors_change_nothing(regression, picture):
    kept = regression.prediction(picture)
    before = kept.chroma()
    places = np.array([[3, 4], [20, 9]])
    weights = kept.with_hints([(5, 6, "red"), (30, 14, "blue")]).hints[2]
    same = dataclasses.replace(kept, hints=(places, before[tuple(places.T)], weights, places))
    np.testing.assert_allclose(same.chroma(), before, atol=1e-4)


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
        ((0, 0), r"must be \(row, column, color\) with whole"),
        ((1.5, 0, "red"), "whole rows"),
        ((0, float("inf"), "red"), "whole rows"),
        (("x", 0, "red"), r"must be \(row, column, color\) with whole"),
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
    (tmp_path / "b.csv").write_text("1.5,2,red\n3,4,red\n")
    assert len(read_hints(tmp_path / "b.csv", (10, 12))) == 2, "no line of names"
    (tmp_path / "c.csv").write_text("row;column;color\n2;3;red\n")  # as spreadsheets in Europe do
    assert read_hints(tmp_path / "c.csv", (10, 12)) == [("2", "3", "red")]
    ((row, column, color),) = read_hints(tmp_path / "a.png", (10, 12))
    assert (row, column, tuple(color)) == (3, 5, (10, 20, 30))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"row,column,color\n", "holds no hints"),
        ("a.csv", b"1,2\n", "must have lines row,column,color"),
        ("a.csv", b"1|2|red\n", "must have lines row,column,color"),
        ("a.csv", b"\xff\xfe\x00", "not a CSV file"),
        ("a.png", b"no image", "not a PNG file of hints"),
        ("a.txt", b"1,2,red", "must end in .csv or .png"),
    ],
)
def test_bad_file_of_hints_raises(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_hints(tmp_path / name, (10, 12))


@pytest.mark.parametrize(("name", "message"), [("a.csv", "no such file"), ("", "it is a folder")])
def test_missing_file_of_hints_is_named(tmp_path, name, message):
    with pytest.raises(FileNotFoundError, match=f"file of hints was expected at .*{message}"):
        read_hints(tmp_path / name, (10, 12))
