"""Calibrate sets of colors on held-out images, so that they hold the true color often enough."""

import dataclasses

import numpy as np

from colorkit.checks import check_share, check_whole

__all__ = ["Calibration"]

# Pixels of an image that count, directions of its features that are kept, and images that the
# calibration needs at least.
_PIXELS, _DIRECTIONS, _IMAGES = 1000, 16, 20
_LEAST_REST = 0.01  # of the variance
_FAR = 0.99  # share of the images of the model's own kind that are not far from it
# A model of small images, which it sees unreduced, does not know images that are reduced so much.
_REDUCED = 2.0


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Hold what was learned from held-out images of the kind that a model knows.

    A set holds the colors with at least a least probability. It is chosen so that the sets of the
    share `coverage` of the pixels hold the true color, in each third of lightness. This holds for
    the average over images of the same kind, not for each image. Create one with `of`.

    References:
        Sadinle, Lei, Wasserman, "Least Ambiguous Set-Valued Classifiers with Bounded Error Levels",
        JASA 2019 (the smallest sets); Vovk, "Conditional Validity of Inductive Conformal
        Predictors", 2012 (one limit per group); Ndiour et al., "Subspace Modeling for Fast
        Out-of-Distribution and Anomaly Detection", ICIP 2022 (the distance).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> held = [(rng.uniform(size=99), rng.uniform(0, 100, 99), rng.normal(size=4), 1)] * 20
        >>> Calibration.of(held, 0.9).images
        20
    """

    coverage: float
    edges: tuple  # lightness between the thirds, shape (2,)
    limits: tuple  # least probability of a color in the sets of each third, shape (3,)
    center: tuple  # mean of the features of an image, shape (num_features,)
    directions: tuple  # shape (k, num_features), each divided by the deviation along it
    rest: float  # deviation of what the directions leave
    far: float  # distance that the share 0.99 of the images does not reach
    images: int
    reduction: float  # largest factor by which the network saw the images reduced

    def __post_init__(self):
        for name in ("edges", "limits", "center", "directions"):  # lists, in a file
            object.__setattr__(self, name, _tuples(getattr(self, name)))
        check_share("coverage", self.coverage)
        check_whole("images", self.images)
        for name, shape in {
            "edges": (2,),
            "limits": (3,),
            "center": (len(self.center),),
            "directions": (len(self.directions), len(self.center)),
            "rest": (),
            "far": (),
            "reduction": (),
        }.items():
            value = np.asarray(getattr(self, name), "float32")
            if value.shape != shape or not np.isfinite(value).all():
                raise ValueError(
                    f"`{name}` of the calibration must be finite, of shape {shape}. Received shape "
                    f"{value.shape}; calibrate the model again with `Colorizer.calibrated`."
                )

    @classmethod
    def of(cls, held, coverage, weights=None):
        """Calibrate on tuples of one image each.

        Args:
            held: Iterable of `(probabilities, lightness, features, reduction)`. The first two are
                `(pixels,)`: the probability of the true color of each pixel, and its lightness.
                The features of the whole image are `(num_features,)`. The reduction is the factor
                by which the network saw the image reduced, 1 for full size.
            coverage: Share of the pixels whose set must hold the true color, such as 0.9.
            weights: How much each image counts for the sets, relative to the others. `None` means
                equally.
        """
        check_share("coverage", coverage)
        rng, chosen, features, reductions = np.random.default_rng(0), [], [], []
        for i, (probabilities, lightness, feature, reduction) in enumerate(held):
            # Images, not pixels, count: pixels of one image are much alike.
            count = _PIXELS if weights is None else round(_PIXELS * weights[i] / np.mean(weights))
            places = rng.integers(len(probabilities), size=count)
            chosen.append((probabilities[places], lightness[places]))
            features.append(feature)
            reductions.append(reduction)
        if len(chosen) < _IMAGES:
            raise ValueError(
                f"`images` must hold at least {_IMAGES} images to calibrate on, better hundreds. "
                f"Received: {len(chosen)}"
            )
        probabilities, lightness = map(np.concatenate, zip(*chosen, strict=True))
        edges = np.quantile(lightness, (1 / 3, 2 / 3))
        third = np.digitize(lightness, edges)
        parts = [probabilities[third == i] for i in range(3)]  # many black pixels leave one empty
        limits = [np.quantile(x if x.size else probabilities, 1 - coverage) for x in parts]
        space = _subspace(np.stack(features))
        found = *map(_rounded, (edges, limits)), *space, len(chosen), _rounded(max(reductions))
        return cls(coverage, *found)

    def limits_at(self, lightness):
        """Return the least probability of a color in the set of each pixel."""
        return np.asarray(self.limits, "float32")[np.digitize(lightness, self.edges)]

    def distance(self, features, reduction):
        """Return how far an image is from those that the model knows; above 1 is far."""
        space = np.asarray(self.center), np.asarray(self.directions), self.rest
        distance = float(_distances(np.asarray(features)[None], *space)[0] / self.far)
        return max(distance, reduction / _REDUCED) if self.reduction <= 1 else distance


def _subspace(features):
    """Return center, directions, rest and the distance that few images exceed.

    Half of the images give the directions, and the others the distances, as an image is nearer to
    directions that were chosen with it.
    """
    fitted, others = features[::2], features[1::2]
    center = fitted.mean(axis=0)
    _, singular, directions = np.linalg.svd(fitted - center, full_matrices=False)
    count = min(_DIRECTIONS, len(fitted) // 4)
    deviations = singular / np.sqrt(len(fitted))
    scaled = directions[:count] / (deviations[:count, None] + 1e-6)
    # With few features, hardly more than rounding is left.
    rest = np.sqrt(max((deviations[count:] ** 2).sum(), _LEAST_REST * (deviations**2).sum()) + 1e-9)
    far = np.quantile(_distances(others, center, scaled, rest), _FAR)
    return _rounded(center), _rounded(scaled), _rounded(rest), max(_rounded(far), 1e-6)


def _distances(features, center, directions, rest):
    apart = features - center
    along = apart @ directions.T
    lengths = (directions**2).sum(axis=1)
    left = (apart**2).sum(axis=1) - (along**2 / np.maximum(lengths, 1e-12)).sum(axis=1)
    return np.sqrt((along**2).mean(axis=1) + np.maximum(left, 0) / rest**2)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _rounded(value):
    """Return numbers with four digits, nested as in the array, for a small file."""
    if np.ndim(value):
        return tuple(_rounded(each) for each in value)
    return float(f"{value:.4g}")
