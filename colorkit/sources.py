"""Where the pictures of an experiment come from, and how they are divided."""

import functools
import os

import numpy as np

from colorkit.data import load
from colorkit.duplicates import copies

_CHECKED = {}  # which test pictures are no copies: an experiment and its base share the search


def source(experiment, profile, which):
    """Name and split of the pictures to train with, `which` 0, or to test with."""
    if profile.data is None:
        return experiment.data, experiment.splits[which]
    return profile.data, ("train", "test")[which]


def loaded(name, split, size):
    """Pictures of a source, brought to a size."""
    if ":" in name or "+" in name:
        return load(name, split, size=size)
    return _prepared(name, split, size, os.environ.get("TFDS_DATA_DIR"))


@functools.lru_cache(maxsize=2)
def _prepared(name, split, size, data_dir):
    """Data sets, unlike folders, do not change: the rows of a study share what is in memory."""
    return load(name, split, size=size, data_dir=data_dir)


def divided(experiment, profile, seed):
    """Pictures for training, validation and test; the first two are apart by picture.

    Of a folder, test pictures that are copies of what is learned from are left out: a network that
    knows them by heart is no better for it. (Those kept for validation may be copies of others.)
    Published data sets are tested on whole, as published. Where a profile takes fewer pictures than
    there are, they are spread evenly over folders and films, which may be sorted, and are the first
    of data sets, which are not.

    Args:
        experiment: `Experiment` with the size of its pictures.
        profile: `Profile`.
        seed: Seed of what is kept for validation.

    Raises:
        ValueError: If files of a folder are damaged, validation leaves none to learn from, or
            copies none to test with.
    """
    pool, test, own = _sources(experiment, profile)
    test = test[own]
    if not len(test):
        raise ValueError(
            f"All test pictures of {pool.name} are among those to learn from; give others."
        )
    order = np.random.default_rng(seed).permutation(len(pool))
    count = max(1, round(experiment.validation_split * len(pool)))
    gap = 0
    if pool.is_sequence:
        # Neighbouring frames are nearly the same: validation is what comes last, after a gap.
        order, gap = np.arange(len(pool))[::-1], max(1, count // 2)
    validation, train = pool[order[:count]], pool[np.sort(order[count + gap :])]
    if not len(train):
        raise ValueError(
            f"{pool.name} has {len(pool)} pictures to learn from, of which {count + gap} are "
            "needed to validate; give more."
        )
    most = min(filter(None, (profile.test, experiment.test_images)), default=None)
    if profile.test_pixels is not None and test.shape is not None:
        most = min(
            most or len(test), max(1, profile.test_pixels // (test.shape[0] * test.shape[1]))
        )
    parts = zip((train, validation, test), (profile.train, profile.validation, most), strict=True)
    return tuple(_some(images, count) for images, count in parts)


def large(experiment, profile, count):
    """The test pictures of `divided`, so many, at the experiment's large size."""
    _, _, own = _sources(experiment, profile)
    return _some(loaded(*source(experiment, profile, 1), experiment.large_size)[own], count)


def _some(images, count):
    """So many pictures, or all."""
    if count is None or count >= len(images):
        return images
    if ":" in images.name or "+" in images.name:
        return images[np.linspace(0, len(images) - 1, count).astype(int)]
    return images[:count]


def _sources(experiment, profile):
    """Pictures to learn from and to test with, and which of the latter are not among the former."""
    (name, train), (_, held_out) = (source(experiment, profile, i) for i in (0, 1))
    pool = loaded(name, train, experiment.size)
    test = loaded(name, held_out, experiment.size)
    if "folder:" not in name:
        return pool, test, slice(None)  # what is in memory stays shared
    key = name, train, held_out, experiment.size, pool.checksum, test.checksum
    if key not in _CHECKED:
        for images in (pool, test):
            images.verify()
        _CHECKED[key] = np.flatnonzero(~copies(test, pool))
    return pool, test, _CHECKED[key]
