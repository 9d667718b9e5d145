"""Color bins: divide a chroma plane into classes, so that colorization becomes classification."""

import functools
import itertools
import math

import keras
import numpy as np
from keras import ops
from scipy.spatial import Delaunay, KDTree

from colorkit.checks import check_weight, check_whole
from colorkit.color import spaces

__all__ = ["ColorBins", "chroma_batches"]

# Convex outline, as (a, b), of the published bins: every point of the 10-unit lattice inside or on
# it is one of them. No test on sRGB alone gives 313; the cells of all 8-bit colors are 261.
_GAMUT_OUTLINE = np.array(
    [(-90, 90), (-90, 50), (-80, 20), (-60, -20), (-30, -50), (10, -80), (40, -100), (60, -110),
     (90, -110), (100, -90), (100, 0), (90, 70), (70, 80), (40, 90), (0, 100), (-50, 100)]
)  # fmt: skip
# Below this temperature the annealed mean equals the mode, and dividing logits would overflow.
_COLDEST = 1e-6
# The lookup table divides twice the space's chroma range into this many cells per side.
_TABLE_CELLS = 256


def chroma_batches(images, space, batch_size=256):
    """Yield the chroma of images as float32 arrays `(N, height, width, channels)`.

    Args:
        images: Images `(H, W, 3)`, uint8 or floating point in [0, 1]: an array `(N, H, W, 3)`
            or any iterable. Their sizes may differ. Other values, or no images, raise an error.
        space: `ColorSpace`.
        batch_size: Maximum number of images per batch. All images of a batch have one size.

    Example:
        >>> [chroma.shape for chroma in chroma_batches([np.zeros((8, 9, 3), "uint8")] * 3, ck.LAB)]
        [(3, 8, 9, 2)]
    """
    batch = None
    for _, same in itertools.groupby(map(np.asarray, images), np.shape):
        while batch := list(itertools.islice(same, batch_size)):
            rgb = np.stack(batch)
            if rgb.dtype.kind == "f":
                spaces.check_range(rgb, "`images` must be uint8, or floating point")
            yield ops.convert_to_numpy(space.split(rgb)[1])
    if batch is None:
        raise ValueError("`images` must hold at least one image. Received none")


def checked_class_weights(weights, count):
    """Return class weights as a float32 array, if they are `count` positive, finite numbers."""
    weights = np.asarray(weights, "float32")
    if weights.shape != (count,):
        raise ValueError(
            f"`class_weights` must have one entry per class, shape ({count},). "
            f"Received shape {weights.shape}"
        )
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(
            "`class_weights` must be positive and finite. "
            f"Received values from {weights.min()} to {weights.max()}"
        )
    return weights


@keras.saving.register_keras_serializable(package="colorkit")
class ColorBins:
    """Divide a chroma plane into bins: each pixel belongs to the bin with the nearest center.

    Create bins with `ColorBins.grid`, `gamut` or `fit`, or from your own centers.

    Args:
        centers: Distinct bin centers in chroma units of `space`, shape `(num_bins, 2)`. Also an
            attribute, as float32 array.
        space: `LAB` or `YUV`, or its name. Also an attribute.

    Raises:
        ValueError: If an argument has another shape, is out of range, or is not finite.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, section 2.1.

    Example:
        >>> bins = ColorBins.grid(81)
        >>> labels = bins.encode(np.zeros((1, 8, 8, 2)))  # for training
        >>> chroma = bins.decode(np.zeros((1, 8, 8, 81)), temperature=0.38)  # of predicted logits
        >>> tuple(labels.shape), tuple(chroma.shape)
        ((1, 8, 8), (1, 8, 8, 2))
    """

    def __init__(self, centers, space=spaces.LAB):
        self.space = _plane(space)
        centers = np.array(centers, "float32")
        if centers.ndim != 2 or centers.shape[1] != 2 or len(centers) == 0:
            raise ValueError(f"`centers` must have shape (num_bins, 2). Received: {centers.shape}")
        if not np.isfinite(centers).all() or len(np.unique(centers, axis=0)) < len(centers):
            raise ValueError(f"`centers` must be finite and distinct. Received: {centers}")
        centers.setflags(write=False)
        self.centers = centers

    @classmethod
    def grid(cls, num_bins, *, space=spaces.LAB, centered=True):
        """Create a square lattice over the whole chroma range of `space`.

        Args:
            num_bins: A square number of at least 4, such as 49, 64, 81 or 100.
            space: See `ColorBins`.
            centered: If True, one bin is exactly neutral. If False, the lattice is that of
                Champati, Houle, Zhang, "Small-Scale Automatic Image Colorization", section 3.3. It
                starts at -110 (-0.5 in YUV), and has no neutral bin when the side is odd.

        Example:
            >>> ColorBins.grid(81).centers.shape
            (81, 2)
        """
        space = _plane(space)
        side = math.isqrt(max(num_bins, 0))
        if side < 2 or side * side != num_bins:
            raise ValueError(
                f"`num_bins` must be a square such as 49, 64, 81 or 100. Received: {num_bins!r}"
            )
        high = 0.5 if space is spaces.YUV and not centered else space.chroma_range[1]
        steps = np.arange(side) - (side // 2 if centered else side / 2)
        return cls(_lattice(steps * (2 * high / side)), space)

    @classmethod
    def gamut(cls):
        """Create the 313 ab bins of Zhang et al., Figure 3, 10 units apart and one neutral.

        Example:
            >>> ColorBins.gamut().num_bins
            313
        """
        points = _lattice(np.arange(-110.0, 111.0, 10.0))
        return cls(points[Delaunay(_GAMUT_OUTLINE).find_simplex(points) >= 0])

    @classmethod
    def fit(cls, images, num_bins=64, *, space=spaces.LAB, seed=0):
        """Fit bins to images, and move the bin nearest to neutral onto it.

        Images are uint8 or floating point in [0, 1], in an array `(N, H, W, 3)` or any iterable.
        K-means runs on a histogram of chroma. The weight of a cell is the square root of its
        count, so that rare colors get their own bins. There must be `num_bins` distinct colors.

        Example:
            >>> ColorBins.fit(ck.load("photos")[:4], 16).num_bins
            16
        """
        from sklearn.cluster import KMeans  # slow to import, and used only here

        space = _plane(space)
        low, high = space.chroma_range
        edges = np.linspace(low, high, 2 * _TABLE_CELLS + 1)
        counts = 0
        for chroma in chroma_batches(images, space):
            a, b = np.clip(chroma, low, high).reshape(-1, 2).T
            counts = counts + np.histogram2d(a, b, bins=(edges, edges))[0]
        middles = (edges[:-1] + edges[1:]) / 2
        kmeans = KMeans(num_bins, n_init=1, random_state=seed)
        kmeans.fit(middles[np.argwhere(counts)], sample_weight=np.sqrt(counts[counts > 0]))
        centers = kmeans.cluster_centers_
        centers[np.linalg.norm(centers, axis=1).argmin()] = 0.0
        return cls(centers[np.lexsort(centers.T[::-1])], space)

    @property
    def num_bins(self):
        return len(self.centers)

    def __len__(self):
        return self.num_bins

    def __repr__(self):
        return f"<ColorBins: {self.num_bins} bins in {self.space.name}>"

    def encode(self, chroma):
        """Return the nearest bin of every pixel, an int32 tensor of shape `(...)`.

        Args:
            chroma: Shape `(..., 2)`, in units of the bins' space. The result is exact within
                twice the space's chroma range (±220 in Lab); values beyond are clipped first.
                Arrays must be finite; tensors are not checked.

        Example:
            >>> int(ColorBins.grid(9).encode(np.zeros(2)))  # neutral: the middle bin
            4
        """
        return self._nearest(chroma, 1)[0][..., 0]

    def soft_encode(self, chroma, neighbors=5, sigma=5.0):
        """Return the nearest bins of every pixel, with Gaussian weights.

        Args:
            chroma: Shape `(..., 2)`, as for `encode`.
            neighbors: Number of bins per pixel, 1 to `num_bins`.
            sigma: Standard deviation of the Gaussian, in chroma units. Zero gives hard codes.

        Returns:
            `(indices, weights)`, int32 and float32 of shape `(..., neighbors)`. The nearest bin
            comes first, and the weights of a pixel sum to 1.

        References:
            Zhang et al., section 2.1 (5 neighbors, sigma 5; the authors' code takes 10).

        Example:
            >>> indices, weights = ColorBins.grid(9).soft_encode(np.zeros((4, 4, 2)), neighbors=3)
            >>> tuple(indices.shape), tuple(weights.shape)
            ((4, 4, 3), (4, 4, 3))
        """
        self.check_codes(neighbors, sigma)
        indices, distances = self._nearest(chroma, neighbors)
        # Subtracting the smallest distance avoids 0 / 0 for far colors and for small sigmas.
        distances = distances - distances[..., :1]
        scale = 2.0 * max(float(sigma), 1e-6 * self.space.chroma_range[1]) ** 2
        weights = ops.exp(-distances / scale)
        return indices, weights / ops.sum(weights, axis=-1, keepdims=True)

    def decode(self, logits, temperature=0.38, class_weights=None):
        """Decode logits to chroma, as the mean of the annealed distribution.

        A network trained with class weights predicts a distribution shifted toward rare colors.
        Dividing by the weights after annealing corrects this at temperature 1. At temperature 0
        the shift remains, and the colors stay vivid.

        Args:
            logits: Shape `(..., num_bins)`, before any softmax.
            temperature: Non-negative: 1 gives the mean of the distribution and 0 its mode.
            class_weights: Weights that divide the distribution, shape `(num_bins,)`, or `None`.

        Returns:
            float32 tensor of shape `(..., 2)`.

        References:
            Zhang et al., equation 5; Menon et al., "Long-Tail Learning via Logit Adjustment",
            ICLR 2021 (the division).

        Example:
            >>> tuple(ColorBins.grid(9).decode(np.zeros((4, 4, 9)), temperature=1).shape)
            (4, 4, 2)
        """
        logits = ops.cast(ops.convert_to_tensor(logits), "float32")
        centers = ops.convert_to_tensor(self.centers)
        if logits.shape[-1] != self.num_bins:
            raise ValueError(
                f"`logits` must have {self.num_bins} entries last, one per bin. "
                f"Received shape {tuple(logits.shape)}"
            )
        check_weight("temperature", temperature)
        if temperature < _COLDEST:
            return ops.take(centers, ops.argmax(logits, axis=-1), axis=0)
        logits = logits / temperature
        if class_weights is not None:
            class_weights = checked_class_weights(class_weights, self.num_bins)
            logits = logits - ops.convert_to_tensor(np.log(class_weights))
        return ops.matmul(ops.softmax(logits, axis=-1), centers)

    def check_codes(self, neighbors, sigma):
        """Raise a `ValueError` if `neighbors` or `sigma` is out of range."""
        check_whole("neighbors", neighbors, 1, self.num_bins)
        if not sigma >= 0:
            raise ValueError(f"`sigma` must not be negative. Received: {sigma!r}")

    def get_config(self):
        return {"centers": self.centers.tolist(), "space": self.space.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def _nearest(self, chroma, count):
        """Return the `count` nearest bins of every pixel, and their squared distances."""
        if isinstance(chroma, (np.ndarray, list)) and not np.isfinite(chroma).all():
            raise ValueError("`chroma` must be finite. Received a NaN or an infinity")
        chroma = ops.cast(ops.convert_to_tensor(chroma), "float32")
        if tuple(chroma.shape[-1:]) != (2,):
            raise ValueError(f"`chroma` must have shape (..., 2). Received: {tuple(chroma.shape)}")
        limit = 2.0 * self.space.chroma_range[1]
        tables = _table(self.centers.tobytes(), limit, count)
        indices, centers = map(ops.convert_to_tensor, tables)
        chroma = ops.clip(chroma, -limit, limit)
        cell = ops.cast((chroma + limit) * (_TABLE_CELLS / (2 * limit)), "int32")
        cell = ops.minimum(cell, _TABLE_CELLS - 1)
        rows = cell[..., 0] * _TABLE_CELLS + cell[..., 1]
        difference = ops.take(centers, rows, axis=0) - chroma[..., None, :]
        distances = ops.sum(difference * difference, axis=-1)
        if count == 1:  # several times as fast as `top_k`
            order = ops.argmin(distances, axis=-1)[..., None]
            nearest = ops.min(distances, axis=-1, keepdims=True)
        else:
            closeness, order = ops.top_k(-distances, count)
            nearest = -closeness
        places = rows[..., None] * centers.shape[1] + ops.cast(order, "int32")
        return ops.take(indices, places, axis=0), nearest


class BinsConfig:
    """Save `bins` and any `class_weights` of a loss, metric or layer in its config."""

    def get_config(self):
        config = {**super().get_config(), "bins": keras.saving.serialize_keras_object(self.bins)}
        if hasattr(self, "class_weights"):
            weights = self.class_weights
            config["class_weights"] = None if weights is None else np.float64(weights).tolist()
        return config

    @classmethod
    def from_config(cls, config):
        bins = keras.saving.deserialize_keras_object(config["bins"])
        return cls(**{**config, "bins": bins})


@functools.lru_cache(maxsize=8)
def _table(centers, limit, neighbors):
    """Return the bins that can be among the `neighbors` nearest, for each cell of the plane.

    The result is their indices, int32 of shape `(cells * m,)`, and their centers, shape
    `(cells, m, 2)`, so that one lookup fetches all candidates. A bin is left out of a cell only if
    `neighbors` others are nearer to every point of it. So the search of one row is exact.
    """
    centers = np.frombuffer(centers, "float32").reshape(-1, 2)
    width = 2 * limit / _TABLE_CELLS
    middles = _lattice(-limit + (np.arange(_TABLE_CELLS) + 0.5) * width)
    tree = KDTree(centers)
    count = neighbors
    while True:
        count = min(2 * count + 4, len(centers))
        distances, indices = tree.query(middles, k=np.arange(1, count + 1))
        # Every point of a cell is within half the cell's diagonal of its center.
        reach = distances[:, [neighbors - 1]] + math.sqrt(2) * width * 1.001
        within = (distances <= reach).sum(axis=1).max()
        if within < count or count == len(centers):
            break
    indices = indices[:, :within].astype("int32")
    tables = indices.reshape(-1), centers[indices]
    if keras.backend.backend() != "tensorflow":
        return tables
    import tensorflow as tf

    with tf.init_scope():  # all graphs share these tensors instead of holding copies
        return [tf.convert_to_tensor(table) for table in tables]


def _plane(space):
    space = spaces.get(space)
    if space.chroma_channels != 2:
        raise ValueError(f"`space` must have two chroma channels: LAB or YUV. Received: {space!r}")
    return space


def _lattice(axis):
    """Return all pairs of values of `axis`, first coordinate slowest, shape `(len(axis)**2, 2)`."""
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
