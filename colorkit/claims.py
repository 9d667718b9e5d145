"""What papers claim by an ordering, and what the audit claims, judged over seeds."""

import dataclasses
import math
import statistics

from scipy import stats

from colorkit import results

_LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Claim:
    """That one experiment scores higher than another.

    Attributes:
        text: What is claimed.
        higher, lower: Names of the experiments.
        metric: Metric of their records.
        source: "paper" or "audit".
    """

    text: str
    higher: str
    lower: str
    metric: str = "threshold_accuracy"
    source: str = "paper"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a claim fared.

    Attributes:
        verdict: "holds", "does not hold" or "cannot be told".
        difference: Mean difference over seeds, in the metric's units, or NaN.
        margin: Half the width of its 95 % confidence interval (Student's t over seeds), or NaN.
        seeds: Number of seeds that both experiments share.
    """

    verdict: str
    difference: float
    margin: float
    seeds: int


_PUBLISHED = "published/threshold_accuracy"
_BINS = "cifar/lab-conv-classification"


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
            yield Claim(f"{text}, lightness kept", *names, source="audit")


def _classification():
    for other in (49, 64, 100):
        yield Claim(f"81 bins beat {other}", f"{_BINS}-81", f"{_BINS}-{other}", _PUBLISHED)
    for other in ("49-centered", "64", "100"):
        yield Claim(
            f"81 bins beat {other.partition('-')[0]}, all centred",
            f"{_BINS}-81-centered",
            f"{_BINS}-{other}",
            source="audit",
        )
    rebalanced, plain = f"{_BINS}-81-rebalanced", f"{_BINS}-81"
    yield Claim(
        "rebalancing adds colour, weights that cancel",
        f"{rebalanced}-as-published",
        plain,
        "published/colorfulness",
    )
    yield Claim(
        "rebalancing adds colour, weights on the loss",
        rebalanced,
        plain,
        "colorfulness",
        source="audit",
    )
    yield Claim(
        "rebalancing costs accuracy, weights on the loss", plain, rebalanced, source="audit"
    )


def _transfer():
    # The stand-in comes from the weaker judge, so the stronger one judges it.
    for source, title, judge in (("vgg", "VGG16", "vgg"), ("own", "own layers", "residual")):
        name = f"cifar/lab-{source}-{{}}".format
        preservation = f"feature_preservation_{judge}"
        yield Claim(
            f"regression: trainable layers beat frozen ones, {title}",
            name("trainable-regression"),
            name("frozen-regression"),
            _PUBLISHED,
        )
        for kind, note in (
            ("classification-81", ""),
            ("classification-81-rebalanced", " and rebalanced"),
        ):
            yield Claim(
                f"81 bins{note}: frozen layers preserve more than trainable ones, {title}",
                name(f"frozen-{kind}"),
                name(f"trainable-{kind}"),
                preservation,
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
    yield Claim(
        "learning the classes beside makes better colours",
        "cifar/lab-residual-unet",
        "cifar/lab-residual-unet-without-classes",
        source="audit",
    )


REGRESSION = tuple(_regression())
CLASSIFICATION = tuple(_classification())
TRANSFER = tuple(_transfer())
BEST = tuple(_best())
CLAIMS = (*REGRESSION, *CLASSIFICATION, *TRANSFER, *BEST)


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
        {r.seed: r.metrics[claim.metric] for r in found[name] if claim.metric in r.metrics}
        for name in (claim.higher, claim.lower)
    )
    differences = [high[seed] - low[seed] for seed in sorted(high.keys() & low.keys())]
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

    Args:
        records: List of `Record`.
        claims: Claims to judge.
    """
    rows = [("claim", "whose", "measured by", "difference", "seeds", "verdict")]
    for claim in claims:
        verdict = judge(claim, records)
        scale, unit = (1, "") if claim.metric.endswith("colorfulness") else (100, " %")
        difference = ""
        if verdict.seeds:
            difference = f"{scale * verdict.difference:+.2f}"
            if verdict.seeds > 1:
                difference += f" ± {scale * verdict.margin:.2f}"
            difference += unit
        rows.append(
            (
                claim.text,
                claim.source,
                claim.metric.removeprefix("published/").replace("_", " "),
                difference,
                str(verdict.seeds),
                verdict.verdict,
            )
        )
    return results.markdown(rows)
