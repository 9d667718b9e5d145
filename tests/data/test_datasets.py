import contextlib
import itertools
import os
import socket
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from colorkit import load
from colorkit.data import image_files
from tests.conftest import DATA


def test_photos_need_no_network_and_are_split_by_photograph(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    train, test = load("photos", "train"), load("photos", "test")
    assert train.shape == test.shape == (32, 32)
    assert not set(train.labels) & set(test.labels)
    assert set(train.labels) | set(test.labels) == set(range(len(train.class_names)))
    assert train.class_names == test.class_names
    assert train[0].dtype == np.uint8
    np.testing.assert_array_equal(load("photos", "train")[7], train[7])
    assert load("photos", "test", size=48).shape == (48, 48)


def test_folder_has_classes_and_is_read_on_access(folder):
    images = load(f"folder:{folder}", "all")
    assert len(images) == 40
    assert images.class_names == ["cats", "dogs"]
    assert images.labels.tolist() == [0] * 20 + [1] * 20
    assert images.shape is None and images.smallest == (20, 30)
    assert images[0].shape == (20, 30, 3)
    square = load(f"folder:{folder}", "all", size=16)
    assert square.shape == (16, 16) and np.asarray(square[:3]).shape == (3, 16, 16, 3)


def test_checksum_distinguishes_folders_of_the_same_name(folder):
    first = load(f"folder:{folder}", "train")
    assert first.checksum == load(f"folder:{folder}", "test")[:2].checksum is not None
    Image.new("RGB", (9, 9)).save(folder / "cats" / "another.png")
    assert load(f"folder:{folder}", "train").checksum != first.checksum
    assert load("photos").checksum is None


def test_folder_split_does_not_change_with_new_images(folder):
    train, test = (load(f"folder:{folder}", split) for split in ("train", "test"))
    assert len(train) + len(test) == 40 and len(train) > len(test) > 0
    Image.new("RGB", (9, 9)).save(folder / "cats" / "another.png")
    again = load(f"folder:{folder}", "test")
    assert {str(path) for path in test._items} <= {str(path) for path in again._items}


def test_images_kept_for_the_test_are_named_once(folder, capsys):
    test = load(f"folder:{folder}", "test")
    load(f"folder:{folder}", "train")
    printed = capsys.readouterr().out
    assert printed.count("kept for the test") == 1
    assert f"{len(test)} of 40 images" in printed and "cats/" in printed


def test_subfolders_named_like_splits_are_used(photo_folder, capsys):
    train, test = (load(f"folder:{photo_folder}", split) for split in ("train", "test"))
    assert (len(train), len(test)) == (764, 192)
    assert min(train.smallest) == 144
    assert not capsys.readouterr().out


def test_missing_or_empty_folders_and_unknown_splits_raise(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="folder of images"):
        load(f"folder:{tmp_path / 'missing'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no images"):
        load(f"folder:{tmp_path / 'empty'}")
    with pytest.raises(ValueError, match="'valid'"):
        load(f"folder:{folder}", "valid")


def test_files_that_are_not_images_are_left_out_and_counted(folder):
    whole = load(f"folder:{folder}", "all")
    assert whole.left_out == 0
    for i in range(7):
        (folder / "cats" / f"broken{i}.jpg").write_text("not a picture")
    warning = r"^7 of 47 files in .* are left out: .*broken0\.jpg.*broken4\.jpg, \.\.\.$"
    with pytest.warns(UserWarning, match=warning):
        images = load(f"folder:{folder}", "all")
    assert images.left_out == images[:3].left_out == 7
    assert images._items == whole._items and images.labels.tolist() == whole.labels.tolist()
    assert [images[i].shape[:2] for i in range(40)] == [*map(tuple, images._sizes())]


def test_folder_without_readable_images_raises(tmp_path):
    for i in range(2):
        (tmp_path / f"{i}.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"2 of 2 files in .*nothing is left.*0\.png.*1\.png$"):
        load(f"folder:{tmp_path}", "all")


@pytest.mark.parametrize("name", ["folder:", "no-such-set", "files:x", "", "photo"])
def test_unknown_names_raise_and_leave_no_files(name, tmp_path):
    # Without TensorFlow Datasets, its names are unknown.
    with pytest.raises((ValueError, ImportError), match="photos"):
        load(name, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_split_and_size_zero_raise():
    with pytest.raises(ValueError, match=r"'all', 'test', 'train'.*'half'"):
        load("photos", "half")
    with pytest.raises(ValueError, match="`size` must be a positive whole number"):
        load("photos", size=0)


def test_split_folders_have_no_images_in_common(folder, tmp_path):
    (tmp_path / "split").mkdir()
    folder.rename(tmp_path / "split" / "train")
    name = f"folder:{tmp_path / 'split'}"
    assert len(load(name, "train")) == 40
    with pytest.raises(ValueError, match="no images for the split 'test'"):
        load(name, "test")
    (tmp_path / "split" / "test" / "dogs").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "split" / "test" / "dogs" / "x.png")
    test = load(name, "test")
    assert test.class_names == ["cats", "dogs"] and test.labels.tolist() == [1]
    assert load(name, "all").class_names == ["cats", "dogs"]


def test_path_without_its_kind_raises_with_a_hint(folder):
    with pytest.raises(ValueError, match="did you mean") as error:
        load(str(folder))
    assert f'"folder:{folder}"' in str(error.value)
    with pytest.raises(ValueError, match=r'did you mean "video:film\.mp4"'):
        load("film.mp4")
    with pytest.raises(ValueError, match=r"video:PATH.*Received: 'Video:film\.mp4'$"):
        load("Video:film.mp4")
    with pytest.raises(ValueError, match=r"Received: 'rose\.jpg'$"):
        load("rose.jpg")


def test_enlarged_images_cause_a_warning(folder):
    with pytest.warns(UserWarning, match="smallest image of .* is 20 pixels .* brought to 40"):
        images = load(f"folder:{folder}", "all", size=40)
    assert images.source_side == images[:2].source_side == 20
    assert images.shape == (40, 40)


@pytest.fixture
def colors(tmp_path, monkeypatch):
    """Return a function that makes folders, each with images of its own color."""
    monkeypatch.chdir(tmp_path)

    def make(**counts):
        for i, (name, count) in enumerate(counts.items()):
            (tmp_path / name).mkdir()
            for j in range(count):
                color = (40 * i, j, 9)
                Image.new("RGB", (8 + j % 2, 9), color).save(tmp_path / name / f"{j:02}.png")

    return make


def kinds(images):
    """Return the number of images of each folder of `colors`."""
    return np.bincount([rgb[0, 0, 0] // 40 for rgb in images]).tolist()


def test_listed_and_joined_names_give_the_same_dataset(colors):
    colors(a=3, b=4)
    listed = load(["folder:a", "folder:b"], "all")
    for name in ("folder:a+folder:b", "folder:a+b", "folder:a+./b"):
        joined = load(name, "all")
        assert joined.name == listed.name == "folder:a + folder:b"
        assert [rgb.tolist() for rgb in joined] == [rgb.tolist() for rgb in listed]
    assert kinds(listed) == [3, 4] and listed.weights is None and listed.labels is None
    assert listed.shape is None and listed.smallest == (9, 8) and listed.source_side == 8
    parts = [load(f"folder:{name}", "all").checksum for name in "ab"]
    assert listed.checksum == "-".join(parts)


def test_shares_apply_to_whole_datasets(colors):
    colors(a=3, b=6)
    for images in (
        load("folder:a*2+b", "all"),
        load("folder:a*.5+b*0.25", "all"),
        load(["folder:a", "folder:b"], "all", shares=[2, 1]),
        load("folder:a*9+b", "all", shares=[2, 1]),
    ):
        assert images.weights[:3].sum() / images.weights[3:].sum() == pytest.approx(2)
        assert len(set(images.weights[:3])) == len(set(images.weights[3:])) == 1
    assert load("folder:a*2+b", "all").name == "folder:a*2 + folder:b*1"
    inner = load(["folder:a*2+b", "folder:a"], "all", shares=[1, 3]).weights
    np.testing.assert_allclose(
        [inner[:3].sum(), inner[3:9].sum(), inner[9:].sum()], np.array([2 / 3, 1 / 3, 3])
    )
    alike = load(["folder:a*2+b", "folder:a"], "all").weights
    np.testing.assert_allclose([alike[:3].sum(), alike[3:9].sum(), alike[9:].sum()], [6, 3, 3])


def test_names_of_folders_may_contain_plus_and_star(colors):
    colors(**{"a+b": 2, "c*3": 3, "d": 4, "e*x": 5, "a": 6})
    assert kinds(load("folder:a+b", "all")) == [2]
    assert kinds(load(["folder:a+b", "folder:d"], "all")) == [2, 0, 4]
    images = load("folder:c*3+d*2+e*x", "all")
    assert (
        kinds(images) == [0, 3, 4, 5] and images.name == "folder:c*3*1 + folder:d*2 + folder:e*x*1"
    )
    assert kinds(load("folder:a+d", "all")) == [0, 0, 4, 0, 6]


def test_missing_or_unknown_parts_raise_with_their_name(colors, tmp_path):
    colors(a=2)
    with pytest.raises(FileNotFoundError, match="expected at missing"):
        load("folder:a+folder:missing", "all")
    for name in ("folder:a+no/such", "folder:a+", "folder:a++photos", "photos+Photos:"):
        with pytest.raises(ValueError, match=r"must be \"photos\".*Received: '(no/such|Photos:|)'"):
            load(name, "train", data_dir=tmp_path)
    for name in ("folder:a*+photos", "folder:a*two+photos", "photos*-1+folder:a", "photos*2*3+a"):
        with pytest.raises(ValueError, match='"\\*" must precede a number'):
            load(name, "all")
    for shares in ([1], [1, 0], [1, -1], [1, np.inf], [1, np.nan], []):
        with pytest.raises(ValueError, match="`shares` must be 2 positive numbers"):
            load(["folder:a", "photos"], "all", shares=shares)
    with pytest.raises(ValueError, match="`shares` need several datasets"):
        load("photos", shares=[1])
    with pytest.raises(ValueError, match="at least one dataset"):
        load([])


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_datasets_of_every_kind_can_be_joined(colors, tmp_path, cifar10_test):
    pytest.importorskip("av")
    colors(a=2)
    film = np.random.default_rng(0).integers(0, 256, (20, 32, 48, 3), dtype="uint8")
    iio.imwrite(tmp_path / "film.mp4", film, plugin="pyav", codec="libx264", fps=10)
    name = "photos+folder:a+video:film.mp4?stride=2+photos"
    images = load(name, "all")
    assert len(images) == 2 * 960 + 2 + 10 and images.shape is None
    assert images.name == "photos + folder:a + video:film.mp4?stride=2 + photos"
    assert images[961].shape == (9, 9, 3) and images[962].shape == (32, 48, 3)
    sized = load(name, "all", size=16)
    assert sized.shape == (16, 16) and np.asarray(sized[955:975]).shape == (20, 16, 16, 3)
    assert sized.source_side == 8
    both = load("cifar10+photos", "test", data_dir=DATA / "tfds")
    assert len(both) == 10_192 and both.shape == (32, 32)
    np.testing.assert_array_equal(both[9_999], cifar10_test[9_999])


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_files_of_joined_datasets_are_read_on_access(colors, monkeypatch):
    colors(a=3, b=2)
    read = []
    monkeypatch.setattr(
        "colorkit.data.images.read_picture",
        lambda path: read.append(path) or image_files.read_picture(path),
    )
    images = load("folder:a+b", "all", size=12)
    assert not read and images.shape == (12, 12)
    assert images[3].shape == (12, 12, 3) and len(read) == 1


@pytest.mark.filterwarnings("ignore:.* cannot be read and are left out")
def test_left_out_files_of_joined_datasets_are_counted_together(colors):
    colors(a=3, b=2)
    for name in ("a/x.png", "a/y.png", "b/z.png"):
        Path(name).write_text("not a picture")
    images = load("folder:a*2+b", "all")
    assert images.left_out == 3 and kinds(images) == [3, 2]
    assert images.weights[:3].sum() == pytest.approx(2 * images.weights[3:].sum())


def test_classes_have_the_same_numbers_in_all_splits_of_a_folder(tmp_path):
    for split, kind in itertools.product(("train", "dev", "test"), ("cat", "dog")):
        path = tmp_path / split / kind / "0.png"
        path.parent.mkdir(parents=True)
        Image.new("RGB", (8, 8), "red").save(path)
    for split in ("train", "dev", "test", "all"):
        images = load(f"folder:{tmp_path}", split)
        assert list(images.class_names) == ["cat", "dog"], split
        assert sorted(set(images.labels)) == [0, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_name_that_is_not_utf8_is_loaded(tmp_path):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    os.rename(os.fsencode(tmp_path / "a.png"), os.fsencode(tmp_path) + b"/\xe9.png")
    assert len(load(f"folder:{tmp_path}", "all")) == 1
    found = 0
    for split in ("train", "test"):  # the only image is in one of them
        with contextlib.suppress(ValueError):
            found += len(load(f"folder:{tmp_path}", split))
    assert found == 1


def test_flat_folder_beside_splits_does_not_remove_their_labels(tmp_path):
    for name in ("train/cat/0.png", "train/dog/0.png", "test/cat/0.png", "unlabeled/0.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "red").save(path)
    assert list(load(f"folder:{tmp_path}", "train").class_names) == ["cat", "dog"]
