"""Plots for notebooks: functions that return matplotlib figures."""

from colorkit.figures.plots import (
    bin_map,
    color_space_slices,
    dot_plot,
    example_pictures,
    lightness_slices,
    network_diagram,
    picture_grid,
    picture_rows,
    priors_and_weights,
    save,
    temperature_strip,
    training_curves,
    vividness_curves,
)

__all__ = [
    "bin_map",
    "color_space_slices",
    "dot_plot",
    "example_pictures",
    "lightness_slices",
    "network_diagram",
    "picture_grid",
    "picture_rows",
    "priors_and_weights",
    "save",
    "temperature_strip",
    "training_curves",
    "vividness_curves",
]
