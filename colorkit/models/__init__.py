"""Model builders: sizes in, an uncompiled functional `keras.Model` from lightness out."""

from colorkit.models.cifar import (
    build_conv_classification,
    build_conv_regression,
    build_dense_regression,
)
from colorkit.models.classifier import (
    build_residual_classifier,
    build_vgg_classifier,
    load_classifier,
)
from colorkit.models.unet import build_residual_unet
from colorkit.models.vgg import build_vgg_features

__all__ = [
    "build_conv_classification",
    "build_conv_regression",
    "build_dense_regression",
    "build_residual_classifier",
    "build_residual_unet",
    "build_vgg_classifier",
    "build_vgg_features",
    "load_classifier",
]
