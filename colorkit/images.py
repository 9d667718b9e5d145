"""A set of colour pictures, what everything takes that looks at many."""

import collections.abc
import re

import numpy as np
from PIL import Image

from colorkit.checks import is_list
from colorkit.pictures import picture_size, read_picture


class Images(collections.abc.Sequence):
    """A set of colour pictures: a sequence of uint8 arrays `(height, width, 3)`.

    Pictures in files are read when they are asked for. A slice or an index array gives `Images`
    again; `numpy.asarray` stacks pictures of one size.

    Args:
        items: uint8 array `(N, H, W, 3)`, or a list of arrays, paths or PIL images.
        labels: Class of each picture, or `None`.
        class_names: Name of each class, or `None`.
        name: What the set is called in records.
        size: Side of the square that each picture is brought to (short side scaled, centre
            kept), or `None` for pictures as they are.
        is_sequence: Whether they follow each other in time, as the frames of a video.
        weights: How often training shows each picture, in relation to the others, or `None` for
            all alike.
        checksum: What tells the source from another of the same name, or `None`.
        source_side: Short side of the smallest picture at its source, where the items are not as
            they were there.

    Raises:
        ValueError: If an array is not uint8 or has another shape, labels are not as many, or the
            items are one path.
    """

    def __init__(
        self,
        items,
        *,
        labels=None,
        class_names=None,
        weights=None,
        name="images",
        size=None,
        is_sequence=False,
        checksum=None,
        source_side=None,
    ):
        if not is_list(items):
            raise ValueError(
                f'Pictures must be an array or a list. Received: {items!r}; `load("folder:PATH")` '
                "reads a folder."
            )
        for item in [items] if isinstance(items, np.ndarray) else items:
            if isinstance(item, np.ndarray):
                _check_uint8(item, 4 if item is items else 3)
        if labels is not None and len(labels) != len(items):
            raise ValueError(
                f"There must be a label for each picture. Received {len(labels)} for {len(items)}"
            )
        self._items = items
        self.labels = None if labels is None else np.asarray(labels)
        self.class_names = class_names
        self.weights = None if weights is None else np.asarray(weights, "float64")
        self.name = re.sub(r"[\s|]+", " ", name).strip()  # it stands in tables
        self.size = size
        self.is_sequence = is_sequence
        self.checksum = checksum
        self._source_side = source_side

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if isinstance(index, (int, np.integer)):
            item = self._items[index]
            rgb = item if isinstance(item, np.ndarray) else read_picture(item)
            return rgb if self.size is None else square(rgb, self.size)
        if isinstance(self._items, np.ndarray):
            items = self._items[index]
        else:
            items = [self._items[i] for i in np.arange(len(self))[index]]
        return self._with(items, index, self.size)

    def at_size(self, size):
        """The same pictures, each brought to a square of this many pixels a side."""
        return self._with(self._items, slice(None), size)

    def _with(self, items, index, size):
        images = Images(
            items,
            labels=None if self.labels is None else self.labels[index],
            class_names=self.class_names,
            weights=None if self.weights is None else self.weights[index],
            name=self.name,
            size=size,
            is_sequence=self.is_sequence,
            checksum=self.checksum,
            source_side=self._source_side,
        )
        if hasattr(self, "_known_sizes"):  # a hundred thousand files need not be opened again
            images._known_sizes = self._known_sizes[index]
        return images

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

    @classmethod
    def concatenate(cls, sets, *, shares=None, name=None):
        """One set of several, without their labels.

        Args:
            sets: List of `Images`.
            shares: How much of what training shows is to come from each set, in relation to the
                others; `None` shows every picture alike.
            name: Name of the set; `None` joins those of the parts.

        Raises:
            ValueError: If the shares are not one positive number per set.
        """
        if shares is not None:
            if len(shares) != len(sets) or not all(0 < share < np.inf for share in shares):
                raise ValueError(
                    f"`shares` must be {len(sets)} positive numbers, one per set. "
                    f"Received: {shares!r}"
                )
            weights = [np.full(len(x), s / len(x)) for x, s in zip(sets, shares, strict=True)]
        items = [item if x.size is None else x[i] for x in sets for i, item in enumerate(x._items)]
        return cls(
            items,
            weights=None if shares is None else np.concatenate(weights),
            name=name or " + ".join(x.name for x in sets),
            checksum="-".join(str(x.checksum) for x in sets),
            source_side=min(x.source_side for x in sets),
        )

    @property
    def smallest(self):
        """Smallest `(height, width)` that any picture has."""
        return tuple(np.min(self._sizes(), axis=0).tolist())

    @property
    def shape(self):
        """`(height, width)` if all pictures have the same, else `None`."""
        sizes = set(map(tuple, np.asarray(self._sizes()).tolist()))
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def source_side(self):
        """Short side of the smallest picture before any was brought to `size`."""
        if self._source_side is None:
            self._source_side = int(np.min(self._item_sizes()))
        return self._source_side

    def verify(self):
        """Read every picture once, so that a damaged file is not found hours later.

        Raises:
            ValueError: If a file cannot be read to its end; the message names such files.
        """
        if not isinstance(self._items, np.ndarray):
            files = [item for item in self._items if not isinstance(item, np.ndarray)]
            check_readable(files, read_picture, f"pictures of {self.name}")

    def _sizes(self):
        if self.size is not None:
            return [(self.size, self.size)]
        return self._item_sizes()

    def _item_sizes(self):
        if isinstance(self._items, np.ndarray):
            return [self._items.shape[1:3]]
        if not hasattr(self, "_known_sizes"):
            self._known_sizes = np.array(
                [
                    item.shape[:2] if isinstance(item, np.ndarray) else picture_size(item)
                    for item in self._items
                ]
            ).reshape(-1, 2)
        return self._known_sizes


def _check_uint8(array, ndim):
    if array.dtype != np.uint8 or array.ndim != ndim or array.shape[-1] != 3:
        shape = "(N, height, width, 3)" if ndim == 4 else "(height, width, 3)"
        raise ValueError(
            f"Pictures must be uint8 arrays of shape {shape}. "
            f"Received dtype {array.dtype}, shape {array.shape}"
        )


def check_readable(paths, read, what):
    """Raise a `ValueError` that names the files of which `read` makes no pictures.

    Args:
        paths: Paths of picture files.
        read: Function of a path, `read_picture` or `picture_size`.
        what: What the message calls the files.
    """
    bad = []
    for path in paths:
        try:
            read(path)
        except (OSError, ValueError):
            bad.append(str(path))
    if bad:
        raise ValueError(
            f"{len(bad)} of {len(paths)} {what} cannot be read as pictures; repair or remove "
            f"them: {', '.join(bad[:5])}{', ...' if len(bad) > 5 else ''}"
        )


def typical(images, count=4000, size=96, seed=0):
    """A sample of one size of pictures that differ in size, where large ones would outweigh."""
    if images.shape is not None:
        return images
    shares = None if images.weights is None else images.weights / images.weights.sum()
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(images), min(count, len(images)), replace=False, p=shares)
    return images[np.sort(chosen)].at_size(size)


def square(rgb, size):
    """A picture brought to a square: short side scaled, centre kept."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    if (height, width) == (size, size):
        return rgb
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    resample = Image.Resampling.BOX if side > 2 * size else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(rgb).resize((size, size), resample, box=box))
