import dataclasses

import numpy as np
import pytest
import scipy.stats


def test_entropy_is_that_of_scipy(colorizer, picture):
    kept = colorizer.prediction(picture)
    expected = scipy.stats.entropy(kept.probabilities(), base=2, axis=-1)
    found, most = kept.uncertainty(), np.log2(colorizer.bins.num_bins)
    np.testing.assert_allclose(found.entropy, expected, atol=1e-3)
    assert found.sureness == pytest.approx(1 - expected.mean() / most, abs=1e-4)
    assert found.doubt.shape == picture.shape[:2]


def test_sets_without_a_calibration_say_how_to_calibrate(colorizer, picture):
    found = dataclasses.replace(colorizer.uncertainty(picture), sets=None)
    with pytest.raises(ValueError, match=r"colorizer.calibrated\(images\).save\(path\)"):
        assert found.sizes
