"""Shared checks of arguments. Each raises a `ValueError` that names the argument."""

import collections.abc
import math
import numbers

import keras
import numpy as np


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


def is_list(value):
    """Return whether a value is an array or another sequence, but not a string."""
    kinds = (np.ndarray, collections.abc.Sequence)
    return isinstance(value, kinds) and not isinstance(value, (str, bytes))


def check_colorizer(colorizer):
    """Raise a `ValueError` unless an argument is a `Colorizer` or another function."""
    if not callable(colorizer):
        raise ValueError(f"`colorizer` must color images. Received: {colorizer!r}")


def check_model(name, model):
    """Raise a `ValueError` unless an argument is a `keras.Model` with known inputs and outputs."""
    if not (isinstance(model, keras.Model) and getattr(model, "outputs", None)):
        raise ValueError(
            f"`{name}` must be a keras.Model whose inputs and outputs are known, functional or "
            f"built. Received: {model!r}"
        )
