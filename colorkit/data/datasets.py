"""Load color images from any source: a folder, a video, TensorFlow Datasets, or bundled photos."""

import contextlib
import re
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from colorkit.data.image_files import find_pictures, picture_size
from colorkit.data.images import Images, square, tell_left_out
from colorkit.data.tfds import load_tfds
from colorkit.data.video import is_video, read_frames

_PHOTO_CROPS = {"train": 768, "test": 192}
# The last fifth of a video is held out (Han), and a twentieth before it is left out.
_TEST_FRAMES, _GAP_FRAMES = 5, 20


def load(name, split="train", *, size=None, data_dir=None, shares=None):
    """Load a dataset of color images, or join several datasets.

    Args:
        name: One of:

            - "photos": random crops of the photographs that scikit-image and scikit-learn ship;
              needs no download.
            - "folder:PATH": image files. Subfolders with the name of a split are used. Otherwise
              one image in ten is held out for "test", chosen by its name. For frames of a video,
              load the video instead.
            - "video:PATH" or "video:PATH?stride=5": all frames, or every fifth frame. The last
              fifth is "test". Some frames before it are left out, so that no frame has a neighbor
              in the other split.
            - A dataset of TensorFlow Datasets, such as "cifar10" or "oxford_flowers102".
            - A list of names, or names joined by "+", such as "folder:a+b+cifar10": all of them
              as one dataset. After one folder, the next folder needs no "folder:". A "+" or "*"
              may also be part of the path of an existing folder or video.
        split: "train", "test" or "all", or any split expression of TensorFlow Datasets. If a
            dataset has no "test", the last fifth of "train" is used. If its labels are names of
            persons, "test" has the images of one name in five.
        size: Resize each image to a square with sides of this many pixels, from its center.
            `None` keeps the sizes ("photos": 32). Smaller images are enlarged, with a warning.
        data_dir: Folder of prepared TensorFlow Datasets. `None` means `TFDS_DATA_DIR`, or the
            default of TensorFlow Datasets.
        shares: For several names, the share of each dataset in what training shows, such as
            `[2, 1]`. A "*2" after a joined name does the same. `None` shows every image equally
            often.

    Returns:
        `Images`, with `labels` and `class_names` if the source has classes. In a folder, the
        subfolders are the classes. Files of a folder that are not images are left out, with a
        warning, and `left_out` counts them. Files that break off later are left out by
        `Images.readable`, which `run` calls first. Datasets of TensorFlow Datasets are read into
        memory; for a large one, load a slice such as "train[:10%]", or give a `size`.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If the name or split is unknown, or a folder holds no readable image. Also if a
            video cannot be decoded, changes its size or has too few frames.
        ConnectionError: If a dataset is not on disk and cannot be downloaded.
        ImportError: If a dataset needs TensorFlow Datasets and it is not installed.
    """
    split = str(split)
    if isinstance(name, (list, tuple)):
        sets = [load(each, split, size=size, data_dir=data_dir) for each in name]
        return Images.concatenate(sets, shares=shares)
    names, given = joined(str(name))
    if len(names) > 1:
        shares = given if shares is None else shares
        return load(names, split, size=size, data_dir=data_dir, shares=shares)
    if shares is not None:
        raise ValueError(f"`shares` need several datasets. Received one dataset: {name!r}")
    name = str(name)
    if size is not None and not (isinstance(size, (int, np.integer)) and size > 0):
        raise ValueError(f"`size` must be a positive number of pixels. Received: {size!r}")
    images = _find(name, split, size, data_dir)
    if size is not None and len(images) and images.source_side < size:
        warnings.warn(
            f"The smallest image of {images.name} is {images.source_side} pixels high or wide: "
            f"brought to {size}, such images show no more detail than before.",
            stacklevel=2,
        )
    return images


def joined(name):
    """Split a joined name into its names and shares, which are `None` if not given; see `load`.

    Raises:
        ValueError: If no number follows a "*".
    """
    pieces = name.split("+")
    if len(pieces) == 1:
        return [name], None
    names, shares, in_folder = [], [], False
    while pieces:
        # Take as many pieces as form an existing path, as a path may contain a "+".
        for count in range(len(pieces), 0, -1):
            part, share = _part("+".join(pieces[:count]), in_folder)
            if _exists(part):
                break
        if "*" in part and not _exists(part):
            raise ValueError(
                'After "*" a share must follow, such as "folder:a*2+b". '
                f"Received: {part.rpartition('*')[2]!r} in {name!r}"
            )
        del pieces[:count]
        in_folder = part.startswith("folder:")
        names.append(part)
        shares.append(share)
    if len(names) == 1:
        return [name], None
    if all(share is None for share in shares):
        return names, None
    return names, [1.0 if share is None else share for share in shares]


def _part(text, in_folder):
    """Return the name and the share of one part of a joined name; the share may be `None`."""
    readings = [(text, None)]
    name, _, share = text.rpartition("*")
    if re.fullmatch(r"\d*\.?\d+", share) and name:
        readings.append((name, float(share)))
    for name, share in readings:
        for full in (name, f"folder:{name}") if in_folder else (name,):
            if _exists(full):
                return full, share
    return readings[-1]


def _exists(name):
    """Return whether a name is that of an existing folder or video."""
    kind, _, path = name.partition(":")
    if kind == "video":
        return Path(re.sub(r"\?[^+*]*$", "", path)).expanduser().is_file()
    return kind == "folder" and path != "" and Path(path).expanduser().is_dir()


def _find(name, split, size, data_dir):
    kind, _, path = name.partition(":")
    if kind == "photos" and not path:
        return _load_photos(split, size or 32)
    if kind == "folder" and path:
        return _load_folder(Path(path).expanduser(), split, size)
    if kind == "video" and path:
        return _load_video(path, split, size)
    path = Path(name).expanduser()
    if not re.fullmatch(r"\w+(/[\w.-]+)?", name) or kind in ("folder", "video") or path.is_dir():
        hint = ""
        if kind != kind.lower() and kind.lower() in ("folder", "video"):
            hint = f'; did you mean "{kind.lower()}:..."?'
        elif name and (path.is_dir() or is_video(path)):
            hint = f'; did you mean "{"folder" if path.is_dir() else "video"}:{name}"?'
        raise ValueError(
            '`name` must be "photos", "folder:PATH", "video:PATH" or a dataset of TensorFlow '
            f"Datasets, such as cifar10. Received: {name!r}{hint}"
        )
    return load_tfds(kind, split, size, data_dir)


def _load_photos(split, size):
    import skimage.data
    from sklearn.datasets import load_sample_image

    photos = {
        "train": {
            "astronaut": skimage.data.astronaut,
            "coffee": skimage.data.coffee,
            "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
            "palace": lambda: load_sample_image("china.jpg"),
            "flower": lambda: load_sample_image("flower.jpg"),
        },
        "test": {"cat": skimage.data.cat, "rocket": skimage.data.rocket},
    }
    photos["all"] = photos["train"] | photos["test"]
    if split not in photos:
        raise ValueError(f"`split` of photos must be one of {sorted(photos)}. Received: {split!r}")
    names = list(photos["all"])
    pictures = {
        names.index(name): Image.fromarray(photo()) for name, photo in photos[split].items()
    }
    rng = np.random.default_rng(zlib.crc32(split.encode()))
    crops, labels = [], []
    for i in range(_PHOTO_CROPS.get(split, sum(_PHOTO_CROPS.values()))):
        label = list(pictures)[i % len(pictures)]
        width, height = pictures[label].size
        side = rng.uniform(min(size, width, height), min(width, height))
        left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
        box = (left, top, left + side, top + side)
        crop = pictures[label].resize((size, size), Image.Resampling.BOX, box=box)
        crops.append(np.asarray(crop))
        labels.append(label)
    return Images(np.stack(crops), labels=labels, class_names=names, name="photos")


def _load_folder(folder, split, size):
    paths = find_pictures(folder)
    checksum = _checksum(folder, paths)
    # Subfolders named train and test are splits; any other subfolder is a class.
    splits = [name for name in ("train", "test", split) if (folder / name).is_dir()]
    classes = {path: _class_of(path.relative_to(folder), splits) for path in paths}
    class_names = sorted({name for name in classes.values() if name is not None})
    if split in splits:
        paths = [path for path in paths if path.relative_to(folder).parts[0] == split]
    elif splits and split != "all":
        raise ValueError(
            f"The folder {folder} has {' and '.join(splits)}, but no {split}. Make that subfolder, "
            'or load split="all".'
        )
    elif split in ("train", "test"):
        # Split by a checksum of the name, so that new images do not move others to another split.
        held_out = [zlib.crc32(str(p.relative_to(folder)).encode()) % 10 == 0 for p in paths]
        paths = [p for p, out in zip(paths, held_out, strict=True) if out == (split == "test")]
    elif split != "all":
        raise ValueError(
            f'`split` of a folder must be "train", "test", "all" or a subfolder of {folder}. '
            f"Received: {split!r}"
        )
    if not paths:
        raise ValueError(
            f"The folder {folder} holds too few images for a {split!r} split, which has one image "
            "in ten. Give more images, or make subfolders named train and test."
        )
    sizes = {}
    for path in paths:
        with contextlib.suppress(ValueError):
            sizes[path] = picture_size(path)
    damaged = [path for path in paths if path not in sizes]
    if damaged:
        tell_left_out(damaged, len(paths), f"files in {folder}")
    paths = list(sizes)
    has_classes = class_names and None not in classes.values()
    images = Images(
        paths,
        labels=[class_names.index(classes[path]) for path in paths] if has_classes else None,
        class_names=class_names if has_classes else None,
        name=f"folder:{folder.resolve().name}",
        size=size,
        checksum=checksum,
        left_out=len(damaged),
    )
    images._known_sizes = np.array(list(sizes.values()))  # avoids opening every file again
    return images


def _load_video(name, split, size):
    name, _, options = name.partition("?")
    if options and not re.fullmatch(r"stride=[1-9]\d*", options):
        raise ValueError(
            "The name of a video may only be followed by a number of frames, such as "
            f'"video:PATH?stride=5". Received: {options!r}'
        )
    path, stride = Path(name).expanduser(), int(options.removeprefix("stride=") or 1)
    if split not in ("train", "test", "all"):
        raise ValueError(
            f'`split` of a video must be "train", "test" or "all". Received: {split!r}'
        )
    sides, frames = [], []
    for rgb in read_frames(path, stride):
        sides.append(min(rgb.shape[:2]))
        frames.append(rgb if size is None else square(rgb, size))
    if split != "all":
        first_test = len(frames) - len(frames) // _TEST_FRAMES
        gap = max(1, len(frames) // _GAP_FRAMES)
        if first_test == len(frames) or first_test <= gap:
            way = "a longer video" if stride == 1 else "a smaller stride, or a longer video"
            raise ValueError(
                f"{path} has {len(frames)} frame{'s' * (len(frames) != 1)} at stride {stride}, too "
                f"few for a test split. Use {way}."
            )
        frames = frames[first_test:] if split == "test" else frames[: first_test - gap]
    name = f"video:{path.name}?{options}" if options else f"video:{path.name}"
    checksum = _checksum(path.parent, [path])
    return Images(
        np.stack(frames), name=name, is_sequence=True, checksum=checksum, source_side=min(sides)
    )


def _checksum(folder, paths):
    """Compute a checksum of the names and sizes of files in a folder."""
    files = (f"{path.relative_to(folder)} {path.stat().st_size}" for path in paths)
    return f"{zlib.crc32(chr(10).join(files).encode()):08x}"


def _class_of(path, splits):
    """Return the class of an image by its path: the first subfolder that is not a split."""
    folders = path.parts[:-1]
    folders = folders[1:] if folders and folders[0] in splits else folders
    return folders[0] if folders else None
