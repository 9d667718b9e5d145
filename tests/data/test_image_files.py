import os
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorkit.data.image_files import (
    as_rgb,
    find_pictures,
    picture_size,
    read_picture,
    write_picture,
)


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (12, 20, 3), dtype="uint8")


def test_written_png_reads_back_the_same(tmp_path, rgb):
    path = tmp_path / "new" / "folder" / "picture.png"
    write_picture(path, rgb)
    np.testing.assert_array_equal(read_picture(path), rgb)
    assert [p.name for p in path.parent.iterdir()] == ["picture.png"]


@pytest.mark.parametrize("ending", [".jpg", ".JPEG", ".webp", ".tif", ".bmp"])
def test_other_formats_can_be_written(tmp_path, rgb, ending):
    path = tmp_path / f"picture{ending}"
    write_picture(path, np.full_like(rgb, 100))
    assert np.abs(read_picture(path).astype(int) - 100).max() <= 2


def test_jpeg_keeps_chroma_at_full_resolution(tmp_path):
    stripes = np.zeros((16, 16, 3), "uint8")
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 255
    write_picture(tmp_path / "stripes.jpg", stripes)
    assert np.abs(read_picture(tmp_path / "stripes.jpg").astype(int) - stripes).mean() < 5


def test_gray_palette_alpha_and_animation_are_read_as_rgb(tmp_path, rgb):
    picture = Image.fromarray(rgb)
    picture.convert("L").save(tmp_path / "gray.png")
    gray = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(read_picture(tmp_path / "gray.png"), np.stack([gray] * 3, -1))

    palette = picture.quantize(8)
    palette.save(tmp_path / "palette.png")
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_picture(tmp_path / "palette.png"), expected)

    alpha = np.zeros((*rgb.shape[:2], 1), "uint8")
    alpha[:6] = 255
    Image.fromarray(np.concatenate([rgb, alpha], -1)).save(tmp_path / "alpha.png")
    over_white = np.concatenate([rgb[:6], np.full_like(rgb[6:], 255)])
    np.testing.assert_array_equal(read_picture(tmp_path / "alpha.png"), over_white)

    frames = [Image.fromarray(frame) for frame in (rgb, 255 - rgb)]
    frames[0].save(tmp_path / "animated.png", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_picture(tmp_path / "animated.png"), rgb)
    frames[0].save(tmp_path / "animated.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "animated.gif").shape == rgb.shape


def test_transparent_palette_becomes_white(tmp_path):
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "palette.png", transparency=1)
    assert (read_picture(tmp_path / "palette.png") == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, orientation):
    picture = Image.new("RGB", (30, 10), "black")
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "rotated.jpg", exif=exif)
    size = (30, 10) if orientation >= 5 else (10, 30)
    assert read_picture(tmp_path / "rotated.jpg").shape[:2] == size
    assert picture_size(tmp_path / "rotated.jpg") == size


def test_sixteen_bit_gray_is_scaled_not_clipped(tmp_path):
    levels = np.linspace(0, 65535, 256).astype("uint16").reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    expected = np.round(levels / 257).astype(int)
    assert np.abs(read_picture(tmp_path / "deep.png")[..., 0] - expected).max() <= 1


def test_cmyk_is_converted(tmp_path, rgb):
    Image.fromarray(np.full_like(rgb, 80)).convert("CMYK").save(tmp_path / "print.jpg")
    assert np.abs(read_picture(tmp_path / "print.jpg").astype(int) - 80).max() < 10


def test_arrays_become_rgb(rgb):
    gray = rgb[..., 0]
    stacked = np.stack([gray] * 3, -1)
    for picture in (gray, gray[..., None], np.float32(gray / 255), gray.astype("uint16") * 257):
        np.testing.assert_array_equal(as_rgb(picture), stacked)
    np.testing.assert_array_equal(as_rgb(rgb), rgb)
    np.testing.assert_array_equal(as_rgb(Image.fromarray(rgb)), rgb)
    opaque = np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], -1)
    np.testing.assert_array_equal(as_rgb(opaque), rgb)


def test_arrays_keep_all_bits_on_demand(rng):
    deep = rng.integers(0, 65536, (5, 6, 3), dtype="uint16")
    np.testing.assert_array_equal(np.round(65535 * as_rgb(deep, deep=True)), deep)
    floats = rng.random((5, 6, 1))
    np.testing.assert_allclose(as_rgb(floats, deep=True)[..., :1], floats, atol=1e-7)
    for same in (np.uint8(deep >> 8), np.uint8(deep[..., :1] >> 8)):
        np.testing.assert_allclose(255 * as_rgb(same, deep=True), as_rgb(same), atol=1e-4)
    clear = np.zeros((5, 6, 4), "uint16")
    assert (as_rgb(clear, deep=True) == 1).all(), "on white"


def test_sixteen_bits_are_written_where_the_format_holds_them(tmp_path, rng):
    rgb = rng.integers(0, 65536, (31, 47, 3), dtype="uint16")
    for name in ("deep.png", "deep.tif", "deep.webp"):
        write_picture(tmp_path / name, rgb, {"dpi": (300, 300)})
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "deep.tif"), rgb)
    with Image.open(tmp_path / "deep.png") as image:  # Pillow reads the first eight bits
        np.testing.assert_array_equal(np.asarray(image), rgb >> 8)
    with Image.open(tmp_path / "deep.webp") as image:
        assert image.size == (47, 31)
    assert (tmp_path / "deep.png").read_bytes()[24] == 16
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "deep.png")) as container:
        frame = next(container.decode(video=0))
        np.testing.assert_array_equal(frame.to_ndarray(format="rgb48be"), rgb)


def test_large_image_of_sixteen_bits_is_written(tmp_path):
    """Pillow divides such an image into many chunks."""
    rgb = np.random.default_rng(0).integers(0, 65536, (400, 500, 3), dtype="uint16")
    write_picture(tmp_path / "deep.png", rgb)
    with Image.open(tmp_path / "deep.png") as image:
        np.testing.assert_array_equal(np.asarray(image), rgb >> 8)


@pytest.mark.parametrize(
    "array, message",
    [
        (np.zeros((4, 5, 2), "uint8"), r"\(4, 5, 2\)"),
        (np.zeros((0, 5, 3), "uint8"), r"\(0, 5, 3\)"),
        (np.zeros(5, "uint8"), r"\(5, 1\)|\(5,\)"),
        (np.zeros((4, 5, 3), "int64"), "int64"),
        (np.full((4, 5, 3), 100.0), r"\[0, 1\]"),
        (np.full((4, 5, 3), np.nan), r"\[0, 1\]"),
    ],
)
def test_arrays_of_another_shape_type_or_range_raise(array, message):
    with pytest.raises(ValueError, match=message):
        as_rgb(array)


def test_unreadable_files_raise_with_name_and_reason(tmp_path, rgb):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_picture(tmp_path / "missing.png")
    with pytest.raises(FileNotFoundError, match="a folder"):
        read_picture(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(FileNotFoundError, match="not a regular file"):
        read_picture(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty\.png is empty"):
        read_picture(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"text\.png is not an image"):
        read_picture(tmp_path / "text.png")
    for name in ("whole.jpg", "whole.png"):
        Image.fromarray(np.tile(rgb, (20, 20, 1))).save(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        cut = tmp_path / f"cut-{name}"
        cut.write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match=f"{name} is damaged"):
            read_picture(cut)
    Image.new("F", (4, 4)).save(tmp_path / "float.tif")
    with pytest.raises(ValueError, match="no fixed range"):
        read_picture(tmp_path / "float.tif")


@pytest.mark.parametrize(
    "name", ["n" * 251 + ".png", "\u00e9" * 125 + ".jpeg", "n" * 246 + ".webp"]
)
def test_longest_names_of_files_can_be_written(tmp_path, rgb, name):
    write_picture(tmp_path / name, rgb)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_image_with_too_many_pixels_says_what_to_do(tmp_path, rgb, monkeypatch):
    write_picture(tmp_path / "large.png", rgb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match=r"large\.png has more than .* Reduce it first, or set"):
        read_picture(tmp_path / "large.png")


def test_heif_without_its_package_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "phone.HEIC").write_bytes(b"content")
    with pytest.raises(ValueError, match="pip install pillow-heif"):
        read_picture(tmp_path / "phone.HEIC")


def test_unknown_ending_raises_before_anything_is_written(tmp_path, rgb):
    for name in ("picture.txt", "picture"):
        with pytest.raises(ValueError, match="must end in"):
            write_picture(tmp_path / "new" / name, rgb)
    assert not list(tmp_path.iterdir())


def test_failed_write_keeps_the_old_file(tmp_path, rgb, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"before")

    def fail(self, target, **options):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        write_picture(path, rgb)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


def test_images_in_subfolders_are_found_in_order(tmp_path, rgb):
    for name in ("b.png", "a.JPG", "sub/c.png", ".hidden.png", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rgb).save(path, format="PNG")
    found = [str(path.relative_to(tmp_path)) for path in find_pictures(tmp_path)]
    assert found == ["a.JPG", "b.png", "sub/c.png"]
    with pytest.raises(ValueError, match="holds no images"):
        (tmp_path / "none").mkdir()
        find_pictures(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="folder of images"):
        find_pictures(tmp_path / "missing")
