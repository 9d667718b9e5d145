"""Color black-and-white images with Keras 3, and train and measure the networks that do it.

`Colorizer` colors images of any size. `load` and `pairs` prepare training data for networks of
`colorkit.models`, or your own, with losses of Keras or `colorkit.losses`. `evaluate` and `compare`
measure colorizers, `evaluate_pairs` measures images that any program colored, and the metrics of
`colorkit.metrics` work in `compile`. `run` trains the experiments of the papers. `LAB`, `RGB` and
`YUV` are color spaces, see `colorkit.color.spaces`.

In examples, `ck` is this package, `np` is NumPy, and the public names of the module are imported.

Example:
    >>> import colorkit as ck
    >>> colorizer = ck.Colorizer.pretrained("cifar10")
    >>> colorizer(np.full((32, 32), 128, "uint8")).shape
    (32, 32, 3)
"""

import importlib
import os
import sys

__version__ = "0.1.0"

# Public name -> module that defines it.
_NAMES = {
    "ColorBins": "color.bins",
    "class_weights": "color.priors",
    "color_prior": "color.priors",
    "smooth_prior": "color.priors",
    "LAB": "color.spaces",
    "RGB": "color.spaces",
    "YUV": "color.spaces",
    "lab_to_rgb": "color.spaces",
    "rgb_to_lab": "color.spaces",
    "rgb_to_yuv": "color.spaces",
    "to_gray": "color.spaces",
    "yuv_to_rgb": "color.spaces",
    "load": "data.datasets",
    "pairs": "data.batches",
    "Colorizer": "colorizer",
    "evaluate": "evaluation",
    "compare": "evaluation",
    "evaluate_pairs": "evaluation",
    "profile": "experiments.definition",
    "run": "experiments.run",
}
# Public modules, also under the names that they had before.
_MODULES = {
    "aging": "data.aging",
    "claims": "report.claims",
    "color": "color",
    "comparison": "evaluation.comparison",
    "data": "data",
    "distances": "metrics.distances",
    "duplicates": "data.duplicates",
    "evaluation": "evaluation",
    "experiments": "experiments",
    "figures": "figures",
    "files": "files",
    "gradients": "color.edges",
    "hardware": "experiments.hardware",
    "images": "data.images",
    "layers": "layers",
    "losses": "losses",
    "metrics": "metrics",
    "models": "models",
    "page": "page",
    "pictures": "data.image_files",
    "pipeline": "data.batches",
    "prediction": "colorizer.prediction",
    "report": "report",
    "results": "experiments.records",
    "studies": "report.studies",
    "tables": "report.tables",
    "training": "experiments.run",
    "turing": "evaluation.turing",
    "video": "data.video",
}
__all__ = ["__version__", *_NAMES, *_MODULES]


def __getattr__(name):
    """Import a public name when it is first used."""
    if name in _NAMES:
        value = getattr(importlib.import_module(f"colorkit.{_NAMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"colorkit.{_MODULES[name]}")
    else:
        raise AttributeError(f"module 'colorkit' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return __all__


# Keras finds the classes of saved models only if they are registered. The command line imports
# this package first, as `python -m colorkit` or `colorkit`, and must answer `--help` at once.
_program = os.path.splitext(os.path.basename(sys.argv[0]))[0] if sys.argv else ""
if not (_program == "colorkit" or (_program == "-m" and "colorkit" in sys.orig_argv)):
    for _module in ("layers", "losses", "metrics", "models"):
        importlib.import_module(f"colorkit.{_module}")
