"""Color spaces on tensors: convert sRGB to and from CIE Lab and Y'UV with `keras.ops`.

All functions run on any Keras backend, inside `tf.data`, under XLA and with gradients. Images have
the channels last, shape `(..., channels)`. Arguments are floating point, and RGB may also be uint8
in 0..255. Results have natural units:

- sRGB in [0, 1].
- Lab, with D65 and the 2 degree observer: L in [0, 100], a in [-86.2, 98.3], b in [-107.9, 94.5].
- Y'UV, with the luma of BT.601: y in [0, 1], u in [-0.436, 0.436], v in [-0.615, 0.615].
"""

import dataclasses
import functools

import keras
import numpy as np
from keras import ops

__all__ = [
    "LAB",
    "RGB",
    "YUV",
    "ColorSpace",
    "fit_gamut",
    "get",
    "lab_to_rgb",
    "lightness_of",
    "rgb_to_lab",
    "rgb_to_yuv",
    "to_gray",
    "yuv_to_rgb",
]

# sRGB primaries, D65 white point, 2 degree observer: the constants of scikit-image.
_XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_LUMINANCE = _XYZ_FROM_RGB[1].astype("float32")
_RGB_FROM_XYZ = np.linalg.inv(_XYZ_FROM_RGB)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_YUV_FROM_RGB = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.14714119, -0.28886916, 0.43601035],
        [0.61497538, -0.51496512, -0.10001026],
    ]
)
_RGB_FROM_YUV = np.linalg.inv(_YUV_FROM_RGB)
_LAB_FROM_F = np.array([[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]])
_DELTA = 6 / 29  # where the Lab curve changes from a cube root to a straight line
# Rounding errors of float32 conversions; without it, neutral white would be out of gamut.
_GAMUT_TOLERANCE = 1e-5
# Pixels that NumPy converts at once: its temporary arrays stay in the cache of a core.
_CHUNK_PIXELS = 2**13
_ROUNDING = 1e-3  # of colors at the border of their range


def floating(x, channels, name):
    """Return `x` as a floating tensor with `channels` last; scale `rgb` of uint8 to [0, 1]."""
    if name == "rgb" and isinstance(x, np.ndarray) and x.dtype.kind == "f":
        check_range(x, "`rgb` must be uint8, or floating point")
    x = ops.convert_to_tensor(x)
    if tuple(x.shape[-1:]) != (channels,):
        raise ValueError(
            f"`{name}` must have {channels} channels last, shape (..., {channels}). "
            f"Received shape {tuple(x.shape)}"
        )
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype == "uint8" and name == "rgb":
        return ops.cast(x, "float32") / 255.0
    if "float" not in dtype:
        allowed = "floating point, or uint8 in 0..255" if name == "rgb" else "floating point"
        raise ValueError(f"`{name}` must be {allowed}. Received dtype {dtype}")
    return ops.cast(x, "float32")


def _apply(matrix, x):
    """Multiply the last axis of `x` by a 3x3 matrix."""
    return ops.matmul(x, ops.convert_to_tensor(matrix.T.astype("float32"), dtype=x.dtype))


def _math(x):
    """Return the module that computes with `x`: NumPy for arrays, else `keras.ops`."""
    return np if isinstance(x, np.ndarray) else ops


def _power(x, exponent):
    math = _math(x)
    return math.exp(exponent * math.log(x))  # several times as fast as a power


def _above(knee, slope, curve, x):
    """Apply a straight line up to a knee and a curve from there on."""
    math = _math(x)
    # Their sum needs no branch, whose gradient could be NaN.
    return curve(math.maximum(x, knee)) + (math.minimum(x, knee) - knee) * slope


def _to_linear(rgb):
    return _above(0.04045, 1 / 12.92, lambda x: _power((x + 0.055) * (1 / 1.055), 2.4), rgb)


def _from_linear(linear):
    return _above(0.0031308, 12.92, lambda x: 1.055 * _power(x, 1 / 2.4) - 0.055, linear)


def _lab_curve(xyz):
    return _above(_DELTA**3, 1 / (3 * _DELTA**2), lambda x: _power(x, 1 / 3), xyz)


def _lab_to_linear(lightness, a, b):
    """Convert Lab planes of the same shape to linear sRGB channels, without clipping.

    The channels of tensors come last. Those of arrays come first, where NumPy is faster.
    """
    fy = (lightness + 16.0) / 116.0
    planes = [fy + a / 500.0, fy, fy - b / 200.0]
    f = np.stack(planes) if _math(fy) is np else ops.stack(planes, axis=-1)
    xyz = _above(_DELTA, 3 * _DELTA**2, lambda x: x * x * x, f)
    matrix = _RGB_FROM_XYZ * _WHITE
    return matrix.astype("float32") @ xyz if _math(fy) is np else _apply(matrix, xyz)


def rgb_to_lab(rgb):
    """Convert sRGB `(..., 3)` to CIE Lab `(..., 3)`; agrees with `skimage.color.rgb2lab`.

    RGB is floating point in [0, 1], or uint8. Other types and shapes raise a `ValueError`.

    References:
        IEC 61966-2-1 (sRGB); CIE 15:2004 (Lab).

    Example:
        >>> [round(float(value)) for value in rgb_to_lab(np.array([1.0, 0.0, 0.0]))]
        [53, 80, 67]
    """
    rgb = floating(rgb, 3, "rgb")
    xyz = _apply(_XYZ_FROM_RGB / _WHITE[:, None], _to_linear(rgb))
    f = _lab_curve(xyz)
    return _apply(_LAB_FROM_F, f) - ops.convert_to_tensor([16.0, 0.0, 0.0], dtype=f.dtype)


def lab_to_rgb(lab):
    """Convert CIE Lab `(..., 3)` to sRGB, clipped to [0, 1] channel by channel, as in scikit-image.

    Clipping changes hue and lightness; `LAB.merge` keeps both. A shape or type that does not fit
    raises a `ValueError`.

    References:
        IEC 61966-2-1 (sRGB); CIE 15:2004 (Lab).

    Example:
        >>> [round(float(value), 2) for value in lab_to_rgb(np.array([100.0, 0.0, 0.0]))]
        [1.0, 1.0, 1.0]
    """
    lab = floating(lab, 3, "lab")
    linear = _lab_to_linear(lab[..., 0], lab[..., 1], lab[..., 2])
    return ops.clip(_from_linear(linear), 0.0, 1.0)


def rgb_to_yuv(rgb):
    """Convert sRGB `(..., 3)` to Y'UV `(..., 3)`.

    RGB is floating point in [0, 1], or uint8. Other types and shapes raise a `ValueError`.

    References:
        ITU-R BT.601 (luma).

    Example:
        >>> [round(float(value), 3) for value in rgb_to_yuv(np.array([1.0, 0.0, 0.0]))]
        [0.299, -0.147, 0.615]
    """
    return _apply(_YUV_FROM_RGB, floating(rgb, 3, "rgb"))


def yuv_to_rgb(yuv):
    """Convert Y'UV `(..., 3)` to sRGB, clipped to [0, 1] channel by channel.

    A shape or type that does not fit raises a `ValueError`.

    References:
        ITU-R BT.601 (luma).

    Example:
        >>> [round(float(value), 2) for value in yuv_to_rgb(np.array([1.0, 0.0, 0.0]))]
        [1.0, 1.0, 1.0]
    """
    return ops.clip(_apply(_RGB_FROM_YUV, floating(yuv, 3, "yuv")), 0.0, 1.0)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ColorSpace:
    """Split images into lightness, the input of a network, and chroma, its target.

    Use the three instances `LAB`, `YUV` and `RGB`. Their `name` identifies them.

    Attributes:
        name: "lab", "yuv" or "rgb".
        chroma_channels: 2, or 3 for RGB, where all three channels are predicted.
        lightness_range: Lowest and highest lightness.
        chroma_range: Lowest and highest expected chroma, the same for every channel.

    Example:
        >>> lightness, chroma = LAB.split(np.full((1, 4, 4, 3), 128, "uint8"))
        >>> tuple(lightness.shape), tuple(chroma.shape)
        ((1, 4, 4, 1), (1, 4, 4, 2))
        >>> rgb = LAB.merge(lightness, chroma)
    """

    name: str
    chroma_channels: int
    lightness_range: tuple
    chroma_range: tuple

    def __repr__(self):
        return f"colorkit.{self.name.upper()}"

    def __reduce__(self):
        return get, (self.name,)  # a copy is the same object, so that `is` comparisons work

    def split(self, rgb):
        """Split RGB into lightness `(..., 1)` and chroma `(..., chroma_channels)`.

        LAB gives L and (a, b), YUV gives y and (u, v), RGB gives y and the three RGB channels. RGB
        of another type or shape than `(..., 3)` raises a `ValueError`, and so does an array with
        values outside [0, 1]. In a tensor, values cannot be checked.
        """
        if self.name == "rgb":
            rgb = floating(rgb, 3, "rgb")
            return rgb_to_yuv(rgb)[..., :1], rgb
        color = rgb_to_lab(rgb) if self.name == "lab" else rgb_to_yuv(rgb)
        return color[..., :1], color[..., 1:]

    def merge(self, lightness, chroma, *, keep_lightness=True):
        """Merge lightness and chroma, as `split` returns them, into RGB `(..., 3)` in [0, 1].

        If `keep_lightness`, keep the lightness and the hue, and lower the chroma of colors outside
        sRGB until they fit. In RGB, first shift the predicted color to the given luma. Otherwise
        convert and clip each channel, as most published code does; in RGB, return the prediction.
        Shapes that do not fit raise a `ValueError`.
        """
        lightness = floating(lightness, 1, "lightness")
        chroma = floating(chroma, self.chroma_channels, "chroma")
        _check_same_size(lightness, chroma)
        if not keep_lightness:
            if self.name == "rgb":
                return ops.clip(chroma, 0.0, 1.0)
            to_rgb = lab_to_rgb if self.name == "lab" else yuv_to_rgb
            return to_rgb(ops.concatenate([lightness, chroma], axis=-1))
        if self.name == "lab":
            return _merge_lab(lightness[..., 0], chroma[..., 0], chroma[..., 1])
        if self.name == "rgb":
            rgb = chroma + lightness - rgb_to_yuv(chroma)[..., :1]
        else:
            rgb = _apply(_RGB_FROM_YUV, ops.concatenate([lightness, chroma], axis=-1))
        # Luma is linear in RGB: moving toward the gray of the same luma keeps it exactly.
        lightness = ops.clip(lightness, 0.0, 1.0)
        difference = rgb - lightness
        room = ops.where(difference > 0, 1.0 - lightness, -lightness)
        outside = ops.abs(difference) > ops.abs(room)
        scale = ops.where(outside, room / ops.where(outside, difference, 1.0), 1.0)
        return ops.clip(lightness + difference * ops.min(scale, axis=-1, keepdims=True), 0.0, 1.0)


def _merge_lab(lightness, a, b):
    """Merge planes into sRGB that keeps the lightness; for the order of channels see above."""
    math = _math(lightness)
    lightness = math.clip(lightness, 0.0, 100.0)

    def fits(scale):
        return _fits(_lab_to_linear(lightness, a * scale, b * scale))

    # Along a hue, valid colors reach from neutral to the gamut's edge: find it by bisection.
    # Gamma is monotonic, so linear channels are enough; 12 steps leave 0.03 of chroma 110.
    scale = math.where(fits(1.0), math.ones_like(lightness), math.zeros_like(lightness))
    for halving in range(1, 13):
        larger = math.minimum(scale + 0.5**halving, 1.0)
        scale = math.where(fits(larger), larger, scale)
    linear = _lab_to_linear(lightness, a * scale, b * scale)
    return math.clip(_from_linear(linear), 0.0, 1.0)


def _fits(linear):
    """Return whether the linear channels of each pixel are in the gamut."""
    math = _math(linear)
    axis = 0 if math is np else -1
    low, high = math.min(linear, axis=axis), math.max(linear, axis=axis)
    return math.logical_and(low >= -_GAMUT_TOLERANCE, high <= 1.0 + _GAMUT_TOLERANCE)


LAB = ColorSpace("lab", 2, lightness_range=(0.0, 100.0), chroma_range=(-110.0, 110.0))
"""CIE Lab: lightness is L, chroma is a and b."""
YUV = ColorSpace("yuv", 2, lightness_range=(0.0, 1.0), chroma_range=(-0.615, 0.615))
"""Y'UV: lightness is luma, chroma is u and v."""
RGB = ColorSpace("rgb", 3, lightness_range=(0.0, 1.0), chroma_range=(0.0, 1.0))
"""RGB: lightness is luma, and all three channels are predicted."""


def lightness_of(rgb, space=LAB):
    """Return the lightness of an array as an array, as `space.split` does.

    In Lab, this takes a fraction of the time. `rgb` is `(..., 3)`, uint8 or float32 in [0, 1]. The
    result is float32 `(..., 1)`.

    Example:
        >>> float(lightness_of(np.full((4, 4, 3), 255, "uint8"))[0, 0, 0])
        100.0
    """
    if space is not LAB:
        return ops.convert_to_numpy(space.split(rgb)[0])
    to_linear = _to_linear
    if rgb.dtype == np.uint8:
        to_linear = functools.partial(np.take, _to_linear(np.arange(256, dtype="float32") / 255))
    else:
        check_range(rgb, "`rgb` must be uint8, or floating point")

    def convert(rgb):
        red, green, blue = (
            weight * to_linear(plane) for weight, plane in zip(_LUMINANCE, rgb.T, strict=True)
        )
        return (116.0 * _lab_curve(red + green + blue) - 16.0)[None]

    return _by_chunks(convert, 1, rgb)


def fit_gamut(lightness, chroma, space=LAB):
    """Merge arrays or eager tensors into a NumPy array, as `space.merge` does.

    In Lab, this takes a fraction of the time. `lightness` is `(..., 1)` and `chroma`
    `(..., channels)` in the natural units of `space`; the result is float32 RGB `(..., 3)`.

    Example:
        >>> rgb = fit_gamut(np.full((4, 4, 1), 50.0), np.full((4, 4, 2), 200.0))
        >>> rgb.shape, float(rgb.max()) <= 1
        ((4, 4, 3), True)
    """
    lightness, chroma = ops.convert_to_numpy(lightness), ops.convert_to_numpy(chroma)
    if space is not LAB:
        return ops.convert_to_numpy(space.merge(lightness, chroma))

    _check_same_size(lightness, chroma)
    lightness, chroma = np.asarray(lightness, "float32"), np.asarray(chroma, "float32")
    inside = [np.zeros(0, bool)]

    def convert(lightness, chroma):
        linear = _lab_to_linear(lightness[:, 0].clip(0, 100), *chroma.T)
        inside.append(_fits(linear))
        return _from_linear(linear).clip(0, 1)

    rgb = _by_chunks(convert, 3, lightness, chroma)
    outside = ~np.concatenate(inside).reshape(rgb.shape[:-1])
    if outside.any():
        rgb[outside] = _merge_lab(lightness[outside][:, 0], *chroma[outside].T).T
    return rgb


def _check_same_size(lightness, chroma):
    if not same_size(lightness.shape[:-1], chroma.shape[:-1]):
        raise ValueError(
            "`lightness` and `chroma` must have the same size. "
            f"Received shapes {tuple(lightness.shape)} and {tuple(chroma.shape)}"
        )


def _by_chunks(convert, channels, *images):
    """Convert the pixels of arrays `(..., channels)`, as many at once as a cache holds.

    `convert` takes arrays `(pixels, channels)`, and returns the channels first.
    """
    pixels = [x.reshape(-1, x.shape[-1]) for x in images]
    found = np.empty((len(pixels[0]), channels), "float32")
    for start in range(0, len(found), _CHUNK_PIXELS):
        chunk = slice(start, start + _CHUNK_PIXELS)
        found[chunk] = convert(*(x[chunk] for x in pixels)).T
    return found.reshape(*images[0].shape[:-1], channels)


def to_gray(rgb):
    """Convert RGB to gray RGB of the same lightness L, the input of a colorizer.

    RGB is floating point in [0, 1], or uint8, of shape `(..., 3)`. Other types and shapes raise a
    `ValueError`. The result is floating point.

    Example:
        >>> gray = to_gray(np.array([[1.0, 0.0, 0.0]]))
        >>> [round(float(value), 2) for value in gray[0]]
        [0.5, 0.5, 0.5]
    """
    lightness, chroma = LAB.split(rgb)
    return LAB.merge(lightness, ops.zeros_like(chroma))


def check_range(rgb, what):
    """Raise a `ValueError`, which begins with `what`, unless an RGB array is in [0, 1]."""
    if rgb.size and not (rgb.min() >= -_ROUNDING and rgb.max() <= 1 + _ROUNDING):
        raise ValueError(
            f"{what} in [0, 1]. Received values from {rgb.min()} to {rgb.max()}; divide by the "
            "largest possible value, such as 255."
        )


def same_size(shape, other):
    """Return whether two shapes agree wherever both are known; in a graph, sides may be `None`."""
    pairs = zip(shape, other, strict=False)
    return len(shape) == len(other) and all(a == b or None in (a, b) for a, b in pairs)


def get(space):
    """Return a `ColorSpace` from its name ("lab", "yuv", "rgb"), or `space` if it is one.

    Other names raise a `ValueError`.

    Example:
        >>> get("lab")
        colorkit.LAB
    """
    if isinstance(space, ColorSpace):
        return space
    known = {known.name: known for known in (LAB, YUV, RGB)}
    if str(space).lower() not in known:
        raise ValueError(f"`space` must be one of {sorted(known)}. Received: {space!r}")
    return known[str(space).lower()]
