from pathlib import Path

import pytest

from colorkit import experiments
from colorkit.experiments.records import read_all
from colorkit.report import claims, studies
from colorkit.report.claims import Claim
from tests.report.test_tables import make_record


def judged(differences, profiles=("quick", "quick")):
    records = []
    for seed, difference in enumerate(differences):
        records.append(make_record("a", seed, profiles[0], psnr=20.0 + seed + difference))
        records.append(make_record("b", seed, profiles[1], psnr=20.0 + seed))
    # One seed at a better profile of one side alone must not hide the others.
    records.append(make_record("a", 0, "full", psnr=0.0))
    return claims.judge(Claim("a beats b", "a", "b", "psnr"), records)


def test_claims_hold_where_the_interval_excludes_zero():
    assert judged([1.0, 1.1, 0.9]).verdict == "supported"
    assert judged([-1.0, -1.1, -0.9]).verdict == "contradicted"
    assert judged([1.0, -1.1, 0.9]).verdict == "inconclusive"
    verdict = judged([1.0, 2.0, 3.0])
    # Student's t with two degrees of freedom: 4.303 standard errors of the mean.
    assert (verdict.difference, verdict.seeds) == (pytest.approx(2.0), 3)
    assert verdict.margin == pytest.approx(4.3027 / 3**0.5, rel=1e-4)


def test_one_seed_or_different_profiles_tell_nothing():
    assert judged([1.0]).verdict == "inconclusive"
    assert judged([1.0, 1.0, 1.0], ("quick", "smoke")).seeds == 0
    assert judged([]).seeds == 0


def test_claims_are_about_experiments():
    for claim in claims.CLAIMS:
        assert {claim.higher, claim.lower} <= set(experiments.EXPERIMENTS), claim
    assert claims.render([]).count("inconclusive") == len(claims.CLAIMS)


def test_claims_may_be_about_a_baseline_of_the_same_experiment():
    records = [make_record("a", s, psnr=9.0 + 0.01 * s, ssim=20.0) for s in range(3)]
    claim = Claim("", "a", "a", "ssim", "psnr", factor=2)
    verdict = claims.judge(claim, records)
    assert (verdict.verdict, verdict.difference) == ("supported", pytest.approx(1.98))
    assert "| psnr" in claims.render(records, [claim])


def test_claims_may_be_about_a_part_of_the_other():
    records = []
    for seed in range(3):
        records.append(make_record("a", seed, psnr=9.0 + 0.01 * seed))
        records.append(make_record("b", seed, psnr=10.0))
    assert claims.judge(Claim("", "a", "b", "psnr"), records).verdict == "contradicted"
    assert claims.judge(Claim("", "a", "b", "psnr", factor=0.8), records).verdict == "supported"
    assert claims.judge(Claim("", "b", "a", "psnr", factor=1.2), records).verdict == "contradicted"


def test_claims_and_studies_are_about_what_is_measured():
    folder = Path(__file__).parents[2] / "figures" / "records"
    records, problems = read_all(folder)
    assert not problems
    asked = {metric for study in studies.STUDIES for metric in study.metrics.values()}
    for claim in claims.CLAIMS:
        asked |= {claim.metric, claim.lower_metric or claim.metric}
    measured = [{m for m in asked if record.value(m) is not None} for record in records]
    assert asked == set.union(*measured)
