"""Carry the metadata of an image file over to the colored one."""

import copy
import re

from PIL import Image, PngImagePlugin

_SOFTWARE, _DESCRIPTION = 0x0131, 0x010E
# Tags of the first directory that describe the photograph: description, maker, model, software,
# date, artist, copyright. Others, such as the orientation, describe the old file.
_KEPT = (_DESCRIPTION, 0x010F, 0x0110, _SOFTWARE, 0x0132, 0x013B, 0x8298)
_SUBDIRECTORIES = (0x8769, 0x8825)  # Exif (date, exposure) and GPS
_OF_OLD_FILE = (0xA002, 0xA003, 0xA005)  # width, height, and interoperability
_XMP = 700
# Text of PNG files that has a tag in Exif.
_TEXTS = {"Description": _DESCRIPTION, "Title": _DESCRIPTION, "Author": 0x013B, "Copyright": 0x8298}
_JPEG_BYTES = 65_000


def read_metadata(source, software=None):
    """Read Exif, XMP, resolution and comment of an image file, without orientation and thumbnail.

    The result is a dict for `write_picture`, empty if the file has none that can be read.
    `software` is a text to add to the software tag, or `None`.
    """
    try:
        with Image.open(source) as image:
            return _metadata(image, software)
    except Exception:  # metadata must never prevent the coloring of an image
        return {}


def _metadata(image, software):
    before, exif = image.getexif(), Image.Exif()
    for tag in _KEPT:
        if tag in before:
            exif[tag] = _encoded(before[tag], "latin-1")  # as Pillow decodes it
    for tag in _SUBDIRECTORIES:
        entries = {k: v for k, v in before.get_ifd(tag).items() if k not in _OF_OLD_FILE}
        entries = {k: _Text(v) if isinstance(v, str) else v for k, v in entries.items()}
        if entries:
            exif.get_ifd(tag).update(entries)
            exif[tag] = exif.get_ifd(tag)
    texts = getattr(image, "text", {})  # of PNG files
    texts = {name: str(texts[name]) for name in (*_TEXTS, "Creation Time") if name in texts}
    for name, tag in _TEXTS.items():
        if name in texts and tag not in exif:
            exif[tag] = _encoded(texts[name])
    if software is not None:
        known = [exif[_SOFTWARE]] if _SOFTWARE in exif else []
        exif[_SOFTWARE] = b"; ".join([*known, software.encode()])
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or before.get(_XMP)
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if isinstance(xmp, bytes):
        xmp = re.sub(rb"(tiff:Orientation\W+)[2-8]", rb"\g<1>1", xmp)
    found = {
        "exif": exif if len(exif) else None,
        "xmp": xmp,
        "dpi": image.info.get("dpi"),
        "comment": image.info.get("comment") or image.info.get("Comment"),
        "texts": texts,
    }
    return {name: value for name, value in found.items() if value}


class _Text(str):
    """Text that Pillow writes as it has read it; of bytes it would not know that they are text."""

    def encode(self, encoding="utf-8", errors="strict"):
        return super().encode("latin-1", "replace")


def _encoded(text, encoding="utf-8"):
    """Return text as bytes: Pillow would write "?" for all but ASCII, and tifffile would fail."""
    return text if isinstance(text, bytes) else str(text).encode(encoding, "replace")


def save_options(found, picture_format):
    """Return metadata as options of Pillow's `save` for a format."""
    if picture_format == "JPEG":  # which holds no more than 64 kB of each
        sizes = {"exif": lambda exif: len(exif.tobytes()), "dpi": lambda dpi: 0}
        held = {name: value for name, value in found.items() if name != "texts"}
        return {k: v for k, v in held.items() if sizes.get(k, len)(v) < _JPEG_BYTES}
    options = {name: found[name] for name in ("exif", "dpi") if name in found}
    comment = found.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", errors="replace")
    if picture_format == "WEBP":
        return {name: found[name] for name in ("exif", "xmp") if name in found}
    if picture_format == "PNG":
        text = PngImagePlugin.PngInfo()
        for name, value in found.get("texts", {}).items():
            text.add_itxt(name, value)
        if comment:
            text.add_itxt("Comment", comment)
        if "xmp" in found:
            text.add_itxt("XML:com.adobe.xmp", found["xmp"].decode("utf-8", errors="replace"))
        return {**options, "pnginfo": text}
    if picture_format == "TIFF":
        exif = copy.deepcopy(options.get("exif", Image.Exif()))  # that of others stays
        if comment and _DESCRIPTION not in exif:
            exif[_DESCRIPTION] = comment.encode()
        if "xmp" in found:
            exif[_XMP] = found["xmp"]
        return {**options, "exif": exif} if len(exif) else options
    return {}


def deep_tiff_options(found):
    """Return metadata as options of `tifffile.imwrite`: descriptions, resolution and XMP."""
    options = save_options(found, "TIFF")
    exif = options.get("exif", {})
    tags = [(tag, 2, 0, _encoded(exif[tag]), True) for tag in _KEPT if tag in exif]
    if _XMP in exif:
        tags.append((_XMP, 1, len(exif[_XMP]), exif[_XMP], True))
    found = {"metadata": None, "software": False, "compression": "zlib", "extratags": tags}
    if "dpi" in options:
        found |= {"resolution": tuple(map(float, options["dpi"])), "resolutionunit": "INCH"}
    return found
