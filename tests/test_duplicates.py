import io

import numpy as np
from PIL import Image

from colorkit.duplicates import copies


def _again(rgb, side, quality):
    file = io.BytesIO()
    Image.fromarray(rgb).resize((side, side)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_copies_are_found_whatever_their_size_and_coding(pictures):
    images = [np.asarray(Image.fromarray(p).resize((128, 128))) for p in pictures[:6]]
    again = [_again(images[i], side, quality) for i, side, quality in ((4, 96, 90), (1, 160, 80))]
    assert copies(again, images).all()
    assert np.flatnonzero(copies(images, again)).tolist() == [1, 4]
    assert copies(images, images).all()


def test_other_pictures_are_no_copies(pictures):
    assert not copies(pictures[:8], pictures[8:16]).any()
    assert not copies(pictures[:8, :, ::-1], pictures[:8]).any()  # mirrored


def test_even_pictures_are_copies_of_nothing():
    even = np.full((3, 40, 40, 3), 200, "uint8")
    assert not copies(even, even).any()
