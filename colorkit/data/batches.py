"""Turn images into batches of (lightness, chroma) or (RGB, class) for `fit`."""

import collections.abc
import dataclasses
import os

import keras
import numpy as np
from keras import ops
from PIL import Image

from colorkit.checks import check_share, check_whole
from colorkit.color import spaces
from colorkit.data.aging import age
from colorkit.data.images import Images, drawn

__all__ = ["Batches", "has_color", "labeled", "pairs", "visibility"]

# An image with |a| and |b| of at most this everywhere is near-gray (code of Zhang et al.).
_NEAR_GRAY = 5.0


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Batches(keras.utils.PyDataset):
    """Give batches of images to `fit`, `evaluate` and `predict`, see `pairs` and `labeled`.

    The order, mirroring and crops of each epoch depend only on `seed` and `epoch`. To resume, set
    `epoch` in `on_epoch_begin` of a callback, as `colorkit.run` does. `fit`, `evaluate` and
    `predict` count it up. `dataset[i]` is the i-th batch.

    Attributes:
        convert: Function from the RGB, aged RGB and labels of a batch to the input of `fit`.
        epoch: Number of the epoch, from 0 on.
        failure: Error of a worker, or `None`; Keras reports only that there was one.

    Example:
        >>> dataset = ck.pairs(np.zeros((10, 8, 8, 3), "uint8"), batch_size=4)
        >>> len(dataset), dataset[0][1].shape
        (3, (4, 8, 8, 2))
    """

    images: Images
    convert: collections.abc.Callable
    needs_labels: bool
    batch_size: int = 128
    augment: bool = False
    crop: int | tuple | None = None
    shift: int = 0
    zoom: tuple | None = None
    context: tuple | None = None
    aging: float = 0.0
    epoch_batches: int | None = None
    shuffle: bool | None = None
    seed: int = 0

    def __post_init__(self):
        workers = max(1, min(4, (os.cpu_count() or 2) - 1))
        super().__init__(workers, max_queue_size=max(2, workers))  # batches are large
        if not isinstance(self.images, Images):
            self.images = Images(self.images)
        if self.shuffle is None:
            self.shuffle = self.augment
        self._check()
        self.epoch = 0
        self.failure = None
        self._order = (None, None)

    def _check(self):
        if len(self.images) == 0:
            raise ValueError("`images` must hold at least one image. Received none")
        if self.needs_labels and self.images.labels is None:
            raise ValueError(f"`images` must have labels. Received: {self.images}")
        check_whole("batch_size", self.batch_size)
        check_whole("seed", self.seed, 0)
        check_share("aging", self.aging, can_be_all=True)
        if self.epoch_batches is not None:
            check_whole("epoch_batches", self.epoch_batches)
        for name, value, limit in (("zoom", self.zoom, ""), ("context", self.context, " <= 1")):
            if value is None:
                continue
            is_range = np.shape(value) == (2,) and 0 < value[0] <= value[1] < np.inf
            if not is_range or (limit and value[1] > 1):
                raise ValueError(
                    f"`{name}` must be (low, high), 0 < low <= high{limit}. Received: {value!r}"
                )
        if self.zoom is not None and self.context is not None:
            raise ValueError("`context` and `zoom` cannot be combined. Received both; give one.")
        if self.crop is None:
            if self.context is not None:
                raise ValueError("`context` needs `crop`, the side of its crops. Received: None")
            self.images.check_one_size()
            sides = self.images.shape
        else:
            sides = self.crop if isinstance(self.crop, tuple) and self.crop else (self.crop,)
            for side in sides:
                check_whole("crop", side)
            height, width = self.images.smallest
            if self.context is None and max(sides) > min(height, width):
                raise ValueError(
                    f"`crop` must fit into every image; the smallest is {height} pixels high and "
                    f"{width} wide. Received: {self.crop}"
                )
        check_whole("shift", self.shift, 0, min(sides) - 1)

    @property
    def _pass_batches(self):
        """Number of batches in which every image occurs once."""
        whole, rest = divmod(len(self.images), self.batch_size)
        # When shuffling, leave out a partial batch in this epoch: all steps have one shape.
        return whole if self.shuffle and whole else whole + (rest > 0)

    def __len__(self):
        return self.epoch_batches or self._pass_batches

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        try:
            return self._batch(index)
        except (OSError, MemoryError, ValueError) as error:
            self.failure = error
            raise

    def on_epoch_end(self):
        self.epoch += 1

    def _batch(self, index):
        rng = np.random.default_rng((self.seed, self.epoch, index))
        images = self.images[self._chosen(index)]
        crop = self.crop
        if isinstance(crop, tuple):
            # Sizes alternate, so that Keras learns from the first two batches that sizes differ.
            # Epochs continue the sequence, except epochs of one batch, which have one size.
            turn = self.epoch * len(self) + index if len(self) > 1 else 0
            crop = crop[turn % len(crop) if self.augment else len(crop) // 2]
        if self.zoom is not None or self.context is not None:
            rgb = np.stack([self._framed(image, crop, rng) for image in images])
        elif crop is not None:
            rgb = np.stack([self._cropped(image, crop, rng) for image in images])
        else:
            rgb = np.asarray(images)
        aged = rgb
        if self.augment:
            mirrored = rng.random(len(rgb)) < 0.5
            rgb = np.where(mirrored[:, None, None, None], rgb[:, :, ::-1], rgb)
            if self.shift:
                self._move(rgb, rng)
            aged = rgb
            if self.aging:
                aged = np.stack([self._aged(image, rng) for image in rgb])
        return self.convert(rgb, aged, images.labels)

    def _chosen(self, index):
        """Return the indices of the images in a batch of this epoch."""
        number, index = divmod(self.epoch * len(self) + index, self._pass_batches)
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        known, order = self._order
        if known != number:
            order = np.arange(len(self.images))
            if self.shuffle:
                rng = np.random.default_rng((self.seed, number))
                if self.images.weights is not None:
                    order = drawn(self.images.weights, len(order), rng)
                order = rng.permutation(order)
            self._order = number, order
        return order[chosen]

    def _cropped(self, image, crop, rng):
        spare = np.array(image.shape[:2]) - crop
        top, left = rng.integers(0, spare + 1) if self.augment else spare // 2
        return image[top : top + crop, left : left + crop]

    def _framed(self, image, crop, rng):
        """Resize a part of an image to the size of the crop."""
        whole = np.array(image.shape[:2])
        side = whole if crop is None else np.array((crop, crop))
        low, high = self.zoom or self.context
        factor = rng.uniform(low, high) if self.augment else high
        if self.context is not None:
            factor *= whole.min() / crop
        taken = np.minimum(side * min(factor, *(whole / side)), whole)  # limit rounding errors
        top, left = rng.uniform(0, whole - taken) if self.augment else (whole - taken) / 2
        box = (left, top, left + taken[1], top + taken[0])
        size = (int(side[1]), int(side[0]))
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC, box=box))

    def _move(self, rgb, rng):
        margin = (self.shift, self.shift)
        padded = np.pad(rgb, ((0, 0), margin, margin, (0, 0)), mode="reflect")
        corners = rng.integers(0, 2 * self.shift + 1, (len(rgb), 2))
        for i, (top, left) in enumerate(corners):
            rgb[i] = padded[i, top : top + rgb.shape[1], left : left + rgb.shape[2]]

    def _aged(self, rgb, rng):
        if rng.random() >= self.aging:
            return rgb
        return np.repeat(age(rgb, rng)[..., None], 3, axis=-1)


def pairs(
    images, *, space=spaces.LAB, near_gray="keep", luminance_gate=False, labels=False, **options
):
    """Turn images into batches of (lightness, chroma), the training data of every model.

    A network should keep height and width of its input, or divide them by a power of two. Create
    `ck.Colorizer(model, ...)` before `fit` to check whether a network is suitable.

    Args:
        images: `Images`, a uint8 array `(N, H, W, 3)`, or a list of uint8 arrays.
        space: `ColorSpace`, or its name.
        near_gray: "keep", "drop" or "mask". "drop" leaves out images in which no pixel has |a| or
            |b| above 5, which also reduces the share of their dataset. "mask" keeps them with a
            sample weight of zero, as Zhang et al. do.
        luminance_gate: Whether sample weights, of mean 1 before any mask, reduce the influence of
            very dark and very bright pixels, see `visibility`. Lab only.
        labels: If True, the target is a dict of "chroma" and "label", the class of each image.
        batch_size: Number of images per batch (default: 128).
        augment: Whether to mirror half of the images, and to crop at random instead of at the
            center (default: False).
        crop: Side of a square crop in pixels, required if images have different sizes. If it
            is a tuple, augmented batches use the sides in turn. If an epoch is one batch, they use
            the first. Other batches use the middle one.
        shift: Maximum number of pixels by which augmented images are moved vertically and
            horizontally. The border is filled by reflection.
        zoom: `(low, high)`: resize a part of each image to the size of `crop`, or else of the
            image. The sides of the part are those of the result, times a random factor between
            `low` and `high`, and at most those of the image. Without `augment`, the factor is
            `high` and the part is at the center.
        context: `(low, high)`, at most 1, instead of `zoom`: as `zoom`, but the factor is relative
            to the short side of the image. Needs a `crop`, which may be larger than the images.
        aging: Share of augmented images whose lightness is changed to look like an old photograph,
            see `colorkit.data.aging.age`. Their chroma is unchanged.
        epoch_batches: Number of batches per epoch, if one pass over all images is too long. The
            next epoch continues where the last one ended. `None` means one pass.
        shuffle: Whether each epoch has a new order, and no partial batch. `None` means the value of
            `augment`.
        seed: Seed of order, mirroring and crops (default: 0).

    Returns:
        `Batches`, a `keras.utils.PyDataset`. Batches are float32: lightness `(N, H, W, 1)` and
        chroma `(N, H, W, channels)` in natural units. Sample weights have shape `(N, 1, 1)` with
        "mask" and `(N, H, W)` with the gate.

    Raises:
        ValueError: If an option is out of range, a crop or labels are missing, or a crop does not
            fit into every image.

    Example:
        >>> dataset = pairs(ck.load("photos"), batch_size=32, augment=True)
        >>> lightness, chroma = dataset[0]
        >>> lightness.shape, chroma.shape
        ((32, 32, 32, 1), (32, 32, 32, 2))
    """
    space = spaces.get(space)
    if near_gray not in ("keep", "drop", "mask"):
        raise ValueError(f'`near_gray` must be "keep", "drop" or "mask". Received: {near_gray!r}')
    if luminance_gate and space is not spaces.LAB:
        raise ValueError(f"`luminance_gate` needs lightness in Lab. Received: {space}")
    weighted = luminance_gate or near_gray == "mask"
    if labels and weighted:
        raise ValueError(
            '`labels` cannot be combined with `luminance_gate` or `near_gray="mask"`; use "drop".'
        )

    def convert(rgb, aged, classes):
        weights = np.float32(1)
        with keras.device("cpu"):  # keep the accelerator free for training
            lightness, chroma = map(ops.convert_to_numpy, space.split(rgb))
            if aged is not rgb:
                lightness = ops.convert_to_numpy(space.split(aged)[0])
            if near_gray == "mask":
                weights = np.float32(~_is_near_gray(rgb))[:, None, None]
            if luminance_gate:
                visible = ops.convert_to_numpy(visibility(lightness))
                # Mean 1, so that the gate keeps the ratio between this loss and other losses.
                weights = weights * visible / visible.mean()
        if weighted:
            return lightness, chroma, weights
        return lightness, {"chroma": chroma, "label": classes} if labels else chroma

    dataset = Batches(images=images, convert=convert, needs_labels=labels, **options)
    if near_gray == "drop":
        kept = np.flatnonzero([has_color(rgb) for rgb in dataset.images])
        if not len(kept):
            raise ValueError("All `images` are near-gray; use near_gray='keep'.")
        dataset.images = dataset.images[kept]
    return dataset


def labeled(images, **options):
    """Turn images with labels into batches of (RGB, class) for classifiers.

    Options and errors are those of `pairs`.

    Returns:
        `Batches`: float32 RGB `(N, H, W, 3)` in [0, 1] and labels `(N,)`.

    Example:
        >>> rgb, classes = labeled(ck.load("photos"), batch_size=32)[0]
        >>> rgb.shape, classes.shape
        ((32, 32, 32, 3), (32,))
    """

    def convert(rgb, aged, classes):
        return rgb / np.float32(255), classes

    return Batches(images=images, convert=convert, needs_labels=True, **options)


def visibility(lightness):
    """Compute how visible chroma is at a lightness: 1 in the middle, nearly 0 at both ends.

    Two sigmoids, each 10 wide, have the value 1/2 at L = 20 and L = 95.

    Args:
        lightness: L in [0, 100], shape `(..., height, width, 1)`.

    Returns:
        Tensor of shape `(..., height, width)` in [0, 1].

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", section 6, proposes it. The numbers
        were not tuned.

    Example:
        >>> round(float(visibility(np.full((1, 1, 1), 20.0))[0, 0]), 2)
        0.5
    """
    lightness = ops.convert_to_tensor(lightness)[..., 0]
    return ops.sigmoid(0.4 * (lightness - 20.0)) * ops.sigmoid(0.4 * (95.0 - lightness))


def has_color(rgb):
    """Return whether an image `(H, W, 3)`, uint8, has a pixel with |a| or |b| above 5.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, the authors' code.

    Example:
        >>> has_color(np.full((4, 4, 3), 128, "uint8"))
        False
    """
    return not _is_near_gray(np.asarray(rgb)[None])[0]


def _is_near_gray(rgb):
    with keras.device("cpu"):
        chroma = ops.convert_to_numpy(spaces.LAB.split(rgb)[1])
    return np.abs(chroma).max(axis=(1, 2, 3)) <= _NEAR_GRAY
