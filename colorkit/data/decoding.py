"""Decode images to sRGB: sample formats, color profiles, transparency and pages."""

import io
import warnings

import numpy as np
import tifffile
from PIL import Image, ImageCms, ImageOps

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION, PROFILE = 274, 34675
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B")
_GRAY = ("1", "L", *_SIXTEEN_BITS)
# Mode in which a color profile of each space is applied, and modes of images that it fits.
_MODES = {
    "GRAY": ("L", _GRAY),
    "RGB": ("RGB", (*_GRAY, "RGB", "P", "YCbCr", "RGBX")),
    "CMYK": ("CMYK", ("CMYK",)),
    "Lab": ("LAB", ("LAB",)),
}
# By default, dark levels of gray are off by up to ten.
_EXACT = ImageCms.Flags.NOOPTIMIZE


def to_srgb(image, deep=False):
    """Convert a PIL image to an array `(height, width, 3)` in sRGB, upright and on white.

    The array is uint8, or if `deep` float32 in [0, 1]. The latter has all bits of gray images, and
    of RGB in TIFF files without a color profile. It has 8 bits of others, and of transparent ones.
    """
    if 0 in image.size:
        raise ValueError(f"An image must have at least one pixel. Received size {image.size}")
    if deep and "samples" in image.info:
        planes = [Image.fromarray(plane) for plane in np.moveaxis(image.info["samples"], -1, 0)]
        for plane in planes:
            plane.getexif().update(image.getexif())
        return np.stack([np.asarray(ImageOps.exif_transpose(plane)) for plane in planes], axis=-1)
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("floating-point images have no fixed range; save them with 8 or 16 bits")
    color, alpha = _split(image)
    if deep and alpha is None and color.mode in _SIXTEEN_BITS:
        gray = np.float32(_curve(image.info.get("icc_profile"))[np.asarray(color)])
        return np.repeat(gray[..., None], 3, axis=-1)
    color = _in_srgb(color, image.info.get("icc_profile"))
    if alpha is not None:
        color.putalpha(alpha)
        white = Image.new("RGBA", image.size, "white")
        color = Image.alpha_composite(white, color).convert("RGB")
    return np.asarray(color) / np.float32(255) if deep else np.asarray(color)


def is_tiff(path):
    """Return whether a file begins as TIFF files do."""
    with open(path, "rb") as file:
        return file.read(4) in _TIFF


def largest_page(path):
    """Find the largest page of a TIFF file, and decode it if Pillow would not do so correctly.

    Returns its number, and a PIL image or, for 8-bit samples that Pillow decodes, `None`. Samples
    that have no fixed range, or cannot be decoded, raise a `ValueError`.
    """
    with tifffile.TiffFile(path) as file:
        main = [file.pages[number] for number in range(len(file.pages))]  # an iterator may not end
        # The image of raw formats is below the page of its thumbnail.
        pages = main + [below for page in main for below in page.pages or ()]
        page = max(pages, key=lambda page: page.imagewidth * page.imagelength)
        number = pages.index(page)
        if len(pages) > 1:
            warnings.warn(
                f"{path} has {len(pages)} pages. Page {number + 1}, the largest, is read.",
                stacklevel=2,
            )
        if page.imagedepth > 1:
            raise ValueError(f"it is a volume of {page.imagedepth} slices; save one of them")
        if page.sampleformat == 1 and page.bitspersample <= 8:
            gray_and_more = page.photometric in (0, 1) and page.samplesperpixel > 1
            swapped = file.is_bigtiff and file.byteorder == ">"
            if number < len(main) and not gray_and_more and not swapped:
                return number, None
        if page.sampleformat != 1:
            kind = "signed" if page.sampleformat == 2 else "floating-point"
            raise ValueError(f"{kind} samples have no fixed range; save them with 8 or 16 bits")
        if page.photometric not in (0, 1, 2):
            raise ValueError(
                f"{page.bitspersample}-bit samples must be gray or RGB. Received: "
                f"{page.photometric.name}; save the image with 8 bits"
            )
        try:
            samples = page.asarray()
        except ValueError as error:  # tifffile lacks the decoder, and Pillow may have it
            if page.bitspersample == 16 and page.photometric != 0 and page.planarconfig == 1:
                return number, None
            raise ValueError(f"{error}; or save the image without compression") from error
        return number, _deep(page, samples)


def _deep(page, samples):
    """Convert samples that Pillow does not read to a PIL image."""
    samples = np.asarray(samples, "float64") / (2**page.bitspersample - 1)
    if page.axes.startswith("S"):  # stored plane by plane
        samples = np.moveaxis(samples, 0, -1)
    if samples.ndim == 2:
        samples = samples[..., None]
    count = 3 if page.photometric == 2 else 1
    color = samples[..., :count]
    if page.photometric == 0:  # white is zero
        color = 1 - color
    kinds = page.extrasamples[:1]  # 1: colors are multiplied by alpha, 2: they are not
    if kinds in ((1,), (2,)):
        alpha = samples[..., count : count + 1]
        if kinds == (1,):
            color = np.clip(color / np.where(alpha > 0, alpha, 1), 0, 1)
        image = np.uint8(np.concatenate([color, alpha], axis=-1) * 255 + 0.5)
    elif count == 3:
        image = np.uint8(color * 255 + 0.5)
    else:
        image = np.uint16(color[..., 0] * 65535 + 0.5)
    image = Image.fromarray(image)
    if count == 3 and image.mode == "RGB" and PROFILE not in page.tags:
        image.info["samples"] = np.float32(color)
    if PROFILE in page.tags:
        image.info["icc_profile"] = page.tags[PROFILE].value
    if _ORIENTATION in page.tags:
        image.getexif()[_ORIENTATION] = int(page.tags[_ORIENTATION].value)
    return image


def _split(image):
    """Return the color and the alpha, or `None`, of a PIL image."""
    if image.mode in _SIXTEEN_BITS or image.mode == "I":
        samples = np.clip(np.asarray(image), 0, 65535).astype("uint16")
        color, transparent = Image.fromarray(samples), image.info.get("transparency")
        if transparent is None:
            return color, None
        return color, Image.fromarray(np.uint8(samples != transparent) * 255)
    if not image.has_transparency_data:
        return image, None
    alpha = image.convert("RGBA").getchannel("A")
    color = image.convert("L" if image.mode in ("L", "LA", "La") else "RGB")
    # Pillow reads 16-bit gray with alpha as RGBA; a gray profile must fit.
    if color.mode == "RGB" and "icc_profile" in image.info:
        rgb = np.asarray(color)
        if (rgb == rgb[..., :1]).all():
            color = Image.fromarray(rgb[..., 0])
    return color, alpha


def _in_srgb(image, profile):
    """Convert an opaque image to sRGB, by its color profile if it has one that fits."""
    if profile:
        try:
            converted = _by_profile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # the profile is damaged
    if image.mode == "LAB":
        lab, srgb = map(ImageCms.createProfile, ("LAB", "sRGB"))
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    return _eight_bits(image).convert("RGB")


def _by_profile(image, profile):
    """Convert an image to sRGB by its color profile, or return `None` if it does not fit."""
    mode, fitting = _MODES.get(profile.profile.xcolor_space.strip(), ("", ()))
    if image.mode not in fitting:
        return None
    srgb = ImageCms.createProfile("sRGB")
    if mode == "L":
        return _gray_in_srgb(image, profile, srgb)
    image = _eight_bits(image).convert(mode)
    return ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")


def _gray_in_srgb(image, profile, srgb):
    """Convert a gray image with one conversion per level: exact, and fast for large images."""
    samples = np.asarray(image if image.mode in _SIXTEEN_BITS else image.convert("L"))
    levels = np.arange(np.iinfo(samples.dtype).max + 1, dtype=samples.dtype)[None]
    table = ImageCms.profileToProfile(
        Image.fromarray(levels), profile, srgb, outputMode="RGB", flags=_EXACT
    )
    return Image.fromarray(np.asarray(table)[0][samples])


def _curve(profile):
    """Return the level in sRGB, from 0 to 1, of each level of 16-bit gray with a color profile."""
    levels = np.arange(2**16, dtype="uint16")
    table = np.asarray(_in_srgb(Image.fromarray(levels[None]), profile))[0, :, 1]
    # Between the places where the 8-bit result changes, the curve is nearly straight.
    values, first = np.unique(table, return_index=True)
    places = [0, *(first[1:] - 0.5), 65535]
    return np.interp(levels, places, [table[0], *(values[1:] - 0.5), table[-1]]) / 255


def _eight_bits(image):
    if image.mode not in _SIXTEEN_BITS:
        return image
    return Image.fromarray(np.uint8(np.asarray(image) / 257 + 0.5))
