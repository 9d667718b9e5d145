import io

import numpy as np
import pytest

from colorkit import load


def test_unreachable_dataset_raises_with_a_solution(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=r"'cifar10'.*TFDS_DATA_DIR.*'photos'"):
        load("cifar10", data_dir=tmp_path / "data")
    assert not list(tmp_path.iterdir()), "no file is left"


def test_unusable_installation_raises_with_a_solution(monkeypatch):
    """If tensorflow-metadata is too new, the package can be imported but is empty."""
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.delattr(tfds, "builder")
    with pytest.raises(ImportError, match=r"pip install .*\"tensorflow-metadata<1.18\""):
        load("cifar10")


def test_failed_download_leaves_nothing_behind(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")

    def fail(name, data_dir):
        (tmp_path / name / "3.0.2.incomplete").mkdir(parents=True)
        raise OSError("connection reset")

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO())
    monkeypatch.setattr(tfds, "builder", fail)
    with pytest.raises(ConnectionError, match="connection reset"):
        load("cifar10", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_prepared_datasets_are_read_from_disk(cifar10_test):
    assert len(cifar10_test) == 10_000 and cifar10_test.shape == (32, 32)
    assert cifar10_test.class_names[0] == "airplane"
    assert np.bincount(cifar10_test.labels).tolist() == [1000] * 10


@pytest.mark.parametrize("has_names", [True, False])
def test_dataset_without_test_split_is_divided(tmp_path, has_names):
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
        assert not {names[i] for i in train} & {names[i] for i in test}, "no name is in both"


def test_unknown_split_raises_with_the_known_splits(cifar10_test):
    from tests.conftest import DATA

    with pytest.raises(ValueError, match=r"'test', 'train'.*'valid'"):
        load("cifar10", "valid", data_dir=DATA / "tfds")
