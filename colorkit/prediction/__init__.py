"""What a network predicts for one image, kept: doubt, variants and hints follow from it."""

from colorkit.prediction.calibration import Calibration
from colorkit.prediction.doubt import Uncertainty
from colorkit.prediction.hints import read_hints
from colorkit.prediction.kept import Prediction

__all__ = ["Calibration", "Prediction", "Uncertainty", "read_hints"]
