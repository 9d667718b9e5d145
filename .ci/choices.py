"""Measure the doubt, variants and hints of the models of the package on test images.

`COLORKIT_DATA=FOLDER python .ci/choices.py [COUNT] [doubt | variants | hints]...` takes COUNT
images of each kind, for doubt four times as many, and writes tables into figures/. If
COLORKIT_PHOTOS names the images that the model for photographs was trained on, with their shares,
as for .ci/calibrate.py, the doubt about test images with the same shares is measured, too.
"""

import os
import sys
from pathlib import Path

import numpy as np

import colorkit as ck
from colorkit import evaluation
from colorkit.data.images import drawn
from colorkit.experiments import experiment, splits
from colorkit.experiments.records import save_table

KINDS = "photos", "scenes", "faces", "flowers"
COUNTS = 0, 1, 2, 5, 10, 20, 50


def some(images, count):
    """Return at most `count` images, evenly spaced."""
    return images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)]


def tests(kind, count):
    """Return test images of a kind."""
    return some(ck.load(f"folder:{Path(os.environ['COLORKIT_DATA']) / kind}", "test"), count)


def own(model, count):
    """Return test images of the kinds that a model was trained on, as in its record."""
    if model == "photos":
        images = ck.load(os.environ["COLORKIT_PHOTOS"], "test")
        return images[drawn(images.weights, count, np.random.default_rng(0))]
    name, source = {
        "cifar10": ("cifar/lab-residual-unet", "cifar10"),
        "flowers": ("flowers/residual-unet", f"folder:{os.environ['COLORKIT_DATA']}/flowers"),
    }[model]
    row = experiment(name).but(data={"name": source, "size": None})
    return some(splits.divided(row, ck.profile("full"), 0)[2], count)


def doubt(count):
    """Yield rows of `measure_doubt` for each model, first on images of its own kind."""
    for model in ("cifar10", "flowers", "photos"):
        measured = {
            kind: tests(kind, 4 * count) for kind in KINDS if kind != model or model == "photos"
        }
        if model != "photos" or "COLORKIT_PHOTOS" in os.environ:
            measured = {"as in training": own(model, 16 * count)} | measured
        for kind, images in measured.items():
            row = evaluation.measure_doubt(ck.Colorizer.pretrained(model), images)
            yield {"model": model, "images": kind, "number": len(images), **row}


def variants(count):
    """Yield rows of `measure_variants`."""
    for kind in KINDS:
        images = tests(kind, count)
        row = evaluation.measure_variants(ck.Colorizer.pretrained("photos"), images)
        yield {"images": kind, "number": len(images), **row}


def hints(count):
    """Yield rows of `measure_hints`, one per kind of images and method."""
    for kind in KINDS:
        images = tests(kind, count)
        rows = evaluation.measure_hints(ck.Colorizer.pretrained("photos"), images, COUNTS)
        for method, values in rows.items():
            row = {"images": kind, "number": len(images), "method": method}
            yield row | dict(zip(map(str, COUNTS), values, strict=True))


def main(count=50, *names):
    """Measure what is named, or all, and save a table of each."""
    for name in names or ("doubt", "variants", "hints"):
        rows = []
        for row in globals()[name](int(count)):
            print(row, flush=True)
            rows.append(row)
        cells = [[f"{x:.3f}" if isinstance(x, float) else str(x) for x in r.values()] for r in rows]
        data = "test images as numbered" if name == "doubt" else f"{count} test images per kind"
        save_table([list(rows[0]), *cells], f"15_{name}", "quick", data=data, seed=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
