"""Draw several coherent colorings from one distribution over colors."""

import math
import warnings

import numpy as np
from keras import ops
from scipy.special import ndtr, softmax

from colorkit.checks import check_whole
from colorkit.layers import EdgeAwareSmoothing

# Draws per variant that is wanted, at least so many in total.
_DRAWS, _LEAST_DRAWS = 10, 80
# Share of the draws that are kept, the most likely ones: the others often look wrong.
_LIKELY = 0.75
# Distance of colors, as a share of the chroma range, at which their noise is nearly independent.
_ALIKE = 0.15
# Temperature of a variant, which softens the draw a little. The distribution is smoothed first.
TEMPERATURE = 0.7
_STEPS, _EDGE = (4, 2, 1), 0.05
_POINTS = 1000  # pixels that are compared to choose among draws


def smoothed(logs, lightness, lightness_range):
    """Smooth log-probabilities `(rows, columns, num_bins)` up to the edges of lightness."""
    low, high = lightness_range
    smooth = EdgeAwareSmoothing(_STEPS, _EDGE * (high - low))
    inputs = np.float32(logs)[None], np.float32(lightness)[None, ..., None]
    return ops.convert_to_numpy(smooth(inputs))[0]


def noises(logs, bins, count, seed):
    """Choose noises that turn one distribution into different, coherent colorings.

    The noise of a bin is the same for all pixels, so pixels with the same distribution get the
    same color. With Gumbel noise, the most likely bin of each pixel is an exact draw from its
    distribution (Maddison, Tarlow, Minka, "A* Sampling", NeurIPS 2014). Noises of similar colors
    are alike. Many noises are drawn, and the least likely ones left out. Clusters of the colorings
    that the others give are found, and the middle of each cluster is taken. The variants thus cover
    the distribution.

    `logs` are log-probabilities `(rows, columns, num_bins)`. The result, `(count, num_bins)`, is to
    be added to them; the most likely coloring comes first.
    """
    from sklearn.cluster import KMeans  # slow to import, and used only here
    from sklearn.exceptions import ConvergenceWarning

    check_whole("n", count)
    check_whole("seed", seed, least=0)
    rng = np.random.default_rng(seed)
    drawn = max(_DRAWS * count, _LEAST_DRAWS)
    noise = _gumbel(bins, drawn, rng)
    points = logs.reshape(-1, bins.num_bins)
    points = points[np.linspace(0, len(points) - 1, min(_POINTS, len(points))).astype(int)]
    colors, likely = [], []
    for each in noise:  # one after the other, as all together would fill the memory
        spread = softmax((points + each) / TEMPERATURE, axis=-1)
        colors.append((spread @ bins.centers).ravel())
        likely.append((spread * points).sum(axis=-1).mean())
    colors, likely = np.stack(colors), np.stack(likely)
    if count == 1:
        return noise[[likely.argmax()]]
    kept = np.argsort(-likely, kind="stable")[: math.ceil(_LIKELY * drawn)]
    noise, colors, likely = noise[kept], colors[kept], likely[kept]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # if draws hardly differ
        found = KMeans(count, n_init=1, random_state=seed).fit(colors)
    distances = ((colors - found.cluster_centers_[found.labels_]) ** 2).sum(axis=1)
    nearest = np.argsort(distances, kind="stable")
    # The nearest draw of each cluster, then others if there are fewer clusters than variants.
    middles = nearest[np.unique(found.labels_[nearest], return_index=True)[1]]
    middles = [*middles, *np.setdiff1d(nearest, middles)][:count]
    return noise[sorted(middles, key=lambda i: -likely[i])]


def _gumbel(bins, count, rng):
    """Draw Gumbel noise per bin, alike for bins of similar color, shape `(count, num_bins)`."""
    low, high = bins.space.chroma_range
    apart = ((bins.centers[:, None] - bins.centers) ** 2).sum(axis=-1)
    alike = np.exp(-apart / (2 * (_ALIKE * (high - low) / 2) ** 2))
    root = np.linalg.cholesky(alike + 1e-4 * np.eye(bins.num_bins))
    normal = rng.normal(size=(count, bins.num_bins)) @ root.T
    return -np.log(-np.log(np.clip(ndtr(normal), 1e-9, 1 - 1e-9)))
