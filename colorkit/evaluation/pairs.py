"""Evaluate the colored images of any colorizer beside references of the same images."""

import collections
import functools
import math
import os

import keras
import numpy as np
import pandas as pd
from keras import ops
from PIL import Image
from tqdm import tqdm

from colorkit import metrics
from colorkit.checks import check_whole
from colorkit.color.bins import ColorBins
from colorkit.color.spaces import LAB
from colorkit.colorizer.stream import stream
from colorkit.data.image_files import as_rgb, pictures_at_once
from colorkit.evaluation.estimates import Estimate, bootstrap, ratio
from colorkit.evaluation.faults import evidence, find_faults, has_half_chroma
from colorkit.evaluation.matching import match_files
from colorkit.evaluation.pair_scores import (
    DIRECTIONS,
    REFERENCES,
    PairScores,
    count,
    disagreements,
    preferences,
)
from colorkit.evaluation.scores import constructors, inverse_frequency
from colorkit.metrics.distances import features, kernel_distance
from colorkit.metrics.mean import pixel_sums
from colorkit.models import load_classifier

__all__ = ["evaluate_pairs"]

# Metrics of single images. The ground truth has no error, so only these are measured of it.
_ALONE = ("colorfulness", "colorfulness_absolute", "bleeding", "dominant_hue")
# scikit-image computes these, several times slower than all others together.
_SLOW = {"ssim": metrics.ssim, "ciede2000": metrics.ciede2000}
# Compiling with XLA takes as long as this many images, and is for one size.
_WORTH_COMPILING = {"tensorflow": 150, "jax": 24}
_GROUPS, _DRAWS = 50, 100  # of images, which the bootstrap draws, and how often
_KID_SIZE = 64
_FEW = 30
_LEAST_ERROR = 1e-10  # equal images have 100 dB, as in `metrics.psnr`


class _DifferentSize(ValueError):
    """Say that two images have different sizes."""


def evaluate_pairs(colored, truth, *, resize=False, sample=100, kid=False, bins=None, reported=()):
    """Compare colored images with their ground truth, beside four references.

    The references are computed from the same images: gray (lightness alone), one constant chroma
    (the mean over all true pixels), the true chroma of another image, and the oracle over color
    bins. Images are read one after the other, in a random order that is always the same.

    Args:
        colored, truth: Paths of two folders, whose images match by name (see `match_files`), or of
            two image files. Or two equally long sequences of images, as `as_rgb` takes them.
        resize: Whether to resize colored images of another size than the truth. Otherwise such a
            pair is left out, as resizing changes every metric.
        sample: Number of pairs that SSIM and CIEDE2000, which are slow, are measured on. Pairs are
            chosen at random; 0 leaves these metrics out. All others are measured on all pairs.
        kid: Whether to measure the kernel distance (times 1000) between every second colored image
            and the truth of the others, in features of a CIFAR-10 classifier at 64 x 64. Compare
            it only within a table.
        bins: `ColorBins` of Lab for the oracle. `None` takes the 313 of Zhang et al.
        reported: Dict from metric to a number that was reported for these images. A warning says
            which variant of the metric it agrees with.

    Returns:
        `PairScores`.

    Raises:
        FileNotFoundError, ValueError: If no pair can be measured, see `match_files`, `sample` is
            negative, `bins` are not of Lab, or a metric in `reported` is unknown or not measured.

    Example:
        >>> photos = ck.load("photos", "test")[:4]
        >>> scores = evaluate_pairs(photos, photos)
        >>> round(scores.estimates["psnr"]["colored"].value, 2)
        100.0
    """
    check_whole("sample", sample, least=0)
    bins = bins or ColorBins.gamut()
    if bins.space is not LAB:
        raise ValueError(f"`bins` must be `ColorBins` of Lab. Received: {bins!r}")
    if unknown := dict(reported).keys() - {*DIRECTIONS, *_ALONE}:
        raise ValueError(
            f"`reported` must name metrics of {', '.join((*DIRECTIONS, *_ALONE))}. "
            f"Received: {', '.join(sorted(unknown))}"
        )
    names, sources_of, unmatched = _matched(colored, truth)
    order = np.random.default_rng(0).permutation(len(names))
    statistics = _Truth(bins)
    problems = {"unmatched": unmatched, "unreadable": [], "different sizes": []}
    readable = []
    for i, result in _streamed(order, statistics, lambda i: (as_rgb(sources_of(i)[1]),), "truth"):
        if isinstance(result, Exception):
            problems["unreadable"].append(_named(result, names[i], sources_of(i)[1]))
            continue
        statistics.add(*result)
        readable.append(i)
    if not readable:
        raise ValueError(f"No true image can be read. {problems['unreadable'][0]}")
    ends = [as_rgb(sources_of(readable[i])[1]) for i in (0, -1)] if len(readable) > 1 else None
    pairs = _Pairs(bins, statistics, ends, sample, kid)
    half_chroma = 0

    def read(i):
        pair = [as_rgb(source) for source in sources_of(i)[::-1]]
        if pair[0].shape == pair[1].shape:
            return (*pair, False)
        sizes = ["x".join(map(str, rgb.shape[1::-1])) for rgb in pair]
        if not resize:
            raise _DifferentSize(f"{sizes[1]} pixels, and its truth {sizes[0]}")
        shape = pair[0].shape[1::-1]
        fitted = Image.fromarray(pair[1]).resize(shape, Image.Resampling.LANCZOS)
        return pair[0], np.asarray(fitted), True

    for i, result in _streamed(readable, pairs, read, "pairs"):
        if isinstance(result, Exception):
            kind = "different sizes" if isinstance(result, _DifferentSize) else "unreadable"
            problems[kind].append(_named(result, names[i], sources_of(i)[0]))
            continue
        pairs.add(*result)
        source = sources_of(i)[0]
        half_chroma += isinstance(source, os.PathLike) and has_half_chroma(source)
    if not pairs.evidence:
        kind = "different sizes" if problems["different sizes"] else "unreadable"
        hint = "; `resize` (--resize) resizes the colored images" if kind[0] == "d" else ""
        raise ValueError(f"No pair can be measured. {problems[kind][0]}{hint}")
    estimates, table = pairs.estimates(), pd.DataFrame(pairs.evidence)
    faults = find_faults(table, half_chroma)
    if resized := int(table["resized"].sum()):
        faults["resized"] = f"{resized} colored images were resized to the size of the truth."
    faults = {**preferences(estimates), **faults, **disagreements(dict(reported), estimates)}
    if len(table) < _FEW:
        faults["few"] = f"Only {count(len(table))}: the standard errors are uncertain."
    problems = {kind: sorted(found) for kind, found in problems.items() if found}
    return PairScores(estimates, faults, problems, len(table), resized)


def _matched(colored, truth):
    """Return names, a function from number to sources, and sentences about unmatched images."""
    if isinstance(colored, (str, os.PathLike)):
        matches, unmatched = match_files(colored, truth)
        return list(matches), list(matches.values()).__getitem__, unmatched
    if len(colored) != len(truth) or not len(truth):
        raise ValueError(
            "`colored` and `truth` must be equally many images, at least one. "
            f"Received: {len(colored)} and {len(truth)}"
        )
    return [f"image {i}" for i in range(len(truth))], lambda i: (colored[i], truth[i]), []


def _named(error, name, source):
    message = str(error) or type(error).__name__
    source = str(source) if isinstance(source, (str, os.PathLike)) else name
    return message if source in message else f"{source}: {message}"


def _streamed(items, work, read, title):
    """Yield each item with what `work.measure` returns, in threads, or with an exception."""
    items = [int(i) for i in items]
    results = stream(
        items,
        prepare=read,
        work=lambda batch: [work.start(*images) for images in batch],
        finish=lambda item, images, started: work.measure(*images, started),
        room=lambda images: pictures_at_once(images[0].shape[:2]),
    )
    return zip(items, tqdm(results, title, total=len(items), disable=None), strict=True)


def _graph(function, count, dtype):
    """Return a function of `count` images as a graph for all sizes, on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    signature = [tf.TensorSpec((1, None, None, 3), dtype)] * count
    return tf.function(function, input_signature=signature, autograph=False)


def _compiled(function, graph, shapes):
    """Return a function of images: compiled for the sizes that many `shapes` have, else a graph."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(function, jit_compile=True, autograph=False)
    elif backend == "jax":
        import jax

        compiled = jax.jit(function)
    else:
        return graph

    def run(*images):
        is_worth = shapes[tuple(images[0].shape[1:])] > _WORTH_COMPILING[backend]
        return (compiled if is_worth else graph)(*images)

    return run


class _Truth:
    """Sum up the chroma of true images, and count their sizes."""

    def __init__(self, bins):
        self.gamut = ColorBins.gamut()
        self.chroma, self.counts, self.shapes = 0.0, 0.0, collections.Counter()
        self.run = _compiled(self.sums, _graph(self.sums, 1, "uint8"), self.shapes)

    def sums(self, rgb):
        chroma = LAB.split(rgb)[1]
        counts = pixel_sums(
            ops.ones_like(chroma[..., 0]), self.gamut.encode(chroma), self.gamut.num_bins
        )
        return ops.sum(chroma, axis=(0, 1, 2)), counts

    def start(self, rgb):
        self.shapes[rgb.shape] += 1

    def measure(self, rgb, _):
        sums = self.run(ops.convert_to_tensor(rgb[None]))
        return [np.float64(ops.convert_to_numpy(x)) for x in sums]

    def add(self, chroma, counts):
        self.chroma, self.counts = self.chroma + chroma, self.counts + counts

    @property
    def constant(self):
        return np.float32(self.chroma / self.counts.sum())

    @property
    def rarity(self):
        return inverse_frequency(self.counts / self.counts.sum())


class _Pairs:
    """Measure pairs one after the other, and keep what each adds to the metrics."""

    def __init__(self, bins, truth, ends, sample, kid):
        self.bins, self.constant = bins, truth.constant
        meters = {name: new() for name, new in constructors(truth.rarity).items()}
        meters = {name: meter for name, meter in meters.items() if name not in _SLOW}
        is_mean = {name: isinstance(m, keras.metrics.Mean) for name, m in meters.items()}
        self.means = {name: meter for name, meter in meters.items() if is_mean[name]}
        self.others = {name: meter for name, meter in meters.items() if not is_mean[name]}
        self.first, self.other = ends or (None, None)
        self.kinds = ["colored", *REFERENCES, "truth"]
        if ends is None:  # there is no other image
            self.kinds.remove("shuffled")
        self.sample, self.started = sample, 0
        # A graph of a graph is traced once for all versions. Compiled, it would be slower.
        light = functools.partial(self._measured, states=_graph(self._states, 2, "float32"))
        self.run = _compiled(self._measured, _graph(light, 3, "uint8"), truth.shapes)
        self.classifier = load_classifier("residual") if kid else None
        self.evidence, self.totals, self.groups = [], [], {}
        self.slow, self.features = collections.defaultdict(list), collections.defaultdict(list)

    def _versions(self, truth, colored, shuffled):
        """Return the colored image, the references and the truth."""
        lightness, chroma = LAB.split(truth)
        centers = ops.convert_to_tensor(np.float32(self.bins.centers))
        planes = {
            "gray": ops.zeros_like(chroma),
            "constant": ops.zeros_like(chroma) + self.constant,
            "shuffled": shuffled,
            "oracle": ops.take(centers, self.bins.encode(chroma), axis=0),
        }
        versions = {
            kind: LAB.merge(lightness, planes[kind], keep_lightness=False)
            for kind in self.kinds
            if kind in planes
        }
        return {"colored": colored, **versions, "truth": truth}

    def _measured(self, truth, colored, other, states=None):
        truth, colored, other = (ops.cast(x, "float32") / 255.0 for x in (truth, colored, other))
        versions = self._versions(truth, colored, LAB.split(other)[1])
        found = [(states or self._states)(truth, rgb) for rgb in versions.values()]
        return versions, ops.stack([totals for totals, _ in found]), [rest for _, rest in found]

    def _states(self, truth, rgb):
        """Return totals and counts of the means, and the states of the other metrics."""

        def states(meter):
            zeros = [ops.zeros(v.shape, v.dtype) for v in meter.variables]
            return meter.stateless_update_state(zeros, truth, rgb)

        means = ops.stack([ops.stack(states(meter)) for meter in self.means.values()])
        return means, [states(meter) for meter in self.others.values()]

    def start(self, truth, *_):
        """Return the other image, whose colors this one gets, and the number of the pair."""
        if self.other is not None and np.array_equal(self.other, truth):  # others were left out
            self.other = self.first
        other = truth if self.other is None else self.other
        self.other = None if self.other is None else truth
        self.started += 1
        return other, self.started

    def measure(self, truth, colored, resized, started):
        other, number = started
        if other.shape != truth.shape:
            size = truth.shape[1::-1]
            other = np.asarray(Image.fromarray(other).resize(size, Image.Resampling.BILINEAR))
        images = (ops.convert_to_tensor(rgb[None]) for rgb in (truth, colored, other))
        versions, totals, states = self.run(*images)
        states = [[[np.float64(ops.convert_to_numpy(x)) for x in y] for y in z] for z in states]
        slow = {}
        if number <= self.sample:
            slow = {
                (name, kind): float(measure(versions["truth"], rgb)[0])
                for name, measure in _SLOW.items()
                for kind, rgb in versions.items()
                if kind != "truth"
            }
        found = {**evidence(truth, colored), "resized": float(resized)}
        if self.classifier is None:
            versions = None
        return found, ops.convert_to_numpy(totals), states, slow, versions

    def add(self, found, totals, states, slow, versions):
        """Keep what `measure` returned."""
        group = len(self.evidence) % _GROUPS
        self.evidence.append(found)
        self.totals.append(totals)
        for kind, of_kind in zip(self.kinds, states, strict=True):
            for name, state in zip(self.others, of_kind, strict=True):
                before = self.groups.get((name, kind, group), [0.0] * len(state))
                self.groups[name, kind, group] = [x + y for x, y in zip(before, state, strict=True)]
        for key, value in slow.items():
            self.slow[key].append(value)
        if versions is not None:  # the truth of this pair, or all others of every second pair
            for kind, rgb in versions.items():
                if (kind == "truth") == (len(self.evidence) % 2 == 1):
                    rgb = np.clip(ops.convert_to_numpy(rgb), 0, 1)
                    self.features[kind].append(features(self.classifier, rgb, size=_KID_SIZE)[0])

    def estimates(self):
        """Return the metrics with their sampling errors: metric -> kind -> `Estimate`."""
        totals, estimates = np.stack(self.totals), collections.defaultdict(dict)
        for k, kind in enumerate(self.kinds):
            for m, name in enumerate(self.means):
                estimates[name][kind] = ratio(*totals[:, k, m].T)
            for name, meter in self.others.items():
                groups = [self.groups[name, kind, g] for g in range(min(_GROUPS, len(totals)))]
                estimates[name][kind] = _of_groups(meter, groups, len(totals))
        for (name, kind), values in self.slow.items():
            values = np.array(values)[~np.isnan(values)]  # SSIM needs images of 11 pixels
            if len(values):
                estimates[name][kind] = ratio(values, np.ones(len(values)))
        if len(self.features) > 1 and min(map(len, self.features.values())) > 2:
            true = np.stack(self.features.pop("truth"))
            for kind, found in self.features.items():
                estimates["kid"][kind] = _kid(np.stack(found), true, len(totals))
        for kind, mse in estimates["mse"].items():
            slope = -10 / np.log(10) / max(mse.value, _LEAST_ERROR)
            estimates["psnr_pooled"][kind] = mse.mapped(
                lambda x: -10 * np.log10(max(x, _LEAST_ERROR)), slope
            )
        truth = estimates["colorfulness"]["truth"]
        for kind, found in estimates["colorfulness"].items():
            gap = found.minus(truth)
            estimates["colorfulness_gap"][kind] = gap.mapped(abs, np.sign(gap.value) or 1.0)
        for name in estimates:
            if name not in _ALONE:
                estimates[name].pop("truth", None)
        return {name: estimates[name] for name in (*DIRECTIONS, *_ALONE) if name in estimates}


def _of_groups(meter, groups, count):
    """Estimate a metric from the summed states of groups of images."""
    shapes = [np.shape(x) for x in groups[0]]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]

    def result(state):
        parts = zip(np.split(np.float32(state), ends), shapes, strict=True)
        return meter.stateless_result([ops.convert_to_tensor(x.reshape(s)) for x, s in parts])

    states = np.stack([np.concatenate([x.ravel() for x in group]) for group in groups])
    return bootstrap(states, result, count, _DRAWS)


def _kid(first, second, count):
    """Estimate 1000 times the kernel distance of features, and its error by the jackknife."""
    number, value = min(20, len(first), len(second)), 1000 * kernel_distance(first, second)
    parts = []
    for group in range(number):
        others = (x[np.arange(len(x)) % number != group] for x in (first, second))
        parts.append(number * value - (number - 1) * 1000 * kernel_distance(*others))
    return Estimate(value, np.array(parts), count)
