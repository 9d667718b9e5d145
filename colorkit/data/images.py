"""A dataset of color images, the input of all functions that take many images."""

import collections.abc
import re
import warnings

import numpy as np
from PIL import Image

from colorkit.checks import is_list
from colorkit.data.image_files import picture_size, read_picture


class Images(collections.abc.Sequence):
    """A dataset of color images: a sequence of uint8 arrays `(height, width, 3)`.

    Image files are read on access. A slice or an index array returns `Images` again, and
    `numpy.asarray` stacks images of one size.

    Args:
        items: uint8 array `(N, H, W, 3)`, or a list of arrays, paths or PIL images.
        labels: Class of each image, or `None`.
        class_names: Name of each class, or `None`.
        name: Name of the dataset in records.
        size: Side of the square to which each image is resized (short side scaled, center
            cropped), or `None` to keep the images unchanged.
        is_sequence: Whether the images follow each other in time, as the frames of a video.
        weights: How often training shows each image, relative to the others. `None` shows all
            equally often.
        checksum: Checksum that distinguishes sources of the same name, or `None`.
        source_side: Short side of the smallest image at its source, if the items were resized.
        left_out: Number of damaged files of the source that are not among the items.

    Raises:
        ValueError: If an array is not uint8 or has another shape, or `items` is one path. Also if
            the number of labels or weights does not match, or weights are invalid.
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
    ):
        if not is_list(items):
            raise ValueError(
                f'Images must be an array or a list. Received: {items!r}; `load("folder:PATH")` '
                "reads a folder."
            )
        for item in [items] if isinstance(items, np.ndarray) else items:
            if isinstance(item, np.ndarray):
                _check_uint8(item, 4 if item is items else 3)
        if labels is not None and len(labels) != len(items):
            raise ValueError(
                f"There must be a label for each image. Received {len(labels)} for {len(items)}"
            )
        if weights is not None:
            weights = np.asarray(weights, "float64")
            if weights.shape != (len(items),) or not (
                (weights >= 0).all() and 0 < weights.sum() < np.inf
            ):
                raise ValueError(
                    f"`weights` must be {len(items)} non-negative numbers, one per image, and not "
                    f"all 0. Received: {weights}"
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
        """Return the same images, each resized to a square with sides of this many pixels."""
        return self._with(self._items, slice(None), size)

    def _with(self, items, index, size):
        images = Images(
            items,
            labels=None if self.labels is None else self.labels[index],
            class_names=self.class_names,
            weights=None if self.weights is None else self.weights[index],
            name=self.name,
            size=size,
            checksum=self.checksum,
            source_side=self._source_side,
            left_out=self.left_out,
        )
        images.films = None if self.films is None else self.films[index]
        if hasattr(self, "_known_sizes"):  # avoids opening many files again
            images._known_sizes = self._known_sizes[index]
        return images

    def __array__(self, dtype=None, copy=None):
        if isinstance(self._items, np.ndarray) and self.size is None:
            return np.array(self._items, dtype=dtype, copy=copy)
        if self.shape is None:
            raise ValueError(
                f"The images of {self.name} have different sizes; give `size` to `load` or "
                "`crop` to `pairs`."
            )
        return np.stack([self[i] for i in range(len(self))]).astype(dtype or "uint8")

    def __repr__(self):
        size = "different sizes" if self.shape is None else "x".join(map(str, self.shape))
        return f"<Images: {len(self)} of {self.name}, {size}>"

    @classmethod
    def concatenate(cls, sets, *, shares=None, name=None):
        """Join several datasets into one, without their labels.

        Args:
            sets: List of `Images`.
            shares: Share of each dataset in what training shows, relative to the others. `None`
                shows every image equally often, or as often as the weights of its dataset say.
            name: Name of the joined dataset; `None` joins the names of the parts.

        Raises:
            ValueError: If there are no datasets, or not one positive share per dataset.
        """
        if not sets:
            raise ValueError("`sets` must hold at least one dataset. Received none")
        if shares is not None and (
            len(shares) != len(sets) or not all(0 < share < np.inf for share in shares)
        ):
            raise ValueError(
                f"`shares` must be {len(sets)} positive numbers, one per dataset. "
                f"Received: {shares!r}"
            )
        weights = None
        if shares is not None or any(x.weights is not None for x in sets):
            totals = [len(x) for x in sets] if shares is None else shares
            parts = [np.ones(len(x)) if x.weights is None else x.weights for x in sets]
            weights = np.concatenate(
                [total * part / part.sum() for total, part in zip(totals, parts, strict=True)]
            )
        if name is None:
            names = [x.name for x in sets]
            if shares is not None:  # runs with other shares are other runs
                names = [f"{x}*{share:g}" for x, share in zip(names, shares, strict=True)]
            name = " + ".join(names)
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
            name=name,
            size=size,
            checksum="-".join(str(x.checksum) for x in sets),
            source_side=min((x.source_side for x in sets if len(x)), default=None),
            left_out=sum(x.left_out for x in sets),
        )
        images._known_sizes = np.concatenate(sizes)
        if any(x.films is not None for x in sets):
            images.films, known = np.zeros(len(images), int), 0
            starts = np.cumsum([0, *map(len, sets)])
            for start, x in zip(starts[:-1], sets, strict=True):
                if x.films is not None:
                    films = np.where(x.films > 0, x.films + known, 0)
                    images.films[start : start + len(x)] = films
                    known = max(known, films.max(initial=0))
        return images

    @property
    def is_sequence(self):
        """Whether some images follow each other in time, as the frames of a video."""
        return self.films is not None

    @property
    def smallest(self):
        """Smallest `(height, width)` that any image has."""
        return tuple(np.min(self._sizes(), axis=0).tolist())

    @property
    def shape(self):
        """`(height, width)` if all images have the same, else `None`."""
        sizes = set(map(tuple, np.asarray(self._sizes()).tolist()))
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def source_side(self):
        """Short side of the smallest image before any image was resized to `size`."""
        if self._source_side is None:
            self._source_side = int(np.min(self._item_sizes()))
        return self._source_side

    def readable(self, visit=None):
        """Read every image once, and return the images that can be read.

        Args:
            visit: Function of an index and its image, called for each readable image. It allows
                computations on all pixels in the same pass.

        Returns:
            `Images` without the damaged files. A warning has the names of those files.

        Raises:
            FileNotFoundError: If a file no longer exists.
            ValueError: If no image can be read.
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
        tell_left_out(damaged, len(self), f"images of {self.name}")
        images = self[np.array(kept)]
        images.left_out += len(damaged)
        return images

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
            f"Images must be uint8 arrays of shape {shape}. "
            f"Received dtype {array.dtype}, shape {array.shape}"
        )


def tell_left_out(damaged, count, what):
    """Warn of files that cannot be read as images; raise a `ValueError` if none can be read.

    Args:
        damaged: The damaged files.
        count: Total number of files.
        what: Name of the files in the message.
    """
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
    return np.searchsorted(total / total[-1], steps)


def square(rgb, size):
    """Resize an image to a square: scale its short side and crop its center."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    if (height, width) == (size, size):
        return rgb
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    resample = Image.Resampling.BOX if side > 2 * size else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(rgb).resize((size, size), resample, box=box))
