"""Where the images of an experiment come from, and how they are divided."""

import functools
import os

import numpy as np

from colorkit.data import load
from colorkit.duplicates import alike, thumbnail

_CHECKED = {}  # images that were looked through last: an experiment and its base share them


def source(experiment, profile, which):
    """Name and split of the images to train with, `which` 0, or to test with."""
    if profile.data is None:
        return experiment.data, experiment.splits[which]
    return profile.data, ("train", "test")[which]


def loaded(name, split, size):
    """Images of a source, brought to a size."""
    if ":" in name:
        return load(name, split, size=size)
    return _prepared(name, split, size, os.environ.get("TFDS_DATA_DIR"))


@functools.lru_cache(maxsize=2)
def _prepared(name, split, size, data_dir):
    """Data sets, unlike folders, do not change: the rows of a study share what is in memory."""
    return load(name, split, size=size, data_dir=data_dir)


def divided(experiment, profile, seed):
    """Images for training, validation and test; the first two are apart by image.

    Of a folder, damaged files are left out, with a warning, and test images that are copies of
    what is learned from: a network that knows them by heart is no better for it. (Those kept for
    validation may be copies of others.)
    Published data sets are tested on whole, as published. Where a profile takes fewer images than
    there are, they are spread evenly over folders and films, which may be sorted, and are the first
    of data sets, which are not.

    Args:
        experiment: `Experiment` with the size of its images.
        profile: `Profile`.
        seed: Seed of what is kept for validation.

    Raises:
        ValueError: If no file of a folder can be read, validation leaves none to learn from, or
            copies none to test with.
    """
    pool, test, _ = _sources(experiment, profile)
    if not len(test):
        raise ValueError(
            f"All test images of {pool.name} are among those to learn from; give others."
        )
    kept, rest = _held_out(pool, experiment.validation_split, seed)
    validation, train = pool[kept], pool[rest]
    if not len(train):
        raise ValueError(
            f"{pool.name} has {len(pool)} images to learn from, of which {len(pool)} are needed "
            "to validate; give more."
        )
    most = min(filter(None, (profile.test, experiment.test_images)), default=None)
    if profile.test_pixels is not None and test.shape is not None:
        most = min(
            most or len(test), max(1, profile.test_pixels // (test.shape[0] * test.shape[1]))
        )
    parts = zip((train, validation, test), (profile.train, profile.validation, most), strict=True)
    return tuple(_some(images, count) for images, count in parts)


def large(experiment, profile, count):
    """The test images of `divided`, so many, at the experiment's large size."""
    _, _, own = _sources(experiment, profile)
    return _some(loaded(*source(experiment, profile, 1), experiment.large_size)[own], count)


def _some(images, count):
    """So many images, or all."""
    if count is None or count >= len(images):
        return images
    if ":" in images.name or "+" in images.name:
        return images[np.linspace(0, len(images) - 1, count).astype(int)]
    return images[:count]


def _held_out(pool, share, seed):
    """Which images are kept for validation, and which are left to learn from, in order."""
    kept, rest = [], []
    films = np.zeros(len(pool), int) if pool.films is None else pool.films
    for film in np.unique(films):
        members = np.flatnonzero(films == film)
        count = max(1, round(share * len(members)))
        order, gap = np.random.default_rng(seed).permutation(members), 0
        if film:
            # Neighboring frames are nearly the same: validation is what comes last, after a gap.
            order, gap = members[::-1], max(1, count // 2)
        kept.append(order[:count])
        rest.append(order[count + gap :])
    return np.concatenate(kept), np.sort(np.concatenate(rest))


def _sources(experiment, profile):
    """Images to learn from and to test with, and where the latter are among those of the source.

    Of folders, damaged files are left out of both, and copies of the former out of the latter.
    """
    (name, train), (_, held_out) = (source(experiment, profile, i) for i in (0, 1))
    pool = loaded(name, train, experiment.size)
    test = loaded(name, held_out, experiment.size)
    if "folder:" not in name:
        return pool, test, slice(None)  # what is in memory stays shared
    key = name, train, held_out, experiment.size, _stamp(pool), _stamp(test)
    if key not in _CHECKED:
        pool, _, learned = _seen(pool)
        test, places, tested = _seen(test)
        own = np.flatnonzero(~alike(tested, learned))
        _CHECKED.clear()
        _CHECKED[key] = pool, test[own], places[own]
    return _CHECKED[key]


def _seen(images):
    """Images that can be read, where they are among all, and their thumbnails, in one pass."""
    thumbnails = {}
    images = images.readable(lambda i, rgb: thumbnails.update({i: thumbnail(rgb)}))
    return images, np.array(list(thumbnails)), list(thumbnails.values())


def _stamp(images):
    """What changes with the files of images."""
    files = (item for item in images._items if isinstance(item, os.PathLike))
    return images.checksum, hash(tuple(os.stat(path).st_mtime_ns for path in files))
