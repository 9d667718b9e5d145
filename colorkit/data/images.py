"""A dataset of color images, the input of all functions that take many images."""

import collections.abc
import copy
import os
import re
import warnings

import numpy as np
from PIL import Image, ImageOps

from colorkit.data.image_files import picture_size, read_picture

__all__ = ["Images"]


class Images(collections.abc.Sequence):
    """Hold a dataset of color images: a sequence of uint8 arrays `(height, width, 3)`.

    Image files are read on access. A slice or an index array returns `Images` again, and
    `numpy.asarray` stacks images of one size.

    Args:
        items: uint8 array `(N, H, W, 3)`, or a list of arrays, paths or PIL images.
        labels, class_names: Class of each image, and name of each class, or `None`.
        weights: How often training shows each image, relative to the others. `None` shows all
            equally often.
        name: Name of the dataset in records.
        size: Side of the square to which each image is resized (short side scaled, center
            cropped), or `None` to keep the images unchanged.
        is_sequence: Whether the images follow each other in time, as the frames of a video.
        checksum: Checksum that distinguishes sources of the same name, or `None`.
        source_side: Short side of the smallest image at its source, if the items were resized.
        left_out: Number of damaged files of the source that are not among the items.
        item_sizes: `(height, width)` of each item, shape `(N, 2)`. `None` reads them if needed.

    Raises:
        ValueError: If an array has another type or shape, `items` is one path, labels or weights do
            not match the items, or weights are negative or all zero.

    Example:
        >>> images = Images(np.zeros((4, 48, 64, 3), "uint8"), labels=[0, 1, 0, 1], size=32)
        >>> images.shape, len(images[images.labels == 1])
        ((32, 32), 2)
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
        left_out=0,
        item_sizes=None,
    ):
        if isinstance(items, (str, bytes, os.PathLike)):
            raise ValueError(
                f'Images must be an array or a list; load("folder:PATH") reads a folder. '
                f"Received: {items!r}"
            )
        for item in [items] if isinstance(items, np.ndarray) else items:
            if isinstance(item, np.ndarray):
                _check_uint8(item, 4 if item is items else 3)
        if labels is not None and len(labels) != len(items):
            raise ValueError(f"`labels` must be {len(items)} values. Received: {len(labels)}")
        if weights is not None:
            weights = np.asarray(weights, "float64")
            is_valid = weights.shape == (len(items),) and (weights >= 0).all()
            if not (is_valid and 0 < weights.sum() < np.inf):
                raise ValueError(
                    f"`weights` must be {len(items)} non-negative numbers, not all 0. "
                    f"Received: {weights}"
                )
        self._items = items
        self.labels = None if labels is None else np.asarray(labels)
        self.class_names = class_names
        self.weights = weights
        self.name = re.sub(r"[\s|]+", " ", name).strip()  # tables show it
        self.size = size
        # Number of the video of each frame, from 1 on, 0 for no frame; `None` without videos.
        self.films = np.ones(len(items), int) if is_sequence else None
        self.checksum = checksum
        self.left_out = left_out
        self._source_side = source_side
        self._known_sizes = item_sizes

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        if isinstance(index, (int, np.integer)):
            item = self._items[index]
            rgb = item if isinstance(item, np.ndarray) else read_picture(item)
            return rgb if self.size is None else square(rgb, self.size)
        if isinstance(self._items, np.ndarray):
            return self._with(self._items[index], index)
        return self._with([self._items[i] for i in np.arange(len(self))[index]], index)

    def at_size(self, size):
        """Return the same images, each resized to a square with sides of this many pixels."""
        images = copy.copy(self)
        images.size = size
        return images

    def decoded(self, arrays):
        """Return the same images with the arrays that were read of them, to read no file again."""
        images = copy.copy(self)
        images._source_side = self.source_side  # before the sizes of files are forgotten
        images._items = arrays
        return images

    def _with(self, items, index):
        images = copy.copy(self)
        images._items = items
        for name in ("labels", "weights", "films", "_known_sizes"):
            values = getattr(self, name)
            if values is not None:
                setattr(images, name, values[index])
        return images

    def __array__(self, dtype=None, copy=None):
        if isinstance(self._items, np.ndarray) and self.size is None:
            return np.array(self._items, dtype=dtype, copy=copy)
        self.check_one_size()
        return np.stack(list(self)).astype(dtype or "uint8", copy=False)

    def __repr__(self):
        size = "different sizes" if self.shape is None else "x".join(map(str, self.shape))
        return f"<Images: {len(self)} of {self.name}, {size}>"

    @classmethod
    def concatenate(cls, sets, *, shares=None):
        """Join a list of datasets into one, without their labels.

        `shares` are the shares of the datasets in training, positive numbers. `None` shows every
        image equally often, or as often as the weights of its dataset say.
        """
        if not sets:
            raise ValueError("`sets` must hold at least one dataset. Received none")
        if shares is not None and (
            len(shares) != len(sets) or not all(0 < share < np.inf for share in shares)
        ):
            raise ValueError(f"`shares` must be {len(sets)} positive numbers. Received: {shares!r}")
        weights = None
        if shares is not None or any(x.weights is not None for x in sets):
            totals = map(len, sets) if shares is None else shares
            parts = [np.ones(len(x)) if x.weights is None else x.weights for x in sets]
            weights = [total * x / x.sum() for total, x in zip(totals, parts, strict=True)]
            weights = np.concatenate(weights)
        names = [x.name for x in sets]
        if shares is not None:  # runs with other shares are other runs
            names = [f"{x}*{share:g}" for x, share in zip(names, shares, strict=True)]
        size = next((x.size for x in sets if x.size is not None), None)
        if size is not None and not all(x.shape == (size, size) for x in sets):
            size = None
        items, sizes = [], []
        for x in sets:
            # Files are read on access, unless only some of the datasets are resized.
            as_is = x.size in (None, size)
            items.extend(x._items if as_is else x)
            sizes.append(np.broadcast_to(x._item_sizes() if as_is else x._sizes(), (len(x), 2)))
        images = cls(
            items,
            weights=weights,
            name=" + ".join(names),
            size=size,
            checksum="-".join(str(x.checksum) for x in sets),
            source_side=min((x.source_side for x in sets if len(x)), default=None),
            left_out=sum(x.left_out for x in sets),
            item_sizes=np.concatenate(sizes),
        )
        if any(x.films is not None for x in sets):
            films, known = [], 0
            for x in sets:
                own = np.zeros(len(x), int) if x.films is None else x.films
                films.append(np.where(own > 0, own + known, 0))
                known += own.max(initial=0)
            images.films = np.concatenate(films)
        return images

    @property
    def smallest(self):
        """Smallest height and smallest width of the images."""
        return tuple(np.min(self._sizes(), axis=0).tolist())

    @property
    def shape(self):
        """`(height, width)` if all images have the same, else `None`."""
        sizes = self._sizes()
        is_one = len(sizes) > 0 and (sizes == sizes[0]).all()
        return tuple(sizes[0].tolist()) if is_one else None

    @property
    def pixels(self):
        """Number of pixels of all images together."""
        sizes = self._sizes()
        return int(np.prod(sizes, axis=1).sum()) * len(self) // max(1, len(sizes))

    def check_one_size(self):
        """Raise a `ValueError` if the images have different sizes."""
        if self.shape is None:
            raise ValueError(
                f"The images of {self.name} have different sizes; give `size` to `load` or "
                "`crop` to `pairs`."
            )

    @property
    def source_side(self):
        """Short side of the smallest image before any image was resized to `size`."""
        if self._source_side is None:
            self._source_side = int(np.min(self._item_sizes()))
        return self._source_side

    def readable(self, visit=None):
        """Read every image once, and return `Images` without the damaged files, with a warning.

        `visit(index, rgb)` is called for each readable image, to compute on all pixels in the same
        pass. If a file no longer exists, or no image can be read, an error is raised.
        """
        kept, damaged = [], []
        for i, item in enumerate(self._items):
            try:
                rgb = self[i]
            except FileNotFoundError:  # on a lost disk, all images would be left out
                raise
            except (OSError, ValueError):
                damaged.append(item)
                continue
            kept.append(i)
            if visit is not None:
                visit(i, rgb)
        if not damaged:
            return self
        warn_left_out(damaged, len(self), f"images of {self.name}")
        images = self[np.array(kept)]
        images.left_out += len(damaged)
        return images

    def _sizes(self):
        """Return the size of each image, or one size for all, shape `(N or 1, 2)`."""
        return self._item_sizes() if self.size is None else np.full((1, 2), self.size)

    def _item_sizes(self):
        """Return the size of each item before it is resized, or one size for all."""
        items = self._items
        if isinstance(items, np.ndarray):
            return np.array([items.shape[1:3]])
        if self._known_sizes is None:
            sizes = (x.shape[:2] if isinstance(x, np.ndarray) else picture_size(x) for x in items)
            self._known_sizes = np.array(list(sizes), int).reshape(-1, 2)
        return self._known_sizes


def _check_uint8(array, ndim):
    if array.dtype != np.uint8 or array.ndim != ndim or array.shape[-1] != 3:
        shape = "(N, height, width, 3)" if ndim == 4 else "(height, width, 3)"
        raise ValueError(
            f"Images must be uint8 arrays of shape {shape}. "
            f"Received dtype {array.dtype}, shape {array.shape}"
        )


def warn_left_out(damaged, count, what):
    """Warn of damaged files among `count` files; raise a `ValueError` if all are damaged."""
    files = f"{', '.join(map(str, damaged[:5]))}{', ...' if len(damaged) > 5 else ''}"
    problem = f"{len(damaged)} of {count} {what} cannot be read"
    if len(damaged) == count:
        raise ValueError(f"{problem}; nothing is left. Repair or replace them: {files}")
    warnings.warn(f"{problem} and are left out: {files}", stacklevel=3)


def typical(images, count=4000, size=96, seed=0):
    """Sample images of one size if the images differ in size or in how often they are shown.

    Large images would otherwise have more influence. Images of one size that are shown equally
    often are returned unchanged.
    """
    if not isinstance(images, Images):
        images = Images(images)
    if images.shape is not None and images.weights is None:
        return images
    rng, most = np.random.default_rng(seed), min(count, len(images))
    if images.weights is None:
        chosen = np.sort(rng.choice(len(images), most, replace=False))
    else:
        chosen = drawn(images.weights, most, rng)
    return images[chosen] if images.shape is not None else images[chosen].at_size(size)


def drawn(weights, count, rng):
    """Draw `count` indices, each as often as its weight says, rounded up or down at random."""
    steps = (np.arange(count) + rng.random()) / count
    total = np.cumsum(weights)
    if not total[-1] > 0:
        raise ValueError("`weights` must not all be 0 for the images to draw. Give other images.")
    return np.searchsorted(total / total[-1], steps)


def square(rgb, size):
    """Scale the short side of an image to a size, and crop its center."""
    if rgb.shape[:2] == (size, size):
        return rgb
    resample = Image.Resampling.BOX if min(rgb.shape[:2]) > 2 * size else Image.Resampling.LANCZOS
    return np.asarray(ImageOps.fit(Image.fromarray(rgb), (size, size), resample))
