"""Turn images into batches of (lightness, chroma) or (RGB, class) for `fit`."""

import numbers
import os

import keras
import numpy as np
from keras import ops
from PIL import Image

from colorkit.checks import check_share, check_whole
from colorkit.color import spaces
from colorkit.data.aging import age
from colorkit.data.images import Images, drawn

# An image with |a| and |b| of at most this everywhere is near-gray (code of Zhang et al.).
_NEAR_GRAY = 5.0


class Batches(keras.utils.PyDataset):
    """Batches of images for `fit`, `evaluate` and `predict`, created by `pairs` and `labeled`.

    The order, mirroring and crops of each epoch depend only on `seed` and `epoch`. A run resumed
    at an epoch therefore sees the same batches. `dataset[i]` is the i-th batch.
    """

    def __init__(
        self,
        images,
        convert,
        *,
        batch_size,
        augment,
        crop,
        shift,
        zoom,
        shuffle,
        seed,
        workers,
        context=None,
        aging=0.0,
        epoch_batches=None,
    ):
        super().__init__(workers=workers)
        self.images = images
        self.convert = convert  # function from images and labels of a batch to the input of `fit`
        self.batch_size = batch_size
        self.augment = augment
        self.crop = crop
        self.shift = shift
        self.zoom = zoom
        self.context = context
        self.aging = aging
        self.shuffle = shuffle
        self.epoch_batches = epoch_batches
        self.seed = seed
        self.epoch = 0
        self.failure = None  # error of a worker, as backends report only that there was one
        self._order = (None, None)

    @property
    def num_batches(self):
        return self.epoch_batches or self._pass_batches

    @property
    def _pass_batches(self):
        """Number of batches in which every image occurs once."""
        # When shuffling, leave out a partial batch in this epoch: all steps have one shape.
        if self.shuffle and len(self.images) >= self.batch_size:
            return len(self.images) // self.batch_size
        return -(-len(self.images) // self.batch_size)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        if not 0 <= index < self.num_batches:
            raise IndexError(f"batch {index} of {self.num_batches}")
        try:
            return self._batch(index)
        except (OSError, MemoryError, ValueError) as error:
            self.failure = error
            raise

    def _batch(self, index):
        rng = np.random.default_rng((self.seed, self.epoch, index))
        images = self.images[self._chosen(index)]
        crop = self.crop
        if isinstance(crop, tuple):
            # Sizes alternate, so that Keras learns from the first two batches that sizes differ.
            # Epochs continue the sequence, except epochs of one batch, which have one size.
            turn = self.epoch * self.num_batches + index if self.num_batches > 1 else 0
            crop = crop[turn % len(crop) if self.augment else len(crop) // 2]
        if self.zoom is not None or self.context is not None:
            rgb = np.stack([self._framed(image, crop, rng) for image in images])
        elif crop is not None:
            rgb = np.stack([self._cropped(image, crop, rng) for image in images])
        else:
            rgb = np.asarray(images)
        gray = rgb
        if self.augment:
            mirrored = rng.random(len(rgb)) < 0.5
            rgb = np.where(mirrored[:, None, None, None], rgb[:, :, ::-1], rgb)
            rgb = gray = self._shifted(rgb, rng)
            if self.aging:
                gray = np.stack([self._aged(image, rng) for image in rgb])
        return self.convert(rgb, gray, images.labels)

    def on_epoch_end(self):
        self.epoch += 1

    def _chosen(self, index):
        """Return the images in this batch of this epoch."""
        number, index = divmod(self.epoch * self.num_batches + index, self._pass_batches)
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self._pass_order(number)[chosen]

    def _pass_order(self, number):
        known, order = self._order
        if known != number:
            order = np.arange(len(self.images))
            if self.shuffle:
                rng = np.random.default_rng((self.seed, number))
                if self.images.weights is not None:
                    order = drawn(self.images.weights, len(order), rng)
                order = rng.permutation(order)
            self._order = number, order
        return order

    def _shifted(self, rgb, rng):
        if not self.shift:
            return rgb
        height, width = rgb.shape[1:3]
        margin = (self.shift, self.shift)
        padded = np.pad(rgb, ((0, 0), margin, margin, (0, 0)), mode="reflect")
        corners = rng.integers(0, 2 * self.shift + 1, (len(rgb), 2))
        return np.stack(
            [
                picture[top : top + height, left : left + width]
                for picture, (top, left) in zip(padded, corners, strict=True)
            ]
        )

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

    def _aged(self, rgb, rng):
        if rng.random() >= self.aging:
            return rgb
        return np.repeat(age(rgb, rng)[..., None], 3, axis=-1)


def pairs(
    images,
    *,
    space=spaces.LAB,
    batch_size=128,
    augment=False,
    crop=None,
    shift=0,
    zoom=None,
    context=None,
    aging=0.0,
    epoch_batches=None,
    shuffle=None,
    near_gray="keep",
    luminance_gate=False,
    labels=False,
    seed=0,
    workers=None,
):
    """Turn images into batches of (lightness, chroma), the training data of every model.

    A network should keep height and width of its input, or divide them by a power of two. If it
    needs sides that are multiples of 2, 4, ... pixels, `Colorizer` pads images to them. Create
    `ck.Colorizer(model, ...)` before `fit` to check whether a network is suitable.

    Args:
        images: `Images`, a uint8 array `(N, H, W, 3)`, or a list of uint8 arrays.
        space: `ColorSpace`, or its name.
        batch_size: Number of images per batch.
        augment: Whether to mirror half of the images, and to crop at random instead of at the
            center.
        crop: Side of a square crop in pixels, required if images have different sizes. Augmented
            batches use the sides in a tuple in turn (the first, if an epoch is one batch). Other
            batches use the middle one.
        shift: Maximum number of pixels by which augmented images are moved vertically and
            horizontally. The border is filled by reflection.
        zoom: `(low, high)`: each crop shows a part of the image, resized to the crop. The sides of
            the part are those of the crop, or of the image, times a random factor between `low`
            and `high`. Without `augment`, the factor is `high` and the part is at the center. No
            part is larger than its image.
        context: `(low, high)`, instead of `zoom`: each crop shows a square part of the image,
            resized to the crop. Its side is a random share, between `low` and `high`, of the
            image's short side. Without `augment`, the share is `high` and the part is at the
            center. Images may have any size.
        aging: Share of augmented images whose lightness is changed to look like an old photograph,
            see `colorkit.data.aging.age`. Their chroma is unchanged.
        epoch_batches: Number of batches per epoch, if one pass over all images is too long. The
            next epoch continues where the last one ended. `None` means one pass.
        shuffle: Whether each epoch has a new order, and no partial batch. `None` means the value of
            `augment`.
        near_gray: "keep", "drop" or "mask". "drop" leaves out images in which no pixel has |a| or
            |b| above 5, which also reduces the share of their dataset. "mask" keeps them with a
            sample weight of zero, as Zhang et al. do.
        luminance_gate: Whether sample weights, of mean 1 before any mask, reduce the influence of
            very dark and very bright pixels, see `visibility`. Lab only.
        labels: If True, the target is a dict of "chroma" and "label", the class of each image,
            for networks that learn both.
        seed: Seed of order, mirroring and crops.
        workers: Number of threads that prepare batches. `None` depends on the number of cores.

    Returns:
        `Batches`, a `keras.utils.PyDataset`. Batches are float32: lightness `(N, H, W, 1)` and
        chroma `(N, H, W, channels)` in natural units. Sample weights have shape `(N, 1, 1)` with
        "mask" and `(N, H, W)` with the gate.

    Raises:
        ValueError: If there are no images, sizes differ and there is no `crop`, or the crop is
            larger than an image. Also if `labels` is True for images without labels, or an option
            is unknown.
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

    def convert(rgb, gray, classes):
        with keras.device("cpu"):  # keep the accelerator free for training
            lightness, chroma = map(ops.convert_to_numpy, space.split(rgb))
            if gray is not rgb:
                lightness = ops.convert_to_numpy(space.split(gray)[0])
        if weighted:
            weights = np.float32(1)
            if near_gray == "mask":
                weights = np.float32(~_is_near_gray(rgb))[:, None, None]
            if luminance_gate:
                with keras.device("cpu"):
                    visible = ops.convert_to_numpy(visibility(lightness))
                # Mean 1, so that the gate keeps the ratio between this loss and other losses.
                weights = weights * visible / visible.mean()
            return lightness, chroma, weights
        return lightness, {"chroma": chroma, "label": classes} if labels else chroma

    images = _checked(images, batch_size, crop, shift, zoom, seed, context)
    check_share("aging", aging, can_be_all=True)
    if epoch_batches is not None:
        check_whole("epoch_batches", epoch_batches)
    if labels:
        _check_labels(images)
    if near_gray == "drop":
        kept = [i for i, picture in enumerate(images) if has_color(picture)]
        if not kept:
            raise ValueError(f"All images of {images.name} are near-gray; use near_gray='keep'.")
        images = images[np.array(kept)]
    return Batches(
        images,
        convert,
        batch_size=batch_size,
        augment=augment,
        crop=crop,
        shift=shift,
        zoom=zoom,
        context=context,
        aging=aging,
        epoch_batches=epoch_batches,
        shuffle=augment if shuffle is None else shuffle,
        seed=seed,
        workers=workers or _num_workers(),
    )


def labeled(
    images,
    *,
    batch_size=128,
    augment=False,
    crop=None,
    shift=0,
    zoom=None,
    seed=0,
    workers=None,
):
    """Turn images into batches of (RGB, class) for classifiers.

    Args:
        images: `Images` with labels.
        batch_size: See `pairs`.
        augment: See `pairs`; augmented images are shuffled.
        crop: See `pairs`.
        shift: See `pairs`.
        zoom: See `pairs`.
        seed: See `pairs`.
        workers: See `pairs`.

    Returns:
        `Batches`: float32 RGB `(N, H, W, 3)` in [0, 1] and labels `(N,)`.

    Raises:
        ValueError: As `pairs`, or if the images have no labels.
    """
    images = _checked(images, batch_size, crop, shift, zoom, seed)
    _check_labels(images)
    return Batches(
        images,
        lambda rgb, gray, classes: (np.float32(rgb / 255), classes),
        batch_size=batch_size,
        augment=augment,
        crop=crop,
        shift=shift,
        zoom=zoom,
        shuffle=augment,
        seed=seed,
        workers=workers or _num_workers(),
    )


def visibility(lightness, dark=20.0, bright=95.0, softness=10.0):
    """Compute how visible chroma is at a lightness: 1 in the middle, nearly 0 at both ends.

    The function is a product of two sigmoids. Its defaults are round numbers and were not tuned.

    Args:
        lightness: L in [0, 100], shape `(..., height, width, 1)`.
        dark: L below which the value is less than half.
        bright: L above which the value is less than half.
        softness: Width in L of the transitions.

    Returns:
        Tensor of shape `(..., height, width)` in [0, 1].

    Raises:
        ValueError: If `softness` is not positive or `dark` not below `bright`.

    References:
        Stellbrink, "Coherent and Colorful Image Colorization", section 6, proposes it.
    """
    if not (softness > 0 and dark < bright):
        raise ValueError(
            "`softness` must be positive and `dark` below `bright`. "
            f"Received: {softness!r}, {dark!r} and {bright!r}"
        )
    lightness = ops.convert_to_tensor(lightness)[..., 0]
    scale = 4.0 / softness
    return ops.sigmoid(scale * (lightness - dark)) * ops.sigmoid(scale * (bright - lightness))


def _checked(images, batch_size, crop, shift, zoom, seed, context=None):
    if not isinstance(images, Images):
        images = Images(images)
    if len(images) == 0:
        raise ValueError("`images` must hold at least one image. Received none")
    check_whole("batch_size", batch_size)
    check_whole("seed", seed, 0)
    crops = crop if isinstance(crop, tuple) and crop else (crop,)
    if crop is not None:
        for side in crops:
            check_whole("crop", side)
    if crop is None and (context is not None or images.shape is None):
        raise ValueError(
            f"The images of {images.name} have different sizes; give `crop` here or `size` to "
            "`load`."
            if context is None
            else "`context` needs `crop`, the side of its crops in pixels. Received: None"
        )
    if context is not None:
        _check_range("context", context, most=1)
        if zoom is not None:
            raise ValueError("`context` and `zoom` exclude each other. Received both; give one.")
    if crop is not None and context is None and max(crops) > min(images.smallest):
        raise ValueError(
            f"`crop` must fit into every image; the smallest is {images.smallest[0]} pixels "
            f"high and {images.smallest[1]} wide. Received: {crop}"
        )
    largest = (min(images.smallest) if crop is None else min(crops)) - 1
    if not (isinstance(shift, (int, np.integer)) and 0 <= shift <= largest):
        raise ValueError(
            f"`shift` must be a whole number from 0 to {largest}, less than the side of an "
            f"image. Received: {shift!r}"
        )
    if zoom is not None:
        _check_range("zoom", zoom)
    return images


def _check_range(name, value, most=np.inf):
    is_range = np.shape(value) == (2,) and all(isinstance(x, numbers.Real) for x in value)
    if not (is_range and 0 < value[0] <= value[1] <= most and value[1] < np.inf):
        limit = "" if most == np.inf else f", at most {most}"
        raise ValueError(
            f"`{name}` must be (low, high), positive{limit} and in that order. Received: {value!r}"
        )


def _check_labels(images):
    if images.labels is None:
        raise ValueError(f"`images` must have labels. Received {images.name} without labels")


def _num_workers():
    return max(1, min(4, (os.cpu_count() or 2) - 1))


def has_color(rgb):
    """Return whether an image `(H, W, 3)`, uint8, has a pixel with |a| or |b| above 5."""
    return not _is_near_gray(np.asarray(rgb)[None])[0]


def _is_near_gray(rgb):
    """Return, for each image of a batch `(N, H, W, 3)`, whether no |a| or |b| is above 5."""
    with keras.device("cpu"):
        chroma = ops.convert_to_numpy(spaces.LAB.split(rgb)[1])
    return np.abs(chroma).max(axis=(1, 2, 3)) <= _NEAR_GRAY
