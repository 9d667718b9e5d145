"""Test claims that one score is higher than another over seeds.

`claims.csv` holds the claims of the papers and of this audit, one per line. `records` is a list of
`Record` in every function, and `claims` a sequence of `Claim`.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from scipy import stats

from colorkit.experiments.records import by_profile, headed, is_share, markdown

__all__ = ["Claim", "Verdict", "judge", "on", "render", "report"]


class Claim(NamedTuple):
    """State that one experiment scores higher than another, or than its own baseline.

    Example:
        >>> claim = Claim("bins are more colorful", "cifar/lab-conv-classification-81",
        ...               "cifar/lab-conv-regression", metric="colorfulness")
        >>> on([claim], "flowers")[0].lower
        'cifar/lab-conv-regression@flowers'
    """

    text: str
    higher: str  # names of the experiments
    lower: str
    metric: str = "threshold_accuracy"  # with an error or a time, `higher` is the worse one
    lower_metric: str = ""  # metric of the lower experiment if it differs, such as a baseline
    # "paper" or "audit". Where a paper gives no number, this package chooses the metric and the
    # factor from the paper's words.
    source: str = "paper"
    # Multiplies the lower score. With 0.95, the higher experiment may lose up to 5 %.
    factor: float = 1.0


class Verdict(NamedTuple):
    """Hold the result of testing a claim, with a 95 % confidence interval (Student's t over seeds).

    Example:
        >>> Verdict("supported", difference=0.5, margin=0.2, seeds=3).verdict
        'supported'
    """

    # "supported" or "contradicted" if the interval of the difference is on one side of zero, else
    # "inconclusive", as with fewer than two seeds.
    verdict: str
    difference: float  # mean of higher score - factor * lower score, in the metric's units, or NaN
    margin: float  # half the width of the interval, or NaN
    seeds: int  # number of seeds that both experiments share


_LINES = pd.read_csv(Path(__file__).with_name("claims.csv"), keep_default_na=False)
_GROUPS = {
    group: tuple(Claim(**line) for line in lines.drop(columns="group").to_dict("records"))
    for group, lines in _LINES.groupby("group", sort=False)
}
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

    Example:
        >>> on([Claim("", "a", "b")], "flowers")[0].higher
        'a@flowers'
    """
    suffix = f"@{label}" if label else ""
    return tuple(
        claim._replace(higher=claim.higher + suffix, lower=claim.lower + suffix) for claim in claims
    )


def judge(claim, records):
    """Return the `Verdict` on a claim, at the largest profile that both experiments share.

    Example:
        >>> judge(Claim("", "a", "b"), records=[]).verdict  # nothing was run
        'inconclusive'
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
    margin = float(differences.sem() * stats.t.ppf(0.975, seeds - 1))
    verdict = "inconclusive"
    if abs(mean) > margin:  # never if the margin is NaN
        verdict = "supported" if mean > 0 else "contradicted"
    return Verdict(verdict, mean, margin, seeds)


def render(records, claims=None):
    """Format claims and verdicts as a Markdown table; points are percentage points.

    `claims` are some of `CLAIMS`; `None` takes all of them.

    Example:
        >>> print(render([], claims=[Claim("a beats b", "a", "b")]))
        | claim     | source | metric             | factor | difference | seeds | verdict      |
        | --------- | ------ | ------------------ | ------ | ---------- | ----- | ------------ |
        | a beats b | paper  | threshold accuracy |        |            | 0     | inconclusive |
    """
    rows = [("claim", "source", "metric", "factor", "difference", "seeds", "verdict")]
    for claim in CLAIMS if claims is None else claims:
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
    return headed(markdown(rows), records)


def _difference(verdict, in_percent):
    """Format the difference of a verdict, with its margin if there is one."""
    if not verdict.seeds:
        return ""
    scale, digits, unit = (100, ".2f", " points") if in_percent else (1, ".3g", "")
    margin = f" ± {scale * verdict.margin:{digits}}" if verdict.seeds > 1 else ""
    return f"{scale * verdict.difference:+{digits}}{margin}{unit}"


def report(records, claims=None):
    """Return the verdicts on the claims that have records, and the claims that have none.

    Args:
        records: See the module.
        claims: Some of `CLAIMS`; `None` takes all of them.

    Returns:
        `(tables, missing)`: a dict from the label of a dataset, see `on`, to a table of `render`,
        and a list of the texts of claims without records.

    Example:
        >>> tables, missing = report([], claims=[Claim("a beats b", "a", "b")])
        >>> missing
        ['a beats b']
    """
    claims = CLAIMS if claims is None else claims
    tables, tested = {}, set()
    for label in sorted({"", *(record.experiment.partition("@")[2] for record in records)}):
        about = [claim for claim in on(claims, label) if judge(claim, records).seeds]
        tested.update(claim.text for claim in about)
        if about:
            tables[label] = render(records, about)
    missing = dict.fromkeys(claim.text for claim in claims if claim.text not in tested)
    return tables, list(missing)
