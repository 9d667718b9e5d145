import numpy as np
import pytest

from colorkit.checks import check_share, check_weight, check_whole


def test_whole_numbers_are_python_or_numpy_integers_within_bounds():
    check_whole("seed", 0, 0)
    check_whole("seed", np.int64(3), 0, 3)
    for value in (0, -1, 1.0, "1", True, None, np.float32(2)):
        with pytest.raises(ValueError, match="`seed` must be a positive whole number"):
            check_whole("seed", value)
    for least, most, expected in ((1, np.inf, "a positive whole"), (0, np.inf, "of at least 0"),
                                  (0, 9, "from 0 to 9")):  # fmt: skip
        with pytest.raises(ValueError, match=rf"`seed` must be .*{expected}.*Received: 10\.5"):
            check_whole("seed", 10.5, least, most)


def test_weights_are_finite_and_not_negative():
    check_weight("weight", 0)
    for value in (-1, np.inf, np.nan, None, "1"):
        with pytest.raises(ValueError, match="`weight` must be a finite, non-negative number"):
            check_weight("weight", value)


def test_shares_are_from_0_to_less_than_1():
    check_share("dropout", 0)
    check_share("dropout", np.float32(0.5))
    for value in (1, -0.1, np.nan, "half", None):
        with pytest.raises(ValueError, match="`dropout` must be a number from 0 to less than 1"):
            check_share("dropout", value)
