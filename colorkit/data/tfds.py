"""Load datasets of TensorFlow Datasets from disk, or download them."""

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
    """Load a dataset into memory, see `colorkit.load`.

    Args:
        name: Name in TensorFlow Datasets.
        split: See `colorkit.load`.
        size: See `colorkit.load`.
        data_dir: See `colorkit.load`.

    Returns:
        `Images`.

    Raises:
        ValueError, ConnectionError, ImportError: As `colorkit.load`.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            f"The dataset {name!r} needs TensorFlow Datasets, which cannot be imported "
            f"({error}): pip install tensorflow tensorflow-datasets importlib_resources. "
            '"photos" and "folder:PATH" need no further package.'
        ) from error
    if not hasattr(tfds, "builder"):  # the failed import is not reported
        raise ImportError(
            f"The dataset {name!r} needs TensorFlow Datasets, which is installed but cannot be "
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
        raise ValueError(f"The dataset {name!r} has no image in its features.")
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
    pictures, labels, sides = [], [], []
    keys = {key for key in (image_key, label_key, has_names and "label") if key}
    for record in _records(tfds, records, keys):
        if wanted and has_names:
            # Split by a checksum of the name, so that no person is in both splits.
            is_held_out = zlib.crc32(record["label"]) % _HELD_OUT_NAMES == 0
            if is_held_out != (wanted == "test"):
                continue
        rgb = record[image_key]
        rgb = np.repeat(rgb, 3, axis=-1) if rgb.shape[-1] == 1 else rgb
        sides.append(min(rgb.shape[:2]))
        pictures.append(rgb if size is None else square(rgb, size))
        labels.append(record[label_key] if label_key else None)
    if len({picture.shape for picture in pictures}) == 1:
        pictures = np.stack(pictures)
    return Images(
        pictures,
        labels=labels if label_key else None,
        class_names=builder.info.features[label_key].names if label_key else None,
        name=name,
        source_side=min(sides, default=None),
    )


def _records(tfds, dataset, keys):
    """Return the records of a dataset with only the given features, in its order."""
    dataset = dataset.map(lambda record: {key: record[key] for key in keys})
    if not all(spec.shape.is_fully_defined() for spec in dataset.element_spec.values()):
        yield from tfds.as_numpy(dataset)
        return
        # Batch images of one size: one by one, leaving TensorFlow takes most of the time.
    for batch in tfds.as_numpy(dataset.batch(512)):
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))


def _prepared_builder(tfds, root, name):
    """Return the builder of a dataset that is prepared on disk, or `None`; change nothing."""
    for pattern in (f"{name}/*", f"{name}/*/*"):  # the second: in the folder of the only config
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
            '`name` must be "photos", "folder:PATH", "video:PATH" or a dataset of TensorFlow '
            f"Datasets, such as cifar10. Received: {name!r}"
        )
    ways_on = (
        f"Set TFDS_DATA_DIR (or `data_dir`) to a folder that holds {name}, or load 'photos', "
        "which needs no network."
    )
    try:
        urllib.request.urlopen(_DOWNLOAD_PROBE, timeout=5).close()
    except urllib.error.HTTPError:
        pass  # the server answered: the network is available
    except OSError as error:
        raise ConnectionError(
            f"The dataset {name!r} is not in {root}, and the network cannot be reached "
            f"({getattr(error, 'reason', error)}). {ways_on}"
        ) from error
    top = root / name.split("/")[0]
    existed, root_existed = top.exists(), root.exists()
    make_folder(root)
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
            f"The dataset {name!r} is not in {root} and cannot be downloaded: {error}. {ways_on}"
        ) from error
    finally:
        shutil.rmtree(downloads, ignore_errors=True)
    return builder
