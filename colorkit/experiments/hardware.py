"""Find the devices of this machine and the precision that they compute in."""

import contextlib
import functools
import os
import platform
import re
import time
import timeit
from pathlib import Path

import keras
import numpy as np

__all__ = ["accelerators", "describe", "distributed", "fast_precision", "jit_compile", "precision"]


def accelerators():
    """Return the names of the GPUs and TPUs that the active backend uses, such as "gpu:0".

    Example:
        >>> isinstance(accelerators(), list)
        True
    """
    if keras.backend.backend() == "torch":
        import torch

        return [f"gpu:{i}" for i in range(torch.cuda.device_count())]
    return [device for device in keras.distribution.list_devices() if not device.startswith("cpu")]


def describe():
    """Return processor, number of cores and accelerators, for records.

    Example:
        >>> "cores" in describe()
        True
    """
    named = re.search(r"^model name\s*: (.*\S)", _cpuinfo(), re.MULTILINE)
    processor = named[1] if named else platform.processor() or platform.machine()
    return ", ".join([f"{processor}, {os.cpu_count()} cores", *accelerators()])


def fast_precision():
    """Return the faster dtype policy for training, "mixed_bfloat16" or "float32".

    A CPU with instructions for bfloat16 is measured with two convolutions, for about a second, as
    some such CPUs are slower with them.

    Example:
        >>> fast_precision() in ("mixed_bfloat16", "float32")
        True
    """
    if accelerators():
        fast = _accelerator_multiplies_bfloat16()
    else:
        fast = any(flag in _cpuinfo() for flag in ("amx_bf16", "avx512_bf16"))
        if fast:
            seconds = _step_seconds()
            fast = seconds["mixed_bfloat16"] < 0.9 * seconds["float32"]
    return "mixed_bfloat16" if fast else "float32"


def jit_compile():
    """Return `jit_compile` for `compile`: on a CPU, TensorFlow's convolutions are much faster.

    Example:
        >>> jit_compile() in (False, "auto")
        True
    """
    on_cpu = keras.backend.backend() == "tensorflow" and not accelerators()
    return False if on_cpu else "auto"


@contextlib.contextmanager
def precision(policy):
    """Create new layers with a dtype policy, such as "float32" or `fast_precision()`.

    Example:
        >>> with precision("mixed_bfloat16"):
        ...     layer = keras.layers.Dense(2)
        >>> layer.compute_dtype
        'bfloat16'
    """
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


@contextlib.contextmanager
def distributed(devices=None):
    """Build and train a model on all GPUs or the TPU, or on named devices, as a context manager.

    It yields a function that lets a model's batch normalization use the statistics of the whole
    batch, so that several devices compute the same as one device.

    Example:
        >>> with distributed() as synchronize:
        ...     network = ck.models.build_unet(widths=(8, 16))
        ...     synchronize(network)
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if devices is None and tf.config.list_logical_devices("TPU"):
            strategy = tf.distribute.TPUStrategy()
        else:
            devices = devices or [d.name for d in tf.config.list_logical_devices("GPU")]
            strategy = _mirrored(tuple(devices)) if len(devices) > 1 else None
        with strategy.scope() if strategy else contextlib.nullcontext():
            yield _synchronize if strategy else lambda model: None
    elif backend == "jax":
        devices = devices or keras.distribution.list_devices()
        previous = keras.distribution.distribution()
        if len(devices) > 1:
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        try:
            yield lambda model: None  # a sharded batch is already one batch
        finally:
            keras.distribution.set_distribution(previous)
    else:
        yield lambda model: None


@functools.cache
def _step_seconds():
    """Return CPU seconds of a training step of two convolutions, for each dtype policy.

    CPU time, in turn, as other processes disturb it least.
    """
    batch, steps = np.ones((16, 32, 32, 64), "float32"), {}
    for policy in ("float32", "mixed_bfloat16"):
        # Constants and names, so that seeds and the names of other layers stay as they are.
        options = {"padding": "same", "kernel_initializer": "zeros", "dtype": policy}
        layers = [keras.layers.Conv2D(64, 3, name=f"{policy}_{i}", **options) for i in range(2)]
        inputs = keras.Input((32, 32, 64), name=f"{policy}_in")
        model = keras.Sequential([inputs, *layers], name=policy)
        model.compile(keras.optimizers.SGD(0.0, name=policy), "mse", run_eagerly=True)
        steps[policy] = functools.partial(model.train_on_batch, batch, batch)
        steps[policy]()
    laps = {policy: [] for policy in steps}
    for policy in 5 * list(steps):
        laps[policy].append(timeit.timeit(steps[policy], timer=time.process_time, number=1))
    return {policy: min(times) for policy, times in laps.items()}


def _accelerator_multiplies_bfloat16():
    """Return whether it is a TPU or a GPU of compute capability 8; older GPUs emulate bfloat16."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return torch.cuda.get_device_capability()[0] >= 8
    if backend == "jax":
        import jax

        capability = getattr(jax.devices()[0], "compute_capability", "8")
        return float(capability) >= 8
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return all(entry.get("compute_capability", (8, 0))[0] >= 8 for entry in details)


@functools.cache  # a second strategy would restart the numbering of collective operations
def _mirrored(devices):
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def _synchronize(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _synchronize(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
