"""Formats of samples, color profiles, transparency and pages, against closed forms."""

import struct
import zlib

import numpy as np
import PIL
import pytest
import tifffile
from PIL import Image

from colorkit.data.image_files import picture_size, read_picture

RAMP = np.tile(np.arange(256, dtype="uint8"), (4, 1))
DEEP = RAMP.astype("uint16") * 257
WHITE = (0.9642, 1.0, 0.8249)  # D50, the white of profiles


def fixed(x):
    return struct.pack(">i", round(x * 65536))


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def profile(space, tags):
    """A color profile as the ICC specification lays it out."""
    name = b"test\0"
    tags = {
        "desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78,
        "cprt": b"text\0\0\0\0none\0",
        "wtpt": xyz(WHITE),
        **tags,
    }
    body, table = b"", b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name.encode() + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data
    size = 132 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += b"".join(map(fixed, WHITE))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def gray_profile(gamma):
    return profile(b"GRAY", {"kTRC": curve(gamma)})


def rgb_profile(gamma):
    """A profile with the primaries of ProPhoto RGB."""
    columns = {"r": (0.7977, 0.2880, 0), "g": (0.1352, 0.7119, 0), "b": (0.0313, 0.0001, 0.8249)}
    return profile(
        b"RGB ",
        {f"{name}XYZ": xyz(values) for name, values in columns.items()}
        | {f"{name}TRC": curve(gamma) for name in columns},
    )


def encoded(gamma):
    """What sRGB has for each level of a gray ramp of a given gamma."""
    light = (np.arange(256) / 255) ** gamma
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return 255 * srgb


def assert_gray(path, expected, tolerance=1.0):
    rgb = read_picture(path).astype(float)
    assert rgb.shape == (4, 256, 3)
    assert np.abs(rgb - np.asarray(expected)[:, None]).max() <= tolerance


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.6])
@pytest.mark.parametrize(
    ("image", "name"),
    [
        (Image.fromarray(RAMP), "l.png"),
        (Image.fromarray(RAMP), "l.tif"),
        (Image.fromarray(RAMP), "l.webp"),
        (Image.fromarray(DEEP), "deep.png"),
        (Image.fromarray(DEEP), "deep.tif"),
        (Image.fromarray(RAMP).convert("LA"), "la.png"),
        (Image.fromarray(RAMP).convert("LA"), "la.tif"),
    ],
)
def test_gray_profile_is_applied(tmp_path, image, name, gamma):
    options = {"lossless": True} if name.endswith("webp") else {}
    image.save(tmp_path / name, icc_profile=gray_profile(gamma), **options)
    # WebP stores gray as RGB, which a gray profile does not fit.
    expected = np.arange(256) if name.endswith("webp") else encoded(gamma)
    assert_gray(tmp_path / name, expected)


def test_gray_profile_gives_the_lightness_that_its_gamma_means(tmp_path):
    for gamma, lightness in ((1.8, 60.6), (1.0, 76.2)):
        image = Image.new("L", (2, 2), 128)
        image.save(tmp_path / "gray.png", icc_profile=gray_profile(gamma))
        level = read_picture(tmp_path / "gray.png")[0, 0, 0] / 255
        light = ((level + 0.055) / 1.055) ** 2.4
        assert 116 * light ** (1 / 3) - 16 == pytest.approx(lightness, abs=0.3)


@pytest.mark.parametrize("gamma", [1.8, 2.4])
@pytest.mark.parametrize(
    ("mode", "name", "options"),
    [
        ("RGB", "rgb.png", {}),
        ("RGB", "rgb.tif", {}),
        ("RGBA", "rgba.png", {}),
        ("RGBA", "rgba.webp", {"lossless": True}),
        ("RGBA", "rgba.tif", {}),
        ("P", "palette.png", {}),
        ("P", "palette.tif", {}),
        ("RGB", "key.png", {"transparency": (1, 2, 3)}),
        ("L", "gray.png", {}),
        ("L", "gray.tif", {}),
        ("LA", "la.png", {}),
    ],
)
def test_rgb_profile_is_applied_in_every_mode(tmp_path, mode, name, options, gamma):
    image = Image.fromarray(RAMP).convert("RGB")
    image = image.quantize(256) if mode == "P" else image.convert(mode)
    image.save(tmp_path / name, icc_profile=rgb_profile(gamma), **options)
    assert_gray(tmp_path / name, encoded(gamma), tolerance=1.6)


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="Pillow 13 first reads this")
def test_profile_of_ycbcr_tiff_is_applied(tmp_path):
    image = Image.fromarray(RAMP).convert("YCbCr")
    image.save(tmp_path / "ycbcr.tif", icc_profile=rgb_profile(1.8))
    assert_gray(tmp_path / "ycbcr.tif", encoded(1.8), tolerance=2)


def test_profile_that_is_damaged_or_of_another_space_is_ignored(tmp_path):
    image = Image.fromarray(RAMP)
    for content in (b"no profile", gray_profile(1.8)[:200]):
        image.save(tmp_path / "gray.png", icc_profile=content)
        assert_gray(tmp_path / "gray.png", np.arange(256))
    image.convert("RGB").save(tmp_path / "rgb.png", icc_profile=gray_profile(1.8))
    assert_gray(tmp_path / "rgb.png", np.arange(256))


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_gray_tiff_is_scaled_by_the_range_of_its_type(tmp_path, dtype, photometric, order):
    most = np.iinfo(dtype).max
    samples = (RAMP / 255.0 * most).round().astype(dtype)
    if photometric == "miniswhite":
        samples = most - samples
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, samples, photometric=photometric, byteorder=order)
    assert_gray(path, np.arange(256))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("alpha", [None, "unassalpha", "assocalpha"])
def test_deep_rgb_tiff_is_read_in_every_layout(tmp_path, planar, alpha):
    samples = np.stack([DEEP, DEEP[:, ::-1], DEEP // 2], axis=-1)
    opacity = np.full_like(DEEP, 65535)
    opacity[2:] = 0
    if alpha is not None:
        color = np.where(opacity[..., None] > 0, samples, 0) if alpha == "assocalpha" else samples
        samples = np.concatenate([color, opacity[..., None]], axis=-1)
    path = tmp_path / "deep.tif"
    tifffile.imwrite(
        path,
        np.moveaxis(samples, -1, 0) if planar == "separate" else samples,
        photometric="rgb",
        planarconfig=planar,
        extrasamples=alpha and [alpha],
    )
    rgb = read_picture(path)
    expected = np.stack([RAMP, RAMP[:, ::-1], DEEP // 2 // 257], axis=-1)
    np.testing.assert_allclose(rgb[:2], expected[:2], atol=1)
    if alpha is not None:
        assert (rgb[2:] == 255).all(), "transparent parts are white"


def test_deep_gray_with_alpha_is_read(tmp_path):
    samples = np.stack([DEEP, np.full_like(DEEP, 65535)], axis=-1)
    path = tmp_path / "deep.tif"
    options = {"photometric": "minisblack", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(path, samples, planarconfig="contig", **options)
    assert_gray(path, np.arange(256))


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_deep_tiff_is_read(tmp_path, compression):
    Image.fromarray(DEEP).save(tmp_path / "deep.tif", compression=compression)
    assert_gray(tmp_path / "deep.tif", np.arange(256))


@pytest.mark.parametrize("dtype", ["int8", "int16", "float16", "float32"])
def test_samples_without_a_fixed_range_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "signed.tif", RAMP.astype(dtype), photometric="minisblack")
    with pytest.raises(ValueError, match=r"signed\.tif.* no fixed range; save them with 8 or 16"):
        read_picture(tmp_path / "signed.tif")


def test_transparency_of_deep_gray_png_becomes_white(tmp_path):
    image = Image.fromarray(DEEP)
    image.save(tmp_path / "key.png", transparency=int(DEEP[0, 100]))
    rgb = read_picture(tmp_path / "key.png")
    assert (rgb[:, 100] == 255).all() and (rgb[:, 101] == 101).all()


@pytest.mark.parametrize("sizes", [((8, 6), (64, 48)), ((64, 48), (8, 6)), ((9, 9), (10, 9))])
def test_largest_page_is_read_with_a_warning(tmp_path, sizes):
    pages = [Image.new("L", size, 50 * (i + 1)) for i, size in enumerate(sizes)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    number = int(np.argmax([width * height for width, height in sizes]))
    with pytest.warns(UserWarning, match=rf"has 2 pages\. Page {number + 1}, the largest"):
        rgb = read_picture(tmp_path / "pages.tif")
    assert rgb.shape[:2] == sizes[number][::-1] and (rgb == 50 * (number + 1)).all()


@pytest.mark.parametrize("orientation", [0, 1, 3, 6, 8, 9, 255])
@pytest.mark.parametrize("name", ["turned.jpg", "turned.tif", "turned.png"])
def test_size_is_that_of_the_pixels(tmp_path, orientation, name):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (20, 12), 90).save(tmp_path / name, exif=exif)
    path = tmp_path / name
    assert picture_size(path) == read_picture(path).shape[:2]


def test_size_of_a_turned_deep_tiff_is_that_of_the_pixels(tmp_path):
    path = tmp_path / "turned.tif"
    tifffile.imwrite(path, DEEP, photometric="minisblack", extratags=[(274, 3, 1, 6, True)])
    assert picture_size(path) == read_picture(path).shape[:2] == (256, 4)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotated_tiff_has_the_pixels_of_the_rotated_png(tmp_path, mode, orientation):
    image = Image.fromarray(RAMP[:, :20] * 12).convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.tif", exif=exif)
    image.convert("RGB").save(tmp_path / "turned.png", exif=exif)
    rgb, expected = (read_picture(tmp_path / f"turned.{end}") for end in ("tif", "png"))
    np.testing.assert_array_equal(rgb, expected)


FINE = np.linspace(0, 65535, 4 * 1024).astype("uint16").reshape(4, 1024)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
@pytest.mark.parametrize("gamma", [None, 1.0, 1.8, 2.6])
def test_all_bits_of_gray_are_kept_on_demand(tmp_path, name, gamma):
    options = {} if gamma is None else {"icc_profile": gray_profile(gamma)}
    Image.fromarray(FINE).save(tmp_path / name, **options)
    light = (FINE / 65535.0) ** (gamma or 1)
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    rgb = read_picture(tmp_path / name, deep=True)
    assert rgb.dtype == np.float32 and rgb.shape == (4, 1024, 3)
    tolerance = 1e-6 if gamma is None else 0.3 / 255  # of a table of 8 bits
    expected = FINE / 65535 if gamma is None else expected
    np.testing.assert_allclose(rgb, np.stack([expected] * 3, -1), atol=tolerance)
    assert (np.diff(rgb[..., 1].ravel()) >= 0).all() and len(np.unique(rgb)) > 3000


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("photometric", ["rgb", "minisblack"])
def test_all_bits_of_tiff_are_turned_upright(tmp_path, rng, photometric, orientation):
    shape = (6, 9, 3) if photometric == "rgb" else (6, 9)
    samples, path = rng.integers(0, 65536, shape, dtype="uint16"), tmp_path / "turned.tif"
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(path, samples, photometric=photometric, extratags=tags)
    rgb = read_picture(path, deep=True)
    np.testing.assert_array_equal(np.uint8(255 * rgb + 0.5), read_picture(path))
    assert np.isin(np.round(65535 * rgb), samples).all()


@pytest.mark.parametrize("name", ["rgb.png", "rgb.jpg", "profile.tif", "alpha.tif"])
def test_other_images_have_the_same_eight_bits_on_demand(tmp_path, rng, name):
    path = tmp_path / name
    if name == "alpha.tif":
        samples = rng.integers(0, 65536, (6, 9, 4), dtype="uint16")
        tifffile.imwrite(path, samples, photometric="rgb", extrasamples=["unassalpha"])
    else:
        options = {"icc_profile": rgb_profile(1.8)} if name == "profile.tif" else {}
        Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype="uint8")).save(path, **options)
    np.testing.assert_array_equal(
        read_picture(path, deep=True), np.float32(read_picture(path) / 255)
    )


def test_page_that_is_its_own_next_page_is_read_once(tmp_path):
    path = tmp_path / "loop.tif"
    tifffile.imwrite(path, RAMP, photometric="minisblack", metadata=None)
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * entries, first)
    path.write_bytes(content)
    np.testing.assert_array_equal(read_picture(path)[..., 0], RAMP)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_image_below_the_page_of_its_thumbnail_is_read(tmp_path, dtype):
    path = tmp_path / "raw.tif"
    image = RAMP if dtype == "uint8" else DEEP
    with tifffile.TiffWriter(path) as file:
        file.write(image[:2, :8], subifds=1, subfiletype=1, photometric="minisblack")
        file.write(image, photometric="minisblack")
    with pytest.warns(UserWarning, match="has 2 pages"):
        np.testing.assert_array_equal(read_picture(path)[..., 0], RAMP)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_volume_is_refused(tmp_path, dtype):
    slices = np.zeros((3, 32, 32), dtype)
    tifffile.imwrite(
        tmp_path / "volume.tif", slices, photometric="minisblack", volumetric=True, tile=(1, 16, 16)
    )
    with pytest.raises(ValueError, match=r"volume\.tif .*a volume of 3 slices; save one"):
        read_picture(tmp_path / "volume.tif")


def test_profile_of_the_first_page_is_not_that_of_the_second(tmp_path):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(RAMP[:2], photometric="minisblack", iccprofile=gray_profile(1.0))
        file.write(RAMP, photometric="minisblack")
    with pytest.warns(UserWarning, match="Page 2"):
        np.testing.assert_array_equal(read_picture(path)[..., 0], RAMP)


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "minisblack", "planarconfig": "separate", "extrasamples": ["unassalpha"]},
        {"photometric": "miniswhite", "extrasamples": ["unassalpha"]},
        {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"},
        {"photometric": "rgb", "bigtiff": True, "byteorder": ">"},
    ],
    ids=["planar", "white-is-zero", "big-endian gray", "big-endian rgb"],
)
def test_layouts_of_eight_bits_that_pillow_lacks_are_read(tmp_path, options):
    path, samples = tmp_path / "layout.tif", RAMP
    if options["photometric"] == "miniswhite":
        samples = 255 - samples
    if options["photometric"] == "rgb":
        samples = np.repeat(samples[..., None], 3, axis=-1)
    if "extrasamples" in options:
        axis = 0 if "planarconfig" in options else -1
        samples = np.stack([samples, np.full_like(RAMP, 255)], axis=axis)
    tifffile.imwrite(path, samples, **options)
    np.testing.assert_array_equal(read_picture(path)[..., 0], RAMP)


def test_gray_profile_of_deep_gray_with_alpha_is_applied(tmp_path):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    samples = np.stack([DEEP, np.full_like(DEEP, 65535)], axis=-1).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", 256, 4, 16, 4, 0, 0, 0)
    icc = b"gray\0\0" + zlib.compress(gray_profile(1.0))
    path = tmp_path / "gray.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"iCCP", icc)
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip
    Image.fromarray(RAMP).save(tmp_path / "same.png", icc_profile=gray_profile(1.0))
    difference = np.int16(read_picture(path)) - read_picture(tmp_path / "same.png")
    assert abs(difference).max() <= 1
