"""Color images of any size, and keep what a network predicts for one: doubt, variants, hints."""

from colorkit.colorizer.calibration import Calibration
from colorkit.colorizer.colorizer import Colorizer
from colorkit.colorizer.doubt import Uncertainty
from colorkit.colorizer.hints import read_hints
from colorkit.colorizer.prediction import Prediction

__all__ = ["Calibration", "Colorizer", "Prediction", "Uncertainty", "read_hints"]
