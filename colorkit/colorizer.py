"""The one artifact: a network with its color space, bins and temperature, for any image."""

import copy
import importlib.resources
import numbers
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from scipy.ndimage import uniform_filter

from colorkit import colorspace
from colorkit.bins import checked_class_weights
from colorkit.checks import check_model
from colorkit.files import make_folder, read_model, save_model
from colorkit.layers import ColorDecoder, enlarge, size_rule
from colorkit.models.adversarial import Adversarial
from colorkit.pictures import as_rgb

# Pixels converted at once: a strip of them and its temporaries stay within tens of megabytes.
_STRIP_PIXELS = 2**18
# Guided upsampling: half the side of its window in pixels of the small image, and the variance
# of lightness (in a range of 1) below which lightness is not trusted to explain chroma.
_WINDOW_RADIUS = 1
_FLAT_VARIANCE = 1e-3


# Decoded as before the package had a temperature chosen for each model.
_OLDER, _PUBLISHED_TEMPERATURE = ("cifar10", "flowers"), 0.38


class Colorizer:
    """Colors images of any size; keeps their lightness exactly.

    The network sees large images reduced; its chroma is brought back to full size by a guided
    filter that follows the edges of the full-size lightness. A network that takes only multiples
    of 2, 4, ... pixels, as most U-Nets do, sees images continued by their mirror image.

    Args:
        model: Functional `keras.Model` from lightness `(height, width, 1)` to chroma, or to
            logits over `bins`, of the same size or of every n-th pixel, where height and width
            are multiples of a number up to 256 that is found here.
        space: `ColorSpace` of the chroma, or its name.
        bins: `ColorBins` that the logits stand for; `None` for a model that predicts chroma.
        temperature: Temperature of `bins.decode`; lower is more vivid.
        size: Short side, in pixels, that the network sees of a larger image; `None` for the
            full size. Small networks are at their best near the size they were trained at.
        mirror: True averages what the network makes of an image and of its mirror image, at
            twice the time.
        class_weights: Weights of the bins that the network was trained with, where the decoder
            is to divide by them (see `ColorBins.decode`), or `None`.

    Raises:
        ValueError: If the model's input or output does not fit, `temperature` is negative, or
            `class_weights` are not one positive, finite number a bin.

    References:
        He, Sun, "Fast Guided Filter", arXiv:1505.00996 (upsampling).
    """

    def __init__(
        self,
        model,
        *,
        space=colorspace.LAB,
        bins=None,
        temperature=0.38,
        size=256,
        mirror=False,
        class_weights=None,
    ):
        self.space = colorspace.get(space)
        if bins is not None and bins.space is not self.space:
            raise ValueError(f"`bins` lie in {bins.space!r}, `space` is {self.space!r}.")
        channels = bins.num_bins if bins is not None else self.space.chroma_channels
        if isinstance(model, Adversarial):
            raise ValueError(
                f"`model` must be the network that colors. Received the players {model.name}; "
                "give their `generator`."
            )
        check_model("model", model)
        shapes = [tuple(given.shape) for given in model.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][-1] != 1:
            raise ValueError("`model` must have one input, lightness of shape (height, width, 1).")
        if len(model.outputs) != 1 or model.outputs[0].shape[-1] != channels:
            raise ValueError(
                f"`model` must have one output with {channels} channels, "
                f"{'logits over the bins' if bins is not None else 'chroma'}. "
                f"Received: {[tuple(output.shape) for output in model.outputs]}"
            )
        _check_temperature(temperature)
        if size is not None and not (isinstance(size, numbers.Real) and size >= 1):
            raise ValueError(f"`size` must be at least 1 pixel. Received: {size!r}")
        if class_weights is not None:
            if bins is None:
                raise ValueError("`class_weights` are those of `bins`, and there are none.")
            checked_class_weights(class_weights, bins.num_bins)
        self.model = model
        self._multiples, self._stride = size_rule(model)
        self.bins = bins
        self.temperature = temperature
        self.size = size
        self.mirror = mirror
        self.class_weights = class_weights

    def __repr__(self):
        return (
            f"<Colorizer: {self.model.name} in {self.space.name}, temperature {self.temperature}>"
        )

    def __call__(self, image, *, dtype="uint8"):
        """Color an image, or a batch of images of one size.

        Args:
            image: Path of an image file, a PIL image, or an array of shape `(height, width)` or
                `(height, width, 1 | 3 | 4)`, uint8 or floating point in [0, 1]; color is
                ignored, transparency laid over white, and what is finer than 8 bits rounded to
                them. Also a batch `(N, height, width, 1 | 3 | 4)`.
            dtype: "uint8", or "float32" for colors in [0, 1] before rounding.

        Returns:
            Array of shape `(height, width, 3)`, or `(N, height, width, 3)` of a batch.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no image.
        """
        if dtype not in ("uint8", "float32"):
            raise ValueError(f'`dtype` must be "uint8" or "float32". Received: {dtype!r}')
        shape = np.shape(image) if hasattr(image, "__array__") else ()
        if len(shape) == 4:
            if shape[0] == 0:
                raise ValueError("A batch must hold at least one image. Received none")
            return self._color_batch(np.stack([as_rgb(picture) for picture in image]), dtype)
        return self._color(as_rgb(image), dtype)

    def at_temperature(self, temperature):
        """The same network at another temperature.

        Raises:
            ValueError: If there are no bins, or `temperature` is negative.
        """
        if self.bins is None:
            raise ValueError("`colorizer` must have bins; a regression has no temperature.")
        _check_temperature(temperature)
        other = copy.copy(self)
        other.temperature = temperature
        return other

    def predict(self, lightness, temperature=None):
        """Chroma of lightness at the network's own resolution.

        Args:
            lightness: Shape `(N, height, width, 1)`, in natural units.
            temperature: Temperature of the decoder, or `None` for the colorizer's own. A list of
                several gives a list of results from one pass through the network.

        Returns:
            float32 array of shape `(N, height, width, channels)`.

        Raises:
            ValueError: If `lightness` has another shape, the model changes the size or predicts a
                NaN, or `temperature` is negative or asked of a colorizer without bins.
        """
        lightness = ops.convert_to_tensor(lightness, dtype="float32")
        if len(lightness.shape) != 4 or lightness.shape[-1] != 1:
            raise ValueError(
                "`lightness` must have shape (N, height, width, 1). "
                f"Received shape {tuple(lightness.shape)}"
            )
        height, width = lightness.shape[1:3]
        outputs, stride = self._outputs(lightness), self._stride
        if self.mirror:
            # Every fourth pixel of the mirror image is another than here: first all, then back.
            mirrored = enlarge(self._outputs(ops.flip(lightness, axis=2)), stride, height, width)
            # Logits, not colors: where the two disagree, both stay possible.
            outputs = enlarge(outputs, stride, height, width) + ops.flip(mirrored, axis=2)
            outputs, stride = outputs / 2, 1

        def decoded(temperature):
            chroma = self.bins.decode(outputs, temperature, self.class_weights)
            return ops.convert_to_numpy(enlarge(chroma, stride, height, width))

        if self.bins is None:
            if temperature is not None:
                raise ValueError("`colorizer` must have bins; a regression has no temperature.")
            return ops.convert_to_numpy(enlarge(outputs, stride, height, width))
        if isinstance(temperature, (list, tuple)):
            return [decoded(t) for t in temperature]
        return decoded(self.temperature if temperature is None else temperature)

    def merge(self, lightness, chroma):
        """Put lightness and chroma together, as a float32 RGB array in [0, 1].

        The same as `space.merge`, at a fraction of its time in Lab.

        Args:
            lightness: Shape `(..., 1)`.
            chroma: Shape `(..., channels)`, as `predict` gives it.
        """
        if self.space is colorspace.LAB:
            return self._merge_lab(lightness, chroma)
        return ops.convert_to_numpy(self.space.merge(lightness, chroma))

    def network_size(self, height, width):
        """Height and width at which the network sees an image of the given height and width."""
        fixed_height, fixed_width = self.model.inputs[0].shape[1:3]
        short = min(height, width)
        scale = 1.0 if self.size is None else min(1.0, self.size / short)
        return (
            fixed_height or max(1, round(height * scale)),
            fixed_width or max(1, round(width * scale)),
        )

    def save(self, path):
        """Write everything to one `.keras` file, whole or not at all.

        Besides `Colorizer.load`, plain Keras reads it, as a model from lightness to chroma that
        averages no mirror images and takes only sizes that the network takes; then
        `import colorkit.layers` first.

        Raises:
            ValueError: If the path does not end in `.keras`.
            OSError: If the folder cannot be made or written.
        """
        path = Path(path).expanduser()
        if path.suffix != ".keras":
            raise ValueError(f"`path` must end in .keras. Received: {path}")
        make_folder(path.parent)
        decoder = ColorDecoder(
            self.space,
            self.bins,
            self.temperature,
            self.size,
            self.mirror,
            self.class_weights,
            name="color_decoder",
        )
        model = keras.Model(
            self.model.inputs[0], decoder(self.model.outputs[0]), name=self.model.name
        )
        save_model(model, path)

    @classmethod
    def load(cls, path):
        """Read a colorizer from a `.keras` file.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is damaged, or holds a model that is no colorizer.
        """
        path = Path(path).expanduser()
        model = read_model(path)
        decoder = model.layers[-1]
        if isinstance(model, Adversarial):
            raise ValueError(
                f"{path} holds two players. Take the one that colors: "
                "Colorizer(keras.saving.load_model(path).generator, space=...).save(path)"
            )
        if not isinstance(decoder, ColorDecoder):
            raise ValueError(
                f"{path} holds a Keras model without a color decoder. Wrap it: "
                "Colorizer(keras.saving.load_model(path), space=..., bins=...).save(path)"
            )
        network = keras.Model(model.inputs[0], decoder.input, name=model.name)
        return cls(
            network,
            space=decoder.space,
            bins=decoder.bins,
            temperature=decoder.temperature,
            size=decoder.size,
            mirror=decoder.mirror,
            class_weights=decoder.class_weights,
        )

    @classmethod
    def pretrained(cls, name="photos", temperature=None):
        """Load a colorizer that comes with the package; needs no network.

        Args:
            name: "photos", for photographs of any kind; "cifar10", trained on the 32 x 32 images
                of CIFAR-10; or "flowers", trained on 648 photographs of twelve species.
            temperature: Temperature of the decoder: 0 is vivid, 1 is conservative and nearest to
                the ground truth on average. `None` takes what was chosen on validation images
                ("photos"), or 0.38 as Zhang et al. do ("cifar10" and "flowers", whose records
                are those of 1 and 0.6, see `results.pretrained`).

        Raises:
            ValueError: If there is no such colorizer, or `temperature` is negative.

        Example:
            >>> rgb = Colorizer.pretrained()("grandmother.jpg")
        """
        folder = importlib.resources.files("colorkit") / "weights"
        known = sorted(file.name.removesuffix(".keras") for file in folder.iterdir()
                       if file.name.endswith(".keras"))  # fmt: skip
        if name not in known:
            raise ValueError(
                f"`name` must be one of {known}; `Colorizer.load` reads a .keras file of your own. "
                f"Received: {name!r}. Experiments such as cifar/lab-residual-unet, which made "
                '"cifar10", are trained by `python -m colorkit train NAME`.'
            )
        if temperature is None and name in _OLDER:
            temperature = _PUBLISHED_TEMPERATURE
        with importlib.resources.as_file(folder / f"{name}.keras") as path:
            colorizer = cls.load(path)
        return colorizer if temperature is None else colorizer.at_temperature(temperature)

    def _outputs(self, lightness):
        rows, columns = self._divided(lightness)
        spare = [-n % m for n, m in zip(lightness.shape[1:3], self._multiples, strict=True)]
        if any(spare):
            # By NumPy, which mirrors again and again where there is more to fill than there is.
            lightness = np.pad(
                ops.convert_to_numpy(lightness),
                ((0, 0), (0, spare[0]), (0, spare[1]), (0, 0)),
                mode="symmetric",
            )
        outputs = ops.cast(self.model(lightness, training=False), "float32")
        expected = self._divided(lightness)
        if tuple(outputs.shape[1:3]) != expected:
            raise ValueError(
                f"`model` must keep height and width, or divide both by {self._stride}. It made "
                f"{tuple(outputs.shape)} of {tuple(lightness.shape)}"
            )
        if not bool(ops.all(ops.isfinite(outputs))):
            raise ValueError(
                "`model` predicts a NaN or an infinity: its training has diverged, or its weights "
                "are damaged."
            )
        return outputs[:, :rows, :columns]

    def _divided(self, lightness):
        return tuple(-(-side // self._stride) for side in lightness.shape[1:3])

    def _color_batch(self, rgb, dtype, batch_size=32):
        height, width = rgb.shape[1:3]
        if self.network_size(height, width) != (height, width):
            return np.stack([self._color(picture, dtype) for picture in rgb])
        colored = []
        for i in range(0, len(rgb), batch_size):
            lightness = self.space.split(rgb[i : i + batch_size])[0]
            colored.append(self._merge(lightness, self.predict(lightness), dtype))
        return np.concatenate(colored)

    def _color(self, rgb, dtype):
        height, width = rgb.shape[:2]
        lightness = np.concatenate([self._lightness(rgb[rows]) for rows in _strips(height, width)])
        small = _resize(lightness, self.network_size(height, width))
        chroma = self.predict(small[None])[0]
        if small.shape == lightness.shape:
            return self._merge(lightness, chroma, dtype)
        slope, offset = self._explain(small, chroma)
        colored = np.empty(rgb.shape, dtype)
        for rows in _strips(height, width):
            full = lightness[rows]
            chroma = full * _enlarge(slope, rows, height, width)
            chroma += _enlarge(offset, rows, height, width)
            colored[rows] = self._merge(full, chroma, dtype)
        return colored

    def _lightness(self, rgb):
        return ops.convert_to_numpy(self.space.split(rgb)[0])

    def _merge(self, lightness, chroma, dtype):
        rgb = self.merge(lightness, chroma)
        return np.uint8(rgb * 255 + 0.5) if dtype == "uint8" else rgb

    @staticmethod
    def _merge_lab(lightness, chroma):
        """What `LAB.merge` gives, at a fraction of the time: few pixels lie outside the gamut."""
        lightness, chroma = ops.convert_to_numpy(lightness), ops.convert_to_numpy(chroma)
        merged = colorspace.LAB.merge(lightness, chroma, keep_lightness=False)
        rgb = np.array(ops.convert_to_numpy(merged))
        outside = ((rgb <= 0) | (rgb >= 1)).any(axis=-1)
        count = int(outside.sum())
        if count:
            # Padded to a power of two: backends compile once a size.
            spare = ((0, 2 ** (count - 1).bit_length() - count), (0, 0))
            fitted = colorspace.LAB.merge(
                np.pad(lightness[outside], spare), np.pad(chroma[outside], spare)
            )
            rgb[outside] = ops.convert_to_numpy(fitted)[:count]
        return rgb

    def _explain(self, lightness, chroma):
        """Local linear model chroma = slope * lightness + offset at the small size."""
        low, high = self.space.lightness_range

        def mean(x):
            return uniform_filter(x, (2 * _WINDOW_RADIUS + 1,) * 2 + (0,), mode="nearest")

        mean_lightness, mean_chroma = mean(lightness), mean(chroma)
        covariance = mean(lightness * chroma) - mean_lightness * mean_chroma
        variance = mean(lightness * lightness) - mean_lightness**2
        slope = covariance / (variance + _FLAT_VARIANCE * (high - low) ** 2)
        return mean(slope), mean(mean_chroma - slope * mean_lightness)


def _check_temperature(temperature):
    if not (isinstance(temperature, numbers.Real) and temperature >= 0):
        raise ValueError(f"`temperature` must be a number from 0 on. Received: {temperature!r}")


def _strips(height, width):
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def _resize(plane, size):
    """Resize a float image `(H, W, C)` with antialiasing."""
    if plane.shape[:2] == size:
        return plane
    channels = [
        np.asarray(Image.fromarray(plane[..., i]).resize(size[::-1], Image.Resampling.LANCZOS))
        for i in range(plane.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def _enlarge(small, rows, height, width):
    """The given rows of `small` enlarged to `(height, width)`, smoothly and without seams."""
    scale = small.shape[0] / height
    box = (0, rows.start * scale, small.shape[1], rows.stop * scale)
    size = (width, rows.stop - rows.start)
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(small[..., i], "float32")).resize(
                size, Image.Resampling.BICUBIC, box=box
            )
        )
        for i in range(small.shape[-1])
    ]
    return np.stack(channels, axis=-1)
