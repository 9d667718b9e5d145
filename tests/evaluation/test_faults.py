"""Planted faults: each is found, and a good coloring has none."""

import io

import numpy as np
import pandas as pd
import pytest
import skimage.color
import skimage.data
from PIL import Image

from colorkit import LAB
from colorkit.evaluation.faults import evidence, find_faults, has_half_chroma


@pytest.fixture(scope="module")
def truths():
    """Parts of photographs."""
    photos = skimage.data.astronaut(), skimage.data.coffee(), skimage.data.cat()
    places = [(20, 40), (90, 150), (200, 250)]
    return [photo[y : y + 96, x : x + 96] for photo in photos for y, x in places]


def eight_bit(rgb):
    return np.uint8(np.asarray(rgb) * 255 + 0.5)


def recolored(rgb, change, gray=None):
    """Change the chroma of an image, at the lightness of itself or of another gray."""
    lightness, chroma = map(np.asarray, LAB.split(rgb))
    lightness = lightness if gray is None else skimage.color.rgb2lab(gray)[..., :1]
    return eight_bit(LAB.merge(np.float32(lightness), np.float32(change(chroma))))


def good(rgb):
    """Colors of a colorizer that is right in part: weaker, and with errors in every region."""
    error = np.random.default_rng(rgb[0, 0, 0]).normal(0, 4, (6, 6, 2)).repeat(16, 0).repeat(16, 1)
    return recolored(rgb, lambda chroma: 0.8 * chroma + error)


def channel(rgb, index):
    return rgb[..., [index] * 3]


def jpeg(rgb, **options):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", **options)
    return np.asarray(Image.open(file))


def resized(rgb):
    return np.asarray(Image.fromarray(rgb).resize((32, 32)).resize((96, 96)))


def luma(rgb):
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


FAULTS = {
    "written as BGR": (lambda rgb: good(rgb)[..., ::-1], "swapped_channels"),
    "truth read as BGR": (lambda rgb: good(rgb[..., ::-1]), "swapped_channels"),
    "channels of chroma only": (
        lambda rgb: recolored(good(rgb)[..., ::-1], lambda chroma: chroma, rgb),
        "swapped_channels",
    ),
    "red channel as gray": (lambda rgb: channel(rgb, 0), "single_channel"),
    "blue channel as gray": (lambda rgb: channel(rgb, 2), "single_channel"),
    "luma instead of L": (lambda rgb: recolored(good(rgb), lambda x: x, luma(rgb)), "luma"),
    "chroma in [-1, 1]": (lambda rgb: recolored(rgb, lambda x: x / 110), "no_color"),
    "chroma too small": (lambda rgb: recolored(good(rgb), lambda x: x / 2), "chroma_scale"),
    "chroma too large": (
        lambda rgb: eight_bit(LAB.merge(LAB.split(rgb)[0], 3 * LAB.split(rgb)[1])),
        "chroma_scale",
    ),
    "a and b swapped": (lambda rgb: recolored(good(rgb), lambda x: x[..., ::-1]), "wrong_axes"),
    "signs changed": (lambda rgb: recolored(good(rgb), lambda x: -x), "wrong_axes"),
    "offset": (lambda rgb: recolored(good(rgb), lambda x: x + np.array([0, -25])), "cast"),
    "one color": (lambda rgb: recolored(rgb, lambda x: 0 * x + np.array([6, 12])), "one_color"),
    "copies": (lambda rgb: rgb, "copies"),
    "copies as JPEG": (lambda rgb: jpeg(rgb, quality=95, subsampling=0), "copies"),
    "values in [0, 1]": (lambda rgb: good(rgb) // 255, "range"),
    "enlarged": (lambda rgb: resized(good(rgb)), "blurred"),
    "compressed": (lambda rgb: jpeg(good(rgb), quality=40), "compressed"),
    "darker": (lambda rgb: np.uint8(0.6 * good(rgb) + 60), "rescaled"),
    "clipped": (
        lambda rgb: np.uint8(np.clip(2.0 * (np.float32(good(rgb)) - 128) + 128, 0, 255)),
        "clipped",
    ),
}


def found(truths, colored):
    table = [evidence(*pair) for pair in zip(truths, colored, strict=True)]
    return find_faults(pd.DataFrame(table))


@pytest.mark.parametrize("kind", FAULTS)
def test_planted_fault_is_found(truths, kind):
    change, name = FAULTS[kind]
    assert name in found(truths, [change(rgb) for rgb in truths])


def test_good_coloring_has_no_fault(truths):
    assert found(truths, [good(rgb) for rgb in truths]) == {}


def test_coloring_at_random_is_bad_but_has_no_planted_fault(truths):
    others = [truths[i - 3] for i in range(len(truths))]
    colored = [
        recolored(other, lambda x: x, rgb) for rgb, other in zip(truths, others, strict=True)
    ]
    assert not {"swapped_channels", "copies", "single_channel", "no_color"} & {
        *found(truths, colored)
    }


def test_gray_truth_is_counted(truths):
    gray = [luma(rgb) for rgb in truths[:3]] + truths[3:]
    faults = found(gray, [good(rgb) for rgb in gray])
    assert faults["gray_truth"].startswith(f"3 of {len(truths)} ")


def test_only_jpeg_with_chroma_at_half_the_resolution_is_named(tmp_path, truths):
    image = Image.fromarray(truths[0])
    image.save(tmp_path / "half.jpg", quality=95)
    image.save(tmp_path / "full.jpg", quality=95, subsampling=0)
    image.save(tmp_path / "lossless.png")
    names = ("half.jpg", "full.jpg", "lossless.png", "missing.jpg")
    assert [has_half_chroma(tmp_path / name) for name in names] == [True, False, False, False]
