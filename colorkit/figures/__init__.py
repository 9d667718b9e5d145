"""Plots for notebooks: functions that return matplotlib figures."""

from colorkit.figures.plots import (
    bin_map,
    dot_plot,
    doubt,
    network_diagram,
    picture_grid,
    picture_rows,
    save,
    temperature_strip,
    training_curves,
    vividness_curves,
)

__all__ = [
    "bin_map",
    "dot_plot",
    "doubt",
    "network_diagram",
    "picture_grid",
    "picture_rows",
    "save",
    "temperature_strip",
    "training_curves",
    "vividness_curves",
]
