"""Read image files of any format as sRGB, and write them atomically."""

import contextlib
import math
import os
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from colorkit.data.decoding import PROFILE, is_tiff, largest_page, to_srgb
from colorkit.data.metadata import deep_tiff_options, save_options
from colorkit.files import make_folder, written_whole

__all__ = ["as_rgb", "find_pictures", "picture_size", "read_picture", "write_picture"]

# Formats that can hold 8-bit RGB of any size.
_WRITTEN = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG",
    ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".ppm": "PPM", ".tga": "TGA",
}  # fmt: skip
_READ = {*_WRITTEN, ".gif", ".apng", ".avif", ".dib", ".heic", ".heif", ".jp2", ".j2k", ".mpo",
    ".pbm", ".pcx", ".pgm", ".pnm", ".psd",
}  # fmt: skip
# 4:4:4 JPEG: half the chroma resolution would blur the predicted colors.
_OPTIONS = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
_FILTERS = threading.Lock()


def read_picture(source, deep=False):
    """Read an image as sRGB, upright.

    EXIF rotation and color profiles are applied, and transparent parts become white. Of an
    animation, the first frame is read, and of a TIFF file, the largest page.

    Args:
        source: Path of an image file, or a PIL image.
        deep: Whether to keep more than 8 bits, of gray images and of RGB without a color profile.

    Returns:
        Array of shape `(height, width, 3)`: uint8, or if `deep` float32 in [0, 1].

    Raises:
        FileNotFoundError, ValueError: If the file is missing, empty, damaged or not an image.

    Example:
        >>> write_picture("rose.png", np.zeros((48, 64, 3), "uint8"))
        >>> read_picture("rose.png").shape
        (48, 64, 3)
    """
    with _opened(source) as image:
        return to_srgb(image, deep)


@contextlib.contextmanager
def _opened(source):
    """Open an image file, or yield a PIL image; errors of a file have its name."""
    if isinstance(source, Image.Image):
        yield source
        return
    path = Path(source)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file" if path.exists() else None
        raise FileNotFoundError(
            f"An image file was expected at {path}, but it is {kind or 'no such file'}."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); an image was expected.")
    if path.suffix.lower() in (".heic", ".heif"):
        try:
            import pillow_heif
        except ImportError as error:
            raise ValueError(f"{path} needs a further package: pip install pillow-heif") from error
        pillow_heif.register_heif_opener()
    try:
        number, page = largest_page(path) if is_tiff(path) else (0, None)
        # From a path, Pillow would map the file, and mix up the pixels of rotated TIFF.
        with open(path, "rb") as file, page or _opened_by_pillow(file, number) as image:
            yield image
    except UnidentifiedImageError:
        raise ValueError(f"{path} is not an image that can be read (JPEG, PNG, ...).") from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"{path} has more than {2 * Image.MAX_IMAGE_PIXELS // 10**6} million pixels, the most "
            "that are read. Reduce it first, or set PIL.Image.MAX_IMAGE_PIXELS in Python."
        ) from None
    except Exception as error:  # each decoder raises its own errors
        raise ValueError(f"{path} is damaged, too large or not supported: {error}") from error


def _opened_by_pillow(file, number):
    # Allow large photographs; Pillow warns from 89 megapixels on. Threads share the filters.
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(file)
        image.seek(number)
    if number and PROFILE not in image.tag_v2:
        image.info.pop("icc_profile", None)  # it is that of the first page
    return image


def as_rgb(image, deep=False):
    """Convert any image to sRGB.

    Args:
        image: Path of an image file, a PIL image, or an array of shape `(height, width)` or
            `(height, width, 1 | 3 | 4)`: uint8, uint16, or floating point in [0, 1]. A fourth
            channel is transparency; transparent parts become white.
        deep: Whether to keep more than 8 bits, see `read_picture`.

    Returns:
        Array of shape `(height, width, 3)`: uint8, or if `deep` float32 in [0, 1].

    Raises:
        FileNotFoundError, ValueError: As `read_picture`; ValueError also if the array has another
            shape, type or range.

    Example:
        >>> as_rgb(np.zeros((48, 64))).shape
        (48, 64, 3)
    """
    if isinstance(image, (str, os.PathLike, Image.Image)):
        return read_picture(image, deep)
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        raise ValueError(
            "An image must have shape (height, width) or (height, width, 1 | 3 | 4). "
            f"Received: {image.shape}"
        )
    is_opaque = image.shape[-1] < 4
    if image.dtype == np.uint16:
        image = image / np.float32(65535) if deep and is_opaque else np.uint8(image / 257 + 0.5)
    elif np.issubdtype(image.dtype, np.floating):
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(
                "A floating-point image must lie in [0, 1]. "
                f"Received values from {image.min()} to {image.max()}"
            )
        image = np.float32(image) if deep and is_opaque else np.uint8(image * 255 + 0.5)
    elif image.dtype != np.uint8:
        raise ValueError(
            f"An image must be uint8, uint16, or floating point in [0, 1]. Received: {image.dtype}"
        )
    elif deep and is_opaque:
        image = image / np.float32(255)
    if not is_opaque:
        return to_srgb(Image.fromarray(image), deep)
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)


def pictures_at_once(*sizes):
    """Return how many images have a quarter of a million pixels, in the largest of these sizes."""
    return max(1, 2**18 // max(1, *map(math.prod, sizes)))


def checksum(images):
    """Compute a checksum of a sequence of images: eight hexadecimal digits."""
    value = 0
    for rgb in images:
        value = zlib.crc32(np.ascontiguousarray(rgb), value)
    return f"{value:08x}"


def picture_size(source):
    """Read the upright `(height, width)` of an image file from its header, or of a PIL image.

    The errors are those of `read_picture`.

    Example:
        >>> write_picture("rose.png", np.zeros((48, 64, 3), "uint8"))
        >>> picture_size("rose.png")
        (48, 64)
    """
    with _opened(source) as image:
        width, height = image.size
        # EXIF orientations 5 to 8 are rotated by 90 degrees; Pillow has applied those of TIFF.
        rotated = image.format != "TIFF" and 5 <= image.getexif().get(0x0112, 1) <= 8
    return (width, height) if rotated else (height, width)


def write_picture(path, rgb, metadata=None):
    """Write an image to a file atomically, and create its folder.

    Args:
        path: Path of the file. Its ending selects the format (.png, .jpg, .webp, .tif, ...).
        rgb: uint8 or uint16 array of shape `(height, width, 3)`. Formats other than PNG and TIFF
            hold 8 bits, to which uint16 is rounded.
        metadata: Metadata to write, as `read_metadata` returns them, or `None`. With 16 bits, TIFF
            files have no GPS and exposure data.

    Raises:
        ValueError, OSError: If no image format has this ending, or the file cannot be written.

    Example:
        >>> write_picture("album/rose.png", np.zeros((48, 64, 3), "uint8"))
        >>> find_pictures("album")
        [PosixPath('album/rose.png')]
    """
    path = Path(path)
    picture_format = output_format(path)
    make_folder(path.parent)
    options = _OPTIONS.get(picture_format, {}) | save_options(metadata or {}, picture_format)
    with written_whole(path) as temporary:
        if rgb.dtype == np.uint16 and picture_format == "TIFF":
            tifffile.imwrite(temporary, rgb, photometric="rgb", **deep_tiff_options(metadata or {}))
            return
        eight = np.uint8(rgb / 257 + 0.5) if rgb.dtype == np.uint16 else rgb
        Image.fromarray(eight).save(temporary, format=picture_format, **options)
        if rgb.dtype == np.uint16 and picture_format == "PNG":
            temporary.write_bytes(_deepened(temporary.read_bytes(), rgb))


def _deepened(png, rgb):
    """Return a PNG file of 8 bits with the pixels of a uint16 image, which Pillow cannot write."""
    rows = rgb.astype(">u2").view("uint8").reshape(len(rgb), -1)
    above = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    # Each row begins with its filter: 2 is the difference to the row above.
    pixels = zlib.compress(np.pad(rows - above, ((0, 0), (1, 0)), constant_values=2))
    parts, place = [png[:8]], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12
        if kind == b"IHDR":
            data = data[:8] + b"\x10" + data[9:]  # the depth
        elif kind == b"IDAT":
            data, pixels = pixels, b""  # more than one chunk can hold pixels
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        parts += [len(data).to_bytes(4, "big"), kind, data, check]
    return b"".join(parts)


def output_format(path):
    """Return Pillow's name of the format for a path's ending, or raise a `ValueError`."""
    picture_format = _WRITTEN.get(Path(path).suffix.lower())
    if picture_format is None:
        raise ValueError(f"`path` must end in one of {', '.join(_WRITTEN)}. Received: {path}")
    return picture_format


def has_image_ending(path):
    """Return whether a path has the ending of an image that can be read."""
    return Path(path).suffix.lower() in _READ


def is_image(path):
    """Return whether a file is an image by its content, which is not decoded."""
    if not Path(path).is_file():  # such as a pipe, which would never end
        return False
    try:
        if is_tiff(path):
            return True
        with Image.open(path):
            return True
    except Exception:  # each format of Pillow raises its own errors
        return False


def find_pictures(folder):
    """Return the paths of all image files in a folder and its subfolders, sorted.

    Raises:
        FileNotFoundError, ValueError: If the folder does not exist, or holds no images.

    Example:
        >>> write_picture("album/rose.png", np.zeros((48, 64, 3), "uint8"))
        >>> [path.name for path in find_pictures("album")]
        ['rose.png']
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"A folder of images was expected at {folder}, but there is none.")
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if has_image_ending(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise ValueError(f"The folder {folder} holds no images (.jpg, .png, ...).")
    return paths
