import json

import numpy as np
import pytest

from colorkit.evaluation.estimates import ratio
from colorkit.evaluation.pair_scores import PairScores, disagreements, preferences


def estimate(*values):
    return ratio(np.array(values), np.ones(len(values)))


@pytest.fixture
def estimates():
    """Gray has the higher PSNR for every image, and the lower threshold accuracy in the mean."""
    return {
        "psnr": {"colored": estimate(20.0, 24.0), "gray": estimate(21.0, 25.5)},
        "psnr_pooled": {"colored": estimate(21.5, 21.5), "gray": estimate(22.0, 22.0)},
        "threshold_accuracy": {"colored": estimate(0.9, 0.98), "gray": estimate(0.92, 0.92)},
        "ciede2000": {"colored": estimate(9.0, 9.2), "gray": estimate(12.0, 5.0)},
    }


def test_preferences_name_metric_lead_and_certainty(estimates):
    warnings = preferences(estimates)
    assert set(warnings) == {"gray_preferred"}
    text = warnings["gray_preferred"]
    assert "psnr by 1.25 ± 0.25," in text  # the errors of 1 and 1.5 are paired
    assert "ciede2000 by 0.6 ± 3.6 (uncertain)" in text
    assert "threshold_accuracy" not in text


@pytest.mark.parametrize(
    ("metric", "number", "agrees"),
    [
        ("psnr", 22.0, None),
        ("psnr", 21.5, "of the pooled error"),
        ("psnr", 22 + 20 * np.log10(255), "with a range of 255 for values in [0, 1]"),
        ("threshold_accuracy", 94.0, None),  # in percent
    ],
)
def test_reported_numbers_are_compared_with_variants(metric, number, agrees, estimates):
    # Equal images, so that no sampling error hides a difference.
    own = {m: {k: estimate(e.value, e.value) for k, e in f.items()} for m, f in estimates.items()}
    own["threshold_accuracy_euclidean"] = own["threshold_accuracy"]
    warnings = disagreements({metric: number}, own)
    if agrees is None:
        assert warnings == {}
    else:
        assert f"agrees with the variant {agrees}" in warnings[f"{metric}_variant"]


def test_rows_have_percent_errors_and_direction(estimates):
    header, *rows = PairScores(estimates, {}, {}, 2, 0).rows()
    assert header == ("", "colored", "gray", "better", "pairs")
    assert rows[0] == ("psnr", "22.0 ± 2.0", "23.2 ± 2.2", "higher", "2")
    assert rows[2] == ("threshold_accuracy, %", "94.0 ± 4.0", "92", "higher", "2")
    assert rows[3][3] == "lower"


def test_dict_is_json_without_nan(estimates):
    single = {"psnr": {"colored": estimate(20.0)}}
    scores = PairScores(single, {}, {}, 1, 0).to_dict()
    text = json.dumps(scores, allow_nan=False)
    assert json.loads(text)["scores"][0]["standard_error"] is None
