import os
import subprocess
import sys

import keras
import pytest

from colorkit.experiments import hardware


def test_description_names_the_cores():
    assert f"{os.cpu_count()} cores" in hardware.describe()


def test_precision_and_compilation_follow_the_accelerator(monkeypatch):
    monkeypatch.setattr(hardware, "accelerators", lambda: ["gpu:0"])
    monkeypatch.setattr(hardware, "_accelerator_multiplies_bfloat16", lambda: False)
    assert hardware.fast_precision() == "float32"
    monkeypatch.setattr(hardware, "_accelerator_multiplies_bfloat16", lambda: True)
    assert hardware.fast_precision() == "mixed_bfloat16"
    assert hardware.jit_compile() == "auto"


@pytest.mark.parametrize("flag", ["avx2", "amx_bf16", "avx512_bf16"])
@pytest.mark.parametrize("seconds", [0.2, 0.95, 3.0])
def test_precision_of_a_cpu_is_the_faster_one(flag, seconds, monkeypatch):
    times = {"float32": 1.0, "mixed_bfloat16": seconds}
    monkeypatch.setattr(hardware, "accelerators", list)
    monkeypatch.setattr(hardware, "_cpuinfo", lambda: f"flags: sse4_2 {flag}")
    monkeypatch.setattr(hardware, "_step_seconds", lambda: times)
    expected = "mixed_bfloat16" if "bf16" in flag and seconds == 0.2 else "float32"
    assert hardware.fast_precision() == expected


def test_measuring_a_precision_leaves_random_numbers_and_names_as_they_are():
    found = []
    for measured in (False, True):
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        if measured:
            assert min(hardware._step_seconds.__wrapped__().values()) > 0
        layer = keras.layers.Conv2D(2, 1)
        layer.build((None, 4, 4, 1))
        found.append((layer.name, keras.ops.convert_to_numpy(layer.kernel).tolist()))
    assert found[0] == found[1]


TWO_DEVICES = """
import numpy as np, keras
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.experimental.enable_op_determinism()
from colorkit import ColorBins, models, pairs
from colorkit.losses import RebalancedCrossentropy
from colorkit.experiments.hardware import distributed

images = np.random.default_rng(0).integers(0, 256, (32, 12, 12, 3), dtype="uint8")
for kind in ("classification", "adversary"):
    results = []
    for devices in (["cpu:0"], ["cpu:0", "cpu:1"]):
        keras.utils.set_random_seed(0)
        with distributed(devices) as synchronize:
            if kind == "adversary":
                model = models.Adversarial(
                    models.build_pix2pix_generator(widths=(4, 4), dropout=0),
                    models.build_patch_discriminator(widths=(4, 4)),
                    reconstruction_weight=0.01,
                )
                loss = None
            else:
                model = models.build_conv_classification(
                    49, blocks=((8,), (8,)), dilation_rates=(1, 2)
                )
                loss = RebalancedCrossentropy(ColorBins.grid(49), np.linspace(0.5, 2, 49))
            synchronize(model)
            model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
            train = pairs(images, batch_size=16, augment=True)
            history = model.fit(train, epochs=2, shuffle=False, verbose=0)
            if keras.backend.backend() == "jax":
                batch = keras.distribution.distribution()
                assert (batch is not None) == (len(devices) == 2)
        curves = [history.history[name] for name in sorted(history.history)]
        results.append((curves, model.get_weights()))
    (one_loss, one_weights), (two_loss, two_weights) = results
    np.testing.assert_allclose(two_loss, one_loss, rtol=1e-4)
    for one, two in zip(one_weights, two_weights):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5)
print("same on", len(devices))
"""


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="no distribution on PyTorch")
def test_two_devices_compute_what_one_does():
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "same on 2" in done.stdout, done.stderr[-3000:]


def test_precision_is_set_back_after_a_failure():
    before = keras.config.dtype_policy()
    with pytest.raises(KeyError), hardware.precision("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise KeyError
    assert keras.config.dtype_policy() == before
