"""Calibrate the models of the package on validation images of their training.

`COLORKIT_DATA=FOLDER COLORKIT_PHOTOS=NAMES TFDS_DATA_DIR=FOLDER python .ci/calibrate.py` writes the
models into runs/calibrated, and a table into figures/. NAMES are those that the model for
photographs was trained on, with their shares, such as "folder:tiny*36+caltech*10". No network
learned from validation images, and no table shows them. They count as often as training showed
images of their kind.
"""

import json
import os
from importlib import resources

import numpy as np

import colorkit as ck
from colorkit.experiments import experiment, splits
from colorkit.experiments.records import save_table

MOST = 800  # images per model; fewer from the large folders of a mixture


def sources():
    """Return the experiment and the images of each model."""
    return {
        "cifar10": ("cifar/lab-residual-unet", "cifar10"),
        "flowers": ("flowers/residual-unet", f"folder:{os.environ['COLORKIT_DATA']}/flowers"),
        "photos": ("photos/pretrained-unet", os.environ["COLORKIT_PHOTOS"]),
    }


def held_out(model):
    """Return validation images of a model's training, some of them if there are many."""
    name, source = sources()[model]
    pool = ck.load(source)
    kept, rest = splits.held_out(pool, experiment(name).data.validation_split, seed=0)
    record = json.loads((resources.files("colorkit.weights") / f"{model}.json").read_text())
    sizes = record["sizes"]  # training also left copies of validation images out
    if len(kept) != sizes["validation"] or not 0 <= len(rest) - sizes["train"] <= len(rest) / 1000:
        raise ValueError(f"{source} must be the images of {model!r}. Expected: {sizes}")
    images = pool[kept]
    weights = np.ones(len(images)) if images.weights is None else images.weights
    share = np.minimum(1, MOST * weights / weights.sum())
    chosen = np.random.default_rng(0).random(len(images)) < share
    images = images[np.flatnonzero(chosen)]
    images.weights = (weights / share)[chosen]
    return images


def main():
    """Calibrate each model, and save the table."""
    rows = [["model", "calibrated on validation images of", "number", "coverage", "least shares"]]
    for model, (name, _) in sources().items():
        colorizer = ck.Colorizer.load(resources.files("colorkit.weights") / f"{model}.keras")
        images = held_out(model)
        calibrated = colorizer.calibrated(images)
        calibrated.save(f"runs/calibrated/{model}.keras")
        found = calibrated.calibration
        limits = ", ".join(f"{limit:.4f}" for limit in found.limits)
        rows.append([model, name, str(found.images), f"{found.coverage:.0%}", limits])
        print(rows[-1], flush=True)
    save_table(rows, "15_calibration", "full", data="validation images as named", seed=0)


if __name__ == "__main__":
    main()
