"""Model builders: sizes in, an uncompiled functional `keras.Model` from lightness out."""

from colorkit.models.cifar import (
    build_conv_classification,
    build_conv_regression,
    build_dense_regression,
)

__all__ = ["build_conv_classification", "build_conv_regression", "build_dense_regression"]
