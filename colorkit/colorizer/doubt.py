"""Measure the doubt of a distribution over colors."""

import dataclasses
import functools

import numpy as np
from PIL import Image
from scipy.special import entr

from colorkit.color.guided import resize

__all__ = ["Uncertainty"]


@dataclasses.dataclass(frozen=True)
class Uncertainty:
    """Hold how unsure a model is of the colors of an image, per pixel of its prediction.

    Attributes:
        entropy: Entropy of the distribution over colors in bits, `(rows, columns)`. 0 means that
            one color is certain; each bit doubles the number of colors that are as likely.
        sets: Smallest set of colors that holds the true one with the calibrated probability, bool
            `(rows, columns, num_bins)`, or `None` without a calibration.
        coverage: That probability, such as 0.9, or `None`.
        sureness: One number per image, from 0 (every color is as likely) to 1 (all are certain).
        distance: How far the image is from those that the model knows. Above 1, its features are
            farther than those of 99 % of them, or the model knows small images only and this one
            is large. The other numbers then mean little. `None` without a calibration.
        size: Height and width of the image.

    Example:
        >>> bins = ck.ColorBins.grid(9)
        >>> network = ck.models.build_shallow_classification(9)
        >>> doubt = ck.Colorizer(network, bins=bins).uncertainty(np.zeros((8, 8), "uint8"))
        >>> doubt.entropy.shape, 0 <= doubt.sureness <= 1
        ((8, 8), True)
    """

    entropy: np.ndarray
    sets: np.ndarray | None
    coverage: float | None
    sureness: float
    distance: float | None
    size: tuple
    most: float = 1.0  # bits of a distribution that knows nothing

    @property
    def is_far(self):
        """Whether `distance` is above 1; `False` without a calibration."""
        return self.distance is not None and self.distance > 1

    @property
    def sizes(self):
        """Number of colors in the set of each pixel, `(rows, columns)`."""
        if self.sets is None:
            raise ValueError(
                "Sets of colors need a calibration, which the model's file lacks. Calibrate it on "
                "images that it was not trained on, and save it: "
                "`colorizer.calibrated(images).save(path)`."
            )
        return self.sets.sum(axis=-1)

    @functools.cached_property
    def doubt(self):
        """Entropy relative to the largest possible, `(height, width)`, in [0, 1]."""
        large = resize(self.entropy[..., None], self.size, Image.Resampling.BILINEAR)
        return np.clip(large[..., 0] / self.most, 0, 1)


def entropy(probabilities):
    """Return the entropy of distributions `(..., num_bins)` in bits."""
    return entr(probabilities).sum(axis=-1) / np.float32(np.log(2))
