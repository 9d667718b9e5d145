"""Estimate metrics of many images together with their sampling errors."""

from typing import NamedTuple

import numpy as np
import scipy.stats

__all__ = ["Estimate", "bootstrap", "ratio"]


class Estimate(NamedTuple):
    """Hold a metric of a number of images, and its sampling error.

    `parts` have the metric as their mean, and its standard error as that of their mean. For a mean
    over images, they are its values.
    """

    value: float
    parts: np.ndarray
    count: int

    @property
    def error(self):
        """Return the standard error; a single image has none, NaN."""
        return float(scipy.stats.sem(self.parts)) if len(self.parts) > 1 else float("nan")

    def minus(self, other):
        """Return the difference of two metrics of the same images, with its paired error."""
        return Estimate(self.value - other.value, self.parts - other.parts, self.count)

    def mapped(self, function, slope):
        """Return a function of the metric, which has this slope at its value."""
        parts = function(self.value) + slope * (self.parts - self.value)
        return Estimate(function(self.value), parts, self.count)


def ratio(totals, counts):
    """Estimate the sum of `totals` over the sum of `counts`, both per image, shape `(N,)`.

    If all counts are equal, this is the mean over images, and its usual standard error (Cochran,
    "Sampling Techniques", 1977, section 6.4).
    """
    totals, counts = np.float64(totals), np.float64(counts)
    value = totals.sum() / counts.sum() if counts.sum() else 0.0
    parts = value + (totals - value * counts) / (counts.mean() or 1.0)
    return Estimate(float(value), parts, len(totals))


def bootstrap(groups, statistic, count, draws=100):
    """Estimate a statistic of a sum over groups, which need not be smooth, by drawing groups.

    `groups` is what each group of images adds to the sum, shape `(groups, ...)`, and `count` the
    number of all images. The draws are the same in each call with as many groups, so that
    differences have paired errors (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993).
    """
    number = len(groups)
    value = float(statistic(groups.sum(axis=0)))
    if number == 1:
        return Estimate(value, np.array([value]), count)
    shares = np.full(number, 1 / number)
    times = np.random.default_rng(0).multinomial(number, shares, size=draws)
    found = np.array([float(statistic(total)) for total in np.tensordot(times, groups, 1)])
    # The standard error of the mean of the parts must be the standard deviation of the draws,
    # corrected for few groups.
    scale = np.sqrt(draws * number / (number - 1))
    return Estimate(value, value + (found - found.mean()) * scale, count)
