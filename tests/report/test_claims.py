from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import colorkit as ck
from colorkit import experiments, metrics
from colorkit.experiments.records import read_all
from colorkit.report import claims, studies
from colorkit.report.claims import Claim
from tests.conftest import DATA
from tests.report.test_tables import make_record


def make_pairs(differences, names=("a", "b"), profiles=("quick", "quick")):
    records = []
    for seed, difference in enumerate(differences):
        high, low = 20.0 + seed + difference, 20.0 + seed
        records.append(make_record(names[0], seed, profiles[0], colorfulness=high))
        records.append(make_record(names[1], seed, profiles[1], colorfulness=low))
    return records


def judge(differences, profiles=("quick", "quick")):
    records = make_pairs(differences, profiles=profiles)
    # A larger profile that only one experiment has must not hide the other seeds.
    records.append(make_record("a", 0, "full", colorfulness=0.0))
    return claims.judge([Claim("a beats b", "a", "b", "colorfulness")], records)[0]


def test_verdict_follows_the_test_over_seeds():
    assert judge([3.0, 3.1, 2.9]).verdict == "supported"
    assert judge([-3.0, -3.1, -2.9]).verdict == "contradicted"
    verdict = judge([3.0, -3.1, 2.9])
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "not significant")
    verdict = judge([1.0, 2.0, 3.0])
    assert (verdict.difference, verdict.seeds) == (pytest.approx(2.0), 3)
    test = stats.ttest_rel([21, 23, 25], [20, 21, 22])
    low, high = test.confidence_interval(0.95)
    assert verdict.margin == pytest.approx((high - low) / 2)
    assert verdict.p_value == pytest.approx(test.pvalue)


def test_differences_below_the_smallest_effect_are_inconclusive():
    assert judge([1.3, 1.4, 1.5]).reason == "too small"  # significant, below 1.5
    assert judge([0.1, 0.2, 0.1]).reason == "negligible"  # the whole interval is below 1.5
    # A factor already is the effect of interest.
    claim = Claim("", "a", "b", "colorfulness", factor=0.99)
    assert claims.judge([claim], make_pairs([0.1, 0.2, 0.1]))[0].verdict == "supported"


def test_equal_differences_have_no_margin():
    verdict = judge([2.0, 2.0, 2.0])
    assert (verdict.verdict, verdict.margin, verdict.p_value) == ("supported", 0, 0)
    assert judge([0.0, 0.0, 0.0]).p_value == 1


def test_one_seed_or_different_profiles_are_inconclusive():
    verdict = judge([2.0])
    assert verdict[:2] == ("inconclusive", 2) and verdict.reason == "one seed"
    assert judge([2.0, 2.0, 2.0], ("quick", "smoke")).seeds == 0
    assert judge([]).reason == "not run"


@pytest.mark.parametrize(
    "p_values, corrected",
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 4, 3, 2 and 1 times, in steps
        ([0.03], [0.03]),
        ([0.6, 0.5], [1.0, 1.0]),  # at most one
        ([0.02, 0.02], [0.04, 0.04]),
        ([], []),
    ],
)
def test_holm_multiplies_by_the_number_of_tests_that_remain(p_values, corrected):
    assert claims.holm(p_values) == pytest.approx(corrected)


def test_holm_keeps_false_verdicts_rare_in_a_family(rng):
    p_values = rng.uniform(size=(2000, 10))  # no effect in any of ten tests
    found = np.array([claims.holm(family).min() < 0.05 for family in p_values])
    # Exactly 1 - (1 - 0.05 / 10) ** 10 for independent tests; without correction, 40 %.
    assert found.mean() == pytest.approx(1 - 0.995**10, abs=4 * np.sqrt(0.05 * 0.95 / 2000))


def test_claims_are_corrected_within_their_group_and_dataset():
    records = make_pairs([3.0, 3.2, 2.7]) + make_pairs([3.0, 3.2, 2.7], ("a@x", "b@x"))
    claim = Claim("", "a", "b", "colorfulness", group="one")
    alone = claims.judge([claim], records)[0].p_value
    others = [claim._replace(group="two"), *claims.on([claim], "x"), claim._replace(lower="c")]
    assert claims.judge([claim, *others], records)[0].p_value == alone
    assert claims.judge([claim, claim], records)[0].p_value == pytest.approx(2 * alone)


def test_claims_name_experiments_and_effects():
    assert len(claims.CLAIMS) == 113
    for claim in claims.CLAIMS:
        assert {claim.higher, claim.lower} <= set(experiments.EXPERIMENTS), claim
    assert claims.render([]).count("inconclusive: not run") == len(claims.CLAIMS)
    with pytest.raises(ValueError, match=r"smallest effect.*Received: 'psnr'"):
        claims.render([], [Claim("", "a", "b", "psnr")])


def test_rows_show_the_budget_of_both_sides():
    names = "cifar/lab-dense-regression", "cifar/lab-conv-classification-81"
    claim = Claim("dense is more colorful", *names, metric="colorfulness")
    text = claims.render(make_pairs([3.0, 3.5, 2.5], names), [claim])
    assert text.endswith("Number of tests in this family: 1.")
    names, _, cells = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[:3]
    )
    row = dict(zip(names, cells, strict=True))
    assert row["difference"] == "+3" and row["95 % interval"] == "+1.76 to +4.24"
    assert (row["epochs"], row["parameters"]) == ("3 of 100 / 3 of 70", "1")
    assert (row["seeds"], row["profile"], row["verdict"]) == ("3", "quick", "supported")


def test_lower_metric_compares_with_a_baseline():
    records = [make_record("a", s, psnr=9.0 + 0.01 * s, ssim=20.0) for s in range(3)]
    claim = Claim("", "a", "a", "ssim", "psnr", factor=2)
    verdict = claims.judge([claim], records)[0]
    assert (verdict.verdict, verdict.difference) == ("supported", pytest.approx(1.98))
    assert "| psnr" in claims.render(records, [claim])


def test_factor_multiplies_the_lower_score():
    records = []
    for seed in range(3):
        records.append(make_record("a", seed, colorfulness=18.0 + 0.01 * seed))
        records.append(make_record("b", seed, colorfulness=20.0))
    for names, factor, word in (
        ("ab", 1, "contradicted"), ("ab", 0.8, "supported"), ("ba", 1.2, "contradicted")
    ):  # fmt: skip
        claim = Claim("", *names, "colorfulness", factor=factor)
        assert claims.judge([claim], records)[0].verdict == word


@pytest.mark.skipif(not (DATA / "tfds").exists(), reason="needs CIFAR-10 in COLORKIT_DATA")
def test_sampling_errors_are_those_of_cifar10(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(DATA / "tfds"))
    rgb = np.float32(np.asarray(ck.load("cifar10", "test[:1000]")[:])) / 255
    lightness, chroma = ck.LAB.split(rgb)

    def accuracy(constant):
        colored = ck.LAB.merge(lightness, np.broadcast_to(np.float32(constant), chroma.shape))
        return np.asarray(metrics.threshold_accuracy(rgb, np.asarray(colored)))

    found = claims.EFFECTS["test_error"]
    assert found["threshold_accuracy"] == pytest.approx(accuracy([0, 0]).std() / 100, rel=0.1)
    # A share of right answers has the error of a binomial distribution.
    truth = {"vgg": 0.75, "residual": 0.865}  # about what the colored images keep
    for name, share in truth.items():
        error = np.sqrt(share * (1 - share) / 10_000)
        assert found[f"feature_preservation_{name}"] == pytest.approx(error, rel=0.02)
    # The note of Table 1: the constant baseline need not know the test images.
    training = ck.evaluation.mean_chroma(ck.load("cifar10", "train[:2000]"), ck.LAB)
    difference = accuracy(training) - accuracy(np.asarray(chroma).mean(axis=(0, 1, 2)))
    assert abs(difference.mean()) < 2e-4


def test_metrics_of_claims_and_studies_are_in_the_records():
    folder = Path(__file__).parents[2] / "figures" / "records"
    records, problems = read_all(folder)
    assert not problems
    asked = {metric for study in studies.STUDIES for metric in study.metrics.values()}
    for claim in claims.CLAIMS:
        asked |= {claim.metric, claim.lower_metric or claim.metric}
    measured = [{m for m in asked if record.value(m) is not None} for record in records]
    assert asked == set.union(*measured)
