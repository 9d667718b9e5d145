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


def test_measures_of_choices_refuse_what_they_cannot_measure(colorizer, picture):
    with pytest.raises(ValueError, match="need a calibration"):
        ck.evaluation.measure_doubt(colorizer, [picture])
    regression = ck.Colorizer(ck.models.build_unet(widths=(8, 16)), space="yuv")
    with pytest.raises(ValueError, match=r"`colorizer` must be in LAB\. Received one in yuv"):
        ck.evaluation.measure_doubt(regression, [picture])
    with pytest.raises(ValueError, match="`n` must be a whole number of at least 2"):
        ck.evaluation.measure_variants(colorizer, [picture], n=1)
    for measure in ("measure_doubt", "measure_variants", "measure_hints"):
        with pytest.raises(ValueError, match="`images` must hold at least one image"):
            getattr(ck.evaluation, measure)(colorizer, [])
