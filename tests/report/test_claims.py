from pathlib import Path

import pytest
from scipy import stats

from colorkit import experiments
from colorkit.experiments.records import read_all
from colorkit.report import claims, studies
from colorkit.report.claims import Claim
from tests.report.test_tables import make_record


def judge(differences, profiles=("quick", "quick")):
    records = []
    for seed, difference in enumerate(differences):
        records.append(make_record("a", seed, profiles[0], psnr=20.0 + seed + difference))
        records.append(make_record("b", seed, profiles[1], psnr=20.0 + seed))
    # A larger profile that only one experiment has must not hide the other seeds.
    records.append(make_record("a", 0, "full", psnr=0.0))
    return claims.judge(Claim("a beats b", "a", "b", "psnr"), records)


def test_verdict_follows_the_confidence_interval():
    assert judge([1.0, 1.1, 0.9]).verdict == "supported"
    assert judge([-1.0, -1.1, -0.9]).verdict == "contradicted"
    assert judge([1.0, -1.1, 0.9]).verdict == "inconclusive"
    verdict = judge([1.0, 2.0, 3.0])
    assert (verdict.difference, verdict.seeds) == (pytest.approx(2.0), 3)
    low, high = stats.ttest_rel([21, 23, 25], [20, 21, 22]).confidence_interval(0.95)
    assert verdict.margin == pytest.approx((high - low) / 2)


def test_equal_differences_have_no_margin():
    verdict = judge([1.0, 1.0, 1.0])
    assert (verdict.verdict, verdict.margin) == ("supported", 0)


def test_one_seed_or_different_profiles_are_inconclusive():
    verdict = judge([1.0])
    assert (verdict.verdict, verdict.difference, verdict.seeds) == ("inconclusive", 1, 1)
    assert judge([1.0, 1.0, 1.0], ("quick", "smoke")).seeds == 0
    assert judge([]).seeds == 0


def test_claims_name_experiments():
    assert len(claims.CLAIMS) == 99
    for claim in claims.CLAIMS:
        assert {claim.higher, claim.lower} <= set(experiments.EXPERIMENTS), claim
    assert claims.render([]).count("inconclusive") == len(claims.CLAIMS)


def test_lower_metric_compares_with_a_baseline():
    records = [make_record("a", s, psnr=9.0 + 0.01 * s, ssim=20.0) for s in range(3)]
    claim = Claim("", "a", "a", "ssim", "psnr", factor=2)
    verdict = claims.judge(claim, records)
    assert (verdict.verdict, verdict.difference) == ("supported", pytest.approx(1.98))
    assert "| psnr" in claims.render(records, [claim])


def test_factor_multiplies_the_lower_score():
    records = []
    for seed in range(3):
        records.append(make_record("a", seed, psnr=9.0 + 0.01 * seed))
        records.append(make_record("b", seed, psnr=10.0))
    assert claims.judge(Claim("", "a", "b", "psnr"), records).verdict == "contradicted"
    assert claims.judge(Claim("", "a", "b", "psnr", factor=0.8), records).verdict == "supported"
    assert claims.judge(Claim("", "b", "a", "psnr", factor=1.2), records).verdict == "contradicted"


def test_metrics_of_claims_and_studies_are_in_the_records():
    folder = Path(__file__).parents[2] / "figures" / "records"
    records, problems = read_all(folder)
    assert not problems
    asked = {metric for study in studies.STUDIES for metric in study.metrics.values()}
    for claim in claims.CLAIMS:
        asked |= {claim.metric, claim.lower_metric or claim.metric}
    measured = [{m for m in asked if record.value(m) is not None} for record in records]
    assert asked == set.union(*measured)
