"""What papers claim by an ordering, and what the audit claims, judged over seeds."""

import dataclasses
import math
import statistics

from scipy import stats

from colorkit import results

_LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Claim:
    """That one experiment scores higher than another, or than a part of it.

    Attributes:
        text: What is claimed.
        higher, lower: Names of the experiments.
        metric: Metric of their records.
        lower_metric: Metric of the lower one's records where it is another, such as a baseline.
        source: "paper" or "audit". Where a paper gives no number, the metric and the factor are
            the kit's reading of its words.
        factor: What the lower one's score is multiplied by first: to be higher than 0.95 of it is
            to lose less than a twentieth.
    """

    text: str
    higher: str
    lower: str
    metric: str = "threshold_accuracy"
    lower_metric: str | None = None
    source: str = "paper"
    factor: float = 1.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a claim fared.

    Attributes:
        verdict: "holds", "does not hold" or "cannot be told".
        difference: Mean over seeds of the higher one's score less what it must exceed, in the
            metric's units, or NaN.
        margin: Half the width of its 95 % confidence interval (Student's t over seeds), or NaN.
        seeds: Number of seeds that both experiments share.
    """

    verdict: str
    difference: float
    margin: float
    seeds: int


_PUBLISHED = "published/threshold_accuracy"
_PRESERVATION = "published/feature_preservation_vgg"
_BINS = "cifar/lab-conv-classification"
# The paper's own weights cancel; those on the loss do what it says that they do.
_REBALANCED = (
    ("classification-81-rebalanced-as-published", " rebalanced", "paper"),
    ("classification-81-rebalanced", " rebalanced with weights on the loss", "audit"),
)
# Transferred layers, and who judges them: the stand-in comes from the weaker judge.
_SOURCES = (("vgg", "VGG16", "vgg"), ("own", "own layers", "residual"))


def _regression():
    for space, title in (("rgb", "RGB"), ("yuv", "Yuv"), ("lab", "Lab")):
        yield Claim(
            f"convolution only beats dense, {title}",
            f"cifar/{space}-conv-regression",
            f"cifar/{space}-dense-regression",
            _PUBLISHED,
        )
    for network, title in (("dense", "dense"), ("conv", "convolution only")):
        for high, low in (("lab", "yuv"), ("yuv", "rgb")):
            text = f"{high.title()} beats {'RGB' if low == 'rgb' else low.title()}, {title}"
            names = f"cifar/{high}-{network}-regression", f"cifar/{low}-{network}-regression"
            yield Claim(text, *names, _PUBLISHED)
            if low == "yuv":  # "in every quantifiable task"
                yield Claim(text, *names, _PRESERVATION)
            yield Claim(f"{text}, lightness kept", *names, source="audit")


def _classification():
    for other in (49, 64, 100):
        for metric in (_PUBLISHED, _PRESERVATION):
            yield Claim(f"81 bins beat {other}", f"{_BINS}-81", f"{_BINS}-{other}", metric)
    for other in ("49-centered", "64", "100"):
        yield Claim(
            f"81 bins beat {other.partition('-')[0]}, all centered",
            f"{_BINS}-81-centered",
            f"{_BINS}-{other}",
            source="audit",
        )
    rebalanced, plain = f"{_BINS}-81-rebalanced", f"{_BINS}-81"
    yield Claim(
        "rebalancing adds color, as expected, weights that cancel",
        f"{rebalanced}-as-published",
        plain,
        "published/colorfulness",
    )
    yield Claim(
        "rebalancing adds color, weights on the loss",
        rebalanced,
        plain,
        "colorfulness",
        source="audit",
    )
    yield Claim(
        "rebalancing costs accuracy, weights on the loss", plain, rebalanced, source="audit"
    )


def _transfer():
    for source, title, judge in _SOURCES:
        name = f"cifar/lab-{source}-{{}}".format
        preservation = f"published/feature_preservation_{judge}"
        yield Claim(
            f"regression: trainable layers beat frozen ones, {title}",
            name("trainable-regression"),
            name("frozen-regression"),
            _PUBLISHED,
        )
        for kind, note, claimed_by in (("classification-81", "", "paper"), *_REBALANCED):
            yield Claim(
                f"81 bins{note}: frozen layers preserve more than trainable ones, {title}",
                name(f"frozen-{kind}"),
                name(f"trainable-{kind}"),
                preservation,
                source=claimed_by,
            )
        yield Claim(
            f"regression: trainable layers beat none, {title}",
            name("trainable-regression"),
            "cifar/lab-conv-regression",
            _PUBLISHED,
        )
        yield Claim(
            f"81 bins: frozen layers preserve more than none, {title}",
            name("frozen-classification-81"),
            f"{_BINS}-81",
            preservation,
        )


def _best():
    for source, title, judge in _SOURCES:
        regression = f"cifar/lab-{source}-trainable-regression"
        preservation = f"published/feature_preservation_{judge}"
        for kind, note, claimed_by in _REBALANCED:
            bins = f"cifar/lab-{source}-frozen-{kind}"
            yield Claim(f"the best regression is more accurate than the best bins{note}, {title}",
                        regression, bins, _PUBLISHED, source=claimed_by)  # fmt: skip
            yield Claim(f"the best bins{note} preserve more than the best regression, {title}",
                        bins, regression, preservation, source=claimed_by)  # fmt: skip
    regression, bins = "cifar/lab-conv-regression", f"{_BINS}-81"
    yield Claim("a regression is more accurate than 81 bins", regression, bins, _PUBLISHED)
    yield Claim("81 bins preserve more than a regression", bins, regression, _PRESERVATION)
    yield Claim(
        "learning the classes beside makes better colors",
        "cifar/lab-residual-unet",
        "cifar/lab-residual-unet-without-classes",
        source="audit",
    )


def _colorful():
    for metric in ("colorfulness", "ab_auc_rebalanced"):
        yield Claim(
            "classification beats squares",
            "coherence/colorful-32",
            "coherence/regression-32",
            metric,
        )


def _coherence(side):
    colorful, coherent, published = (
        f"coherence/{name}-{side}" for name in ("colorful", "coherent", "published")
    )
    audit = {"source": "audit"}
    # One color everywhere, which is what it comes to, may be a vivid one.
    yield Claim(
        f"as published, less accurate than gray, {side}",
        published,
        published,
        "gray/threshold_accuracy",
        "threshold_accuracy",
    )
    yield Claim(
        f"as published, one hue is left: twice its share, {side}",
        published,
        colorful,
        "dominant_hue",
        factor=2,
    )
    yield Claim(
        f"a quarter less bleeding, {side}", colorful, coherent, "bleeding", factor=4 / 3, **audit
    )
    yield Claim(f"as colorful, {side}", coherent, colorful, "colorfulness", factor=0.95, **audit)
    yield Claim(f"more accurate, {side}", coherent, colorful, **audit)


_KINDS = ("autoencoder", "deep-cnn", "unet", "resnet", "densenet")


def _architectures():
    name = "architectures/{}".format
    resnet, unet = name("resnet-mae"), name("unet-mae")
    # Of an error the one that has more is the worse.
    yield Claim("U-Net errs 2 % more than ResNet at most", resnet, unet, "mae", factor=0.98)
    time = "training_milliseconds"
    yield Claim("U-Net takes half of ResNet's time at most", resnet, unet, time, factor=2)
    for kind in _KINDS:
        names = name(f"{kind}-mae"), name(f"{kind}-mse")
        yield Claim(f"MAE is more accurate than MSE, {kind}", *names)
        yield Claim(f"MAE is more colorful than MSE, {kind}", *names, "colorfulness")


def _convnets():
    for kind in ("-as-coded", ""):
        title = "as coded" if kind else "without what holds it back"
        source = "paper" if kind else "audit"
        simple = f"convnets/simple{kind}"
        yield Claim(
            f"a regression averages: half of the truth's color at most, {title}",
            simple,
            simple,
            "truth/colorfulness",
            "colorfulness",
            source,
            factor=2,
        )
        for metric in ("colorfulness", "occupied_bins"):
            text = f"classification has more variety than a regression, {title}"
            names = f"convnets/classification{kind}", simple
            yield Claim(text, *names, metric, source=source)
        yield Claim(
            f"an adversary is more colorful than a regression, {title}",
            f"convnets/adversarial{kind}",
            simple,
            "colorfulness",
            source="audit",
        )


def _pix2pix():
    for kind in _KINDS:
        for loss, title in {"mse": "MSE", "mae": "MAE", "huber": "Huber"}.items():
            yield Claim(
                f"Pix2Pix is more colorful than {kind}, {title}",
                "architectures/pix2pix",
                f"architectures/{kind}-{loss}",
                "colorfulness",
            )
    for title, name in {"U-Net": "unet", "Pix2Pix": "adversarial"}.items():
        for metric in ("colorfulness", "threshold_accuracy"):
            yield Claim(
                f"patches color large images better than resizing, {title}",
                f"pix2pix/{name}-patches",
                f"pix2pix/{name}",
                f"large/{metric}",
                source="audit",
            )


REGRESSION = tuple(_regression())
CLASSIFICATION = tuple(_classification())
TRANSFER = tuple(_transfer())
BEST = tuple(_best())
COLORFUL = tuple(_colorful())
COHERENCE = {side: tuple(_coherence(side)) for side in (32, 64)}
CONVNETS = tuple(_convnets())
ARCHITECTURES = tuple(_architectures())
PIX2PIX = tuple(_pix2pix())
CLAIMS = (
    *REGRESSION,
    *CLASSIFICATION,
    *TRANSFER,
    *BEST,
    *COLORFUL,
    *COHERENCE[32],
    *COHERENCE[64],
    *CONVNETS,
    *ARCHITECTURES,
    *PIX2PIX,
)


def on(claims, label):
    """The same claims about the experiments on other images.

    Args:
        claims: Claims.
        label: What stands behind the "@" in the names of their records; "" for their own.
    """
    suffix = f"@{label}" if label else ""
    return tuple(
        dataclasses.replace(claim, higher=claim.higher + suffix, lower=claim.lower + suffix)
        for claim in claims
    )


def judge(claim, records):
    """Whether records bear a claim out.

    Args:
        claim: `Claim`.
        records: List of `Record`; the best profile that both experiments share counts.

    Returns:
        `Verdict`: "holds" or "does not hold" where the 95 % confidence interval of the mean
        difference lies on one side of zero, else "cannot be told", as with fewer than two seeds.
    """
    found = results.by_profile(records, [claim.higher, claim.lower])
    high, low = (
        {r.seed: r.value(metric) for r in found[name] if r.value(metric) is not None}
        for name, metric in (
            (claim.higher, claim.metric),
            (claim.lower, claim.lower_metric or claim.metric),
        )
    )
    differences = [
        high[seed] - claim.factor * low[seed] for seed in sorted(high.keys() & low.keys())
    ]
    if not differences:
        return Verdict("cannot be told", math.nan, math.nan, 0)
    mean = statistics.mean(differences)
    if len(differences) == 1:
        return Verdict("cannot be told", mean, math.nan, 1)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    margin = error * float(stats.t.ppf((1 + _LEVEL) / 2, len(differences) - 1))
    verdict = "cannot be told"
    if abs(mean) > margin:
        verdict = "holds" if mean > 0 else "does not hold"
    return Verdict(verdict, mean, margin, len(differences))


def render(records, claims=CLAIMS):
    """Claims and verdicts as a Markdown table.

    "Beyond" is what the lower score is multiplied by before it is taken from the higher one;
    differences of shares are in percentage points.

    Args:
        records: List of `Record`.
        claims: Claims to judge.
    """
    rows = [("claim", "whose", "measured by", "beyond", "difference", "seeds", "verdict")]
    for claim in claims:
        verdict = judge(claim, records)
        is_share = results.is_share(claim.metric)
        scale, unit = (100, " points") if is_share else (1, "")
        digits = ".2f" if is_share else ".3g"
        difference = ""
        if verdict.seeds:
            difference = f"{scale * verdict.difference:+{digits}}"
            if verdict.seeds > 1:
                difference += f" ± {scale * verdict.margin:{digits}}"
            difference += unit
        rows.append(
            (
                claim.text,
                claim.source,
                (claim.lower_metric or claim.metric).removeprefix("published/").replace("_", " "),
                f"{claim.factor:.3g} times" if claim.factor != 1 else "",
                difference,
                str(verdict.seeds),
                verdict.verdict,
            )
        )
    return results.markdown(rows)


def report(records, claims=CLAIMS):
    """Verdicts on what records speak of, and what none does.

    Args:
        records: List of `Record`.
        claims: Claims to judge.

    Returns:
        Tables as `render` gives them, by the label of the images as `on` takes it, and the
        texts of the claims that were judged on none.
    """
    labels = sorted({"", *(record.experiment.partition("@")[2] for record in records)})
    seen = {}
    for label in labels:
        seen[label] = [claim for claim in on(claims, label) if judge(claim, records).seeds]
    judged = {claim.text for about in seen.values() for claim in about}
    unseen = dict.fromkeys(claim.text for claim in claims if claim.text not in judged)
    return {label: render(records, about) for label, about in seen.items() if about}, list(unseen)
