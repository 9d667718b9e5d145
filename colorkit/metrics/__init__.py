"""Keras metrics of colored images, and the functions that they average.

Most take `y_true`, then `y_pred`: RGB in [0, 1] of shape `(N, height, width, 3)`. The classes
return means over all images, or over all pixels, since the last reset. `sample_weight` is one
weight per image. Values outside [0, 1] raise an error in arrays. Inside `compile`, metrics cannot
check them. There, SSIM and CIEDE2000 call scikit-image; on TensorFlow they need
`jit_compile=False`.
"""

from colorkit.metrics.coherence import (
    Bleeding,
    ChromaGradientError,
    bleeding,
    chroma_gradient_error,
)
from colorkit.metrics.recognition import FeaturePreservation, MaskIoU
from colorkit.metrics.similarity import (
    CIEDE2000,
    PSNR,
    SSIM,
    AbAUC,
    ThresholdAccuracy,
    ab_auc,
    ciede2000,
    psnr,
    ssim,
    threshold_accuracy,
)
from colorkit.metrics.steadiness import color_distribution_consistency, warp_error
from colorkit.metrics.vividness import Colorfulness, DominantHue, OccupiedBins, colorfulness

__all__ = [
    "CIEDE2000", "PSNR", "SSIM", "AbAUC", "Bleeding", "ChromaGradientError", "Colorfulness",
    "DominantHue", "FeaturePreservation", "MaskIoU", "OccupiedBins", "ThresholdAccuracy",
    "ab_auc", "bleeding", "chroma_gradient_error", "ciede2000", "color_distribution_consistency",
    "colorfulness", "psnr", "ssim", "threshold_accuracy", "warp_error",
]  # fmt: skip
