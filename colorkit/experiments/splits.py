"""Load and split the images of an experiment."""

import functools
import os

import numpy as np

from colorkit.data.datasets import load
from colorkit.data.duplicates import alike, thumbnail

_CHECKED = {}  # images that were read last: an experiment and its base share them
# Images from files that need no more bytes are kept in memory, else read again in each epoch.
_KEPT_BYTES = 2**31


def _loaded(experiment, profile, which, size):
    """Return the images to train with, `which` 0, or to test with, resized."""
    name, splits = experiment.data.name, experiment.data.splits
    if profile.data is not None:
        name, splits = profile.data, ("train", "test")
    if ":" in name:
        return load(name, splits[which], size=size)
    return _prepared(name, splits[which], size, os.environ.get("TFDS_DATA_DIR"))


@functools.lru_cache(maxsize=2)
def _prepared(name, split, size, data_dir):
    """Load a dataset once: unlike folders it does not change, so experiments share it in memory."""
    return load(name, split, size=size, data_dir=data_dir)


def divided(experiment, profile, seed):
    """Return images for training, validation and test; those of folders have none in common.

    From a folder, damaged files are left out, with a warning. Test images that are copies of other
    images are left out too. So are training images that are copies of validation images, except
    frames of films. A network that has memorized copies is no better. `data.similarity` says what a
    copy is.

    Published datasets are tested completely, as published. If a profile takes fewer images than
    there are, they are spread evenly over folders and videos, which may be sorted. Of datasets,
    which are not sorted, the first images are used.

    Raises:
        ValueError: If no file can be read, or no images are left for training or test.
    """
    pool, test, _, thumbnails = _sources(experiment, profile)
    if not len(test):
        raise ValueError(
            f"All test images of {pool.name} are copies of training images; give other test images."
        )
    kept, rest = held_out(pool, experiment.data.validation_split, seed)
    copies = ""
    if thumbnails is not None:
        copied = alike(thumbnails[rest], thumbnails[kept], experiment.data.similarity)
        if pool.films is not None:  # frames are alike, and have a gap in time instead
            copied &= pool.films[rest] == 0
        rest, copies = rest[~copied], ", and the others are copies of these" if copied.any() else ""
    validation, train = pool[kept], pool[rest]
    if not len(train):
        raise ValueError(
            f"{pool.name} has {len(pool)} images for training, of which {len(kept)} are needed "
            f"for validation{copies}; give more."
        )
    most = min(filter(None, (profile.test, experiment.data.test_images)), default=None)
    if profile.test_pixels is not None and test.shape is not None:
        whole = profile.test_pixels // (test.shape[0] * test.shape[1])
        most = min(most or len(test), max(1, whole))
    parts = zip((train, validation, test), (profile.train, profile.validation, most), strict=True)
    return tuple(_some(images, count) for images, count in parts)


def large(experiment, profile, count):
    """Return `count` test images of `divided` at the experiment's large size."""
    _, _, own, _ = _sources(experiment, profile)
    return _some(_loaded(experiment, profile, 1, experiment.data.large_size)[own], count)


def _some(images, count):
    """Return `count` images, or all."""
    if count is None or count >= len(images):
        return images
    if ":" in images.name or "+" in images.name:
        return images[np.linspace(0, len(images) - 1, count).astype(int)]
    return images[:count]


def held_out(pool, share, seed):
    """Return the indices of validation images, and those of training images, sorted."""
    kept, rest = [], []
    films = np.zeros(len(pool), int) if pool.films is None else pool.films
    for film in np.unique(films):
        members = np.flatnonzero(films == film)
        count = max(1, round(share * len(members)))
        order, gap = np.random.default_rng(seed).permutation(members), 0
        if film:
            # Neighboring frames are nearly the same: validation comes last, after a gap.
            order, gap = members[::-1], max(1, count // 2)
        kept.append(order[:count])
        rest.append(order[count + gap :])
    return np.concatenate(kept), np.sort(np.concatenate(rest))


def _sources(experiment, profile):
    """Return training images, test images, the indices of the latter, and training thumbnails.

    From folders, damaged files are left out of both, and copies of training images out of the test.
    Other datasets have no thumbnails.
    """
    size = experiment.data.size
    pool, test = (_loaded(experiment, profile, which, size) for which in (0, 1))
    if "folder:" not in pool.name:
        return pool, test, slice(None), None  # images in memory stay shared
    similarity = experiment.data.similarity
    key = pool.name, size, similarity, _stamp(pool), _stamp(test)
    if key not in _CHECKED:
        _CHECKED.clear()
        fits = (pool.pixels + test.pixels) * 3 <= _KEPT_BYTES
        pool, _, learned = _seen(pool, fits)
        test, places, tested = _seen(test, fits)
        own = np.flatnonzero(~alike(tested, learned, similarity))
        _CHECKED[key] = pool, test[own], places[own], np.array(learned)
    return _CHECKED[key]


def _seen(images, fits):
    """Return the readable images, their indices among all, and their thumbnails, in one pass."""
    thumbnails, kept = {}, []

    def visit(i, rgb):
        thumbnails[i] = thumbnail(rgb)
        if fits:
            kept.append(rgb)

    images = images.readable(visit)
    images = images.decoded(kept) if fits else images
    return images, np.array(list(thumbnails)), list(thumbnails.values())


def _stamp(images):
    """Return a value that changes with the files of images."""
    files = (item for item in images._items if isinstance(item, os.PathLike))
    return images.checksum, hash(tuple((path, os.stat(path).st_mtime_ns) for path in files))
