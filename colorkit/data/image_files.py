"""Read image files of any format as sRGB, and write them atomically."""

import contextlib
import io
import math
import os
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from colorkit.files import make_folder, written_whole

# Formats that can hold 8-bit RGB of any size.
_WRITTEN = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG",
    ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".ppm": "PPM", ".tga": "TGA",
}  # fmt: skip
_READ = {*_WRITTEN, ".gif", ".apng", ".avif", ".dib", ".jp2", ".j2k", ".pbm", ".pgm", ".pnm"}
# 4:4:4 JPEG: half the chroma resolution would blur the predicted colors.
_OPTIONS = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}


def read_picture(source):
    """Read an image as 8-bit sRGB, upright.

    EXIF rotation and color profiles are applied, and transparent parts become white. 16-bit gray is
    rounded to 8 bits. Of an animation, the first frame is read.

    Args:
        source: Path of an image file, or a PIL image.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError, ValueError: If the file is missing, empty, damaged or not an image.
    """
    with _opened(source) as image:
        return _to_rgb(image)


@contextlib.contextmanager
def _opened(source):
    """Open an image file, or yield a PIL image; errors of a file have its name."""
    if isinstance(source, Image.Image):
        yield source
        return
    path = Path(source)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"An image file was expected at {path}, but it is {what}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); an image was expected.")
    try:
        with warnings.catch_warnings():
            # Allow large photographs; Pillow warns from 89 megapixels on.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except UnidentifiedImageError:
        raise ValueError(f"{path} is not an image that can be read (JPEG, PNG, ...).") from None
    except Exception as error:  # each decoder of Pillow raises its own errors
        raise ValueError(f"{path} is damaged, too large or not supported: {error}") from error


def _to_rgb(image):
    """Convert a PIL image to a uint8 array `(height, width, 3)` in sRGB."""
    if 0 in image.size:
        raise ValueError(f"An image must have at least one pixel. Received size {image.size}")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        gray = np.uint8(np.clip(np.asarray(image), 0, 65535) / 257 + 0.5)
        return np.repeat(gray[..., None], 3, axis=-1)
    if image.mode == "F":
        raise ValueError("floating-point images have no fixed range; save them with 8 or 16 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return np.asarray(_in_srgb(image).convert("RGB"))


def _in_srgb(image):
    """Convert an image to sRGB if it has the profile of another space (P3, Adobe RGB, CMYK)."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        return ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):  # ignore a damaged profile
        return image


def as_rgb(image):
    """Convert any image to 8-bit sRGB.

    Args:
        image: Path of an image file, a PIL image, or an array of shape `(height, width)` or
            `(height, width, 1 | 3 | 4)`: uint8, uint16, or floating point in [0, 1]. A fourth
            channel is transparency; transparent parts become white.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not an image, or the array has another shape, type or range.

    Example:
        >>> as_rgb("old_photo.jpg").shape
        (480, 640, 3)
    """
    if isinstance(image, (str, os.PathLike, Image.Image)):
        return read_picture(image)
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        raise ValueError(
            f"An image must have shape (height, width[, 1 | 3 | 4]). Received: {image.shape}"
        )
    if image.dtype == np.uint16:
        image = np.uint8(image / 257 + 0.5)
    elif np.issubdtype(image.dtype, np.floating):
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(
                "A floating-point image must lie in [0, 1]. "
                f"Received values from {image.min()} to {image.max()}"
            )
        image = np.uint8(image * 255 + 0.5)
    elif image.dtype != np.uint8:
        raise ValueError(f"An image must be uint8, uint16 or in [0, 1]. Received: {image.dtype}")
    if image.shape[-1] == 4:
        return _to_rgb(Image.fromarray(image))
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)


def pictures_at_once(*sizes):
    """Return how many images have a quarter of a million pixels, in the largest of these sizes."""
    return max(1, 2**18 // max(1, *map(math.prod, sizes)))


def checksum(images):
    """Compute a checksum of a sequence of image arrays: eight hexadecimal digits."""
    value = 0
    for rgb in images:
        value = zlib.crc32(np.ascontiguousarray(rgb), value)
    return f"{value:08x}"


def picture_size(source):
    """Read the upright `(height, width)` of an image file from its header, or of a PIL image."""
    with _opened(source) as image:
        width, height = image.size
        rotated = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5..8 are rotated by 90°
    return (width, height) if rotated else (height, width)


def write_picture(path, rgb):
    """Write an image to a file atomically, and create its folder.

    Args:
        path: Path of the file. Its ending selects the format (.png, .jpg, .webp, .tif, ...).
        rgb: uint8 array of shape `(height, width, 3)`.

    Raises:
        ValueError, OSError: If no image format has this ending, or the file cannot be written.
    """
    path = Path(path)
    picture_format = output_format(path)
    make_folder(path.parent)
    with written_whole(path) as temporary:
        Image.fromarray(rgb).save(
            temporary, format=picture_format, **_OPTIONS.get(picture_format, {})
        )


def output_format(path):
    """Return Pillow's name of the format for a path's ending, or raise a `ValueError`."""
    picture_format = _WRITTEN.get(Path(path).suffix.lower())
    if picture_format is None:
        raise ValueError(f"`path` must end in one of {', '.join(_WRITTEN)}. Received: {path}")
    return picture_format


def find_pictures(folder):
    """Return the paths of all image files in a folder and its subfolders, sorted.

    Raises:
        FileNotFoundError, ValueError: If the folder does not exist, or holds no images.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"A folder of images was expected at {folder}, but there is none.")
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _READ
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise ValueError(f"The folder {folder} holds no images (.jpg, .png, ...).")
    return paths
