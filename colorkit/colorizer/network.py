"""Run a network for lightness of any size, alone or together with the mirror image."""

import functools
import itertools

import keras
import numpy as np
from keras import ops

from colorkit.layers import enlarge
from colorkit.models.features import feature_model
from colorkit.models.sizes import size_rule

# The network sees at most so many pixels of an image, unless its short side needs more.
NETWORK_PIXELS = 2**18


def _compiled(model):
    """Return a function that runs a network: compiled for all sizes, or on JAX per size."""
    run = functools.partial(model, training=False)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        shape = tf.TensorSpec(model.inputs[0].shape, "float32")
        graph, calls = tf.function(run, input_signature=[shape], autograph=False), itertools.count()
        # Compiling takes several times as long as a call, so the first call is not compiled.
        return lambda lightness: (graph if next(calls) else run)(lightness)
    if backend == "jax":
        import jax

        call = jax.jit(functools.partial(model.stateless_call, training=False))
        variables = model.trainable_variables, model.non_trainable_variables
        # Pass the weights, so that those of later training count.
        return lambda lightness: call(*([v.value for v in x] for x in variables), lightness)[0]
    import torch

    return torch.no_grad()(run)


class Network:
    """Run a model from lightness to chroma or logits, see `Colorizer`, for any size.

    Sides that the model does not take are padded by reflection, and its output is cropped.
    Lightness has shape `(N, height, width, 1)` and is a NumPy array.

    Args:
        model: Functional `keras.Model`. A `ValueError` is raised if no rule says which sizes it
            takes.
    """

    def __init__(self, model):
        self.model = model
        self._run = _compiled(model)
        self._multiples, self._stride = size_rule(model)

    def scores(self, lightness, mirror):
        """Return the output, averaged over mirror images if `mirror`, and its stride."""
        if not mirror:
            return self._outputs(lightness), self._stride
        count, height, width = lightness.shape[:3]
        both = lightness, lightness[:, :, ::-1]
        if 2 * lightness.size <= NETWORK_PIXELS:  # one pass, if memory allows
            both = (np.concatenate(both),)
        # With a stride, mirrored pixels differ: enlarge first, then mirror back.
        outputs = [enlarge(self._outputs(x), self._stride, height, width) for x in both]
        outputs = ops.concatenate(outputs)
        # Average logits, not colors, so that both colors stay possible where they differ.
        return (outputs[:count] + ops.flip(outputs[count:], axis=2)) / 2, 1

    def features(self, lightness):
        """Return the features of one image `(height, width, 1)`, see `Colorizer.features`."""
        if self._run_features is None:
            return []
        size = lightness.shape[:2]
        padded = self._padded(np.float32(lightness[None]))
        sides = padded.shape[1:3]
        found = []
        # A model of one output returns it without a list.
        for plane in keras.tree.flatten(self._run_features(ops.convert_to_tensor(padded))):
            # What belongs to the padding is left out.
            rows, columns = (
                max(1, round(side * own / whole))
                for side, own, whole in zip(plane.shape[1:3], size, sides, strict=True)
            )
            found.append(ops.convert_to_numpy(ops.cast(plane[0, :rows, :columns], "float32")))
        return found

    @functools.cached_property
    def _run_features(self):
        model = feature_model(self.model)
        return model and _compiled(model)

    def _padded(self, lightness):
        """Return lightness whose sides are multiples that the model takes."""
        sides = lightness.shape[1:3]
        spare = [-side % n for side, n in zip(sides, self._multiples, strict=True)]
        if any(spare):
            # Pad with NumPy, which repeats the reflection where the padding exceeds the image.
            padding = ((0, 0), (0, spare[0]), (0, spare[1]), (0, 0))
            lightness = np.pad(lightness, padding, mode="symmetric")
        return lightness

    def _outputs(self, lightness):
        """Return the model's output, of the size that belongs to the lightness."""
        sides = lightness.shape[1:3]
        lightness = self._padded(lightness)
        outputs = ops.cast(self._run(ops.convert_to_tensor(lightness)), "float32")
        if tuple(outputs.shape[1:3]) != self._divided(lightness.shape[1:3]):
            raise ValueError(
                f"`model` must keep height and width, or divide both by {self._stride}. Received "
                f"an output of {tuple(outputs.shape)} for an input of {tuple(lightness.shape)}"
            )
        if not bool(ops.all(ops.isfinite(outputs))):
            raise ValueError(
                "`model` must predict finite values. Received a NaN or an infinity: the training "
                "has diverged, or the weights are damaged. Train it again or replace the file."
            )
        rows, columns = self._divided(sides)
        return outputs[:, :rows, :columns]

    def _divided(self, sides):
        return tuple(-(-side // self._stride) for side in sides)
