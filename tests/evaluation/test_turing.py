import json

import numpy as np
import pytest

from colorkit.evaluation.turing import TuringTest


def build(path=None, count=60, **options):
    truth = np.zeros((count, 4, 4, 3), "uint8")
    truth[..., 0] = np.arange(count)[:, None, None]
    colored = truth.copy()
    colored[..., 2] = 255
    return TuringTest(truth, colored, path, **options)


def colored_side(test):
    left, right = test.pair()
    assert left[0, 0, 0] == right[0, 0, 0], "the same image on both sides"
    assert (left[0, 0, 2] == 255) != (right[0, 0, 2] == 255)
    return "left" if left[0, 0, 2] == 255 else "right"


def other(side):
    return "right" if side == "left" else "left"


def test_every_pair_is_shown_once_with_the_colored_image_on_either_side():
    test = build()
    seen, sides = [], []
    while not test.is_over:
        seen.append(test.pair()[0][0, 0, 0])
        sides.append(colored_side(test))
        assert test.answer(sides[-1])
    assert sorted(seen) == list(range(60)) and seen != sorted(seen)
    assert 15 < sides.count("left") < 45
    with pytest.raises(ValueError, match="All 60 pairs"):
        test.pair()


def test_fooling_rate_counts_wrong_answers_after_practice():
    test = build(count=50, num_practice=10)
    for trial in range(50):
        side = colored_side(test)
        fooled = trial < 10 or trial < 26  # 16 of the 40 that count
        assert test.answer(other(side) if fooled else side) != fooled
    rate, low, high = test.fooling_rate()
    assert rate == 0.4
    # Wilson's interval for 16 of 40.
    z, n = 1.959964, 40
    middle = (0.4 + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(0.4 * 0.6 / n + z**2 / (4 * n**2))
    np.testing.assert_allclose((low, high), (middle - half, middle + half), atol=1e-5)


def test_guessing_is_within_the_interval():
    test, rng = build(count=210), np.random.default_rng(1)
    while not test.is_over:
        test.answer(rng.choice(["left", "right"]))
    _, low, high = test.fooling_rate()
    assert low < 0.5 < high


def test_fooling_rate_is_nan_without_answers():
    rate, low, high = build().fooling_rate()
    assert np.isnan(rate) and (low, high) == (0.0, 1.0)


def test_interrupted_test_resumes(tmp_path):
    path = tmp_path / "deep" / "answers.json"
    test = build(path)
    for _ in range(15):
        test.answer(colored_side(test), seconds=1.5)
    again = build(path)
    assert again.answers == test.answers and not again.is_practice
    np.testing.assert_array_equal(again.pair(), test.pair())
    kept = json.loads(path.read_text())
    assert [answer["practice"] for answer in kept["answers"]] == [True] * 10 + [False] * 5
    assert kept["answers"][0]["seconds"] == 1.5


def test_answers_of_another_test_raise(tmp_path):
    path = tmp_path / "answers.json"
    build(path).answer("left")
    with pytest.raises(ValueError, match="another test"):
        build(path, seed=1)
    truth = np.full((60, 4, 4, 3), 7, "uint8")
    with pytest.raises(ValueError, match="another test"):
        TuringTest(truth, truth + np.uint8(1), path)  # as many, but others
    path.write_text('{"answers"')
    with pytest.raises(ValueError, match="take another file"):
        build(path)


def test_invalid_pairs_and_sides_raise():
    pictures = np.zeros((12, 4, 4, 3), "uint8")
    with pytest.raises(ValueError, match="Received 11 and 12"):
        TuringTest(pictures, pictures[:11])
    with pytest.raises(ValueError, match="more than the 20"):
        TuringTest(pictures, pictures, num_practice=20)
    with pytest.raises(ValueError, match="same size"):
        TuringTest(pictures, pictures[:, :3])
    with pytest.raises(ValueError, match="'middle'"):
        build().answer("middle")


def test_buttons_show_pairs_and_record_answers(tmp_path):
    pytest.importorskip("ipywidgets")
    test = build(tmp_path / "answers.json", count=12)
    box = test.show(seconds=0.5)
    message, pictures, controls = box.children
    left, right, following = controls.children
    for _ in range(12):
        following.click()
        assert pictures.value.count("<img") == 2 and "0.5s" in pictures.value
        button = {"left": left, "right": right}[colored_side(test)]
        assert not button.disabled
        button.click()
        assert button.disabled and pictures.value == ""
    assert test.is_over and following.disabled
    assert "Fooled in 0%" in message.value


def test_second_click_is_ignored(tmp_path):
    pytest.importorskip("ipywidgets")
    test = build(count=12)
    _, pictures, controls = test.show().children
    left, right, following = controls.children
    left.click()  # nothing was shown yet
    assert not test.answers
    following.click()
    shown = pictures.value
    following.click()
    assert pictures.value == shown
    left.click()
    right.click()
    assert len(test.answers) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: [],
        lambda kept: None,
        lambda kept: {**kept, "answers": {}},
        lambda kept: {**kept, "answers": 5},
        lambda kept: {**kept, "answers": ["left"]},
        lambda kept: {**kept, "answers": [{"side": "left", "practice": True}]},
        lambda kept: {**kept, "answers": [{"side": "left", "right": True}]},
        lambda kept: {**kept, "answers": [{"right": "yes", "practice": True}]},
        lambda kept: {**kept, "answers": 61 * kept["answers"]},
    ],
)
def test_files_without_answers_raise(tmp_path, change):
    path = tmp_path / "answers.json"
    build(path).answer("left")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ValueError, match="does not hold the answers of a test"):
        build(path)


def test_folder_raises_and_home_directory_is_expanded(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="does not hold the answers of a test"):
        build(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    build("~/answers.json").answer("left")
    assert (tmp_path / "answers.json").is_file()


def test_practice_must_be_whole_and_numpy_integers_resume_a_test(tmp_path):
    for value in (-1, 2.5, None):
        with pytest.raises(ValueError, match="`num_practice` must be a whole number of at least 0"):
            build(num_practice=value)
    path = tmp_path / "answers.json"
    build(path, num_practice=np.int64(3), seed=np.int64(3)).answer("left")
    assert len(build(path, num_practice=3, seed=3).answers) == 1


def test_invalid_images_raise_before_the_test(tmp_path):
    sound = np.zeros((12, 4, 4, 3), "uint8")
    for pictures in (255 * np.ones((12, 4, 4, 3)), sound.astype("int64"), 12 * [sound]):
        with pytest.raises(ValueError, match="image must"):
            TuringTest(sound, pictures)
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        TuringTest(sound, 12 * [tmp_path / "none.png"])


def test_any_images_are_shown_as_8_bit():
    test = TuringTest(np.full((12, 4, 5), 0.5), np.zeros((12, 4, 5, 3), "uint8"))
    pair = test.pair()
    assert all(picture.shape == (4, 5, 3) and picture.dtype == np.uint8 for picture in pair)
    assert sorted(picture.max() for picture in pair) == [0, 128]


def test_seconds_of_any_number_type_are_saved(tmp_path):
    path = tmp_path / "answers.json"
    test = build(path)
    test.answer("left", seconds=np.float32(1.5))
    with pytest.raises((TypeError, ValueError)):
        test.answer("left", seconds="soon")
    assert [answer["seconds"] for answer in test.answers] == [1.5]
    assert build(path).answers == test.answers


def test_invalid_seconds_raise(tmp_path):
    test = build(tmp_path / "answers.json")
    for seconds in (-3, float("nan")):
        with pytest.raises(ValueError, match="`seconds` must be a finite, non-negative number"):
            test.answer("left", seconds)
    with pytest.raises(ValueError, match="`seconds` must be a finite, non-negative number"):
        test.show(seconds=-1)
    assert not test.answers


def test_single_image_raises():
    picture = np.zeros((16, 16, 3), "uint8")
    for one in (picture, picture[..., :1], picture[..., 0], np.array(3)):
        with pytest.raises(ValueError, match="Images must be a list, or an array of several"):
            TuringTest(one, one, num_practice=0)
    assert len(TuringTest(picture[None], [picture], num_practice=0)) == 1


def test_answer_that_cannot_be_saved_does_not_count(tmp_path):
    test = build(path=tmp_path / "folder" / "answers.json")
    (tmp_path / "folder").write_text("a file in the place of the folder")
    with pytest.raises(OSError):
        test.answer("left")
    assert not test.answers


def test_seed_that_is_no_whole_number_raises():
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        build(seed=1.5)
