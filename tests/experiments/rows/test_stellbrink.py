import numpy as np
import pytest
from scipy.special import softmax

from colorkit import experiments
from colorkit.experiments.rows import stellbrink


@pytest.mark.parametrize("side", stellbrink.SIDES)
def test_rows_of_one_size_learn_from_the_same_pictures(side):
    rows = [
        row
        for row in stellbrink.ROWS
        if row.name.removesuffix("-as-published").endswith(f"-{side}")
    ]
    assert len({(row.data.name, row.data.splits, row.data.size) for row in rows}) == 1
    for row in rows:
        if row.base is not None:
            base = experiments.experiment(row.base)
            assert base in rows and base.base is None


def test_published_branch_begins_with_scores_that_a_sigmoid_squashes(rng):
    row = experiments.experiment("coherence/published-32")
    base = experiments.experiment(row.base)
    network = base.build(0.05, 313, **base.build_options)
    head = network.get_layer("logits")
    head.set_weights([30 * rng.normal(size=w.shape) for w in head.get_weights()])
    scores = network.predict(rng.uniform(0, 100, (1, 32, 32, 1)), verbose=0)
    most = softmax(np.float64(scores), axis=-1).max()
    assert 1 / 313 < most <= np.e / (np.e + 312) + 1e-6, "one score is 1 and all others are 0"


def test_what_is_trained_at_a_temperature_is_decoded_at_it():
    trained_at = [row for row in stellbrink.ROWS if "temperature" in row.objective.loss_options]
    assert len(trained_at) == len(stellbrink._STEPS) * len(stellbrink.SIDES)
    for row in trained_at:
        assert row.decoding.temperature == row.objective.loss_options["temperature"]
