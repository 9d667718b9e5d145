import io

import numpy as np
import pytest
from PIL import Image

from colorkit import load
from colorkit.data.duplicates import alike, copies, thumbnail
from tests.conftest import DATA


def _again(rgb, side, quality):
    file = io.BytesIO()
    Image.fromarray(rgb).resize((side, side)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_resized_and_re_encoded_copies_are_found(pictures):
    images = [np.asarray(Image.fromarray(p).resize((128, 128))) for p in pictures[:6]]
    again = [_again(images[i], side, quality) for i, side, quality in ((4, 96, 90), (1, 160, 80))]
    assert copies(again, images).all()
    assert np.flatnonzero(copies(images, again)).tolist() == [1, 4]
    assert copies(images, images).all()


@pytest.mark.parametrize("name", ["flowers", "faces"])
def test_resized_and_re_encoded_copies_of_photographs_are_found(name):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"no {name} in {DATA}; set COLORKIT_DATA to use them")
    images = load(f"folder:{folder}", "train")
    images = images[np.arange(0, len(images), len(images) // 40)]
    first, others = images[:20], images[20:]
    small = [_again(np.asarray(picture), 48, 80) for picture in first]
    assert copies(small, first).all() and copies(first, small).all()
    assert not copies(others, first).any()


def test_empty_lists_have_no_copies(pictures):
    assert alike([], [thumbnail(pictures[0])]).shape == (0,)
    assert not alike([thumbnail(pictures[0])], []).any()


def test_different_images_are_not_copies(pictures):
    assert not copies(pictures[:8], pictures[8:16]).any()
    assert not copies(pictures[:8, ::-1], pictures[:8]).any()  # upside down


def test_mirrored_copies_are_found(pictures):
    mirrored = [_again(rgb[:, ::-1], 64, 90) for rgb in pictures[:8]]
    np.testing.assert_array_equal(copies(mirrored, pictures[2:6]), np.isin(range(8), range(2, 6)))


def test_similarity_is_the_correlation_of_colors(pictures, rng):
    noise = rng.normal(0, 60, (16, 16, 3))
    rgb = np.asarray(Image.fromarray(pictures[0]).resize((16, 16)))
    changed = np.uint8(np.clip(rgb + noise, 0, 255))
    first, second = (np.float64(x) - x.mean(axis=(0, 1)) for x in (rgb, changed))
    expected = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert copies([changed], [rgb], expected - 1e-3).all()
    assert not copies([changed], [rgb], expected + 1e-3).any()


def test_images_of_one_even_color_are_not_copies():
    even = np.full((3, 40, 40, 3), 200, "uint8")
    assert not copies(even, even).any()


@pytest.mark.parametrize(
    "change",
    [lambda x: x / 255, lambda x: x[..., :1], lambda x: x[0], lambda x: x[..., 0]],
    ids=["floating point", "one channel", "one picture", "gray"],
)
def test_arrays_that_are_not_images_raise(pictures, change):
    for pair in ((change(pictures), pictures), (pictures, change(pictures))):
        with pytest.raises(ValueError, match="Images must be uint8 arrays of shape"):
            copies(*pair)


def test_copies_are_found_among_files(tmp_path, pictures):
    for i in range(3):
        Image.fromarray(pictures[i]).save(tmp_path / f"{i}.png")
    files = [tmp_path / f"{i}.png" for i in range(3)]
    assert copies(files[:2], files).all() and copies(pictures[1:3], files).all()
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        copies([tmp_path / "none.png"], files)
    for wrong in (files[0], str(files[0])):
        with pytest.raises(ValueError, match="Images must be an array or a list"):
            copies(wrong, files)
