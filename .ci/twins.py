"""Measure what copies and near twins of training images change in the scores of a test.

`COLORKIT_DATA=FOLDER python .ci/twins.py` evaluates the model for flowers, and gray, on all test
images of FOLDER/flowers, without copies of training images, and without near twins, and writes a
table into figures/.
"""

import os

import colorkit as ck
from colorkit.data.duplicates import SIMILARITY, copies
from colorkit.evaluation import evaluate
from colorkit.experiments.records import save_table

METRICS = "threshold_accuracy", "ab_auc_rebalanced", "psnr", "ciede2000"
KINDS = {"all": None, "without copies": SIMILARITY, "without near twins": 0.9}


def main():
    """Write the table."""
    name = f"folder:{os.environ['COLORKIT_DATA']}/flowers"
    train, test = (ck.load(name, split, size=128) for split in ("train", "test"))
    colorizer = ck.Colorizer.pretrained("flowers")
    table = [["test images", "number", *METRICS, *(f"gray: {metric}" for metric in METRICS)]]
    for kind, similarity in KINDS.items():
        images = test if similarity is None else test[~copies(test, train, similarity)]
        scores = evaluate(colorizer, images)
        values = [scores[f"{of}{metric}"] for of in ("", "gray/") for metric in METRICS]
        table.append([kind, len(images), *(f"{value:.2f}" for value in values)])
    note = f"test images of the flowers, 128 pixels; {len(train)} are for training and validation"
    print(save_table(table, "flowers_twins", ck.profile("quick"), data=note, seed=0))


if __name__ == "__main__":
    main()
