"""Measure what copies and near twins of training images change in the scores of a test.

`COLORKIT_DATA=FOLDER python .ci/twins.py` evaluates the model for flowers, and gray, on all test
images of FOLDER/flowers, without copies of training images, and without near twins, and writes a
table into figures/.
"""

import os

import numpy as np

import colorkit as ck
from colorkit import metrics
from colorkit.data.duplicates import SIMILARITY, alike, thumbnail
from colorkit.experiments.records import save_table

MEASURES = {
    "threshold accuracy, %": lambda *pair: 100 * np.asarray(metrics.threshold_accuracy(*pair)),
    "PSNR": metrics.psnr,
    "CIEDE2000": metrics.ciede2000,
}
KINDS = {"all": 2.0, "without copies": SIMILARITY, "without near twins": 0.9}


def main():
    """Write the table."""
    name = f"folder:{os.environ['COLORKIT_DATA']}/flowers"
    train, test = (ck.load(name, split, size=128) for split in ("train", "test"))
    truth, colorizer = np.asarray(test), ck.Colorizer.pretrained("flowers")
    columns = {}
    for of, colored in (("", np.float32(colorizer(truth) / 255)), ("gray: ", ck.to_gray(truth))):
        pair = np.float32(truth / 255), np.float32(colored)
        columns |= {f"{of}{title}": np.asarray(f(*pair)) for title, f in MEASURES.items()}
    learned, tested = ([thumbnail(rgb) for rgb in images] for images in (train, test))
    table = [("test images", "number", *columns)]
    for kind, similarity in KINDS.items():
        kept = ~alike(tested, learned, similarity)
        means = (f"{values[kept].mean():.2f}" for values in columns.values())
        table.append((kind, str(kept.sum()), *means))
    data = f"flowers of 128 pixels, of which {len(train)} are for training and validation"
    print(save_table(table, "flowers_twins", "quick", data=data, seed=0))


if __name__ == "__main__":
    main()
