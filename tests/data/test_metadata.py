import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from colorkit.data.image_files import read_picture, write_picture
from colorkit.data.metadata import read_metadata

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" dc:title="Riga"/></x:xmpmeta>'
WRITTEN = [".jpg", ".png", ".tif", ".webp"]


def described():
    exif = Image.Exif()
    exif[0x010E], exif[0x0132] = "Grandma, Riga", "1958:06:01 12:00:00"
    exif[0x013B], exif[0x8298] = "A. Photographer", "(c) 1958"
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "1958:06:01 12:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


@pytest.fixture(params=[".jpg", ".png", ".tif"])
def source(request, tmp_path):
    path = tmp_path / f"source{request.param}"
    exif = described()
    if request.param == ".tif":  # which Pillow writes only with the directories in their tags
        for tag in (0x8769, 0x8825):
            exif[tag] = exif.get_ifd(tag)
    image = Image.fromarray(np.tile(np.arange(60, dtype="uint8"), (40, 1)))
    image.save(path, exif=exif, dpi=(600, 600))
    return path


@pytest.mark.parametrize("ending", WRITTEN)
def test_descriptions_reach_every_format_and_orientation_does_not(tmp_path, source, ending):
    target = tmp_path / f"colored{ending}"
    rgb = read_picture(source)
    assert rgb.shape == (60, 40, 3), "it was turned upright"
    write_picture(target, rgb, read_metadata(source, "colorized by colorkit"))
    assert read_picture(target).shape == rgb.shape
    with Image.open(target) as image:
        exif = image.getexif()
        assert exif[0x010E] == "Grandma, Riga" and exif[0x0132].startswith("1958:06:01")
        assert exif[0x013B] == "A. Photographer" and exif[0x8298] == "(c) 1958"
        assert exif.get(0x0112, 1) == 1
        assert exif[0x0131] == "colorized by colorkit"
        assert exif.get_ifd(0x8769)[0x9003].startswith("1958:06:01")
        assert exif.get_ifd(0x8825)[1] == "N"
        if ending != ".webp":  # which has no resolution
            assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)


def test_descriptions_reach_tiff_of_sixteen_bits(tmp_path, source):
    target = tmp_path / "colored.tif"
    rgb = np.uint16(257) * read_picture(source)
    write_picture(target, rgb, read_metadata(source, "colorized by colorkit"))
    with Image.open(target) as image:
        exif = image.getexif()
        assert exif[0x010E] == "Grandma, Riga" and exif[0x0132].startswith("1958:06:01")
        assert exif[0x013B] == "A. Photographer" and exif[0x8298] == "(c) 1958"
        assert exif.get(0x0112, 1) == 1 and exif[0x0131] == "colorized by colorkit"
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("ending", WRITTEN)
def test_xmp_and_comment_are_kept(tmp_path, ending, dtype):
    source, target = tmp_path / "source.jpg", tmp_path / f"colored{ending}"
    Image.new("L", (8, 8), 99).save(source, xmp=XMP, comment=b"note")
    write_picture(target, read_picture(source).astype(dtype), read_metadata(source))
    with Image.open(target) as image:
        xmp = image.info.get("xmp") or image.getexif().get(700)
        assert b'dc:title="Riga"' in xmp and b'Orientation="1"' in xmp
        comment = image.info.get("comment") or image.info.get("Comment")
        comment = comment or image.getexif().get(0x010E)
        if ending != ".webp":
            assert comment in (b"note", "note")


def test_thumbnail_of_the_gray_image_is_dropped(tmp_path):
    thumbnail = Image.new("L", (8, 8), 50)
    exif = described()
    thumbnail.save(tmp_path / "small.jpg")
    content = (tmp_path / "small.jpg").read_bytes()
    exif.get_ifd(1).update({0x0103: 6, 0x0201: 400, 0x0202: len(content)})
    image = Image.new("L", (8, 8), 99)
    image.save(tmp_path / "source.jpg", exif=exif)
    found = read_metadata(tmp_path / "source.jpg")
    write_picture(tmp_path / "colored.jpg", read_picture(tmp_path / "source.jpg"), found)
    with Image.open(tmp_path / "colored.jpg") as image:
        assert not image.getexif().get_ifd(1)


def test_images_without_metadata_get_none(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "bare.png")
    assert read_metadata(tmp_path / "bare.png") == read_metadata(tmp_path / "none.png") == {}
    write_picture(tmp_path / "plain.bmp", np.zeros((4, 4, 3), "uint8"), metadata={"dpi": (9, 9)})


@pytest.mark.parametrize("name", ["xmp", "comment", "exif"])
def test_metadata_too_long_for_jpeg_are_left_out(tmp_path, name):
    exif = described()
    found = {"xmp": XMP, "comment": b"note", "exif": exif}
    if name == "exif":
        exif[0x010E] = "x" * 70_000
    else:
        found[name] = b"x" * 70_000
    write_picture(tmp_path / "a.jpg", np.zeros((4, 4, 3), "uint8"), metadata=found)
    with Image.open(tmp_path / "a.jpg") as image:
        kept = {key for key in ("xmp", "comment", "exif") if image.info.get(key)}
    assert kept == {"xmp", "comment", "exif"} - {name}


@pytest.mark.parametrize("ending", WRITTEN)
def test_texts_of_png_files_are_kept(tmp_path, ending):
    texts = PngImagePlugin.PngInfo()
    for name, text in {"Title": "Riga", "Author": "A. Photographer", "Copyright": "1958"}.items():
        texts.add_text(name, text)
    texts.add_itxt("Creation Time", "1 Jun 1958")
    Image.new("L", (9, 9)).save(tmp_path / "source.png", pnginfo=texts)
    target = tmp_path / f"colored{ending}"
    rgb = read_picture(tmp_path / "source.png")
    write_picture(target, rgb, read_metadata(tmp_path / "source.png"))
    with Image.open(target) as image:
        exif = image.getexif()
        assert [exif[tag] for tag in (0x010E, 0x013B, 0x8298)] == [
            "Riga",
            "A. Photographer",
            "1958",
        ]
        if ending == ".png":
            assert image.text["Creation Time"] == "1 Jun 1958"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "deep.tif"])
def test_names_with_accents_are_kept_in_every_format(tmp_path, name):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Description", "Müller am See")
    Image.new("L", (8, 8)).save(tmp_path / "old.png", pnginfo=text)
    rgb = np.zeros((8, 8, 3), "uint16" if name == "deep.tif" else "uint8")
    write_picture(tmp_path / name, rgb, read_metadata(tmp_path / "old.png", "colorkit"))
    with Image.open(tmp_path / name) as image:
        kept = image.getexif()[0x010E]
    assert kept.encode("latin-1").decode() == "Müller am See"  # Pillow decodes it as Latin-1


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("ending", WRITTEN)
def test_names_with_accents_are_kept_in_the_exif_directory(tmp_path, ending, encoding):
    owner, given = 0xA430, "José Muñoz".encode(encoding)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[owner] = "x" * len(given)  # Pillow itself writes only ASCII
    exif.get_ifd(0x8769)[0x9003] = "1958:06:01 12:00:00"
    Image.new("L", (8, 8)).save(tmp_path / "old.jpg", exif=exif)
    written = (tmp_path / "old.jpg").read_bytes().replace(b"x" * len(given), given)
    (tmp_path / "old.jpg").write_bytes(written)
    path = tmp_path / f"new{ending}"
    write_picture(path, np.zeros((8, 8, 3), "uint8"), read_metadata(tmp_path / "old.jpg"))
    with Image.open(path) as image:
        kept = image.getexif().get_ifd(0x8769)
    assert kept[owner].encode("latin-1") == given  # text, not bytes, for other programs too
    assert kept[0x9003] == "1958:06:01 12:00:00"


def test_metadata_can_be_written_several_times(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "a lake"
    found = {"exif": exif, "xmp": b"x" * 66_000}
    for name in ("a.tif", "a.jpg"):
        write_picture(tmp_path / name, np.zeros((8, 8, 3), "uint8"), found)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif()[0x010E] == "a lake"
