"""Find frequent faults of colored images, and of their evaluation, by comparison with the truth.

The faults are those that were found in published code: channels in the wrong order, one channel
instead of lightness, chroma in the wrong units, copies of the ground truth, and so on.
"""

import contextlib

import numpy as np
from PIL import Image, JpegImagePlugin
from skimage.color import rgb2lab  # of a few pixels, faster than with Keras

__all__ = ["evidence", "find_faults"]

# Pixels per side that colors are compared at, and side of the part that is compared in full.
_GRID, _PART = 32, 64
# Weights of the channels in gray images that are no lightness.
_GRAYS = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "luma": (0.299, 0.587, 0.114),
    "mean": (1 / 3, 1 / 3, 1 / 3),
}
_TURNS = {
    "a and b are swapped": lambda ab: ab[:, ::-1],
    "the sign of a is changed": lambda ab: ab * (-1, 1),
    "the sign of b is changed": lambda ab: ab * (1, -1),
    "the signs of a and b are changed": lambda ab: -ab,
}
# Units of Lab. Rounding to 8 bits changes lightness by 0.2 on average. A known cause of a smaller
# difference is named too.
_LIGHTNESS_ERROR, _EXPLAINED_ERROR = 1.0, 0.5
_PALE = 3.0


def evidence(truth, colored):
    """Measure what `find_faults` needs of one pair of uint8 images `(height, width, 3)`."""
    rows, columns = (np.linspace(0, n - 1, min(n, _GRID)).astype(int) for n in truth.shape[:2])
    true, pred = (rgb[rows[:, None], columns].reshape(-1, 3) for rgb in (truth, colored))
    grays = {name: np.uint8(true @ w + 0.5)[:, None].repeat(3, 1) for name, w in _GRAYS.items()}
    views = {"true": true, "pred": pred, "true BGR": true[:, ::-1], "pred BGR": pred[:, ::-1]}
    views |= grays
    lab = dict(zip(views, rgb2lab(np.stack([*views.values()])), strict=True))
    light = {name: view[:, 0] for name, view in lab.items()}
    ab, true_ab = lab["pred"][:, 1:], lab["true"][:, 1:]
    slope, offset = np.polyfit(light["true"], light["pred"], 1) if np.ptp(light["true"]) else (1, 0)

    def differs(first, second):
        return float(np.abs(first - second).mean())

    def squared(chroma):
        return float(((chroma - true_ab) ** 2).sum(axis=1).mean())

    return {
        "identical": float(np.array_equal(truth, colored)),
        "largest": float(colored.max()),
        "true_largest": float(truth.max()),
        "lightness": differs(light["pred"], light["true"]),
        "lightness/swapped": differs(light["pred BGR"], light["true"]),
        "lightness/truth_swapped": differs(light["pred"], light["true BGR"]),
        "lightness/linear": differs(light["pred"], slope * light["true"] + offset),
        **{f"lightness/{name}": differs(light["pred"], light[name]) for name in grays},
        "slope": slope,
        "offset": offset,
        "error": squared(ab),
        "error/gray": squared(0),
        "error/swapped": squared(lab["pred BGR"][:, 1:]),
        **{f"error/{name}": squared(turn(ab)) for name, turn in _TURNS.items()},
        "product": float((ab * true_ab).sum(axis=1).mean()),
        "power": float((ab**2).sum(axis=1).mean()),
        **dict(zip(("a", "b", "true_a", "true_b"), (*ab.mean(0), *true_ab.mean(0)), strict=True)),
        "clipped": _at_border(pred) - _at_border(true),
        **_details(truth, colored),
    }


def has_half_chroma(path):
    """Return whether a file is JPEG with chroma at half the resolution, as most are."""
    with contextlib.suppress(Exception), Image.open(path) as image:
        return image.format == "JPEG" and JpegImagePlugin.get_sampling(image) not in (0, -1)
    return False


def _at_border(rgb):
    return float(((rgb == 0) | (rgb == 255)).any(axis=-1).mean())


def _details(truth, colored):
    """Measure how sharp lightness is, and whether its error changes at every eighth pixel."""
    top, left = (max(0, side - _PART) // 16 * 8 for side in truth.shape[:2])
    part = np.s_[top : top + _PART, left : left + _PART]
    true, pred = rgb2lab(truth[part])[..., 0], rgb2lab(colored[part])[..., 0]
    change = np.abs(np.diff(pred - true, axis=1))
    is_border = np.arange(1, true.shape[1]) % 8 == 0

    def mean(values):
        return float(values.mean()) if values.size else 0.0

    return {
        "detail": mean(np.abs(np.diff(pred, axis=1))),
        "true_detail": mean(np.abs(np.diff(true, axis=1))),
        "block_border": mean(change[:, is_border]),
        "block_inside": mean(change[:, ~is_border]),
    }


def find_faults(table, half_chroma=0):
    """Return a sentence about each fault by its short name.

    `table` is a `pandas.DataFrame` with a row of `evidence` per pair. `half_chroma` is the number
    of colored JPEG files with chroma at half the resolution.
    """
    mean, count, faults = table.mean(), len(table), {}
    colorful = table[table["error/gray"] > _PALE**2]
    if gray := count - len(colorful):
        faults["gray_truth"] = (
            f"{gray} of {count} true images are gray or nearly so. They reward gray; leave them "
            "out, as Zhang et al. do."
        )
    explained = (colorful["error"] / colorful["error/gray"]).median() if len(colorful) else 1.0
    if identical := int(colorful["identical"].sum()):
        faults["copies"] = f"{identical} of {count} colored images are equal to the truth."
    elif explained < 0.05:
        faults["copies"] = (
            "Half of the colored images have nearly the colors of the truth. Check that these are "
            "not copies, and that the colorizer did not see the true colors."
        )
    _find_lightness(table, mean, faults)
    _find_chroma(table, mean, faults)
    if mean["clipped"] > 0.1:
        faults["clipped"] = (
            f"{mean['clipped']:.0%} more pixels than in the truth have a channel at 0 or 255. "
            "Clipped channels change hue and lightness; lower the chroma at constant hue instead."
        )
    if half_chroma:
        faults["half_chroma"] = (
            f"{half_chroma} of {count} colored images are JPEG files with chroma at half the "
            "resolution. Write PNG, or JPEG with subsampling 4:4:4."
        )
    return faults


def _find_lightness(table, mean, faults):
    if mean["largest"] <= 110 and mean["true_largest"] > 160:
        faults["range"] = (
            f"The colored images reach only {table['largest'].max():.0f} of 255. Multiply values "
            "in [0, 1] by 255 before you write them."
        )
        return
    error, others = mean["lightness"], mean.filter(like="lightness/")
    if mean["block_border"] > 1.15 * mean["block_inside"] and mean["block_border"] > 0.2:
        faults["compressed"] = (
            "The error of lightness is larger at every eighth column. The colored images were "
            "compressed as JPEG; write PNG."
        )
    is_explained = others.min() < 0.5 * error
    if error <= (_EXPLAINED_ERROR if is_explained else _LIGHTNESS_ERROR):
        return
    best = others.idxmin().removeprefix("lightness/")
    if not is_explained:
        best = "blurred" if mean["detail"] < 0.8 * mean["true_detail"] else "unknown"
    text = {
        "swapped": ("swapped_channels", "agrees if red and blue of the colored images are swapped. "
            "They were written as BGR"),
        "truth_swapped": ("swapped_channels", "is that of the truth with red and blue swapped. The "
            "truth was read as BGR"),
        "luma": ("luma", "is the luma of the truth, the gray of OpenCV and Pillow. A colorizer "
            "of Lab takes L"),
        "mean": ("lightness", "is the mean of the true channels. It cannot be computed from L"),
        "linear": ("rescaled", f"is about {mean['slope']:.2f} times that of the truth plus "
            f"{mean['offset']:.1f}. The images were rescaled"),
        "blurred": ("blurred", "has less detail. The images were enlarged; keep the lightness of "
            "the original"),
        "unknown": ("lightness", "is not kept. Part of each error is lightness, not color"),
    }  # fmt: skip
    channel = ("single_channel", f"is that of the {best} channel alone, not of a gray image. "
        "Compare with true gray")  # fmt: skip
    name, what = text.get(best, channel)
    faults[name] = f"The lightness of the colored images {what} (mean difference {error:.1f} of L)."


def _find_chroma(table, mean, faults):
    power, truth = mean["power"], mean["error/gray"]
    if truth <= _PALE**2:
        return
    if power < 0.01 * truth:
        faults["no_color"] = (
            f"The colored images are gray: their chroma is {np.sqrt(power / truth):.1%} of the "
            "truth's. Check that a and b in [-1, 1] are multiplied by 110 or 128."
        )
        return
    turned = {"red and blue are swapped": "swapped", **{name: name for name in _TURNS}}
    gains = {text: table["error"] - table[f"error/{key}"] for text, key in turned.items()}
    text = max(gains, key=lambda text: gains[text].mean())
    gain, spread = gains[text].mean(), gains[text].std() if len(table) > 1 else 0.0
    if gain > 0.2 * mean["error"] and gain > 3 * spread / np.sqrt(len(table)):
        name = "swapped_channels" if text.startswith("red") else "wrong_axes"
        faults.setdefault(
            name,
            f"The colors agree better with the truth if {text}: the mean squared error of a and b "
            f"is {mean['error'] - gain:.0f} instead of {mean['error']:.0f}.",
        )
    scale = mean["product"] / power
    if scale > 1.5 or power > 2.25 * truth:
        faults["chroma_scale"] = (
            f"The chroma is {np.sqrt(power / truth):.2f} times that of the truth, and {scale:.2f} "
            "times the chroma would have the smallest error. Check the units of a and b."
        )
    shift = np.hypot(mean["a"] - mean["true_a"], mean["b"] - mean["true_b"])
    if shift > 10:
        faults["cast"] = (
            f"All colors are shifted by ({mean['a'] - mean['true_a']:.0f}, "
            f"{mean['b'] - mean['true_b']:.0f}) in a and b. Check offsets, such as 128."
        )
    if power - mean["a"] ** 2 - mean["b"] ** 2 < 0.1 * power:
        faults["one_color"] = (
            f"All colored images have nearly one color: a is {mean['a']:.0f}, b is {mean['b']:.0f}."
        )
