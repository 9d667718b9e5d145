"""Pictures as batches of (lightness, chroma), for `fit`."""

import os

import keras
import numpy as np
from keras import ops

from colorkit import colorspace
from colorkit.data import Images

# A picture whose every |a| and |b| is at most this is called near-gray (Zhang et al., their code).
_NEAR_GRAY = 5.0


class Pairs(keras.utils.PyDataset):
    """Batches of (lightness, chroma) for `fit`, `evaluate` and `predict`. Made by `pairs`.

    Each epoch's order, mirroring and crops follow from `seed` and `epoch` alone, so a run that is
    resumed at an epoch sees what it would have seen. `dataset[i]` is the i-th batch.
    """

    def __init__(
        self, images, *, space, batch_size, augment, crop, shuffle, near_gray, seed, workers
    ):
        super().__init__(workers=workers)
        self.images = images
        self.space = space
        self.batch_size = batch_size
        self.augment = augment
        self.crop = crop
        self.shuffle = shuffle
        self.near_gray = near_gray
        self.seed = seed
        self.epoch = 0
        self._order = (None, None)

    @property
    def num_batches(self):
        # When shuffling, a partial batch waits for another epoch: all steps have one shape.
        if self.shuffle and len(self.images) >= self.batch_size:
            return len(self.images) // self.batch_size
        return -(-len(self.images) // self.batch_size)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        if not 0 <= index < self.num_batches:
            raise IndexError(f"batch {index} of {self.num_batches}")
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        rng = np.random.default_rng((self.seed, self.epoch, index))
        images = self.images[self._epoch_order()[chosen]]
        if self.crop is None:
            rgb = np.asarray(images)
        else:
            rgb = np.stack([self._cropped(image, rng) for image in images])
        if self.augment:
            mirrored = rng.random(len(rgb)) < 0.5
            rgb = np.where(mirrored[:, None, None, None], rgb[:, :, ::-1], rgb)
        with keras.device("cpu"):  # the accelerator has better things to do
            lightness, chroma = map(ops.convert_to_numpy, self.space.split(rgb))
        if self.near_gray == "mask":
            return lightness, chroma, np.float32(~_is_near_gray(rgb))[:, None, None]
        return lightness, chroma

    def on_epoch_end(self):
        self.epoch += 1

    def _epoch_order(self):
        epoch, order = self._order
        if epoch != self.epoch:
            epoch, order = self.epoch, np.arange(len(self.images))
            if self.shuffle:
                order = np.random.default_rng((self.seed, epoch)).permutation(order)
            self._order = epoch, order
        return order

    def _cropped(self, image, rng):
        spare = np.array(image.shape[:2]) - self.crop
        top, left = rng.integers(0, spare + 1) if self.augment else spare // 2
        return image[top : top + self.crop, left : left + self.crop]


def pairs(
    images,
    *,
    space=colorspace.LAB,
    batch_size=128,
    augment=False,
    crop=None,
    shuffle=None,
    near_gray="keep",
    seed=0,
    workers=None,
):
    """Turn pictures into batches of (lightness, chroma), the one thing that every model trains on.

    Args:
        images: `Images`, a uint8 array `(N, H, W, 3)`, or a list of uint8 arrays.
        space: `ColorSpace`, or its name.
        batch_size: Pictures a batch.
        augment: Mirror half of the pictures, and take crops at random instead of from the centre.
        crop: Side of a square crop in pixels; needed where pictures have different sizes.
        shuffle: New order each epoch, and no partial batch; `None` means as `augment`.
        near_gray: "keep"; "drop" leaves out pictures in which no pixel has |a| or |b| above 5;
            "mask" keeps them in the batch with a sample weight of zero, as Zhang et al. do.
        seed: Seed of order, mirroring and crops.
        workers: Threads that prepare batches ahead; `None` chooses from the number of cores.

    Returns:
        `Pairs`, a `keras.utils.PyDataset`. Batches are float32: lightness `(N, H, W, 1)` and
        chroma `(N, H, W, channels)` in natural units, with "mask" also weights `(N, 1, 1)`.

    Raises:
        ValueError: If there are no pictures, sizes differ and no `crop` is given, the crop is
            larger than a picture, or an option is unknown.
    """
    space = colorspace.get(space)
    if not isinstance(images, Images):
        images = Images(images)
    if len(images) == 0:
        raise ValueError("`images` must hold at least one picture. Received none")
    for argument, value in (("batch_size", batch_size), ("crop", crop)):
        if value is not None and not (isinstance(value, (int, np.integer)) and value > 0):
            raise ValueError(f"`{argument}` must be a positive whole number. Received: {value!r}")
    if crop is None and images.shape is None:
        raise ValueError(
            f"The pictures of {images.name} have different sizes; give `crop` here or `size` to "
            "`load`."
        )
    if crop is not None and crop > min(images.smallest):
        raise ValueError(
            f"`crop` must fit into every picture; the smallest is {images.smallest[0]} pixels "
            f"high and {images.smallest[1]} wide. Received: {crop}"
        )
    if near_gray not in ("keep", "drop", "mask"):
        raise ValueError(f'`near_gray` must be "keep", "drop" or "mask". Received: {near_gray!r}')
    if near_gray == "drop":
        kept = [i for i in range(len(images)) if not _is_near_gray(images[i][None])[0]]
        if not kept:
            raise ValueError(f"All pictures of {images.name} are near-gray; nothing is left.")
        images = images[np.array(kept)]
    return Pairs(
        images,
        space=space,
        batch_size=batch_size,
        augment=augment,
        crop=crop,
        shuffle=augment if shuffle is None else shuffle,
        near_gray=near_gray,
        seed=seed,
        workers=workers or max(1, min(4, (os.cpu_count() or 2) - 1)),
    )


def _is_near_gray(rgb):
    """For each picture of a batch `(N, H, W, 3)`, whether no pixel has |a| or |b| above 5."""
    with keras.device("cpu"):
        chroma = ops.convert_to_numpy(colorspace.LAB.split(rgb)[1])
    return np.abs(chroma).max(axis=(1, 2, 3)) <= _NEAR_GRAY
