"""Load image datasets: a folder, a video, TensorFlow Datasets, or bundled photos."""

import functools
import os
import re
import warnings
import zlib

import numpy as np
from PIL import Image

from colorkit.checks import check_whole
from colorkit.data.image_files import find_pictures, picture_size
from colorkit.data.images import Images, square, warn_left_out
from colorkit.data.tfds import load_tfds, unknown_name
from colorkit.data.video import is_video, read_frames
from colorkit.files import expanded

__all__ = ["load"]

_PHOTO_CROPS = {"train": 768, "test": 192, "all": 960}
# The last fifth of a video is held out (Han), and a twentieth before it is left out.
_TEST_FRAMES, _GAP_FRAMES = 5, 20


def load(name, split="train", *, size=None, data_dir=None, shares=None):
    """Load a dataset of color images, or join several datasets.

    Args:
        name: One of:

            - "photos": random crops of photographs of scikit-image and scikit-learn, no download.
            - "folder:PATH": image files. Subfolders are classes. If one is named train, test or as
              `split`, all are splits instead, and their subfolders are classes. Otherwise one image
              in ten is held out for "test", chosen by its name. Their number and first three names
              are printed once.
            - "video:PATH" or "video:PATH?stride=5": all frames, or every fifth frame. The last
              fifth is "test". Some frames before it are left out, so that no frame has a neighbor
              in the other split.
            - A dataset of TensorFlow Datasets, such as "cifar10" or "oxford_flowers102".
            - A list of names, or names joined by "+", such as "folder:a+b+cifar10". After one
              folder, the next folder needs no "folder:". Put a path with a "+" into a list.
        split: "train", "test" or "all", or any split expression of TensorFlow Datasets. If a
            dataset has no "test", the last fifth of "train" is used. If its labels are names of
            persons, "test" has the images of one name in five.
        size: Resize each image to a square with sides of this many pixels, from its center.
            `None` keeps the sizes ("photos": 32). Smaller images are enlarged, with a warning.
        data_dir: Folder of prepared TensorFlow Datasets. `None` means `TFDS_DATA_DIR`, or the
            default of TensorFlow Datasets.
        shares: For several names, the share of each dataset in training, such as `[2, 1]`. A "*2"
            after a joined name does the same. `None` shows every image equally often.

    Returns:
        `Images`, with `labels` and `class_names` if the source has classes, such as subfolders.
        Files of a folder that are not images are left out, with a warning, and `left_out` counts
        them. `Images.readable` also leaves out truncated files. Videos and TensorFlow Datasets are
        read into memory. Of a large one, give a `size`. A dataset can also be loaded as a slice,
        such as "train[:10%]", and a video with a stride.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If the name or split is unknown, a folder holds no readable image, or a video
            cannot be decoded.
        ConnectionError, ImportError: If a dataset cannot be downloaded, or needs TensorFlow
            Datasets and it is not installed.

    Example:
        >>> images = load("photos", "test", size=24)
        >>> images.shape, images[0].dtype
        ((24, 24), dtype('uint8'))
    """
    split = str(split)
    names, given = (name, None) if isinstance(name, (list, tuple)) else joined(str(name))
    if names is name or len(names) > 1:
        sets = [load(each, split, size=size, data_dir=data_dir) for each in names]
        return Images.concatenate(sets, shares=given if shares is None else shares)
    if shares is not None:
        raise ValueError(f"`shares` need several datasets. Received one dataset: {name!r}")
    if size is not None:
        check_whole("size", size)
    images = _find(str(name), split, size, data_dir)
    if size is not None and len(images) and images.source_side < size:
        warnings.warn(
            f"The smallest image of {images.name} is {images.source_side} pixels high or wide: "
            f"brought to {size}, such images show no more detail than before.",
            stacklevel=2,
        )
    return images


def joined(name):
    """Split a joined name into its names and shares, which are `None` if not given; see `load`."""
    if "+" not in name or _exists(name):
        return [name], None
    names, shares = [], []
    for part in name.split("+"):
        prefixes = ("", "folder:") if names and names[-1].startswith("folder:") else ("",)
        text, share = part, None
        match = re.fullmatch(r"(?s)(.+)\*(\d*\.?\d+)", part)
        if match and not any(_exists(x + part) for x in prefixes):
            text, share = match[1], float(match[2])
        found = next((x + text for x in prefixes if _exists(x + text)), None)
        if "*" in text and not found:
            raise ValueError(f'"*" must precede a number, as in "folder:a*2+b". Received: {name!r}')
        names.append(found or text)
        shares.append(share)
    if all(share is None for share in shares):
        return names, None
    return names, [1.0 if share is None else share for share in shares]


def _exists(name):
    kind, _, path = name.partition(":")
    if kind == "video":
        return expanded(path.partition("?")[0]).is_file()
    return kind == "folder" and path != "" and expanded(path).is_dir()


def _find(name, split, size, data_dir):
    kind, _, path = name.partition(":")
    if kind == "photos" and not path:
        return _load_photos(split, size or 32)
    if kind == "folder" and path:
        return _load_folder(expanded(path), split, size)
    if kind == "video" and path:
        return _load_video(path, split, size)
    path = expanded(name)
    if re.fullmatch(r"\w+(/[\w.-]+)?", name) and not path.is_dir():
        return load_tfds(name, split, size, data_dir)
    hint = ""
    if name and ":" not in name and (path.is_dir() or is_video(path)):
        hint = f'; did you mean "{"folder" if path.is_dir() else "video"}:{name}"?'
    raise unknown_name(name, hint)


def _load_photos(split, size):
    import skimage.data
    from sklearn.datasets import load_sample_image

    photos = {
        "astronaut": skimage.data.astronaut,
        "coffee": skimage.data.coffee,
        "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
        "palace": lambda: load_sample_image("china.jpg"),
        "flower": lambda: load_sample_image("flower.jpg"),
        "cat": skimage.data.cat,
        "rocket": skimage.data.rocket,
    }
    labels = {"train": range(5), "test": range(5, 7), "all": range(7)}
    if split not in labels:
        raise ValueError(f"`split` of photos must be one of {sorted(labels)}. Received: {split!r}")
    names = list(photos)
    sources = {label: Image.fromarray(photos[names[label]]()) for label in labels[split]}
    labels = np.resize(labels[split], _PHOTO_CROPS[split])
    rng = np.random.default_rng(zlib.crc32(split.encode()))
    crops = []
    for label in labels:
        width, height = sources[label].size
        side = rng.uniform(min(size, width, height), min(width, height))
        left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
        box = (left, top, left + side, top + side)
        crops.append(sources[label].resize((size, size), Image.Resampling.BOX, box=box))
    return Images(np.stack(crops), labels=labels, class_names=names, name="photos")


def _load_folder(folder, split, size):
    paths = find_pictures(folder)
    checksum = _checksum(folder, paths)
    # Subfolders are classes, unless one is named train, test or as `split`: then all are splits, so
    # that classes have the same numbers in each.
    names = {path: path.relative_to(folder) for path in paths}
    splits = {name for name in ("train", "test", split) if (folder / name).is_dir()}
    if splits:
        splits |= {name.parts[0] for name in names.values() if len(name.parts) > 1}
    classes = {path: _class_of(name, splits) for path, name in names.items()}
    class_names = sorted(set(classes.values()) - {None})
    if split in splits or (splits and split != "all"):
        paths = [path for path in paths if names[path].parts[0] == split]
    elif split in ("train", "test"):
        # Split by a checksum of the name, so that new images do not move others to another split.
        sums = {path: zlib.crc32(os.fsencode(name)) for path, name in names.items()}
        held_out = [os.fsencode(names[path]) for path in paths if sums[path] % 10 == 0]
        held_out = tuple(name.decode(errors="replace") for name in held_out)  # to print
        _name_held_out(folder, held_out, len(paths))
        paths = [path for path in paths if (sums[path] % 10 == 0) == (split == "test")]
    elif split != "all":
        paths = []
    if not paths:
        raise ValueError(
            f"The folder {folder} has no images for the split {split!r}. Load train, test or all, "
            "give more images, or make subfolders with the names of the splits."
        )
    sizes, damaged = {}, []
    for path in paths:
        try:
            sizes[path] = picture_size(path)
        except ValueError:
            damaged.append(path)
    if damaged:
        warn_left_out(damaged, len(paths), f"files in {folder}")
    has_classes = class_names and None not in {classes[path] for path in paths}
    return Images(
        list(sizes),
        labels=[class_names.index(classes[path]) for path in sizes] if has_classes else None,
        class_names=class_names if has_classes else None,
        name=f"folder:{folder.resolve().name}",
        size=size,
        checksum=checksum,
        left_out=len(damaged),
        item_sizes=np.array(list(sizes.values())),
    )


@functools.cache  # once per folder
def _name_held_out(folder, names, total):
    """Print which images of a folder are kept for the test."""
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    print(
        f"{folder}: {len(names)} of {total} images are kept for the test"
        f"{f' ({shown})' if names else ''}. Subfolders train and test change this."
    )


def _load_video(name, split, size):
    name, _, options = name.partition("?")
    if options and not re.fullmatch(r"stride=[1-9]\d*", options):
        raise ValueError(
            f'A video may have a stride, as in "video:PATH?stride=5". Received: {options!r}'
        )
    if split not in ("train", "test", "all"):
        raise ValueError(f"`split` of a video must be train, test or all. Received: {split!r}")
    path, stride = expanded(name), int(options.removeprefix("stride=") or 1)
    frames = []
    for rgb in read_frames(path, stride):
        source_side = min(rgb.shape[:2])
        frames.append(rgb if size is None else square(rgb, size))
    if split != "all":
        first_test = len(frames) - len(frames) // _TEST_FRAMES
        gap = max(1, len(frames) // _GAP_FRAMES)
        if first_test == len(frames) or first_test <= gap:
            raise ValueError(
                f"{path} is too short for a test split. Use a smaller stride or a longer video. "
                f"Received: frames {len(frames)}, stride {stride}"
            )
        frames = frames[first_test:] if split == "test" else frames[: first_test - gap]
    return Images(
        np.stack(frames),
        name=f"video:{path.name}?{options}" if options else f"video:{path.name}",
        is_sequence=True,
        checksum=_checksum(path.parent, [path]),
        source_side=source_side,
    )


def _checksum(folder, paths):
    """Compute a checksum of the names and sizes of the files of a folder."""
    files = (f"{path.relative_to(folder)} {path.stat().st_size}" for path in paths)
    return f"{zlib.crc32(os.fsencode(chr(10).join(files))):08x}"


def _class_of(path, splits):
    """Return the class of an image by its path: the first subfolder that is not a split."""
    folders = path.parts[:-1]
    folders = folders[1:] if folders and folders[0] in splits else folders
    return folders[0] if folders else None
