"""Load datasets of TensorFlow Datasets from disk, or download them."""

import contextlib
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from colorkit.data.images import Images, square
from colorkit.files import make_folder

# Server that TFDS contacts first for any download; a short request tests the connection.
_DOWNLOAD_PROBE = "https://storage.googleapis.com/tfds-data/"
# Splits of a dataset without a test split.
_HELD_OUT = {"train": "train[:80%]", "test": "train[80%:]"}
_HELD_OUT_NAMES = 5  # one name in five, if the labels are names of persons


def load_tfds(name, split, size=None, data_dir=None):
    """Load a dataset of TensorFlow Datasets into memory; see `colorkit.load`."""
    try:
        import tensorflow_datasets as tfds

        if not hasattr(tfds, "builder"):  # the failed import is not reported
            raise ImportError("its tensorflow-metadata does not fit this protobuf")
    except ImportError as error:
        raise ImportError(
            f"The dataset {name!r} needs TensorFlow Datasets, which cannot be imported ({error}): "
            "pip install tensorflow tensorflow-datasets importlib_resources, and with TensorFlow "
            '2.19 also "tensorflow-metadata<1.18". "photos" and "folder:PATH" need neither.'
        ) from error
    root = Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    builder = _prepared_builder(tfds, root, name) or _download(tfds, root, name)
    features = dict(builder.info.features.items())

    def first(kind):
        return next((key for key, value in features.items() if isinstance(value, kind)), None)

    image_key, label_key = first(tfds.features.Image), first(tfds.features.ClassLabel)
    if image_key is None:
        raise ValueError(f"The dataset {name!r} has no image in its features.")
    has_names = isinstance(features.get("label"), tfds.features.Text)
    wanted = None
    if split in _HELD_OUT and "test" not in builder.info.splits:
        wanted, split = split, "train" if has_names else _HELD_OUT[split]
    try:
        dataset = builder.as_dataset(split=split)
    except ValueError as error:
        raise ValueError(
            f"{name!r} has the splits {sorted(builder.info.splits)}. Received: {split!r}"
        ) from error
    images, labels, sides = [], [], []
    keys = {image_key, label_key, "label" if has_names else None} - {None}
    for record in _records(tfds, dataset, keys):
        if wanted and has_names:
            # Split by a checksum of the name, so that no person is in both splits.
            is_held_out = zlib.crc32(record["label"]) % _HELD_OUT_NAMES == 0
            if is_held_out != (wanted == "test"):
                continue
        rgb = record[image_key]
        rgb = np.repeat(rgb, 3, axis=-1) if rgb.shape[-1] == 1 else rgb
        sides.append(min(rgb.shape[:2]))
        images.append(rgb if size is None else square(rgb, size))
        labels.append(record[label_key] if label_key else None)
    if len({rgb.shape for rgb in images}) == 1:
        images = np.stack(images)
    return Images(
        images,
        labels=labels if label_key else None,
        class_names=features[label_key].names if label_key else None,
        name=name,
        source_side=min(sides, default=None),
    )


def unknown_name(name, hint=""):
    """Return the error for a name that is not that of a dataset."""
    return ValueError(
        '`name` must be "photos", "folder:PATH", "video:PATH" or a dataset of TensorFlow '
        f"Datasets, such as cifar10. Received: {name!r}{hint}"
    )


def _records(tfds, dataset, keys):
    dataset = dataset.map(lambda record: {key: record[key] for key in keys})
    if not all(spec.shape.is_fully_defined() for spec in dataset.element_spec.values()):
        yield from tfds.as_numpy(dataset)
        return
    # Images of one size are read in batches: the conversion of single records takes most time.
    for batch in tfds.as_numpy(dataset.batch(512)):
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))


def _prepared_builder(tfds, root, name):
    """Return the builder of a dataset that is prepared on disk, or `None`."""
    for pattern in (f"{name}/*", f"{name}/*/*"):  # the second: in the folder of the only config
        folders = (path.parent for path in root.glob(f"{pattern}/dataset_info.json"))
        versions = [x for x in folders if re.fullmatch(r"\d+\.\d+\.\d+", x.name)]
        if versions:
            newest = max(versions, key=lambda x: [int(number) for number in x.name.split(".")])
            return tfds.builder_from_directory(newest)
    return None


def _download(tfds, root, name):
    """Download and prepare a dataset, and return its builder; leave nothing behind on failure."""
    top = root / name.split("/")[0]
    if top.name not in tfds.list_builders(with_community_datasets=False):
        raise unknown_name(name)
    created = next((path for path in (root, top) if not path.exists()), None)
    try:
        with contextlib.suppress(urllib.error.HTTPError):  # the server answered
            urllib.request.urlopen(_DOWNLOAD_PROBE, timeout=5).close()
        make_folder(root)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as downloads:
            builder = tfds.builder(name, data_dir=str(root))
            builder.download_and_prepare(download_dir=downloads)
    except Exception as error:
        if created is not None:
            shutil.rmtree(created, ignore_errors=True)
        raise ConnectionError(
            f"The dataset {name!r} is not in {root} and cannot be downloaded: {error}. Set "
            f"TFDS_DATA_DIR (or `data_dir`) to a folder that holds {name}, or load 'photos'."
        ) from error
    return builder
