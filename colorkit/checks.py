"""Shared checks of arguments. Each raises a `ValueError` that names the argument."""

import math
import numbers


def check_whole(name, value, least=1, most=math.inf):
    """Raise a `ValueError` unless an argument is a whole number from `least` to `most`."""
    if _is_number(value, numbers.Integral) and least <= value <= most:
        return
    if most < math.inf:
        expected = f"a whole number from {least} to {most}"
    elif least == 1:
        expected = "a positive whole number"
    else:
        expected = f"a whole number of at least {least}"
    raise ValueError(f"`{name}` must be {expected}. Received: {value!r}")


def check_weight(name, value):
    """Raise a `ValueError` unless an argument is a finite, non-negative number."""
    if not (_is_number(value) and 0 <= value < math.inf):
        raise ValueError(f"`{name}` must be a finite, non-negative number. Received: {value!r}")


def check_share(name, value, can_be_all=False):
    """Raise a `ValueError` unless an argument is a share: below 1, or up to 1 if `can_be_all`."""
    if not (_is_number(value) and (0 <= value < 1 or (can_be_all and value == 1))):
        most = "1" if can_be_all else "less than 1"
        raise ValueError(f"`{name}` must be a number from 0 to {most}. Received: {value!r}")


def _is_number(value, kind=numbers.Real):
    return isinstance(value, kind) and not isinstance(value, bool)
