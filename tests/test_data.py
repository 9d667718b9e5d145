import socket

import numpy as np
import pytest
from PIL import Image

from colorkit import load


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


def test_folder_gives_classes_and_reads_on_demand(folder):
    images = load(f"folder:{folder}", "all")
    assert len(images) == 40
    assert images.class_names == ["cats", "dogs"]
    assert images.labels.tolist() == [0] * 20 + [1] * 20
    assert images.shape is None and images.smallest == (20, 30)
    assert images[0].shape == (20, 30, 3)
    square = load(f"folder:{folder}", "all", size=16)
    assert square.shape == (16, 16) and np.asarray(square[:3]).shape == (3, 16, 16, 3)


def test_checksum_tells_a_folder_from_another_of_its_name(folder):
    first = load(f"folder:{folder}", "train")
    assert first.checksum == load(f"folder:{folder}", "test")[:2].checksum is not None
    Image.new("RGB", (9, 9)).save(folder / "cats" / "another.png")
    assert load(f"folder:{folder}", "train").checksum != first.checksum
    assert load("photos").checksum is None


def test_folder_is_split_by_picture(folder):
    train, test = (load(f"folder:{folder}", split) for split in ("train", "test"))
    assert len(train) + len(test) == 40 and len(train) > len(test) > 0
    Image.new("RGB", (9, 9)).save(folder / "cats" / "another.png")
    again = load(f"folder:{folder}", "test")
    assert {str(path) for path in test._items} <= {str(path) for path in again._items}


def test_subfolders_named_like_splits_are_used(photo_folder):
    train, test = (load(f"folder:{photo_folder}", split) for split in ("train", "test"))
    assert (len(train), len(test)) == (764, 192)
    assert min(train.smallest) == 144


def test_bad_folders_are_refused(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match="folder of pictures"):
        load(f"folder:{tmp_path / 'missing'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no pictures"):
        load(f"folder:{tmp_path / 'empty'}")
    (folder / "cats" / "broken.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match=r"1 of 41 files.*broken\.jpg"):
        load(f"folder:{folder}", "all")
    with pytest.raises(ValueError, match="'valid'"):
        load(f"folder:{folder}", "valid")


@pytest.mark.parametrize("name", ["folder:", "no-such-set", "files:x", "", "photo"])
def test_unknown_names_are_refused_at_once(name, tmp_path):
    # Without TensorFlow Datasets nobody can tell which of its names exist.
    with pytest.raises((ValueError, ImportError), match="photos"):
        load(name, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"'all', 'test', 'train'.*'half'"):
        load("photos", "half")
    with pytest.raises(ValueError, match="positive number of pixels"):
        load("photos", size=0)


def test_split_folders_never_leak_into_each_other(folder, tmp_path):
    (tmp_path / "split").mkdir()
    folder.rename(tmp_path / "split" / "train")
    name = f"folder:{tmp_path / 'split'}"
    assert len(load(name, "train")) == 40
    with pytest.raises(ValueError, match="has train, but no test"):
        load(name, "test")
    (tmp_path / "split" / "test" / "dogs").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "split" / "test" / "dogs" / "x.png")
    test = load(name, "test")
    assert test.class_names == ["cats", "dogs"] and test.labels.tolist() == [1]
    assert load(name, "all").class_names == ["cats", "dogs"]


def test_path_without_folder_is_told_how_to_write_it(folder):
    with pytest.raises(ValueError, match="did you mean") as told:
        load(str(folder))
    assert f'"folder:{folder}"' in str(told.value)
    with pytest.raises(ValueError, match=r'did you mean "video:film\.mp4"'):
        load("film.mp4")
    with pytest.raises(ValueError, match=r'did you mean "video:\.\.\."'):
        load("Video:film.mp4")
    with pytest.raises(ValueError, match=r"Received: 'rose\.jpg'$"):
        load("rose.jpg")


def test_pictures_that_are_enlarged_are_told_and_remembered(folder):
    with pytest.warns(UserWarning, match="smallest picture of .* is 20 pixels .* brought to 40"):
        images = load(f"folder:{folder}", "all", size=40)
    assert images.source_side == images[:2].source_side == 20
    assert images.shape == (40, 40)
