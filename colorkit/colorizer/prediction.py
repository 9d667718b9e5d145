"""Keep what a network predicts for an image, and color it again in many ways."""

import dataclasses
import warnings

import numpy as np
from keras import ops
from PIL import Image

from colorkit.checks import check_weight
from colorkit.color.guided import resize, upsampled_at
from colorkit.colorizer import hints, variants
from colorkit.colorizer.doubt import Uncertainty, entropy
from colorkit.data.image_files import as_rgb
from colorkit.layers import enlarge

__all__ = ["Prediction"]

_NEEDS_BINS = (
    "This needs a model that predicts a distribution over colors, such as "
    '`Colorizer.pretrained("photos")`. Received a regression, which predicts one color per pixel.'
)


@dataclasses.dataclass(frozen=True)
class Prediction:
    """Hold one image and what a network predicts for it; `Colorizer.prediction` creates it.

    The network has run once. Each method works from its kept result, so that another temperature,
    hint or variant takes a fraction of the time. A prediction does not change: `variants` and
    `with_hints` return others.

    Attributes:
        colorizer: `Colorizer` that made it.
        lightness, small: Lightness at the size of the image and at the network's,
            `(height, width, 1)`.
        scores: Logits, or chroma of a regression, for every n-th pixel of `small`.
        stride: That n.
        temperature: Temperature of `rgb`.
        class_weights: See `Colorizer`.
        hints: Places and chroma of hints, weights of their corrections, and their pixels in the
            image, or `None`.

    Example:
        >>> prediction = ck.Colorizer.pretrained("cifar10").prediction(np.zeros((32, 32), "uint8"))
        >>> vivid = prediction.rgb(temperature=0)
        >>> red = prediction.with_hints([(4, 20, "red")]).rgb()
        >>> red.shape, len(prediction.variants(2))
        ((32, 32, 3), 2)
    """

    colorizer: object
    lightness: np.ndarray
    small: np.ndarray
    scores: np.ndarray
    stride: int
    temperature: float | None
    class_weights: np.ndarray | None = None
    hints: tuple | None = None
    # Shared by all predictions for one image, and found when it is first needed.
    _shared: dict = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def size(self):
        """Height and width of the image."""
        return self.lightness.shape[:2]

    @property
    def reduction(self):
        """Factor by which the network saw the image reduced; 1 is its full size."""
        return self._shared.get("reduction", min(self.size) / min(self.small.shape[:2]))

    def chroma(self, temperature=None):
        """Return chroma for every n-th pixel of the image that the network saw, with hints."""
        chroma = self.scores
        if self.colorizer.bins is not None:
            temperature = self.temperature if temperature is None else temperature
            chroma = self.colorizer.bins.decode(self.scores, temperature, self.class_weights)
            chroma = ops.convert_to_numpy(chroma)
        if self.hints is not None:
            places, wanted, weights, _ = self.hints
            chroma = chroma + weights @ (wanted - chroma[tuple(places.T)])
        return chroma

    def rgb(self, temperature=None, saturation=None, keep_gray=None, *, dtype="uint8"):
        """Color the image.

        Args:
            temperature: 0 is vivid and 1 conservative; `None` takes that of the prediction.
            saturation: Factor of chroma: 0 is gray. `None` takes the colorizer's.
            keep_gray: Mask `(height, width)`, from 0 for color to 1 where the image stays gray.
            dtype: See `Colorizer.__call__`.

        Returns:
            Array `(height, width, 3)`.

        Raises:
            ValueError: If a setting is out of range, or the mask has another size.
        """
        colorizer = self.colorizer
        saturation = colorizer.saturation if saturation is None else saturation
        check_weight("saturation", saturation)
        strength = None
        if keep_gray is not None:
            strength = 1 - np.asarray(keep_gray, "float32")
            if strength.shape != self.size or not (strength.min() >= 0 and strength.max() <= 1):
                raise ValueError(
                    f"`keep_gray` must be a mask of shape {self.size} with values from 0 to 1. "
                    f"Received shape {strength.shape}, from {1 - strength.max()} to "
                    f"{1 - strength.min()}"
                )
        chroma = np.float32(saturation * self.chroma(temperature))
        chroma = ops.convert_to_numpy(enlarge(chroma, self.stride, *self.small.shape[:2]))
        last = None if self.hints is None else self._last_correction(chroma, saturation)

        def change(rows, large):
            large = large if last is None else last(rows, np.array(large))
            return large if strength is None else large * strength[rows, :, None]

        return colorizer._postprocess(self.lightness, self.small, chroma, dtype, change)

    def probabilities(self):
        """Return the distribution over bins, for every n-th pixel of the image the network saw."""
        return np.exp(self._logs())

    def uncertainty(self):
        """Measure the doubt of the network, see `Uncertainty`. Hints are ignored.

        Call it on the prediction itself, as a variant has other probabilities. An image far from
        those that the model knows gives a warning.

        Raises:
            ValueError: If the model predicts no distribution.
        """
        probabilities, colorizer = self.probabilities(), self.colorizer
        bits, most = entropy(probabilities), float(np.log2(probabilities.shape[-1]))
        sets = coverage = distance = None
        if (known := colorizer.calibration) is not None:
            sets = probabilities >= known.limits_at(self.dots)
            coverage, distance = known.coverage, known.distance(self.pooled(), self.reduction)
        sureness = float(1 - bits.mean() / most)
        found = Uncertainty(bits, sets, coverage, sureness, distance, self.size, most)
        if found.is_far:
            warnings.warn(
                f"The image is far from those that {colorizer.name!r} knows, by its size or "
                f"its features: {distance:.1f}, and 1 is far. Its doubt means little; take a model "
                "for images of this kind.",
                stacklevel=2,
            )
        return found

    def variants(self, n=4, seed=0):
        """Return n predictions with different, coherent colors, the most likely one first.

        See `colorkit.colorizer.variants.noises`.
        """
        logs = variants.smoothed(
            self._logs(), self.dots[..., 0], self.colorizer.space.lightness_range
        )
        return [
            dataclasses.replace(
                self,
                scores=np.float32(logs + noise),
                class_weights=None,  # the logarithms hold them
                temperature=variants.TEMPERATURE,
            )
            for noise in variants.noises(logs, self.colorizer.bins, n, seed)
        ]

    def with_hints(self, given, reach=1.0):
        """Return a prediction whose colors follow hints `(row, column, color)`, replacing others.

        Colors change as at the hint wherever features, distribution and lightness are similar.

        Args:
            given: Hints. Rows and columns are pixels of the image. A color is its name, "#rrggbb",
                or red, green and blue from 0 to 255; its lightness is ignored.
            reach: Distance at which a similar pixel follows a hint about half, as a share of the
                longer side of the image. At 1, all similar pixels follow, at any distance. This is
                the most accurate for a few true colors. For one red tree among green ones, take
                less, such as 0.2.

        Raises:
            ValueError: If a hint is outside the image, has no color, or contradicts another one,
                or `reach` is not above 0 and at most 1.
        """
        if not 0 < reach <= 1:
            raise ValueError(f"`reach` must be above 0 and at most 1. Received: {reach!r}")
        space = self.colorizer.space
        if space.chroma_channels != 2:
            raise ValueError(f"Hints need a model in LAB or YUV. Received one in {space.name}.")
        places, colors = hints.checked_hints(given, self.size)
        pixels, (rows, columns) = places, self.scores.shape[:2]
        places = places * np.array([rows, columns]) // np.array(self.size)
        low, high = space.lightness_range
        bins = self.colorizer.bins
        weights = hints.weights(
            places,
            self._features,
            None if bins is None else self.probabilities(),
            (self.dots[..., 0] - low) / (high - low),
            reach,
        )
        wanted = ops.convert_to_numpy(space.split(colors[None])[1])[0]
        return dataclasses.replace(self, hints=(places, wanted, weights, pixels))

    def _last_correction(self, chroma, saturation):
        """Return what makes the colors of hints exact, where `chroma` is upsampled."""
        _, wanted, _, pixels = self.hints
        low, high = limits = self.colorizer.space.lightness_range
        reached = chroma[tuple(pixels.T)] if self.small is self.lightness else None
        if reached is None:
            reached = upsampled_at(pixels, chroma, self.small, self.lightness, limits)
        missing = saturation * wanted - reached
        side, span = self.size[0] / self.scores.shape[0], high - low
        return hints.last_correction(pixels, missing, self.lightness[..., 0], side, span)

    def at_size_of(self, image):
        """Return the same colors for the same image at another size, such as one to show.

        Hints stay where they are in the image. Further ones count in pixels of the new size.

        Example:
            >>> kept = ck.Colorizer.pretrained("cifar10").prediction(np.zeros((64, 96), "uint8"))
            >>> kept.at_size_of(np.zeros((40, 60), "uint8")).rgb().shape
            (40, 60, 3)
        """
        self._shared["reduction"] = self.reduction  # of the image that the network saw
        lightness, _ = self.colorizer._preprocess(as_rgb(image))
        small = lightness if lightness.shape == self.small.shape else self.small
        hints = self.hints
        if hints is not None:
            middles = (hints[-1] + 0.5) * np.divide(lightness.shape[:2], self.size)
            hints = *hints[:-1], middles.astype(int)
        return dataclasses.replace(self, lightness=lightness, small=small, hints=hints)

    def of_truth(self, rgb):
        """Return what `Calibration.of` takes of the image, from its colors `(height, width, 3)`."""
        wanted = ops.convert_to_numpy(self.colorizer.bins.encode(self.truth(rgb)))[..., None]
        probabilities = np.take_along_axis(self.probabilities(), wanted, axis=-1)
        return probabilities.ravel(), self.dots.ravel(), self.pooled(), self.reduction

    def truth(self, rgb):
        """Return the true chroma of each pixel that has a prediction, from an image in color."""
        chroma = ops.convert_to_numpy(self.colorizer.space.split(rgb)[1])
        if self.small is not self.lightness:
            chroma = resize(chroma, self.small.shape[:2], Image.Resampling.BOX)
        return chroma[:: self.stride, :: self.stride]

    def pooled(self):
        """Return the mean features of the image, `(num_features,)`."""
        planes = self._features or [np.zeros((1, 1, 1), "float32")]
        return np.concatenate([plane.mean(axis=(0, 1)) for plane in planes])

    @property
    def dots(self):
        """Lightness of the pixels that have a prediction."""
        return self.small[:: self.stride, :: self.stride]

    def _logs(self):
        """Return the log-probabilities of the bins."""
        if self.colorizer.bins is None:
            raise ValueError(_NEEDS_BINS)
        logits = self.scores
        if self.class_weights is not None:
            logits = ops.log_softmax(logits, axis=-1) - np.log(np.float32(self.class_weights))
        return ops.convert_to_numpy(ops.log_softmax(logits, axis=-1))

    @property
    def _features(self):
        """Features at each stride, of unit length, in the size of the scores; kept once found."""
        if "features" not in self._shared:
            size = self.scores.shape[:2]
            planes = [
                resize(plane, size, Image.Resampling.BILINEAR)
                for plane in self.colorizer.features(self.small)
            ]
            lengths = [np.linalg.norm(plane, axis=-1, keepdims=True) for plane in planes]
            found = [plane / (x + 1e-6) for plane, x in zip(planes, lengths, strict=True)]
            self._shared["features"] = found
        return self._shared["features"]
