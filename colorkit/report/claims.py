"""Test claims that one score is higher than another over seeds.

`claims.csv` holds the claims of the papers and of this audit, one per line. `records` is a list of
`Record` in every function, and `claims` a sequence of `Claim`.
"""

import dataclasses
from pathlib import Path

import pandas as pd
from scipy import stats

from colorkit.experiments.records import by_profile, is_share, markdown

_CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim that one experiment scores higher than another, or than its own baseline.

    Attributes:
        text: The claim in words.
        higher, lower: Names of the experiments.
        metric: Metric of their records. With an error or a time, `higher` is the worse one.
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


def _read():
    """Return the claims of `claims.csv`, as a dict from the group to a tuple of `Claim`."""
    groups = {}
    lines = pd.read_csv(Path(__file__).with_name("claims.csv"), keep_default_na=False)
    for line in lines.to_dict("records"):
        line["lower_metric"] = line["lower_metric"] or None
        groups.setdefault(line.pop("group"), []).append(Claim(**line))
    return {group: tuple(claims) for group, claims in groups.items()}


_GROUPS = _read()
REGRESSION = _GROUPS["regression"]
CLASSIFICATION = _GROUPS["classification"]
TRANSFER = _GROUPS["transfer"]
BEST = _GROUPS["best"]
COLORFUL = _GROUPS["colorful"]
COHERENCE = {side: _GROUPS[f"coherence-{side}"] for side in (32, 64)}
CONVNETS = _GROUPS["convnets"]
ARCHITECTURES = _GROUPS["architectures"]
PIX2PIX = _GROUPS["pix2pix"]
CLAIMS = sum(_GROUPS.values(), ())


def on(claims, label):
    """Return the same claims about the experiments on another dataset.

    `label` follows the "@" in the names of the records; it is "" for the original dataset.
    """
    suffix = f"@{label}" if label else ""
    return tuple(
        dataclasses.replace(claim, higher=claim.higher + suffix, lower=claim.lower + suffix)
        for claim in claims
    )


def judge(claim, records):
    """Test a claim at the largest profile that both experiments share.

    Returns:
        `Verdict`: "supported" or "contradicted" if the 95 % confidence interval of the mean
        difference is on one side of zero, else "inconclusive". With fewer than two seeds the
        verdict is always "inconclusive".
    """
    found = by_profile(records, [claim.higher, claim.lower])
    high, low = (
        pd.Series({record.seed: record.value(metric) for record in found[name]}, dtype=float)
        for name, metric in (
            (claim.higher, claim.metric),
            (claim.lower, claim.lower_metric or claim.metric),
        )
    )
    differences = (high - claim.factor * low).dropna()  # pairs the scores by seed
    mean, seeds = float(differences.mean()), len(differences)
    # `ttest_rel` gives the same interval, but warns if the differences hardly vary.
    quantile = stats.t.ppf((1 + _CONFIDENCE) / 2, seeds - 1)
    margin = float(differences.sem() * quantile)
    verdict = "inconclusive"
    if abs(mean) > margin:  # never if the margin is NaN
        verdict = "supported" if mean > 0 else "contradicted"
    return Verdict(verdict, mean, margin, seeds)


def render(records, claims=CLAIMS):
    """Format claims and verdicts as a Markdown table.

    "Factor" multiplies the lower score before it is subtracted from the higher score. Differences
    of shares are in percentage points.
    """
    rows = [("claim", "source", "metric", "factor", "difference", "seeds", "verdict")]
    for claim in claims:
        verdict = judge(claim, records)
        metric = claim.lower_metric or claim.metric
        rows.append(
            (
                claim.text,
                claim.source,
                metric.removeprefix("published/").replace("_", " "),
                f"{claim.factor:.3g} times" if claim.factor != 1 else "",
                _difference(verdict, is_share(claim.metric)),
                str(verdict.seeds),
                verdict.verdict,
            )
        )
    return markdown(rows)


def _difference(verdict, in_percent):
    """Format the difference of a verdict, with its margin if there is one."""
    if not verdict.seeds:
        return ""
    scale, digits, unit = (100, ".2f", " points") if in_percent else (1, ".3g", "")
    margin = f" ± {scale * verdict.margin:{digits}}" if verdict.seeds > 1 else ""
    return f"{scale * verdict.difference:+{digits}}{margin}{unit}"


def report(records, claims=CLAIMS):
    """Return the verdicts on the claims that have records, and the claims that have none.

    Returns:
        `(tables, missing)`: a dict from the label of a dataset, see `on`, to a table of `render`,
        and a list of the texts of claims without records.
    """
    tables, tested = {}, set()
    for label in sorted({"", *(record.experiment.partition("@")[2] for record in records)}):
        about = [claim for claim in on(claims, label) if judge(claim, records).seeds]
        tested.update(claim.text for claim in about)
        if about:
            tables[label] = render(records, about)
    missing = dict.fromkeys(claim.text for claim in claims if claim.text not in tested)
    return tables, list(missing)
