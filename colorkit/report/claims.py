"""Test claims that one score is higher than another over seeds.

`claims.csv` holds the claims of the papers and of this audit, one per line, and `effects.csv` the
smallest effect of interest per metric. `records` is a list of `Record` in every function, and
`claims` a sequence of `Claim`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from colorkit.experiments import EXPERIMENTS
from colorkit.experiments.records import by_profile, headed, is_share, markdown

__all__ = ["Claim", "Verdict", "holm", "judge", "on", "render", "report", "rules"]


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
    # Multiplies the lower score. With 0.95, the higher experiment may lose up to 5 %. The factor is
    # then the effect of interest.
    factor: float = 1.0
    group: str = ""  # claims of a group are corrected together, as one family of tests


class Verdict(NamedTuple):
    """Hold the result of testing a claim, with a 95 % confidence interval (Student's t over seeds).

    Example:
        >>> Verdict("supported", difference=0.5, margin=0.2, seeds=3).verdict
        'supported'
    """

    # "supported" or "contradicted" if the corrected p-value is below 0.05 and the difference is at
    # least the smallest effect of interest, else "inconclusive".
    verdict: str
    difference: float  # mean of higher score - factor * lower score, in the metric's units, or NaN
    margin: float  # half the width of the interval, which is not corrected, or NaN
    seeds: int  # number of seeds that both experiments share
    p_value: float = float("nan")  # two-sided, with Holm's correction in its family
    reason: str = ""  # why the verdict is inconclusive


_LEVEL = 0.05
_LINES = pd.read_csv(Path(__file__).with_name("claims.csv"), keep_default_na=False)
_GROUPS = {
    group: tuple(Claim(**line) for line in lines.to_dict("records"))
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
VARIATIONS = _GROUPS["variations"]
PIX2PIX = _GROUPS["pix2pix"]
CLAIMS = sum(_GROUPS.values(), ())
_TITLES = {
    "regression": "Champati, Houle and Zhang, Tables 3 and 4",
    "classification": "Champati, Houle and Zhang, Tables 5 and 6",
    "transfer": "Champati, Houle and Zhang, transferred layers in Tables 3 to 6",
    "best": "Champati, Houle and Zhang, Table 7",
    "colorful": "Zhang, Isola and Efros; Kisan",
    "coherence-32": "Stellbrink, at 32 pixels",
    "coherence-64": "Stellbrink, at 64 pixels",
    "convnets": "Han, three networks",
    "architectures": "Sinigaglia, Bertipaglia and Colato, architectures and losses",
    "variations": "Sinigaglia, Bertipaglia and Colato, variations of the U-Net",
    "pix2pix": "Sinigaglia, Bertipaglia and Colato, Pix2Pix and patches",
}
EFFECTS = pd.read_csv(Path(__file__).with_name("effects.csv"), index_col="metric")


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


def holm(p_values):
    """Correct the p-values of a family of tests (Holm 1979, a step-down Bonferroni correction).

    Args:
        p_values: Array of shape `(num_tests,)` with values in [0, 1].

    Returns:
        Array of the same shape. Values below 0.05 are significant: with a probability of at least
        95 %, there is no false one among them.

    Example:
        >>> print(holm([0.01, 0.04, 0.03]))
        [0.03 0.06 0.06]
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)
    stepped = p_values[order] * np.arange(len(order), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected


def judge(claims, records):
    """Return a list of the `Verdict` on each claim, at the largest profile of both experiments.

    P-values are corrected within each family: the given claims of one group, on one dataset, with
    at least two seeds.

    Raises:
        ValueError: If a metric without a factor has no smallest effect in `effects.csv`.

    Example:
        >>> judge([Claim("", "a", "b")], records=[])[0].reason  # nothing was run
        'not run'
    """
    verdicts = [_measure(claim, records) for claim in claims]
    families = {}
    for i, (claim, verdict) in enumerate(zip(claims, verdicts, strict=True)):
        if np.isfinite(verdict.p_value):
            families.setdefault(_family(claim), []).append(i)
    for members in families.values():
        corrected = holm([verdicts[i].p_value for i in members])
        for i, p_value in zip(members, corrected.tolist(), strict=True):
            verdicts[i] = _decide(verdicts[i]._replace(p_value=p_value), _smallest(claims[i]))
    return verdicts


def _family(claim):
    return claim.group, claim.higher.partition("@")[2]


def _pairs(claim, records):
    """Return the records of both experiments, for the seeds that they share."""
    found = by_profile(records, [claim.higher, claim.lower])
    shared = {record.seed for record in found[claim.higher]}
    shared &= {record.seed for record in found[claim.lower]}
    return [[r for r in found[name] if r.seed in shared] for name in (claim.higher, claim.lower)]


def _measure(claim, records):
    """Return the difference of a claim with its p-value before the correction."""
    metrics = claim.metric, claim.lower_metric or claim.metric
    high, low = (
        np.array([record.value(metric) for record in own], dtype=float)
        for own, metric in zip(_pairs(claim, records), metrics, strict=True)
    )
    differences = high - claim.factor * low
    differences = differences[np.isfinite(differences)]
    seeds = len(differences)
    if seeds < 2:
        mean, reason = (differences[0], "one seed") if seeds else (np.nan, "not run")
        return Verdict("inconclusive", float(mean), float("nan"), seeds, reason=reason)
    mean, error = differences.mean(), stats.sem(differences)
    margin = error * stats.t.ppf(1 - _LEVEL / 2, seeds - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # differences may be equal, even zero
        # As `ttest_rel`, which warns if the differences hardly vary.
        p_value = np.nan_to_num(2 * stats.t.sf(abs(mean) / error, seeds - 1), nan=1.0)
    return Verdict("inconclusive", float(mean), float(margin), seeds, float(p_value))


def _smallest(claim):
    """Return the smallest effect of interest; a factor already is one."""
    if claim.factor != 1:
        return 0.0
    metric = claim.metric.rpartition("/")[2]
    if metric not in EFFECTS.index:
        raise ValueError(
            f"`metric` of a claim without a factor must have a smallest effect: one of "
            f"{', '.join(EFFECTS.index)}. Received: {claim.metric!r}. Others can be added to "
            "colorkit/report/effects.csv."
        )
    return float(EFFECTS["smallest"][metric])


def _decide(verdict, smallest):
    """Return a verdict with its word or the reason why it is inconclusive."""
    mean, margin = verdict.difference, verdict.margin
    if abs(mean) + margin < smallest:
        return verdict._replace(reason="negligible")
    if verdict.p_value >= _LEVEL:
        return verdict._replace(reason="not significant")
    if abs(mean) < smallest:
        return verdict._replace(reason="too small")
    return verdict._replace(verdict="supported" if mean > 0 else "contradicted")


def rules():
    """Explain in Markdown how verdicts are reached, with the smallest effects of interest.

    Example:
        >>> print(rules().splitlines()[-1].split("|")[1].strip())
        occupied bins
    """
    rows = [("metric", "smallest effect", "test set, CIFAR-10", "reason")]
    for metric, line in EFFECTS.iterrows():
        error = "" if np.isnan(line.test_error) else _size(line.test_error, metric)
        rows.append((_words(metric), _size(line.smallest, metric), error, line.reason))
    return f"{_RULES}\n\n{markdown(rows)}"


_RULES = """\
Each claim says that one score is higher than another. It is tested by the difference over seeds,
paired by seed, at the largest profile that both experiments share.

- **supported**, **contradicted**: the difference is significant and at least the smallest effect of
  interest. Significant means a p-value below 0.05 in a two-sided t test, after Holm's correction.
- **inconclusive**: all others. *Negligible*: the whole interval is within the smallest effect. *Not
  significant*: the corrected p-value is 0.05 or more. *Too small*: the difference is significant,
  but below the smallest effect. *One seed*: no test is possible.

A family of tests is one table of claims: those about one table or comparison of a paper, on one
dataset, with two seeds or more. It has the claims of the paper and of the audit. The 95 % intervals
are those of single tests, without correction.

If a factor multiplies the lower score, the factor is the effect of interest. The table has the
other smallest effects. They were chosen when these records already existed, but before the
corrected verdicts were known. The column "test set" is the standard error from the choice of the
test images, for one score on the 10,000 images of CIFAR-10. For threshold accuracy it is that of
gray. The difference of two scores on the same images usually has a smaller one. Seeds do not show
this error, because all seeds share the test images.

A verdict holds for the budget in its row, and a larger network, trained longer, may reverse it. "4
of 100" means 4 epochs instead of the 100 of the profile `full`. On other datasets than that of
`full`, epochs have other lengths and stand alone. The width of a network is relative to `full`:
with a width of 0.25, a network of convolutions has about a sixteenth of the weights."""


def render(records, claims=None):
    """Format claims and verdicts as Markdown tables; points are percentage points.

    Each family of tests has a table of its own. `claims` are some of `CLAIMS`, in whole groups, as
    the correction is for the given ones; `None` takes all of them.

    Example:
        >>> "inconclusive: not run" in render([], claims=[Claim("a beats b", "a", "b")])
        True
    """
    claims = CLAIMS if claims is None else tuple(claims)
    families = {}
    for claim, verdict in zip(claims, judge(claims, records), strict=True):
        families.setdefault(_family(claim), []).append((claim, verdict))
    parts = []
    for (group, _), judged in families.items():
        rows = [_COLUMNS, *(_row(claim, verdict, records) for claim, verdict in judged)]
        title = f"### {_TITLES[group]}\n\n" if group else ""
        tests = sum(verdict.seeds > 1 for _, verdict in judged)
        note = f"\n\nNumber of tests in this family: {tests}." if tests else ""
        parts.append(f"{title}{markdown(rows)}{note}")
    return headed("\n\n".join(parts), {record.profile for record in records})


_COLUMNS = (
    "claim", "source", "metric", "factor", "difference", "95 % interval", "smallest effect",
    "test set", "p, corrected", "seeds", "profile", "epochs", "parameters", "verdict",
)  # fmt: skip


def _row(claim, verdict, records):
    metric = (claim.lower_metric or claim.metric).removeprefix("published/")
    kind, sides = claim.metric, _pairs(claim, records)
    low, high = (verdict.difference + sign * verdict.margin for sign in (-1, 1))
    is_tested = verdict.seeds > 1
    name = kind.rpartition("/")[2]
    on_cifar = sides[0] and sides[0][0].data == "cifar10" and name in EFFECTS.index
    test_error = EFFECTS["test_error"].get(name, np.nan) if on_cifar else np.nan
    return (
        claim.text,
        claim.source,
        _words(metric),
        f"{claim.factor:.3g} times" if claim.factor != 1 else "",
        _size(verdict.difference, kind, "+") if verdict.seeds else "",
        f"{_number(low, kind)} to {_number(high, kind)}" if is_tested else "",
        _size(_smallest(claim), kind) if claim.factor == 1 else "",
        "" if np.isnan(test_error) else _size(test_error, kind),
        f"{verdict.p_value:.3g}" if is_tested else "",
        str(verdict.seeds),
        _both([own[0].profile if own else "" for own in sides]),
        _both([_epochs(own) for own in sides]),
        _both([_parameters(own) for own in sides]),
        ": ".join(filter(None, (verdict.verdict, verdict.reason))),
    )


def _words(metric):
    return metric.replace("_", " ")


def _number(value, metric, sign="+"):
    share = is_share(metric)
    return f"{100 * value if share else value:{sign}{'.2f' if share else '.3g'}}"


def _size(value, metric, sign=""):
    return _number(value, metric, sign) + (" points" if is_share(metric) else "")


def _both(cells):
    """Join the cells of both sides of a claim, which are often the same."""
    return " / ".join(dict.fromkeys(cells))


def _epochs(records):
    """Return the epochs that were run, and those of the profile "full" on the same dataset."""
    if not records:
        return ""
    run = sorted({record.epochs for record in records})
    text = str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}"
    experiment = EXPERIMENTS.get(records[0].experiment)  # none with the label of another dataset
    at_full = experiment and experiment.schedule.epochs  # 0 if nothing is learned
    return f"{text} of {at_full}" if at_full else text


def _parameters(records):
    if not records:
        return ""
    width = records[0].settings.get("width", 1)
    text = f"{records[0].parameters:,}"
    return text if width == 1 else f"{text} (width {width:g})"


def report(records, claims=None):
    """Return the verdicts on the claims that have records, and the claims that have none.

    Args:
        records: See the module.
        claims: Some of `CLAIMS`, see `render`; `None` takes all of them.

    Returns:
        `(tables, missing)`: a dict from the label of a dataset, see `on`, to tables of `render`,
        and a list of the texts of claims without records.

    Example:
        >>> tables, missing = report([], claims=[Claim("a beats b", "a", "b")])
        >>> missing
        ['a beats b']
    """
    claims = CLAIMS if claims is None else claims
    tables, tested = {}, set()
    for label in sorted({"", *(record.experiment.partition("@")[2] for record in records)}):
        about = [claim for claim in on(claims, label) if _measure(claim, records).seeds]
        tested.update(claim.text for claim in about)
        if about:
            tables[label] = render(records, about)
    missing = dict.fromkeys(claim.text for claim in claims if claim.text not in tested)
    return tables, list(missing)
