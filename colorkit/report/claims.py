"""Claims of papers, and of this audit, that one score is higher than another, tested over seeds."""

import dataclasses
import math
import statistics

from scipy import stats

from colorkit.experiments.records import by_profile, is_share, markdown

_LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim that one experiment scores higher than another, or than its own baseline.

    Attributes:
        text: The claim in words.
        higher, lower: Names of the experiments.
        metric: Metric of their records.
        lower_metric: Metric of the lower experiment if it differs, such as a baseline.
        source: "paper" or "audit". Where a paper gives no number, this package chooses the metric
            and the factor from the paper's words.
        factor: Number that multiplies the lower score before the comparison. With 0.95, the higher
            experiment may lose up to 5 %.
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
    """The result of testing a claim.

    Attributes:
        verdict: "supported", "contradicted" or "inconclusive".
        difference: Mean over seeds of the higher score minus the lower score times the factor, in
            the metric's units, or NaN.
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
# The paper's own weights cancel in its loss; weights on the loss have the effect it describes.
_REBALANCED = (
    ("classification-81-rebalanced-as-published", " rebalanced", "paper"),
    ("classification-81-rebalanced", " rebalanced with weights on the loss", "audit"),
)
# Sources of transferred layers. The classifier for "own layers" is not the one that gives them.
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
        "rebalancing adds color, weights that cancel",
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
            f"regression: trainable layers beat frozen layers, {title}",
            name("trainable-regression"),
            name("frozen-regression"),
            _PUBLISHED,
        )
        for kind, note, claimed_by in (("classification-81", "", "paper"), *_REBALANCED):
            yield Claim(
                f"81 bins{note}: frozen layers preserve more than trainable layers, {title}",
                name(f"frozen-{kind}"),
                name(f"trainable-{kind}"),
                preservation,
                source=claimed_by,
            )
        yield Claim(
            f"regression: trainable layers beat no transfer, {title}",
            name("trainable-regression"),
            "cifar/lab-conv-regression",
            _PUBLISHED,
        )
        yield Claim(
            f"81 bins: frozen layers preserve more than no transfer, {title}",
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
        "learning the classes too makes better colors",
        "cifar/lab-residual-unet",
        "cifar/lab-residual-unet-without-classes",
        source="audit",
    )


def _colorful():
    for metric in ("colorfulness", "ab_auc_rebalanced"):
        yield Claim(
            "classification beats L2 regression",
            "coherence/colorful-32",
            "coherence/regression-32",
            metric,
        )


def _coherence(side):
    colorful, coherent, published = (
        f"coherence/{name}-{side}" for name in ("colorful", "coherent", "published")
    )
    audit = {"source": "audit"}
    # The result is one color everywhere, but this color may be vivid.
    yield Claim(
        f"as published, less accurate than gray, {side}",
        published,
        published,
        "gray/threshold_accuracy",
        "threshold_accuracy",
    )
    yield Claim(
        f"as published, one hue dominates: twice its share, {side}",
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
    # These metrics are errors or times, so the higher one is the worse one.
    yield Claim("U-Net's error is at most 2 % above ResNet's", resnet, unet, "mae", factor=0.98)
    time = "training_milliseconds"
    yield Claim("U-Net takes at most half of ResNet's time", resnet, unet, time, factor=2)
    for kind in _KINDS:
        names = name(f"{kind}-mae"), name(f"{kind}-mse")
        yield Claim(f"MAE is more accurate than MSE, {kind}", *names)
        yield Claim(f"MAE is more colorful than MSE, {kind}", *names, "colorfulness")


def _convnets():
    for kind in ("-as-coded", ""):
        title = "as coded" if kind else "without its known problems"
        source = "paper" if kind else "audit"
        simple = f"convnets/simple{kind}"
        yield Claim(
            f"a regression averages: at most half of the true colorfulness, {title}",
            simple,
            simple,
            "truth/colorfulness",
            "colorfulness",
            source,
            factor=2,
        )
        for metric in ("colorfulness", "occupied_bins"):
            text = f"classification is more varied than a regression, {title}"
            names = f"convnets/classification{kind}", simple
            yield Claim(text, *names, metric, source=source)
        yield Claim(
            f"adversarial training is more colorful than a regression, {title}",
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
    """Return the same claims about the experiments on another dataset.

    Args:
        claims: Claims.
        label: Label after the "@" in the names of the records; "" for the original dataset.
    """
    suffix = f"@{label}" if label else ""
    return tuple(
        dataclasses.replace(claim, higher=claim.higher + suffix, lower=claim.lower + suffix)
        for claim in claims
    )


def judge(claim, records):
    """Test a claim with the records.

    Args:
        claim: `Claim`.
        records: List of `Record`. The largest profile that both experiments share is used.

    Returns:
        `Verdict`: "supported" or "contradicted" if the 95 % confidence interval of the mean
        difference is on one side of zero, else "inconclusive". With fewer than two seeds the
        verdict is always "inconclusive".
    """
    found = by_profile(records, [claim.higher, claim.lower])
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
        return Verdict("inconclusive", math.nan, math.nan, 0)
    mean = statistics.mean(differences)
    if len(differences) == 1:
        return Verdict("inconclusive", mean, math.nan, 1)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    margin = error * float(stats.t.ppf((1 + _LEVEL) / 2, len(differences) - 1))
    verdict = "inconclusive"
    if abs(mean) > margin:
        verdict = "supported" if mean > 0 else "contradicted"
    return Verdict(verdict, mean, margin, len(differences))


def render(records, claims=CLAIMS):
    """Format claims and verdicts as a Markdown table.

    "Factor" multiplies the lower score before it is subtracted from the higher score. Differences
    of shares are in percentage points.

    Args:
        records: List of `Record`.
        claims: Claims to test.
    """
    rows = [("claim", "source", "metric", "factor", "difference", "seeds", "verdict")]
    for claim in claims:
        verdict = judge(claim, records)
        in_percent = is_share(claim.metric)
        scale, unit = (100, " points") if in_percent else (1, "")
        digits = ".2f" if in_percent else ".3g"
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
    return markdown(rows)


def report(records, claims=CLAIMS):
    """Return the verdicts on the claims that have records, and the claims that have none.

    Args:
        records: List of `Record`.
        claims: Claims to test.

    Returns:
        `(tables, missing)`: a dict from the label of a dataset, see `on`, to a table of `render`,
        and a list of the texts of claims without records.
    """
    labels = sorted({"", *(record.experiment.partition("@")[2] for record in records)})
    seen = {}
    for label in labels:
        seen[label] = [claim for claim in on(claims, label) if judge(claim, records).seeds]
    judged = {claim.text for about in seen.values() for claim in about}
    unseen = dict.fromkeys(claim.text for claim in claims if claim.text not in judged)
    return {label: render(records, about) for label, about in seen.items() if about}, list(unseen)
