"""Print what the benchmarks noted, as ratios against the peer measured in the same run."""

import keras

from colorkit.experiments.hardware import describe


def pytest_terminal_summary(terminalreporter, config):
    session = getattr(config, "_benchmarksession", None)
    noted = [(b.name, b.extra_info) for b in session.benchmarks if b.extra_info] if session else []
    if not noted:
        return
    terminalreporter.section("ratios and memory")
    terminalreporter.line(f"{describe()}, Keras on {keras.backend.backend()}")
    for name, info in noted:
        for key, value in info.items():
            value = f"{value:.3g}" if isinstance(value, float) else value
            terminalreporter.line(f"{name}: {key.replace('_', ' ')}: {value}")
