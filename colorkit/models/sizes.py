"""Find which input sizes a network accepts, and the size of its output."""

import keras

# Sides of a network's input may have to be multiples of a power of two, or of three times one.
_MULTIPLES = sorted(2**n * m for n in range(9) for m in (1, 3) if 2**n * m <= 256)
# Multiples of these numbers are tried. They leave every remainder of a division by 4, and none is
# a multiple of 3. The second size is larger, so that a constant output size is not a division.
_FACTORS = ((37, 46), (200, 71))


class _Call(keras.Operation):
    """Call a model and let Keras infer shapes from its operations, not from its declared shape."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def call(self, x):
        return self.model(x, training=False)


def size_rule(model):
    """Find the input sizes that a model accepts, and the size of its output.

    Returns the smallest multiples, `(rows, columns)`, that the sides of its input must be, with 1
    for a fixed side; and the output stride. Without such a rule, a `ValueError` is raised.
    """
    fixed = model.inputs[0].shape[1:3]
    complaint = cause = None
    for multiple in _MULTIPLES if None in fixed else (1,):
        sizes = [
            tuple(side or multiple * factor for side, factor in zip(fixed, factors, strict=True))
            for factors in _FACTORS
        ]
        try:
            made = [tuple(model.compute_output_shape((1, *size, 1))[1:3]) for size in sizes]
            stride = _common_stride(sizes, made)
            if stride is None:
                wrong = "Received an output of {} x {} for an input of {} x {}"
                complaint = complaint or wrong.format(*made[0], *sizes[0])
                continue
            if None in fixed:
                # The shape that Keras gives for a `Concatenate` is right only if its inputs fit.
                _Call(model).compute_output_spec(keras.KerasTensor((1, *sizes[0], 1)))
        except Exception as error:  # its type depends on the backend and on the layer
            cause = error
            continue
        return tuple(1 if side else multiple for side in fixed), stride
    raise ValueError(
        "`model` must keep height and width, or every second, fourth, ... row and column, at least "
        f"where sides are multiples of a number up to {_MULTIPLES[-1]}. "
        f"{complaint or f'It fails at every tested size: {cause}'}"
    ) from cause


def output_stride(model):
    """Return the distance in pixels between predictions, a power of two: 4 for every fourth."""
    return size_rule(model)[1]


def _common_stride(sizes, made):
    """Return the smallest power of two that divides all sizes, rounding up, or `None`."""
    # Take the smallest: for an image so small that several fit, all give the same result.
    for stride in (2**n for n in range((2 * min(map(max, sizes)) - 1).bit_length())):
        if made == [tuple(-(-side // stride) for side in size) for size in sizes]:
            return stride
    return None
