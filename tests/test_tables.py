import dataclasses

import pytest

from colorkit import claims, experiments, results, tables
from colorkit.claims import Claim


def make_record(name, seed=0, profile="quick", **metrics):
    return results.Record(
        experiment=name, profile=profile, data="cifar10", sizes={"test": 10_000}, seed=seed,
        epochs=3, images_seen=1, minutes=1.0, parameters=1, metrics=metrics, settings={},
        **results.circumstances(),
    )  # fmt: skip


def test_every_row_is_an_experiment_and_every_published_number_stands():
    rows = [row for table in tables.TABLES for row in table.rows]
    for row in rows:
        assert row.audited in experiments.EXPERIMENTS, row
        assert (row.published or row.audited) in experiments.EXPERIMENTS, row
    text = tables.render([])
    # Tables 1 to 7 of the paper, every cell that is no N/A.
    published = (
        "100.00 91.05 81.44 73.40 91.22 94.08 95.58 92.88 95.68 95.82 95.71 95.85 66.68 40.76 "
        "74.66 74.41 74.65 76.46 75.62 76.65 94.60 94.39 94.26 95.56 95.40 95.25 95.57 74.79 "
        "73.57 74.92 76.74 75.97 76.94 76.77 76.45 76.23"
    )
    for number in published.split(" "):
        assert number in text, number


def test_columns_are_the_published_and_the_audited_protocol():
    name = "cifar/lab-conv-classification-81"
    records = [
        make_record(name, **{"published/threshold_accuracy": 0.91, "threshold_accuracy": 0.92}),
        make_record(f"{name}-centered", threshold_accuracy=0.93),
    ]
    line = next(
        line for line in tables.render(records).splitlines() if line.startswith("| 81 bins")
    )
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["81 bins", "95.58", "91.00", "93.00", "quick", "1"]


def test_numbers_are_means_over_seeds_of_the_best_profile():
    name = "cifar/lab-conv-regression"
    records = [
        make_record(name, profile="full", seed=seed, threshold_accuracy=value)
        for seed, value in enumerate((0.95, 0.96, 0.97))
    ]
    records.append(make_record(name, seed=3, threshold_accuracy=0.5))
    line = next(
        line for line in tables.render(records).splitlines()
        if line.startswith("| convolution only, Lab")
    )  # fmt: skip
    assert "96.00 ± 1.00" in line and "full" in line and "50" not in line


def test_stand_ins_never_carry_the_numbers_of_the_paper():
    for line in tables.render([]).splitlines():
        if "own classifier" in line or "first layer only" in line:
            assert not any(character.isdigit() for character in line.split("|")[2])


def test_summary_and_overview_name_what_was_run():
    records = [make_record("cifar/lab-residual-unet", threshold_accuracy=0.966)]
    assert "96.60" in tables.summary(records)
    assert "cifar/lab-residual-unet" in tables.overview(records)


def judged(differences, profiles=("quick", "quick")):
    records = []
    for seed, difference in enumerate(differences):
        records.append(make_record("a", seed, profiles[0], psnr=20.0 + seed + difference))
        records.append(make_record("b", seed, profiles[1], psnr=20.0 + seed))
    return claims.judge(Claim("a beats b", (("a", "b"),), "psnr"), records)


def test_claims_hold_where_the_interval_excludes_zero():
    assert judged([1.0, 1.1, 0.9]).verdict == "holds"
    assert judged([-1.0, -1.1, -0.9]).verdict == "does not hold"
    assert judged([1.0, -1.1, 0.9]).verdict == "cannot be told"
    verdict = judged([1.0, 2.0, 3.0])
    # Student's t with two degrees of freedom: 4.303 standard errors of the mean.
    assert (verdict.difference, verdict.seeds) == (pytest.approx(2.0), 3)
    assert verdict.margin == pytest.approx(4.3027 / 3**0.5, rel=1e-4)


def test_one_seed_or_different_profiles_tell_nothing():
    assert judged([1.0]).verdict == "cannot be told"
    assert judged([1.0, 1.0, 1.0], ("quick", "full")).verdict == "cannot be told"
    assert judged([]).seeds == 0


def test_claims_are_about_experiments():
    for claim in claims.CLAIMS:
        for name in [name for pair in claim.pairs for name in pair]:
            assert name in experiments.EXPERIMENTS, (claim.text, name)
    assert claims.render([]).count("cannot be told") == len(claims.CLAIMS)
    assert dataclasses.is_dataclass(Claim)
