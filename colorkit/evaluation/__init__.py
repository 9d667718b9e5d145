"""Evaluate colorizers with every metric, beside the trivial baselines."""

from colorkit.evaluation.choices import measure_doubt, measure_hints, measure_variants
from colorkit.evaluation.comparison import compare
from colorkit.evaluation.pair_scores import PairScores
from colorkit.evaluation.pairs import evaluate_pairs
from colorkit.evaluation.scores import (
    VERSION,
    curve,
    evaluate,
    evaluate_classifier,
    inverse_frequency,
    mean_chroma,
    measure_baselines,
    temperature_curve,
)

__all__ = [
    "VERSION",
    "PairScores",
    "compare",
    "curve",
    "evaluate",
    "evaluate_classifier",
    "evaluate_pairs",
    "inverse_frequency",
    "mean_chroma",
    "measure_baselines",
    "measure_doubt",
    "measure_hints",
    "measure_variants",
    "temperature_curve",
]
