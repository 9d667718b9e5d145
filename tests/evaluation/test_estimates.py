import numpy as np
import pytest
import scipy.stats

from colorkit.evaluation.estimates import bootstrap, ratio


def test_mean_has_the_usual_standard_error(rng):
    values = rng.normal(size=50)
    estimate = ratio(values, np.ones(50))
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.error == pytest.approx(scipy.stats.sem(values))


def test_error_of_a_ratio_is_its_spread_over_samples(rng):
    counts = rng.uniform(1, 5, (2000, 60))
    totals = counts * rng.normal(2, 1, counts.shape)
    estimates = [ratio(*pair) for pair in zip(totals, counts, strict=True)]
    spread = np.std([estimate.value for estimate in estimates])
    assert np.mean([estimate.error for estimate in estimates]) == pytest.approx(spread, rel=0.05)


def test_difference_has_a_paired_error(rng):
    first, ones = rng.normal(size=40), np.ones(40)
    second = first + rng.normal(0, 0.01, 40)
    gap = ratio(first, ones).minus(ratio(second, ones))
    assert gap.error == pytest.approx(scipy.stats.sem(first - second))


def test_change_of_units_follows_the_slope(rng):
    values = rng.uniform(1, 2, 40)
    estimate = ratio(values, np.ones(40))
    decibels = estimate.mapped(lambda x: 10 * np.log10(x), 10 / np.log(10) / estimate.value)
    near = ratio(values + 1e-6, np.ones(40)).value
    assert decibels.value == pytest.approx(10 * np.log10(values.mean()))
    slope = (10 * np.log10(near) - decibels.value) / (near - estimate.value)
    assert decibels.error == pytest.approx(slope * estimate.error, rel=1e-3)


def test_bootstrap_agrees_with_the_standard_error_of_a_mean(rng):
    values = rng.normal(size=50)
    estimate = bootstrap(values, lambda total: total / 50, 50, draws=2000)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.error == pytest.approx(scipy.stats.sem(values), rel=0.1)


def test_single_image_has_no_error():
    assert np.isnan(ratio(np.ones(1), np.ones(1)).error)
    assert np.isnan(bootstrap(np.ones(1), float, 1).error)


def test_bootstrap_of_few_groups_is_not_too_small(rng):
    values = rng.normal(size=(2000, 4, 1))
    errors = [bootstrap(each, lambda total: total[0] / 4, 4, 100).error for each in values]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(1 / np.sqrt(4), rel=0.05)
