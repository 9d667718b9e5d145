import io
import socket

import numpy as np
import pytest
from PIL import Image

from colorkit import load
from colorkit.data import Images


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


def test_unreachable_data_set_is_an_error_that_says_the_ways_on(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=r"'cifar10'.*TFDS_DATA_DIR.*'photos'"):
        load("cifar10", data_dir=tmp_path / "data")
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_installation_that_cannot_work_is_an_error_that_says_what_to_install(monkeypatch):
    """With a tensorflow-metadata too new for it, the package imports and is empty."""
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.delattr(tfds, "builder")
    with pytest.raises(ImportError, match=r"pip install \"tensorflow-metadata<1.18\""):
        load("cifar10")


def test_failed_download_leaves_nothing_behind(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    from colorkit import data

    def fail(name, data_dir):
        (tmp_path / name / "3.0.2.incomplete").mkdir(parents=True)
        raise OSError("connection reset")

    monkeypatch.setattr(data.urllib.request, "urlopen", lambda *_, **__: io.BytesIO())
    monkeypatch.setattr(tfds, "builder", fail)
    with pytest.raises(ConnectionError, match="connection reset"):
        load("cifar10", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_tensorflow_datasets_are_read_where_they_lie(cifar10_test):
    assert len(cifar10_test) == 10_000 and cifar10_test.shape == (32, 32)
    assert cifar10_test.class_names[0] == "airplane"
    assert np.bincount(cifar10_test.labels).tolist() == [1000] * 10


@pytest.mark.parametrize("has_names", [True, False])
def test_data_set_without_a_test_split_holds_some_out(tmp_path, has_names):
    tfds = pytest.importorskip("tensorflow_datasets")
    import tensorflow as tf

    names = np.repeat([f"person {i}" for i in range(30)], 4)
    pictures = np.zeros((120, 8, 8, 3), "uint8")
    pictures[:, 0, 0, 0] = np.arange(120)
    labels = names if has_names else np.zeros(120, "int64")
    label = tfds.features.Text() if has_names else tfds.features.ClassLabel(num_classes=1)
    tfds.dataset_builders.store_as_tfds_dataset(
        name="held",
        version="1.0.0",
        features=tfds.features.FeaturesDict({"image": tfds.features.Image(), "label": label}),
        split_datasets={
            "train": tf.data.Dataset.from_tensor_slices({"image": pictures, "label": labels})
        },
        data_dir=tmp_path,
    )
    train, test = (
        {int(picture[0, 0, 0]) for picture in load("held", split, data_dir=tmp_path)}
        for split in ("train", "test")
    )
    assert train | test == set(range(120)) and not train & test
    assert 10 <= len(test) <= 40
    if has_names:
        assert not {names[i] for i in train} & {names[i] for i in test}, "nobody is in both"


def test_unknown_split_of_a_data_set_lists_the_known(cifar10_test):
    from tests.conftest import DATA

    with pytest.raises(ValueError, match=r"'test', 'train'.*'valid'"):
        load("cifar10", "valid", data_dir=DATA / "tfds")


def test_slices_of_images_keep_their_labels(pictures):
    images = Images(pictures, labels=np.arange(16), class_names=list("abcdefghijklmnop"))
    assert images[3:5].labels.tolist() == [3, 4]
    assert images[np.array([5, 2])].labels.tolist() == [5, 2]
    np.testing.assert_array_equal(np.asarray(images[np.array([5, 2])]), pictures[[5, 2]])


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
