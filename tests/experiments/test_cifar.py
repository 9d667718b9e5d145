import pytest

from colorkit import experiments


def test_experiments_without_their_weights_say_what_they_need(monkeypatch):
    monkeypatch.delenv("COLORKIT_VGG16", raising=False)
    row = experiments.experiment("cifar/lab-vgg1-frozen-regression")
    for path in (None, "vgg16_weights.h5"):  # both layers would be another row
        if path:
            monkeypatch.setenv("COLORKIT_VGG16", path)
        with pytest.raises(FileNotFoundError, match="set COLORKIT_VGG16"):
            row.build(0.25, None)
