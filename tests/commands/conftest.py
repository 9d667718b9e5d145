"""A small model, a folder of photographs and pairs of images for the tests of commands."""

import pytest
import skimage.data
from PIL import Image

from colorkit import ColorBins, Colorizer, models


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(tmp_path):
    """A saved colorizer that gives strong colors."""
    network = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    Colorizer(network, bins=ColorBins.grid(49), temperature=0).save(tmp_path / "tiny.keras")
    return "tiny.keras"


@pytest.fixture
def photos(tmp_path):
    for name in ("a.png", "b.jpg", "deep/c.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(skimage.data.cat()[:40, :50]).save(path)
    return tmp_path / "in"


@pytest.fixture
def pairs(tmp_path):
    """Three true images, and the same with red and blue swapped."""
    shown = skimage.data.cat(), skimage.data.coffee(), skimage.data.astronaut()
    for i, photo in enumerate(shown):
        for folder, rgb in (("truth", photo), ("colored", photo[..., ::-1])):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(rgb[60:92, 60:92]).save(tmp_path / folder / f"{i}.png")
    return tmp_path
