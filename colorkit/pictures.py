"""Picture files: any format in, sRGB out, nothing half-written."""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_JPEG_QUALITY = 95


def read_picture(source):
    """Read a picture as 8-bit sRGB, upright.

    EXIF rotation is applied, palettes are resolved, transparency is laid over white, 16-bit gray
    is rounded to 8 bits, CMYK is converted, and of an animation the first frame is taken.

    Args:
        source: Path of a picture file, or a PIL image.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty, damaged, truncated or no picture.
    """
    if isinstance(source, Image.Image):
        return _to_rgb(source)
    path = Path(source)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"A picture file was expected at {path}, but it is {what}.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes); a picture was expected.")
    try:
        with warnings.catch_warnings():
            # Large photographs are welcome; Pillow warns from 89 megapixels on.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _to_rgb(image)
    except UnidentifiedImageError:
        raise ValueError(f"{path} is not a picture that can be read (JPEG, PNG, ...).") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is damaged or truncated: {error}") from error


def _to_rgb(image):
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        return np.repeat(
            np.uint8(np.clip(np.asarray(image), 0, 65535) / 257 + 0.5)[..., None], 3, -1
        )
    if image.mode == "F":
        raise ValueError("floating-point pictures have no fixed range; save them with 8 or 16 bits")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image)
    return np.asarray(image.convert("RGB"))


def as_rgb(image):
    """Any picture as 8-bit sRGB.

    Args:
        image: Path of a picture file, a PIL image, or an array of shape `(height, width)` or
            `(height, width, 1 | 3 | 4)`: uint8, uint16, or floating point in [0, 1]. A fourth
            channel is transparency and is laid over white.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no picture, or the array has another shape, type or range.
    """
    if isinstance(image, (str, os.PathLike, Image.Image)):
        return read_picture(image)
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4) or 0 in image.shape:
        raise ValueError(
            "A picture must have shape (height, width) or (height, width, 1 | 3 | 4). "
            f"Received shape {image.shape}"
        )
    if image.dtype == np.uint16:
        image = np.uint8(image / 257 + 0.5)
    elif np.issubdtype(image.dtype, np.floating):
        if not (image.min() >= 0 and image.max() <= 1):
            raise ValueError(
                "A floating-point picture must lie in [0, 1]. "
                f"Received values from {image.min()} to {image.max()}"
            )
        image = np.uint8(image * 255 + 0.5)
    elif image.dtype != np.uint8:
        raise ValueError(
            "A picture must be uint8, uint16 or floating point in [0, 1]. "
            f"Received dtype {image.dtype}"
        )
    if image.shape[-1] == 4:
        return _to_rgb(Image.fromarray(image))
    return image if image.shape[-1] == 3 else np.repeat(image, 3, axis=-1)


def picture_size(path):
    """`(height, width)` of a picture file, upright, from its header alone.

    Raises:
        ValueError: If the file is no picture.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            rotated = image.getexif().get(0x0112, 1) >= 5  # EXIF orientations 5..8 lie on a side
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is not a picture that can be read: {error}") from None
    return (width, height) if rotated else (height, width)


def write_picture(path, rgb):
    """Write a picture; the file appears whole or not at all.

    Args:
        path: Target; its ending chooses the format (.png, .jpg, .webp, .tif, ...).
        rgb: uint8 array of shape `(height, width, 3)`.

    Raises:
        ValueError: If no picture format has this ending.
        OSError: If the folder cannot be made or written.
    """
    path = Path(path)
    picture_format = output_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # 4:4:4: halving the chroma of a colored picture would blur what the network drew.
    options = {"quality": _JPEG_QUALITY, "subsampling": 0} if picture_format == "JPEG" else {}
    with written_whole(path) as temporary:
        Image.fromarray(rgb).save(temporary, format=picture_format, **options)


def output_format(path):
    """Pillow's name of the format that a path's ending stands for.

    Raises:
        ValueError: If Pillow cannot write such a file.
    """
    known = Image.registered_extensions()
    picture_format = known.get(Path(path).suffix.lower())
    if picture_format not in Image.SAVE:
        raise ValueError(
            f"{path} must end in .png, .jpg, .webp, .tif or another picture format. "
            f"Received the ending {Path(path).suffix!r}"
        )
    return picture_format


def find_pictures(folder):
    """Paths of all picture files below a folder, in order.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no pictures.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"A folder of pictures was expected at {folder}.")
    known = Image.registered_extensions()
    paths = [p for p in sorted(folder.rglob("*")) if known.get(p.suffix.lower()) in Image.OPEN]
    paths = [p for p in paths if p.is_file() and not p.name.startswith(".")]
    if not paths:
        raise ValueError(f"The folder {folder} holds no pictures (.jpg, .png, ...).")
    return paths


class written_whole:
    """Context that yields a temporary path beside `path` and renames it on success."""

    def __init__(self, path):
        self.path = Path(path)

    def __enter__(self):
        handle, temporary = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.stem}-", suffix=self.path.suffix
        )
        os.close(handle)
        self.temporary = Path(temporary)
        return self.temporary

    def __exit__(self, failure, *_):
        if failure is None:
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(self.temporary, 0o666 & ~umask)  # mkstemp makes files for their owner alone
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)
