"""Fixtures that tests share: random numbers, bins, pictures, and real data where it is at hand."""

import functools
import gc
import os
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from colorkit import LAB, YUV, ColorBins, experiments, models

# Real pictures for tests that measure on them: CIFAR-10 as TensorFlow Datasets prepares it, and
# folders of photographs. COLORKIT_DATA names the folder; tests that need it are skipped without.
DATA = Path(os.environ.get("COLORKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True, scope="module")
def collected():
    """What frameworks keep of earlier tests need not be searched in every collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def pictures(rng):
    """Sixteen smooth color pictures of 16 x 16 pixels, uint8."""
    corners = rng.uniform(0, 255, (16, 2, 2, 3))
    ramp = np.linspace(0, 1, 16)
    rows = np.stack([1 - ramp, ramp])
    return np.einsum("nijc,ih,jw->nhwc", corners, rows, rows).astype("uint8")


@pytest.fixture
def eager(monkeypatch):
    """Models that run without a graph: small ones are traced for longer than they train."""
    compile = functools.partialmethod(keras.Model.compile, run_eagerly=True)
    monkeypatch.setattr(keras.Model, "compile", compile)


@pytest.fixture
def row(tmp_path, monkeypatch):
    """An experiment with a network that is soon compiled; its runs go to a temporary folder."""
    monkeypatch.chdir(tmp_path)
    return experiments.experiment("cifar/lab-conv-classification-313").but(
        name="test/tiny",
        build=lambda width, num_bins: models.build_conv_classification(
            num_bins, blocks=((round(80 * width),),), dilation_rates=(1,)
        ),
        objective={"bins": lambda images: ColorBins.grid(49)},
        schedule={"batch_size": 8},
    )


@pytest.fixture(
    params=["grid49", "grid64", "published81", "published100", "yuv81", "gamut", "fit"],
)
def any_bins(request, pictures):
    """Every kind of bins in turn."""
    return {
        "grid49": lambda: ColorBins.grid(49),
        "grid64": lambda: ColorBins.grid(64),
        "published81": lambda: ColorBins.grid(81, centered=False),
        "published100": lambda: ColorBins.grid(100, centered=False),
        "yuv81": lambda: ColorBins.grid(81, space=YUV),
        "gamut": ColorBins.gamut,
        "fit": lambda: ColorBins.fit(pictures, 40, space=LAB),
    }[request.param]()


# Table 1 of Tan and Le: expansion, kernel size, side of the input at 224, channels, layers.
LITE0_TABLE = (
    (1, 3, 112, 16, 1),
    (6, 3, 112, 24, 2),
    (6, 5, 56, 40, 2),
    (6, 3, 28, 80, 3),
    (6, 5, 14, 112, 3),
    (6, 5, 14, 192, 4),
    (6, 3, 7, 320, 1),
)


def lite0_convolutions():
    """Names, and shapes in PyTorch's order, of what a file of EfficientNet-Lite0 holds."""
    yield "_conv_stem", "_bn0", (32, 3, 3, 3)
    before, block = 32, 0
    for expansion, size, _, after, repeats in LITE0_TABLE:
        for _ in range(repeats):
            wide = expansion * before
            if expansion > 1:
                names = f"_blocks.{block}._expand_conv", f"_blocks.{block}._bn0"
                yield *names, (wide, before, 1, 1)
            names = f"_blocks.{block}._depthwise_conv", f"_blocks.{block}._bn1"
            yield *names, (wide, 1, size, size)
            yield f"_blocks.{block}._project_conv", f"_blocks.{block}._bn2", (after, wide, 1, 1)
            before, block = after, block + 1


@pytest.fixture(scope="session")
def lite0_arrays():
    """Random weights of EfficientNet-Lite0, as a file of them holds them."""
    rng = np.random.default_rng(0)
    arrays = {}
    for convolution, norm, shape in lite0_convolutions():
        kernel = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        arrays[f"{convolution}.weight"] = kernel.astype("float16")
        for name, low, high in (("weight", 0.5, 1.5), ("bias", -0.3, 0.7),
                                ("running_mean", -0.3, 0.3), ("running_var", 0.2, 2)):  # fmt: skip
            arrays[f"{norm}.{name}"] = rng.uniform(low, high, shape[0]).astype("float32")
    return arrays


@pytest.fixture(scope="session")
def lite0_file(tmp_path_factory, lite0_arrays):
    path = tmp_path_factory.mktemp("lite0") / "lite0.npz"
    np.savez(path, **lite0_arrays)
    return path


@pytest.fixture(scope="session")
def cifar10_test():
    """The real CIFAR-10 test set."""
    folder = DATA / "tfds"
    if not folder.is_dir():
        pytest.skip(f"CIFAR-10 is not at hand in {folder}; set COLORKIT_DATA to use it")
    pytest.importorskip("tensorflow_datasets")
    from colorkit import load

    return load("cifar10", "test", data_dir=folder)


@pytest.fixture(scope="session")
def photo_folder():
    """A folder of real photographs with train and test subfolders."""
    folder = DATA / "photos"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}; set COLORKIT_DATA to use them")
    return folder


@pytest.fixture
def folder(tmp_path, rng):
    """Two classes of pictures of different sizes."""
    for i in range(40):
        path = tmp_path / "set" / ("cats", "dogs")[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (20 + i % 3, 30, 3)
        Image.fromarray(rng.integers(0, 256, size, dtype="uint8")).save(path)
    return tmp_path / "set"
