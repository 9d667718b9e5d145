import keras
import pytest

from colorkit import experiments


def test_experiments_without_their_weights_say_what_they_need(monkeypatch, tmp_path):
    monkeypatch.delenv("COLORKIT_VGG16", raising=False)
    row = experiments.experiment("cifar/lab-vgg1-frozen-regression")
    (tmp_path / "vgg16_weights.h5").touch()
    for path in (None, tmp_path / "vgg16_weights.h5"):  # both layers would be another row
        if path:
            monkeypatch.setenv("COLORKIT_VGG16", str(path))
        with pytest.raises(FileNotFoundError, match=r"must be the path of an \.npz file"):
            row.build(0.25, None)
    (tmp_path / "vgg16.weights").touch()
    for path in ("nowhere.npz", tmp_path / "vgg16.weights"):
        monkeypatch.setenv("COLORKIT_VGG16", str(path))
        for source in ("vgg", "vgg1"):  # what is named and cannot be used is never passed over
            row = experiments.experiment(f"cifar/lab-{source}-frozen-regression")
            with pytest.raises(FileNotFoundError, match=rf"ends in \.h5 or .*{path}.*\.npz"):
                row.build(0.25, None)


def test_experiments_whose_weights_cannot_be_downloaded_say_what_else_will_do(monkeypatch):
    def unreachable(**options):
        raise OSError("no network")

    monkeypatch.delenv("COLORKIT_VGG16", raising=False)
    monkeypatch.setattr(keras.applications, "VGG16", unreachable)
    row = experiments.experiment("cifar/lab-vgg-frozen-regression")
    with pytest.raises(ConnectionError, match=r'no network.*Set COLORKIT_VGG16.*experiments "own"'):
        row.build(0.25, None)
