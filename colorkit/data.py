"""Pictures to learn from, wherever they lie."""

import collections.abc
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from colorkit.pictures import find_pictures, picture_size, read_picture
from colorkit.video import read_frames

# Where TFDS looks first for anything it downloads; asked once, briefly, before it is let loose.
_DOWNLOAD_PROBE = "https://storage.googleapis.com/tfds-data/"
_PHOTO_CROPS = {"train": 768, "test": 192}
# Of a video the last fifth is held out (Han), and a twentieth before it left out.
_TEST_FRAMES, _GAP_FRAMES = 5, 20
# Where a data set of TensorFlow Datasets has no test split of its own.
_HELD_OUT = {"train": "train[:80%]", "test": "train[80%:]"}
_HELD_OUT_NAMES = 5  # one name of so many, where pictures have names: faces, by person


class Images(collections.abc.Sequence):
    """A set of colour pictures: a sequence of uint8 arrays `(height, width, 3)`.

    Pictures in files are read when they are asked for. A slice or an index array gives `Images`
    again; `numpy.asarray` stacks pictures of one size.

    Args:
        items: uint8 array `(N, H, W, 3)`, or a list of arrays, paths or PIL images.
        labels: Class of each picture, or `None`.
        class_names: Name of each class, or `None`.
        name: What the set is called in records.
        size: Side of the square that each picture is reduced to (short side scaled, centre
            kept), or `None` for pictures as they are.
        is_sequence: Whether they follow each other in time, as the frames of a video.
        checksum: What tells the source from another of the same name, or `None`.

    Raises:
        ValueError: If an array is not uint8 or has another shape.
    """

    def __init__(
        self,
        items,
        *,
        labels=None,
        class_names=None,
        name="images",
        size=None,
        is_sequence=False,
        checksum=None,
    ):
        for item in [items] if isinstance(items, np.ndarray) else items:
            if isinstance(item, np.ndarray):
                _check_uint8(item, 4 if item is items else 3)
        self._items = items
        self.labels = None if labels is None else np.asarray(labels)
        self.class_names = class_names
        self.name = name
        self.size = size
        self.is_sequence = is_sequence
        self.checksum = checksum

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if isinstance(index, (int, np.integer)):
            item = self._items[index]
            rgb = item if isinstance(item, np.ndarray) else read_picture(item)
            return rgb if self.size is None else _square(rgb, self.size)
        if isinstance(self._items, np.ndarray):
            items = self._items[index]
        else:
            items = [self._items[i] for i in np.arange(len(self))[index]]
        labels = None if self.labels is None else self.labels[index]
        return Images(
            items,
            labels=labels,
            class_names=self.class_names,
            name=self.name,
            size=self.size,
            is_sequence=self.is_sequence,
            checksum=self.checksum,
        )

    def __array__(self, dtype=None, copy=None):
        if isinstance(self._items, np.ndarray) and self.size is None:
            return np.array(self._items, dtype=dtype, copy=copy)
        if self.shape is None:
            raise ValueError(
                f"The pictures of {self.name} have different sizes; give `size` to `load` or "
                "`crop` to `pairs`."
            )
        return np.stack([self[i] for i in range(len(self))]).astype(dtype or "uint8")

    def __repr__(self):
        size = "different sizes" if self.shape is None else "x".join(map(str, self.shape))
        return f"<Images: {len(self)} of {self.name}, {size}>"

    @property
    def smallest(self):
        """Smallest `(height, width)` that any picture has."""
        return tuple(np.min(self._sizes(), axis=0).tolist())

    @property
    def shape(self):
        """`(height, width)` if all pictures have the same, else `None`."""
        sizes = set(self._sizes())
        return sizes.pop() if len(sizes) == 1 else None

    def _sizes(self):
        if self.size is not None:
            return [(self.size, self.size)]
        if isinstance(self._items, np.ndarray):
            return [self._items.shape[1:3]]
        if not hasattr(self, "_known_sizes"):
            self._known_sizes = [
                item.shape[:2] if isinstance(item, np.ndarray) else picture_size(item)
                for item in self._items
            ]
        return self._known_sizes


def _check_uint8(array, ndim):
    if array.dtype != np.uint8 or array.ndim != ndim or array.shape[-1] != 3:
        shape = "(N, height, width, 3)" if ndim == 4 else "(height, width, 3)"
        raise ValueError(
            f"Pictures must be uint8 arrays of shape {shape}. "
            f"Received dtype {array.dtype}, shape {array.shape}"
        )


def load(name, split="train", *, size=None, data_dir=None):
    """Find a set of colour pictures.

    Args:
        name: "photos" (random crops of the photographs that scikit-image and scikit-learn ship;
            needs no network), "folder:PATH" (picture files; subfolders named like the split are
            used, else one picture in ten is held out for "test" by its name: of frames that
            follow each other take the video), "video:PATH" or
            "video:PATH?stride=5" (its frames, or every fifth; the last fifth of them is "test",
            and some before it are left out, so that no frame has its neighbour on the other
            side), or a data set of TensorFlow Datasets ("cifar10", "oxford_flowers102", ...).
        split: "train", "test" or "all"; for TensorFlow Datasets anything its API takes, and where
            a set has no "test", the last fifth of "train" is that, or, where pictures have names
            as labels, as faces have, those of one name in five.
        size: Reduce each picture to a square of this many pixels a side; `None` keeps sizes
            ("photos": 32).
        data_dir: Folder of prepared TensorFlow Datasets; `None` for `TFDS_DATA_DIR` or the default.

    Returns:
        `Images`, with `labels` and `class_names` where the source has classes (in a folder, the
        subfolders). Data sets of TensorFlow Datasets are read into memory whole: take a slice
        such as "train[:10%]", or a `size`, of a large one.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If the name or split is unknown, a folder holds no pictures or damaged ones, or
            a video cannot be decoded, changes size or has too few frames.
        ConnectionError: If a data set is neither on disk nor can be downloaded.
        ImportError: If a data set needs TensorFlow Datasets and that is not installed.
    """
    name, split = str(name), str(split)
    if size is not None and not (isinstance(size, (int, np.integer)) and size > 0):
        raise ValueError(f"`size` must be a positive number of pixels. Received: {size!r}")
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
        if path.exists():
            hint = f'; did you mean "{"folder" if path.is_dir() else "video"}:{name}"?'
        raise ValueError(
            '`name` must be "photos", "folder:PATH", "video:PATH" or a data set of TensorFlow '
            f"Datasets. Received: {name!r}{hint}"
        )
    return _load_tfds(kind, split, size, data_dir)


def _square(rgb, size):
    height, width = rgb.shape[:2]
    side = min(height, width)
    if (height, width) == (size, size):
        return rgb
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    resample = Image.Resampling.BOX if side > 2 * size else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(rgb).resize((size, size), resample, box=box))


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
    # Subfolders named train and test are splits, any other is a class.
    splits = [name for name in ("train", "test", split) if (folder / name).is_dir()]
    classes = {path: _class_of(path.relative_to(folder), splits) for path in paths}
    class_names = sorted({name for name in classes.values() if name is not None})
    if split in splits:
        paths = [path for path in paths if path.relative_to(folder).parts[0] == split]
    elif splits and split != "all":
        raise ValueError(
            f"The folder {folder} has {' and '.join(splits)}, but no {split}. Make that subfolder, "
            'or take split="all".'
        )
    elif split in ("train", "test"):
        # By a checksum of the name, so that adding pictures moves none between the splits.
        held_out = [zlib.crc32(str(p.relative_to(folder)).encode()) % 10 == 0 for p in paths]
        paths = [p for p, out in zip(paths, held_out, strict=True) if out == (split == "test")]
    elif split != "all":
        raise ValueError(
            f'`split` of a folder must be "train", "test", "all" or a subfolder of {folder}. '
            f"Received: {split!r}"
        )
    if not paths:
        raise ValueError(
            f"The folder {folder} holds too few pictures for a {split!r} split of its own; take "
            'split="all" or make subfolders named train and test.'
        )
    bad = []
    for path in paths:
        try:
            picture_size(path)
        except ValueError:
            bad.append(str(path))
    if bad:
        raise ValueError(
            f"{len(bad)} of {len(paths)} files in {folder} cannot be read as pictures; repair or "
            f"remove them: {', '.join(bad[:5])}{', ...' if len(bad) > 5 else ''}"
        )
    has_classes = class_names and None not in classes.values()
    return Images(
        paths,
        labels=[class_names.index(classes[path]) for path in paths] if has_classes else None,
        class_names=class_names if has_classes else None,
        name=f"folder:{folder.resolve().name}",
        size=size,
        checksum=checksum,
    )


def _load_video(name, split, size):
    name, _, options = name.partition("?")
    if options and not re.fullmatch(r"stride=[1-9]\d*", options):
        raise ValueError(
            "After a video's name only a number of frames may follow, such as "
            f'"video:PATH?stride=5". Received: {options!r}'
        )
    path, stride = Path(name), int(options.removeprefix("stride=") or 1)
    if split not in ("train", "test", "all"):
        raise ValueError(
            f'`split` of a video must be "train", "test" or "all". Received: {split!r}'
        )
    frames = [rgb if size is None else _square(rgb, size) for rgb in read_frames(path, stride)]
    if split != "all":
        first_test = len(frames) - len(frames) // _TEST_FRAMES
        gap = max(1, len(frames) // _GAP_FRAMES)
        if first_test == len(frames) or first_test <= gap:
            raise ValueError(
                f"{path} has {len(frames)} frames at stride {stride}, too few to hold some out; "
                'take a smaller stride, a longer video, or split="all".'
            )
        frames = frames[first_test:] if split == "test" else frames[: first_test - gap]
    name = f"video:{path.name}?{options}" if options else f"video:{path.name}"
    checksum = _checksum(path.parent, [path])
    return Images(np.stack(frames), name=name, is_sequence=True, checksum=checksum)


def _checksum(folder, paths):
    """Of the names and sizes of files below a folder."""
    files = (f"{path.relative_to(folder)} {path.stat().st_size}" for path in paths)
    return f"{zlib.crc32(chr(10).join(files).encode()):08x}"


def _class_of(path, splits):
    """Class of a picture by its path below the folder: the first subfolder that is no split."""
    folders = path.parts[:-1]
    folders = folders[1:] if folders and folders[0] in splits else folders
    return folders[0] if folders else None


def _load_tfds(name, split, size, data_dir):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"The data set {name!r} needs TensorFlow Datasets, which cannot be imported "
            f"({error}): pip install tensorflow tensorflow-datasets importlib_resources. "
            '"photos" and "folder:PATH" need nothing more.'
        ) from error
    if not hasattr(tfds, "builder"):  # it hides why its import failed
        raise ImportError(
            f"The data set {name!r} needs TensorFlow Datasets, which is installed but cannot be "
            "used: its tensorflow-metadata does not fit this protobuf, as with TensorFlow 2.19. "
            'pip install "tensorflow-metadata<1.18", or a later TensorFlow.'
        )

    root = Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    builder = _prepared_builder(tfds, root, name)
    if builder is None:
        builder = _download(tfds, root, name)
    image_key = next(
        (k for k, v in builder.info.features.items() if isinstance(v, tfds.features.Image)), None
    )
    if image_key is None:
        raise ValueError(f"The data set {name!r} has no picture in its features.")
    label_key = next(
        (k for k, v in builder.info.features.items() if isinstance(v, tfds.features.ClassLabel)),
        None,
    )
    has_names = isinstance(dict(builder.info.features.items()).get("label"), tfds.features.Text)
    wanted = None
    if split in _HELD_OUT and "test" not in builder.info.splits:
        wanted, split = split, "train" if has_names else _HELD_OUT[split]
    try:
        records = builder.as_dataset(split=split)
    except ValueError as error:
        raise ValueError(
            f"{name!r} has the splits {sorted(builder.info.splits)}. Received: {split!r}"
        ) from error
    pictures, labels = [], []
    keys = {key for key in (image_key, label_key, has_names and "label") if key}
    for record in _records(tfds, records, keys):
        if wanted and has_names:
            # By a checksum of the name, so that no person is in both.
            is_held_out = zlib.crc32(record["label"]) % _HELD_OUT_NAMES == 0
            if is_held_out != (wanted == "test"):
                continue
        rgb = record[image_key]
        rgb = np.repeat(rgb, 3, axis=-1) if rgb.shape[-1] == 1 else rgb
        pictures.append(rgb if size is None else _square(rgb, size))
        labels.append(record[label_key] if label_key else None)
    if len({picture.shape for picture in pictures}) == 1:
        pictures = np.stack(pictures)
    return Images(
        pictures,
        labels=labels if label_key else None,
        class_names=builder.info.features[label_key].names if label_key else None,
        name=name,
    )


def _records(tfds, dataset, keys):
    """The records of a data set, with these features alone, in its order."""
    dataset = dataset.map(lambda record: {key: record[key] for key in keys})
    if not all(spec.shape.is_fully_defined() for spec in dataset.element_spec.values()):
        yield from tfds.as_numpy(dataset)
        return
    # Of one size: one by one, most of the time would go into leaving TensorFlow.
    for batch in tfds.as_numpy(dataset.batch(512)):
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))


def _prepared_builder(tfds, root, name):
    """Builder of a data set that lies prepared on disk, or `None`. Touches nothing else."""
    for pattern in (f"{name}/*", f"{name}/*/*"):  # the second: below the data set's only config
        versions = {
            tuple(map(int, path.parent.name.split("."))): path.parent
            for path in root.glob(f"{pattern}/dataset_info.json")
            if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name)
        }
        if versions:
            return tfds.builder_from_directory(versions[max(versions)])
    return None


def _download(tfds, root, name):
    known = tfds.list_builders(with_community_datasets=False)
    if name.split("/")[0] not in known:
        raise ValueError(
            f'`name` must be "photos", "folder:PATH" or a data set of TensorFlow Datasets, such '
            f"as cifar10. Received: {name!r}"
        )
    ways_on = (
        f"Set TFDS_DATA_DIR (or `data_dir`) to a folder that holds {name}, or load 'photos', "
        "which needs no network."
    )
    try:
        urllib.request.urlopen(_DOWNLOAD_PROBE, timeout=5).close()
    except urllib.error.HTTPError:
        pass  # the server answered: the network is there
    except OSError as error:
        raise ConnectionError(
            f"The data set {name!r} is not in {root}, and the network cannot be reached "
            f"({getattr(error, 'reason', error)}). {ways_on}"
        ) from error
    top = root / name.split("/")[0]
    existed, root_existed = top.exists(), root.exists()
    root.mkdir(parents=True, exist_ok=True)
    downloads = tempfile.mkdtemp(prefix="colorkit-downloads-")
    try:
        builder = tfds.builder(name, data_dir=str(root))
        builder.download_and_prepare(download_dir=downloads)
    except Exception as error:
        if not existed:
            shutil.rmtree(top, ignore_errors=True)
        if not root_existed:
            shutil.rmtree(root, ignore_errors=True)
        raise ConnectionError(
            f"The data set {name!r} is not in {root} and cannot be downloaded: {error}. {ways_on}"
        ) from error
    finally:
        shutil.rmtree(downloads, ignore_errors=True)
    return builder
