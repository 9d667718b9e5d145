"""What papers claim by an ordering, judged over seeds."""

import dataclasses
import math
import statistics

from scipy import stats

from colorkit import results

_LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Claim:
    """That some experiments score higher than others.

    Attributes:
        text: What the paper says.
        pairs: Tuple of pairs (higher, lower) of experiments.
        metric: Metric of the records, higher is better.
    """

    text: str
    pairs: tuple
    metric: str = "threshold_accuracy"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a claim fared.

    Attributes:
        claim: `Claim`.
        verdict: "holds", "does not hold" or "cannot be told".
        difference: Mean difference over seeds, in the metric's units, or NaN.
        margin: Half the width of its 95 % confidence interval (Student's t over seeds), or NaN.
        seeds: Number of seeds that all experiments of the claim share.
    """

    claim: Claim
    verdict: str
    difference: float
    margin: float
    seeds: int


def _cifar(*pairs):
    return tuple((f"cifar/{higher}", f"cifar/{lower}") for higher, lower in pairs)


_BINS = "lab-conv-classification"
REGRESSION = (
    Claim(
        "Convolution only beats dense",
        _cifar(*((f"{s}-conv-regression", f"{s}-dense-regression") for s in ("rgb", "yuv", "lab"))),
        "published/threshold_accuracy",
    ),
    Claim(
        "Convolution only beats dense, lightness kept",
        _cifar(*((f"{s}-conv-regression", f"{s}-dense-regression") for s in ("rgb", "yuv", "lab"))),
    ),
    *(
        Claim(
            f"{high.title()} beats {low.upper() if low == 'rgb' else low.title()}{note}",
            _cifar(
                *((f"{high}-{n}-regression", f"{low}-{n}-regression") for n in ("dense", "conv"))
            ),
            metric,
        )
        for high, low in (("lab", "yuv"), ("yuv", "rgb"))
        for note, metric in (
            ("", "published/threshold_accuracy"),
            (", lightness kept", "threshold_accuracy"),
        )
    ),
)
CLASSIFICATION = (
    *(
        Claim(
            f"81 bins beat {other}",
            _cifar((f"{_BINS}-81", f"{_BINS}-{other}")),
            "published/threshold_accuracy",
        )
        for other in (49, 64, 100)
    ),
    *(
        Claim(
            f"81 bins beat {other}, all centred",
            _cifar(
                (f"{_BINS}-81-centered", f"{_BINS}-{other}{'-centered' if other == 49 else ''}")
            ),
        )
        for other in (49, 64, 100)
    ),
    Claim(
        "Rebalancing adds colour, as published",
        _cifar((f"{_BINS}-81-rebalanced-as-published", f"{_BINS}-81")),
        "published/colorfulness",
    ),
    Claim(
        "Rebalancing adds colour, weights on the loss",
        _cifar((f"{_BINS}-81-rebalanced", f"{_BINS}-81")),
        "colorfulness",
    ),
    Claim(
        "Rebalancing costs threshold accuracy",
        _cifar((f"{_BINS}-81", f"{_BINS}-81-rebalanced")),
    ),
)
TRANSFER = (
    Claim(
        "Regression: trainable layers beat frozen ones",
        _cifar(("lab-own-trainable-regression", "lab-own-frozen-regression")),
    ),
    Claim(
        "Classification: frozen layers preserve more features than trainable ones",
        _cifar(
            *(
                (f"lab-own-frozen-{kind}", f"lab-own-trainable-{kind}")
                for kind in ("classification-81", "classification-81-rebalanced")
            )
        ),
        "feature_preservation_vgg",
    ),
    Claim(
        "Transferred layers beat none",
        _cifar(
            ("lab-own-trainable-regression", "lab-conv-regression"),
            ("lab-own-frozen-classification-81", f"{_BINS}-81"),
        ),
    ),
)
CLAIMS = (*REGRESSION, *CLASSIFICATION, *TRANSFER)


def judge(claim, records):
    """Whether records bear a claim out.

    Args:
        claim: `Claim`.
        records: List of `Record`; of each experiment the best profile counts.

    Returns:
        `Verdict`: "holds" or "does not hold" where the 95 % confidence interval of the mean
        difference lies on one side of zero, else "cannot be told", as with fewer than two seeds.
    """
    found = results.best(records)
    by_seed = {
        name: {r.seed: r.metrics[claim.metric] for r in found.get(name, [])
               if r.metrics.get(claim.metric) is not None}
        for pair in claim.pairs
        for name in pair
    }  # fmt: skip
    profiles = {r.profile for name in by_seed for r in found.get(name, [])}
    seeds = set.intersection(*map(set, by_seed.values())) if len(profiles) == 1 else set()
    differences = [
        statistics.mean(by_seed[high][seed] - by_seed[low][seed] for high, low in claim.pairs)
        for seed in sorted(seeds)
    ]
    if not differences:
        return Verdict(claim, "cannot be told", math.nan, math.nan, 0)
    mean = statistics.mean(differences)
    if len(differences) == 1:
        return Verdict(claim, "cannot be told", mean, math.nan, 1)
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    margin = error * float(stats.t.ppf((1 + _LEVEL) / 2, len(differences) - 1))
    verdict = "cannot be told"
    if abs(mean) > margin:
        verdict = "holds" if mean > 0 else "does not hold"
    return Verdict(claim, verdict, mean, margin, len(differences))


def render(records, claims=CLAIMS):
    """Claims and verdicts as a Markdown table.

    Args:
        records: List of `Record`.
        claims: Claims to judge.
    """
    rows = [("claim", "measured by", "difference", "seeds", "verdict")]
    for verdict in (judge(claim, records) for claim in claims):
        is_share = "colorfulness" not in verdict.claim.metric
        scale, unit = (100, " %") if is_share else (1, "")
        difference = ""
        if verdict.seeds:
            difference = f"{scale * verdict.difference:+.2f}"
            if verdict.seeds > 1:
                difference += f" ± {scale * verdict.margin:.2f}"
            difference += unit
        rows.append(
            (
                verdict.claim.text,
                verdict.claim.metric.replace("published/", "").replace("_", " "),
                difference,
                str(verdict.seeds),
                verdict.verdict,
            )
        )
    return results.markdown(rows)
