"""Compiled functions of many images, and conversions between RGB and the planes of a space."""

import functools

import keras
import numpy as np
from keras import ops

from colorkit.color import spaces

# Pixels that a compiled conversion takes at once.
_CHUNK_PIXELS = 2**15


@functools.cache
def conversions(space):
    """Return functions of arrays: RGB to lightness, and lightness and chroma to RGB.

    They compile once, and do what `space.split` and `spaces.fit_gamut` do.
    """
    lightness, fit = _by_chunks(lambda rgb: space.split(rgb)[0]), _by_chunks(space.merge)
    if space is not spaces.LAB:
        return lightness, fit
    clip = _by_chunks(functools.partial(space.merge, keep_lightness=False))
    return lightness, functools.partial(spaces.fit_outside, clip=clip, fit=fit)


def compiled(function):
    """Compile a function of tensors with XLA, if the backend can, once per size of its inputs."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def _by_chunks(convert):
    """Compile a conversion of pixels for chunks of one size."""
    convert = compiled(convert)

    def run(*planes):
        pixels, found = [x.reshape(-1, x.shape[-1]) for x in planes], []
        for start in range(0, len(pixels[0]), _CHUNK_PIXELS):
            chunk = [x[start : start + _CHUNK_PIXELS] for x in pixels]
            count = len(chunk[0])
            chunk = [np.pad(x, ((0, _CHUNK_PIXELS - count), (0, 0))) for x in chunk]
            with keras.device("cpu"):  # in any thread, while an accelerator has the network
                found.append(ops.convert_to_numpy(convert(*chunk))[:count])
        return np.concatenate(found).reshape(*planes[0].shape[:-1], -1)

    return run
