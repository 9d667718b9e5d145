"""The colorizer: a network with its color space, bins and temperature, for images of any size."""

import copy
import importlib.resources
import numbers
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image
from scipy.ndimage import uniform_filter

from colorkit.checks import check_model
from colorkit.color import spaces
from colorkit.color.bins import checked_class_weights
from colorkit.data.image_files import as_rgb
from colorkit.files import make_folder, read_model, save_model
from colorkit.layers import ColorDecoder, enlarge
from colorkit.models.adversarial import Adversarial
from colorkit.models.sizes import size_rule

# Pixels converted at once: the temporary arrays of one strip stay within tens of megabytes.
_STRIP_PIXELS = 2**18
# Guided upsampling: radius of the window in pixels of the small image, and the variance of
# lightness (in a range of 1) below which lightness does not explain chroma.
_WINDOW_RADIUS = 1
_FLAT_VARIANCE = 1e-3


# Decoded as before each model of the package got its own temperature.
_OLDER, _PUBLISHED_TEMPERATURE = ("cifar10", "flowers"), 0.38


class Colorizer:
    """Colorize images of any size and keep their lightness exactly.

    The network sees large images at a reduced size. A guided filter, which follows the edges of
    the full-size lightness, brings the predicted chroma back to full size. Some networks, such as
    most U-Nets, only take multiples of 2, 4, ... pixels. Their input is padded by reflection.

    Args:
        model: Functional `keras.Model` from lightness `(height, width, 1)` to chroma, or to
            logits over `bins`. The output has the size of the input, or one value for every n-th
            pixel. Height and width may need to be multiples of a number up to 256; the colorizer
            finds this number.
        space: `ColorSpace` of the chroma, or its name.
        bins: `ColorBins` of the logits, or `None` for a model that predicts chroma.
        temperature: Temperature of `bins.decode`. Lower values give more vivid colors.
        size: Short side, in pixels, at which the network sees a larger image. `None` means the
            full size. Small networks work best near the size of their training images.
        mirror: If True, average the predictions for an image and for its mirror image, at twice
            the time.
        class_weights: Weights of the bins in training, if the decoder must divide by them (see
            `ColorBins.decode`), or `None`.

    Raises:
        ValueError: If the model's input or output does not fit, `temperature` is negative, or
            `class_weights` are not one positive, finite number per bin.

    References:
        He, Sun, "Fast Guided Filter", arXiv:1505.00996 (upsampling).
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
    ):
        self.space = spaces.get(space)
        if bins is not None and bins.space is not self.space:
            raise ValueError(
                f"`bins` must be in the color space of `space`, {self.space!r}. "
                f"Received bins in {bins.space!r}; give `space={bins.space.name!r}`."
            )
        channels = bins.num_bins if bins is not None else self.space.chroma_channels
        if isinstance(model, Adversarial):
            raise ValueError(
                f"`model` must be the network that colors. Received the adversarial {model.name}; "
                "give their `generator`."
            )
        check_model("model", model)
        shapes = [tuple(given.shape) for given in model.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][-1] != 1:
            raise ValueError(
                "`model` must have one input, lightness of shape (height, width, 1). "
                f"Received: {shapes}"
            )
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
                raise ValueError("`class_weights` need `bins`. Received `bins=None`")
            checked_class_weights(class_weights, bins.num_bins)
        self.model = model
        # Run as one graph, a small network with many layers takes half the time. XLA would compile
        # again for each size of image.
        self._network = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
        self._network.jit_compile = False
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
        """Colorize an image, or a batch of images of one size.

        Args:
            image: Path of an image file, a PIL image, or an array, uint8 or floating point in
                [0, 1]. An image has shape `(height, width)` or `(height, width, 1 | 3 | 4)`, and a
                batch has shape `(N, height, width, 1 | 3 | 4)`. Color is ignored, transparent
                parts become white, and values finer than 8 bits are rounded to 8 bits.
            dtype: "uint8", or "float32" for colors in [0, 1] before rounding.

        Returns:
            Array of shape `(height, width, 3)`, or `(N, height, width, 3)` for a batch.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If `image` is not an image.
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
        """Return a colorizer with the same network and another temperature.

        Raises:
            ValueError: If there are no bins, or `temperature` is negative.
        """
        if self.bins is None:
            raise ValueError("`colorizer` must have bins, as a regression has no temperature.")
        _check_temperature(temperature)
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
            ValueError: If `lightness` has another shape, the model changes the size or predicts a
                NaN, or `temperature` is negative or given to a colorizer without bins.
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
            # With a stride, mirrored pixels differ: enlarge first, then mirror back.
            mirrored = enlarge(self._outputs(ops.flip(lightness, axis=2)), stride, height, width)
            # Average logits, not colors, so that both colors stay possible where they differ.
            outputs = enlarge(outputs, stride, height, width) + ops.flip(mirrored, axis=2)
            outputs, stride = outputs / 2, 1

        def decoded(temperature):
            chroma = self.bins.decode(outputs, temperature, self.class_weights)
            return ops.convert_to_numpy(enlarge(chroma, stride, height, width))

        if self.bins is None:
            if temperature is not None:
                raise ValueError("`colorizer` must have bins, as a regression has no temperature.")
            return ops.convert_to_numpy(enlarge(outputs, stride, height, width))
        if isinstance(temperature, (list, tuple)):
            return [decoded(t) for t in temperature]
        return decoded(self.temperature if temperature is None else temperature)

    def merge(self, lightness, chroma):
        """Merge lightness and chroma into a float32 RGB array in [0, 1].

        The result is that of `space.merge`, but in Lab it takes a fraction of the time.

        Args:
            lightness: Shape `(..., 1)`.
            chroma: Shape `(..., channels)`, as `predict` returns it.
        """
        if self.space is spaces.LAB:
            return self._merge_lab(lightness, chroma)
        return ops.convert_to_numpy(self.space.merge(lightness, chroma))

    def network_size(self, height, width):
        """Return the height and width at which the network sees an image of the given size."""
        fixed_height, fixed_width = self.model.inputs[0].shape[1:3]
        short = min(height, width)
        scale = 1.0 if self.size is None else min(1.0, self.size / short)
        return (
            fixed_height or max(1, round(height * scale)),
            fixed_width or max(1, round(width * scale)),
        )

    def save(self, path):
        """Save the colorizer to one `.keras` file, which is never left half-written.

        `Colorizer.load` reads the file. Plain Keras also reads it, as a model from lightness to
        chroma, after `import colorkit.layers`. That model averages no mirror images and only
        takes sizes that the network takes.

        Raises:
            ValueError: If the path does not end in `.keras`.
            OSError: If the folder cannot be created or written.
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
        """Load a colorizer from a `.keras` file.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If the file is damaged, or holds a model that is not a colorizer.
        """
        path = Path(path).expanduser()
        model = read_model(path)
        decoder = model.layers[-1]
        if isinstance(model, Adversarial):
            raise ValueError(
                f"{path} holds an adversarial model. Save its generator as a colorizer: "
                "Colorizer(keras.saving.load_model(path).generator, space=...).save(path)"
            )
        if not isinstance(decoder, ColorDecoder):
            raise ValueError(
                f"{path} holds a Keras model without a color decoder. Save it as a colorizer: "
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
        """Load a colorizer that comes with the package, without downloading.

        Args:
            name: "photos", for photographs of any kind; "cifar10", trained on the 32 x 32 images
                of CIFAR-10; or "flowers", trained on 648 photographs of twelve species.
            temperature: Temperature of the decoder. 0 is vivid; 1 is conservative, and nearest to
                the ground truth on average. `None` takes the value chosen on validation images
                for "photos", and 0.38, as Zhang et al., for "cifar10" and "flowers". The records
                of "cifar10" and "flowers" are for 1 and 0.6, see `results.pretrained`.

        Raises:
            ValueError: If the colorizer does not exist, or `temperature` is negative.

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
            # Pad with NumPy, which repeats the reflection where the padding exceeds the image.
            lightness = np.pad(
                ops.convert_to_numpy(lightness),
                ((0, 0), (0, spare[0]), (0, spare[1]), (0, 0)),
                mode="symmetric",
            )
        outputs = ops.cast(self._network.predict_on_batch(lightness), "float32")
        expected = self._divided(lightness)
        if tuple(outputs.shape[1:3]) != expected:
            raise ValueError(
                f"`model` must keep height and width, or divide both by {self._stride}. Received "
                f"an output of {tuple(outputs.shape)} for an input of {tuple(lightness.shape)}"
            )
        if not bool(ops.all(ops.isfinite(outputs))):
            raise ValueError(
                "`model` must predict finite values. Received a NaN or an infinity: the training "
                "has diverged, or the weights are damaged. Train it again or replace the file."
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
        """Compute `LAB.merge` in a fraction of the time, as few pixels are outside the gamut."""
        lightness, chroma = ops.convert_to_numpy(lightness), ops.convert_to_numpy(chroma)
        merged = spaces.LAB.merge(lightness, chroma, keep_lightness=False)
        rgb = np.array(ops.convert_to_numpy(merged))
        outside = ((rgb <= 0) | (rgb >= 1)).any(axis=-1)
        count = int(outside.sum())
        if count:
            # Pad to a power of two: backends compile once per size.
            spare = ((0, 2 ** (count - 1).bit_length() - count), (0, 0))
            fitted = spaces.LAB.merge(
                np.pad(lightness[outside], spare), np.pad(chroma[outside], spare)
            )
            rgb[outside] = ops.convert_to_numpy(fitted)[:count]
        return rgb

    def _explain(self, lightness, chroma):
        """Fit the local linear model chroma = slope * lightness + offset at the small size."""
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
        raise ValueError(f"`temperature` must be a non-negative number. Received: {temperature!r}")


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
    """Return the given rows of `small` enlarged to `(height, width)`, smooth and without seams."""
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
