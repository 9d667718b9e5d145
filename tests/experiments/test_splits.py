import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from colorkit import experiments
from colorkit.data.image_files import read_picture
from colorkit.data.images import Images, square
from colorkit.experiments import splits


def of_split(split, rgb):
    """The same picture for training, upside down for the test: no copy, but as easy."""
    return rgb[::-1] if split == "test" else rgb


def test_frames_are_validated_on_after_those_that_are_learned_from(row, monkeypatch):
    frames = np.broadcast_to(np.arange(50, dtype="uint8")[:, None, None, None], (50, 8, 8, 3))
    film = Images(frames, is_sequence=True)
    monkeypatch.setattr(splits, "load", lambda *_, **__: film)
    row = row.but(data={"name": "video:film.mp4", "validation_split": 0.2})
    parts = splits.divided(row, experiments.profile("full"), seed=0)[:2]
    train, validation = (sorted(int(picture[0, 0, 0]) for picture in part) for part in parts)
    assert validation == list(range(40, 50)) and train == list(range(35))


def test_rows_share_a_data_set_in_memory_but_never_a_folder(tmp_path, row, pictures):
    first, second = (splits.divided(row, experiments.profile("smoke"), seed=0)[2] for _ in range(2))
    assert np.shares_memory(np.asarray(first), np.asarray(second))
    row = row.but(data={"name": f"folder:{tmp_path}"})
    for count in (4, 6):  # more pictures came in between
        for split in ("train", "test"):
            (tmp_path / split).mkdir(exist_ok=True)
            for i, rgb in enumerate(pictures[:count]):
                Image.fromarray(of_split(split, rgb)).save(tmp_path / split / f"{i}.png")
        assert len(splits.divided(row, experiments.profile("full"), seed=0)[2]) == count


def test_pictures_that_were_learned_from_are_not_tested_on(tmp_path, row, pictures):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for i, rgb in enumerate(pictures[:6]):
            rgb = rgb if i in (2, 3) else of_split(split, rgb)
            Image.fromarray(rgb).save(tmp_path / split / f"{i}.png")
    row = row.but(data={"name": f"folder:{tmp_path}"})
    train, validation, test = splits.divided(row, experiments.profile("full"), seed=0)
    assert len(train) + len(validation) == 6
    left = [of_split("test", pictures[i]) for i in (0, 1, 4, 5)]
    assert np.array_equal(np.asarray(test), np.asarray(left))
    for path in (tmp_path / "test").iterdir():
        shutil.copy(tmp_path / "train" / path.name, path)
    with pytest.raises(ValueError, match=r"All test images of .* are copies of training images"):
        splits.divided(row, experiments.profile("full"), seed=0)


def test_some_of_a_sorted_folder_are_of_all_its_parts(tmp_path, row, rng):
    for split in ("train", "test"):
        for kind in ("a", "b", "c", "d"):
            (tmp_path / split / kind).mkdir(parents=True)
            for i in range(4):
                picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype="uint8"))
                picture.save(tmp_path / split / kind / f"{i}.png")
    row = row.but(data={"name": f"folder:{tmp_path}", "size": 8, "large_size": 16})
    profile = dataclasses.replace(experiments.profile("full"), test=4)
    test = splits.divided(row, profile, seed=0)[2]
    assert test.labels.tolist() == [0, 1, 2, 3]
    assert splits.large(row, profile, 4).labels.tolist() == [0, 1, 2, 3]


@pytest.fixture
def split_folder(tmp_path, row, rng):
    """Twelve images of noise to learn from, and six to test with; and an experiment on them."""
    for split, count in (("train", 12), ("test", 6)):
        (tmp_path / "mine" / split).mkdir(parents=True)
        for i in range(count):
            image = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype="uint8"))
            image.save(tmp_path / "mine" / split / f"{i:02}.bmp")
    row = row.but(data={"name": f"folder:{tmp_path / 'mine'}", "size": 8, "large_size": 12})
    return tmp_path / "mine", row


FULL = experiments.profile("full")


def cut(path):
    """Cut a file off behind its header."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.filterwarnings("ignore:1 of . files in")
def test_damaged_files_are_left_out_counted_and_read_once(split_folder, monkeypatch):
    folder, row = split_folder
    whole = splits.divided(row, FULL, seed=0)
    assert [part.left_out for part in whole] == [0, 0, 0]
    cut(folder / "train" / "03.bmp")
    cut(folder / "test" / "00.bmp")
    (folder / "test" / "01.bmp").write_text("not a picture")
    shutil.copy(folder / "train" / "05.bmp", folder / "test" / "02.bmp")
    read = []
    monkeypatch.setattr(
        "colorkit.data.images.read_picture", lambda path: read.append(path) or read_picture(path)
    )
    with (
        pytest.warns(UserWarning, match=r"^1 of 12 images of folder:mine .*03\.bmp$"),
        pytest.warns(UserWarning, match=r"^1 of 5 images of folder:mine .*00\.bmp$"),
    ):
        train, validation, test = splits.divided(row, FULL, seed=0)
    assert len(read) == len(set(read)) == 12 + 5
    assert len(train) + len(validation) == 11 and len(test) == 3
    assert (train.left_out, validation.left_out, test.left_out) == (1, 1, 2)
    for i, large in enumerate(splits.large(row, FULL, None)):  # the same ones
        expected = square(read_picture(folder / "test" / f"{i + 3:02}.bmp"), 12)
        np.testing.assert_array_equal(large, expected)
    again = splits.divided(row, FULL, seed=0)  # tells nothing again
    assert again[2].left_out == 2 and len(again[2]) == 3


def test_images_that_change_are_looked_through_again(split_folder):
    folder, row = split_folder
    assert len(splits.divided(row, FULL, seed=0)[2]) == 6
    shutil.copy(folder / "train" / "05.bmp", folder / "test" / "02.bmp")  # of the same size
    assert len(splits.divided(row, FULL, seed=0)[2]) == 5


def test_folder_of_which_nothing_can_be_read_is_refused(split_folder):
    folder, row = split_folder
    for path in (folder / "test").iterdir():
        cut(path)
    with pytest.raises(ValueError, match=r"6 of 6 images of folder:mine.*nothing is left"):
        splits.divided(row, FULL, seed=0)


def test_copies_are_left_out_whichever_set_they_are_of(split_folder, tmp_path):
    folder, row = split_folder
    shutil.copytree(folder, tmp_path / "other")
    for i in range(6):  # the other set tests with what this one learns from
        shutil.copy(folder / "train" / f"{i:02}.bmp", tmp_path / "other" / "test" / f"{i:02}.bmp")
    row = row.but(data={"name": f"{row.data.name}*3+{tmp_path / 'other'}"})
    train, validation, test = splits.divided(row, FULL, seed=0)
    assert (len(train), len(validation), len(test)) == (22, 1, 6), "one copy was validated on"
    tested = [read_picture(folder / "test" / f"{i:02}.bmp") for i in range(6)]
    np.testing.assert_array_equal(np.asarray(test), [square(rgb, 8) for rgb in tested])
    assert set(np.round(train.weights, 6)) == {round(1 / 12, 6), 0.25}


def test_files_are_read_once_if_they_fit_into_memory(split_folder, monkeypatch):
    folder, row = split_folder
    expected = [square(read_picture(folder / "test" / f"{i:02}.bmp"), 8) for i in range(6)]
    for most, works in ((3 * 64 * 18, True), (3 * 64 * 18 - 1, False)):
        splits._CHECKED.clear()
        monkeypatch.setattr(splits, "_KEPT_BYTES", most)
        train, _, test = splits.divided(row, FULL, seed=0)
        assert train.source_side == 16 and train.shape == (8, 8)
        np.testing.assert_array_equal(np.asarray(test), expected)
        if works:
            shutil.move(folder, folder.with_name("away"))
            assert np.asarray(train).shape[1:] == (8, 8, 3)
            shutil.move(folder.with_name("away"), folder)
        else:
            shutil.rmtree(folder)
            with pytest.raises(FileNotFoundError):
                np.asarray(train)


def test_training_has_no_copies_of_validation_images_even_mirrored(split_folder):
    folder, row = split_folder
    for i in range(12):
        mirrored = read_picture(folder / "train" / f"{i:02}.bmp")[:, ::-1]
        Image.fromarray(mirrored).save(folder / "train" / f"{i:02}-again.bmp")
    row = row.but(data={"size": None, "large_size": None, "validation_split": 0.25})
    train, validation, _ = splits.divided(row, FULL, seed=0)
    assert len(validation) == 6 and len(train) == 24 - len({*_either_way(validation)}) * 2
    assert not {*_either_way(train)} & {*_either_way(validation)}


def test_images_that_are_all_copies_are_named_as_such(split_folder):
    folder, row = split_folder
    for i in range(1, 12):
        shutil.copy(folder / "train" / "00.bmp", folder / "train" / f"{i:02}.bmp")
    with pytest.raises(
        ValueError, match=r"12 images .* 1 are needed .* copies of these; give more"
    ):
        splits.divided(row, FULL, seed=0)


def _either_way(images):
    """Return a value for each image that is the same for its mirror image."""
    return [min(rgb.tobytes(), rgb[:, ::-1].tobytes()) for rgb in images]


def test_similarity_says_which_test_images_leave(tmp_path, row, pictures, rng):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for i, rgb in enumerate(pictures[:6]):
            noise = rng.normal(0, 40, rgb.shape) if split == "test" else 0
            changed = np.uint8(np.clip(rgb + noise, 0, 255))
            Image.fromarray(changed).save(tmp_path / split / f"{i}.png")
    row = row.but(data={"name": f"folder:{tmp_path}"})
    assert len(splits.divided(row, FULL, seed=0)[2]) == 6
    with pytest.raises(ValueError, match="All test images"):
        splits.divided(row.but(data={"similarity": 0.5}), FULL, seed=0)


def test_some_of_joined_sets_are_of_all(split_folder):
    row = split_folder[1]
    profile = dataclasses.replace(FULL, train=8, test=64)
    row = row.but(data={"name": f"photos+{row.data.name}", "size": 32, "large_size": None})
    with pytest.warns(UserWarning, match="The smallest image"):
        train, _, test = splits.divided(row, profile, seed=0)
    assert (len(train), len(test)) == (8, 64)
    noise = [np.std(np.diff(np.float32(rgb), axis=1)) for rgb in test]
    assert sum(level > 35 for level in noise) == 2, "6 of 198"


def test_joined_data_sets_stay_shared_in_memory(row):
    row = row.but(data={"name": "photos+photos"})
    first, second = (splits.divided(row, FULL, seed=0)[2] for _ in range(2))
    assert np.shares_memory(first[0], second[0])


def test_each_joined_film_is_validated_on_at_its_end(row, monkeypatch):
    films = [np.zeros((count, 8, 8, 3), "uint8") for count in (50, 20, 30)]
    for film, first in zip(films, (0, 100, 200), strict=True):
        film[...] = np.arange(first, first + len(film))[:, None, None, None]
    sets = [Images(film, is_sequence=i != 1) for i, film in enumerate(films)]
    monkeypatch.setattr(splits, "load", lambda *_, **__: Images.concatenate(sets))
    row = row.but(data={"name": "video:a.mp4+photos+video:b.mp4", "validation_split": 0.2})
    parts = splits.divided(row, FULL, seed=0)[:2]
    train, validation = (sorted(int(image[0, 0, 0]) for image in part) for part in parts)
    assert validation[:10] == list(range(40, 50)) and validation[-6:] == list(range(224, 230))
    assert len(validation) == 20 and 100 <= validation[10] <= validation[13] < 120
    stills = set(range(100, 120)) - set(validation)
    assert train == [*range(35), *sorted(stills), *range(200, 221)]
