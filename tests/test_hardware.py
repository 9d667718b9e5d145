import os

from colorkit import hardware


def test_description_names_the_cores():
    assert f"{os.cpu_count()} cores" in hardware.describe()


def test_precision_and_compilation_follow_the_accelerator(monkeypatch):
    monkeypatch.setattr(hardware, "accelerators", lambda: ["gpu:0"])
    monkeypatch.setattr(hardware, "_accelerator_multiplies_bfloat16", lambda: False)
    assert hardware.fast_precision() == "float32"
    monkeypatch.setattr(hardware, "_accelerator_multiplies_bfloat16", lambda: True)
    assert hardware.fast_precision() == "mixed_bfloat16"
    assert hardware.jit_compile() == "auto"
    monkeypatch.setattr(hardware, "accelerators", list)
    monkeypatch.setattr(hardware, "_cpuinfo", lambda: "flags: sse4_2 avx2")
    assert hardware.fast_precision() == "float32"
    monkeypatch.setattr(hardware, "_cpuinfo", lambda: "flags: amx_bf16 avx2")
    assert hardware.fast_precision() == "mixed_bfloat16"
