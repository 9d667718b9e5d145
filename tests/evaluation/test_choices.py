import keras
import numpy as np
import pytest

import colorkit as ck
from tests.colorizer.conftest import untrained


@pytest.fixture(scope="module")
def colorizer():
    keras.utils.set_random_seed(0)
    return untrained()


@pytest.fixture(scope="module")
def picture():
    return np.asarray(ck.load("photos", size=48)[5])


def test_true_hints_bring_the_colors_nearer_to_the_truth(colorizer, picture):
    rows = ck.evaluation.measure_hints(colorizer, [picture], (0, 20))
    before, after = rows["colorizer"]
    assert after < 0.8 * before
