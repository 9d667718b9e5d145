"""Automatic image colorization with Keras 3.

Each name is imported when it is first used, so that the command line answers `--help` at once.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "aging",
        "claims",
        "comparison",
        "data",
        "distances",
        "evaluation",
        "experiments",
        "figures",
        "gradients",
        "hardware",
        "images",
        "layers",
        "losses",
        "metrics",
        "models",
        "pictures",
        "pipeline",
        "results",
        "studies",
        "tables",
        "training",
        "turing",
        "video",
    ],
    submod_attrs={
        "bins": ["ColorBins"],
        "colorizer": ["Colorizer"],
        "comparison": ["compare"],
        "colorspace": [
            "LAB",
            "RGB",
            "YUV",
            "lab_to_rgb",
            "rgb_to_lab",
            "rgb_to_yuv",
            "to_gray",
            "yuv_to_rgb",
        ],
        "data": ["load"],
        "evaluation": ["evaluate"],
        "experiments": ["profile"],
        "pipeline": ["pairs"],
        "rebalancing": ["class_weights", "color_prior", "smooth_prior"],
        "training": ["run"],
    },
)
__all__ = [*__all__, "__version__"]
