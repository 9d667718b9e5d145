"""Calibrate the models of the package, and measure their doubt, variants and hints.

`COLORKIT_DATA=FOLDER python .ci/choices.py [COUNT] [doubt | variants | hints]...` takes COUNT
images of each kind to calibrate and as many to measure. It writes calibrated models into
runs/calibrated, and tables into figures/. CIFAR-10 calibrates on the validation images of its
training. The other models calibrate on every second image of the test folders, and the others are
measured.
"""

import os
import sys
from pathlib import Path

import numpy as np

import colorkit as ck
from colorkit import evaluation
from colorkit.experiments import experiment, splits
from colorkit.experiments.records import save_table

KINDS = "photos", "scenes", "faces", "flowers"
COUNTS = 0, 1, 2, 5, 10, 20, 50


def some(images, count):
    """Return at most `count` images, evenly spaced."""
    return images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)]


def halves(kind, count):
    """Return images of a folder to calibrate on and others to measure."""
    images = ck.load(f"folder:{Path(os.environ['COLORKIT_DATA']) / kind}", "test")
    return tuple(some(images[np.arange(i, len(images), 2)], count) for i in (0, 1))


def sets(model, count):
    """Return images to calibrate a model on, and a dict of images to measure."""
    if model == "cifar10":
        row = experiment("cifar/lab-residual-unet")
        _, validation, test = splits.divided(row, ck.profile("full"), 0)
        return list(some(validation, 4 * count)), {"cifar10": some(test, 4 * count)}
    kinds = KINDS if model == "photos" else (model,)
    pairs = {kind: halves(kind, 2 * count if model == "flowers" else count) for kind in kinds}
    held = [image for pair in pairs.values() for image in pair[0]]
    measured = {kind: pair[1] for kind, pair in pairs.items()}
    if len(kinds) > 1:
        measured["all"] = [image for images in measured.values() for image in images]
    return held, measured


def doubt(count):
    """Calibrate each model, and yield rows of `measure_doubt`."""
    for model in ("cifar10", "flowers", "photos"):
        held, measured = sets(model, count)
        colorizer = ck.Colorizer.pretrained(model).calibrated(held)
        colorizer.save(f"runs/calibrated/{model}.keras")
        others = {kind: halves(kind, count)[1] for kind in KINDS if kind not in measured}
        for kind, images in (measured | others).items():
            row = evaluation.measure_doubt(colorizer, images)
            yield {"model": model, "images": kind, "number": len(images), **row}


def variants(count):
    """Yield rows of `measure_variants`."""
    for kind in KINDS:
        images = halves(kind, count)[1]
        row = evaluation.measure_variants(ck.Colorizer.pretrained("photos"), images)
        yield {"images": kind, "number": len(images), **row}


def hints(count):
    """Yield rows of `measure_hints`, one per kind of images and method."""
    for kind in KINDS:
        images = halves(kind, count)[1]
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
