"""What this machine computes with."""

import os
import platform
from pathlib import Path

import keras


def accelerators():
    """Names of the GPUs and TPUs that the active backend uses, such as "gpu:0"."""
    if keras.backend.backend() == "torch":
        import torch

        return [f"gpu:{i}" for i in range(torch.cuda.device_count())]
    return [device for device in keras.distribution.list_devices() if not device.startswith("cpu")]


def describe():
    """Processor, number of cores and accelerators, for records."""
    processor = platform.processor() or platform.machine()
    for line in _cpuinfo().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    return ", ".join([f"{processor}, {os.cpu_count()} cores", *accelerators()])


def fast_precision():
    """Name of the dtype policy for training: "mixed_bfloat16" where the hardware multiplies it."""
    fast = accelerators() or "amx_bf16" in _cpuinfo()
    return "mixed_bfloat16" if fast else "float32"


def jit_compile():
    """What `compile` should be told: on a CPU, TensorFlow's convolutions outrun XLA's by far."""
    on_cpu = keras.backend.backend() == "tensorflow" and not accelerators()
    return False if on_cpu else "auto"


def _cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
