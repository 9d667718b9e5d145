"""Color images of any size with one network."""

import copy
import dataclasses
import math
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

from colorkit.checks import check_weight
from colorkit.color import spaces
from colorkit.color.bins import checked_class_weights
from colorkit.color.guided import resize, strips, upsampled
from colorkit.colorizer.calibration import Calibration
from colorkit.colorizer.network import NETWORK_PIXELS, Network
from colorkit.colorizer.prediction import Prediction
from colorkit.colorizer.stream import stream
from colorkit.data.image_files import as_rgb, pictures_at_once
from colorkit.files import expanded, make_folder
from colorkit.layers import ColorDecoder, enlarge
from colorkit.models.adversarial import Adversarial
from colorkit.models.files import read_model, save_model

__all__ = ["Colorizer"]

# A stream takes at most so many images at once, and so many pixels.
_STREAM_IMAGES, _STREAM_PIXELS = 8, 2**23
# Everything but the network that a file holds.
_SETTINGS = (
    "space", "bins", "temperature", "size", "mirror", "class_weights", "saturation", "calibration"
)  # fmt: skip
# Pretrained before each model of the package got its own temperature.
_OLDER, _PUBLISHED_TEMPERATURE = ("cifar10", "flowers"), 0.38
_NO_TEMPERATURE = "`colorizer` must have bins, as a regression has no temperature."


def _is_deep(dtype):
    """Return whether colors of a type need all bits of an image."""
    if dtype not in ("uint8", "uint16", "float32"):
        raise ValueError(f"`dtype` must be uint8, uint16 or float32. Received: {dtype!r}")
    return dtype == "uint16"


class Colorizer:
    """Color images of any size and keep their lightness exactly.

    The network sees large images at a reduced size. A guided filter, which follows the edges of
    the full-size lightness, brings the predicted chroma back to full size. Some networks, such as
    most U-Nets, only take multiples of 2, 4, ... pixels. Their input is padded by reflection.

    Args:
        model: Functional `keras.Model` from lightness `(height, width, 1)` to chroma, or to
            logits over `bins`. The output may have a stride, such as 2 or 4.
        space: `ColorSpace` of the chroma, or its name.
        bins: `ColorBins` of the logits, or `None` for a model that predicts chroma.
        temperature: Temperature of `bins.decode`. Lower values give more vivid colors.
        size: Short side, in pixels, at which the network sees a larger image. A long strip is
            reduced further, to four times the square of this size or a quarter of a million
            pixels, whichever is more. `None` means the full size. Small networks work best near the
            size of their training images.
        mirror: Whether to average the predictions for an image and its mirror image.
        class_weights: Weights of the bins in training, if the decoder must divide by them (see
            `ColorBins.decode`), or `None`.
        saturation: Factor of the chroma: 0 is gray, 1 leaves it as predicted.
        calibration: `Calibration` of `uncertainty`, its dict, or `None`, see `calibrated`.

    Raises:
        ValueError: If the model's input or output does not fit, or a setting is out of range.

    References:
        He, Sun, "Fast Guided Filter", arXiv:1505.00996 (upsampling).

    Example:
        >>> bins = ck.ColorBins.grid(81)
        >>> network = ck.models.build_shallow_classification(bins.num_bins)
        >>> colorizer = Colorizer(network, bins=bins, temperature=0.38)
        >>> colorizer(np.full((48, 64), 128, "uint8")).shape
        (48, 64, 3)
    """

    def __init__(
        self,
        model,
        *,
        space=spaces.LAB,
        bins=None,
        temperature=0.38,
        size=256,
        mirror=False,
        class_weights=None,
        saturation=1.0,
        calibration=None,
    ):
        self.space = spaces.get(space)
        if bins is not None and bins.space is not self.space:
            raise ValueError(
                f"`bins` must be in the color space of `space`, {self.space!r}. "
                f"Received bins in {bins.space!r}; give `space={bins.space.name!r}`."
            )
        if isinstance(model, Adversarial):
            raise ValueError(f"{model.name} is an adversarial model; give its `generator`.")
        inputs, outputs = ([tuple(x.shape) for x in each] for each in (model.inputs, model.outputs))
        channels = self.space.chroma_channels if bins is None else bins.num_bins
        if [(len(shape), shape[-1]) for shape in inputs + outputs] != [(4, 1), (4, channels)]:
            raise ValueError(
                f"`model` must map lightness of shape (height, width, 1) to {channels} channels, "
                f"{'chroma' if bins is None else 'logits over the bins'}. "
                f"Received a model from {inputs} to {outputs}"
            )
        check_weight("temperature", temperature)
        if size is not None and not size >= 1:
            raise ValueError(f"`size` must be at least 1 pixel. Received: {size!r}")
        if class_weights is not None:
            if bins is None:
                raise ValueError("`class_weights` need `bins`, as a regression has no classes.")
            checked_class_weights(class_weights, bins.num_bins)
        check_weight("saturation", saturation)
        if saturation != 1 and self.space is spaces.RGB:
            raise ValueError("`saturation` needs a model in LAB or YUV. Received one in RGB.")
        if isinstance(calibration, dict):
            calibration = Calibration(**calibration)
        if calibration is not None and bins is None:
            raise ValueError("`calibration` needs `bins`, as a regression has no distribution.")
        self.model, self.name = model, model.name
        self._network = Network(model)
        self.bins = bins
        self.temperature = temperature
        self.size = size
        self.mirror = mirror
        self.class_weights = class_weights
        self.saturation = saturation
        self.calibration = calibration

    def __repr__(self):
        return f"<Colorizer: {self.name} in {self.space.name}, temperature {self.temperature}>"

    def __call__(self, image, *, hints=None, keep_gray=None, dtype="uint8"):
        """Color an image, or a batch of images of one size.

        Args:
            image: Image as `as_rgb` takes it, with the same errors, or a batch
                `(N, height, width, 1 | 3 | 4)`. Color is ignored.
            hints: Colors of some pixels, see `Prediction.with_hints`, or `None`. Not for a batch.
            keep_gray: Mask of what stays gray, see `Prediction.rgb`, or `None`. Not for a batch.
            dtype: "uint8", "uint16", or "float32" for colors in [0, 1] before rounding. Only with
                "uint16", values of the image finer than 8 bits are not rounded to 8 bits.

        Returns:
            Array of shape `(height, width, 3)`, or `(N, height, width, 3)` for a batch.
        """
        deep = _is_deep(dtype)
        if hints is not None or keep_gray is not None:
            kept = self.prediction(image, deep=deep)
            kept = kept if hints is None else kept.with_hints(hints)
            return kept.rgb(keep_gray=keep_gray, dtype=dtype)
        if hasattr(image, "__array__") and np.ndim(image) == 4:
            return self._color_batch(np.stack([as_rgb(each, deep) for each in image]), dtype)
        rgb = as_rgb(image, deep)
        lightness, small = self._preprocess(rgb)
        chroma = self.predict(small[None])[0]
        return self._postprocess(lightness, small, chroma, dtype)

    def prediction(self, image, *, deep=False):
        """Predict the colors of an image once, and keep the result, see `Prediction`.

        Args:
            image: Image as `as_rgb` takes it, with the same errors.
            deep: Whether to keep values finer than 8 bits.

        Example:
            >>> kept = Colorizer.pretrained("cifar10").prediction(np.zeros((32, 48), "uint8"))
            >>> [kept.rgb(temperature).shape for temperature in (0, 1)]
            [(32, 48, 3), (32, 48, 3)]
        """
        lightness, small = self._preprocess(as_rgb(image, deep))
        scores, stride = self._network.scores(small[None], self.mirror)
        scores = ops.convert_to_numpy(scores)[0]
        temperature = None if self.bins is None else self.temperature
        return Prediction(self, lightness, small, scores, stride, temperature, self.class_weights)

    def uncertainty(self, image):
        """Measure how unsure the model is of the colors of an image, see `Uncertainty`.

        An image far from those that the model knows gives a warning. A regression raises a
        `ValueError`.

        Example:
            >>> doubt = Colorizer.pretrained("cifar10").uncertainty(ck.load("photos", size=32)[0])
            >>> doubt.entropy.shape
            (32, 32)
        """
        return self.prediction(image).uncertainty()

    def variants(self, image, n=4, seed=0, *, dtype="uint8"):
        """Color an image in n different, coherent ways, the most likely one first.

        Returns:
            Array `(n, height, width, 3)`.

        Example:
            >>> Colorizer.pretrained("cifar10").variants(np.zeros((32, 48), "uint8"), 2).shape
            (2, 32, 48, 3)
        """
        kept = self.prediction(image, deep=_is_deep(dtype))
        return np.stack([each.rgb(dtype=dtype) for each in kept.variants(n, seed)])

    def calibrated(self, images, coverage=0.9):
        """Return a colorizer with calibrated sets of colors, see `Calibration`.

        Args:
            images: Color images of the kind that the model is for, and that it was not trained on.
                At least 20, better hundreds. Their sizes may differ. The weights of `Images` say
                how much each counts.
            coverage: Share of the pixels whose set must hold the true color.

        Raises:
            ValueError: If the model has no bins, or there are fewer than 20 images.

        Example:
            >>> network = ck.models.build_shallow_classification(9)
            >>> colorizer = Colorizer(network, bins=ck.ColorBins.grid(9))
            >>> colorizer.calibrated(ck.load("photos", size=32)[:20]).calibration.coverage
            0.9
        """
        if self.bins is None:
            raise ValueError("`calibrated` needs `bins`, as a regression has no distribution.")
        held = (self.prediction(rgb).of_truth(rgb) for rgb in map(as_rgb, images))
        other = copy.copy(self)
        other.calibration = Calibration.of(held, coverage, getattr(images, "weights", None))
        return other

    def stream(self, images, use=None, *, dtype="uint8"):
        """Color many images of any sizes, several at once, in order and in bounded memory.

        Colors may differ by 1 of 255 from those of a call, as a network rounds differently for
        several images at once.

        Args:
            images: Iterable of images, as `as_rgb` takes them.
            use: Function from the index of an image and its colors to the result, such as one
                that writes a file. It is called in threads. `None` takes the colors.
            dtype: As in a call.

        Yields:
            The result for each image, or the `Exception` of an image that fails.

        Example:
            >>> colorizer = Colorizer(ck.models.build_unet(widths=(8, 16)))
            >>> images = [np.full((20, 30), 128, "uint8"), np.full((40, 40), 128, "uint8")]
            >>> [rgb.shape for rgb in colorizer.stream(images)]
            [(20, 30, 3), (40, 40, 3)]
        """
        deep = _is_deep(dtype)

        def prepare(item):
            return self._preprocess(as_rgb(item[1], deep))

        def predict(prepared):
            chroma, groups = {}, {}
            for i, (_, small) in enumerate(prepared):
                groups.setdefault(small.shape, []).append(i)
            for shape, members in groups.items():
                step = pictures_at_once((1 + self.mirror, *shape))
                for part in (members[i : i + step] for i in range(0, len(members), step)):
                    found = self.predict(np.stack([prepared[i][1] for i in part]))
                    chroma.update(zip(part, found, strict=True))
            return [chroma[i] for i in range(len(prepared))]

        def finish(item, prepared, chroma):
            rgb = self._postprocess(*prepared, chroma, dtype)
            return rgb if use is None else use(item[0], rgb)

        def room(prepared):
            return min(_STREAM_IMAGES, max(1, _STREAM_PIXELS // prepared[0].size))

        return stream(enumerate(images), prepare, predict, finish, room)

    def at_temperature(self, temperature):
        """Return a colorizer with the same network, which must have bins, at a temperature."""
        if self.bins is None:
            raise ValueError(_NO_TEMPERATURE)
        other = copy.copy(self)
        other.temperature = temperature
        return other

    def predict(self, lightness, temperature=None):
        """Predict chroma from lightness at the network's own resolution.

        Args:
            lightness: Shape `(N, height, width, 1)`, in natural units.
            temperature: Temperature of the decoder, or `None` for the colorizer's own. A list of
                temperatures gives a list of results from one pass through the network.

        Returns:
            float32 array of shape `(N, height, width, channels)`.

        Raises:
            ValueError: If `lightness` has another shape, the model predicts a NaN, or a
                temperature is negative or given to a colorizer without bins.

        Example:
            >>> colorizer = Colorizer(ck.models.build_unet(widths=(8, 16)))
            >>> colorizer.predict(np.full((1, 32, 48, 1), 50.0)).shape
            (1, 32, 48, 2)
        """
        if self.bins is None and temperature is not None:
            raise ValueError(_NO_TEMPERATURE)
        lightness = np.asarray(ops.convert_to_numpy(lightness), "float32")
        if len(lightness.shape) != 4 or lightness.shape[-1] != 1:
            raise ValueError(
                "`lightness` must have shape (N, height, width, 1). "
                f"Received shape {tuple(lightness.shape)}"
            )
        height, width = lightness.shape[1:3]
        outputs, stride = self._network.scores(lightness, self.mirror)

        def decode(temperature):
            chroma = outputs
            if self.bins is not None:
                chroma = self.bins.decode(outputs, temperature, self.class_weights)
            if self.saturation != 1:
                chroma = self.saturation * chroma
            return ops.convert_to_numpy(enlarge(chroma, stride, height, width))

        if isinstance(temperature, (list, tuple)):
            return [decode(each) for each in temperature]
        return decode(self.temperature if temperature is None else temperature)

    def features(self, lightness):
        """Return what the network knows of each part of an image.

        Args:
            lightness: Shape `(height, width, 1)`, in natural units, as the network sees it.

        Returns:
            List of float32 arrays `(rows, columns, channels)`: the last features at each stride,
            fine ones last. They extend over the image. The list is empty for a network without
            features.

        Example:
            >>> colorizer = Colorizer(ck.models.build_unet(widths=(8, 16)))
            >>> [plane.shape for plane in colorizer.features(np.full((32, 48, 1), 50.0))]
            [(16, 24, 16), (32, 48, 8)]
        """
        return self._network.features(lightness)

    def merge(self, lightness, chroma):
        """Merge lightness `(..., 1)` and predicted chroma into float32 RGB, see `fit_gamut`."""
        return spaces.fit_gamut(lightness, chroma, self.space)

    def network_size(self, height, width):
        """Return the height and width at which the network sees an image of the given size."""
        scale = 1.0
        if self.size is not None:
            # Long strips are reduced further, as memory grows with the number of pixels.
            most = max(NETWORK_PIXELS, 4 * self.size**2)
            scale = min(1.0, self.size / min(height, width), math.sqrt(most / (height * width)))
        fixed = self.model.inputs[0].shape[1:3]
        return tuple(
            known or max(1, round(side * scale))
            for known, side in zip(fixed, (height, width), strict=True)
        )

    def save(self, path):
        """Save the colorizer to one `.keras` file, in an atomic write.

        Plain Keras also reads the file, as a model from lightness to chroma, after
        `import colorkit`. That model averages no mirror images and only takes sizes that the
        network takes.
        """
        path = expanded(path)
        if path.suffix != ".keras":
            raise ValueError(f"`path` must end in .keras. Received: {path}")
        make_folder(path.parent)
        settings = {name: getattr(self, name) for name in _SETTINGS}
        if self.calibration is not None:
            settings["calibration"] = dataclasses.asdict(self.calibration)
        chroma = ColorDecoder(**settings, name="color_decoder")(self.model.outputs[0])
        save_model(keras.Model(self.model.inputs[0], chroma, name=self.model.name), path)

    @classmethod
    def load(cls, path, **settings):
        """Load a colorizer from a `.keras` file.

        Arguments of `Colorizer` in `settings`, such as `temperature`, replace those in the file. A
        file that is damaged or holds another model raises a `ValueError`.

        Example:
            >>> Colorizer(ck.models.build_unet(widths=(8, 16)), size=64).save("mine.keras")
            >>> Colorizer.load("mine.keras", size=96).size
            96
        """
        path = expanded(path)
        model = read_model(path)
        decoder = model.layers[-1]
        if not isinstance(decoder, ColorDecoder):
            part = ".generator" if isinstance(model, Adversarial) else ""
            raise ValueError(
                f"{path} holds a model without a color decoder. Save it as a colorizer: "
                f"Colorizer(keras.saving.load_model(path){part}, space=..., bins=...).save(path)"
            )
        if decoder.bins is None and "temperature" in settings:
            raise ValueError(_NO_TEMPERATURE)
        network = keras.Model(model.inputs[0], decoder.input, name=model.name)
        of_file = {name: getattr(decoder, name) for name in _SETTINGS}
        try:
            colorizer = cls(network, **(of_file | settings))
        except (AttributeError, TypeError, ValueError) as error:
            if any(f"`{name}`" in str(error) for name in settings):  # the file is not to blame
                raise
            raise ValueError(f"{path}: {error}") from error
        colorizer.name = path.stem
        return colorizer

    @classmethod
    def pretrained(cls, name="photos", temperature=None, **settings):
        """Load a colorizer that comes with the package, without downloading.

        Args:
            name: "photos", for photographs of any kind; "cifar10", trained on the 32 x 32 images
                of CIFAR-10; or "flowers", trained on 648 photographs of twelve species.
            temperature: 0 is vivid; 1 is conservative, and nearest to the ground truth on average.
                `None` takes the value chosen on validation images for "photos", and 0.38, as Zhang
                et al., for "cifar10" and "flowers", whose records are for 1 and 0.6.
            **settings: See `load`.

        Example:
            >>> Colorizer.pretrained("cifar10", temperature=0).temperature
            0
        """
        folder = Path(__file__).parents[1] / "weights"
        known = sorted(path.stem for path in folder.glob("*.keras"))
        if name not in known:
            raise ValueError(
                f"`name` must be one of {known}. Received: {name!r}. `Colorizer.load` reads a file "
                "of your own, such as `python -m colorkit train NAME` writes."
            )
        if temperature is None and name in _OLDER:
            temperature = _PUBLISHED_TEMPERATURE
        if temperature is not None:
            settings["temperature"] = temperature
        return cls.load(folder / f"{name}.keras", **settings)

    def _color_batch(self, rgb, dtype):
        size = rgb.shape[1:3]
        if self.network_size(*size) != size:
            return np.stack([self(image, dtype=dtype) for image in rgb])
        colored = []
        step = pictures_at_once((1 + self.mirror, *size))
        for i in range(0, len(rgb), step):
            lightness = spaces.lightness_of(rgb[i : i + step], self.space)
            colored.append(self._to_rgb(lightness, self.predict(lightness), dtype))
        return np.concatenate(colored)

    def _preprocess(self, rgb):
        """Return the lightness of an image, at its own size and at the network's."""
        size = rgb.shape[:2]
        lightness = np.empty((*size, 1), "float32")
        for rows in strips(*size):
            lightness[rows] = spaces.lightness_of(rgb[rows], self.space)
        small = self.network_size(*size)
        if small == size:
            return lightness, lightness
        return lightness, resize(lightness, small, Image.Resampling.LANCZOS)

    def _postprocess(self, lightness, small, chroma, dtype, change=None):
        """Merge lightness with the chroma that was predicted from `small`, upsampled if smaller.

        `change` is a function from a slice of rows and their chroma to other chroma, or `None`.
        """
        if small is lightness:
            chroma = chroma if change is None else change(slice(None), chroma)
            return self._to_rgb(lightness, chroma, dtype)
        colored = np.empty((*lightness.shape[:2], 3), dtype)
        planes = upsampled(chroma, small, lightness, self.space.lightness_range)
        for rows, large in planes:
            large = large if change is None else change(rows, large)
            colored[rows] = self._to_rgb(lightness[rows], large, dtype)
        return colored

    def _to_rgb(self, lightness, chroma, dtype):
        rgb = self.merge(lightness, chroma)
        return rgb if dtype == "float32" else (rgb * np.iinfo(dtype).max + 0.5).astype(dtype)
