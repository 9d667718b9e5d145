"""Measure how time and memory of coloring and of training grow, and draw both.

`python .ci/growth.py` measures each case in a process of its own, which shows its peak memory. It
writes figures/speed_growth.md and figures/speed_growth.png, and takes about ten minutes.
"""

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

BATCH, FILES = 8, 96
CASES = {
    "coloring": ("megapixels", (1, 3, 10, 30, 100)),
    "side": ("side of the training images", (32, 64, 128, 256)),
    "bins": ("bins", (49, 100, 196, 313)),
}


def coloring(megapixels):
    """Color an image of so many megapixels with the default model."""
    import colorkit as ck

    colorizer = ck.Colorizer.pretrained("photos")
    colorizer(np.zeros((64, 96), "uint8"))
    height = round((megapixels * 2 / 3 * 1e6) ** 0.5)
    ramp = np.linspace(0, 255, height * 3 // 2, dtype="uint8")
    image = np.broadcast_to(ramp, (height, len(ramp)))
    return lambda: colorizer(image)


def step(side, num_bins):
    """Train one step of the classifier of Champati et al., scores for every pixel."""
    import colorkit as ck

    bins = ck.ColorBins.grid(num_bins) if num_bins != 313 else ck.ColorBins.gamut()
    model = ck.models.build_conv_classification(bins.num_bins)
    loss = ck.losses.RebalancedCrossentropy(bins, neighbors=5)
    model.compile("adam", loss, jit_compile=False)
    rng = np.random.default_rng(0)
    lightness = rng.uniform(0, 100, (BATCH, side, side, 1)).astype("float32")
    chroma = rng.normal(0, 20, (BATCH, side, side, 2)).astype("float32")
    return lambda: model.train_on_batch(lightness, chroma)


def folder(count):
    """Color a folder of so many JPEG files of 640 x 480, and write the results."""
    import tempfile
    from pathlib import Path

    import skimage.data
    from PIL import Image

    import colorkit as ck
    from colorkit.data.image_files import write_picture

    place = Path(tempfile.mkdtemp())
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((640, 480)))
    paths = [place / f"{i}.jpg" for i in range(count)]
    for i, path in enumerate(paths):
        write_picture(path, np.roll(photo, 40 * i, axis=1))
    colorizer = ck.Colorizer.pretrained("photos")

    def write(index, rgb):
        write_picture(place / "colored" / paths[index].name, rgb)

    return lambda: list(colorizer.stream(paths, write))


def measure(kind, value):
    """Print the seconds of a repeated call, and the mebibytes that the first ones add."""
    work = {
        "coloring": coloring,
        "folder": folder,
        "side": lambda side: step(side, 313),
        "bins": lambda count: step(128, count),
    }[kind](value)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    laps = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        laps.append(time.perf_counter() - start)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps([min(laps), added]))


def measured(kind, value):
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, __file__, kind, str(value)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(kind, value, found, flush=True)
    return found


def draw(found):
    """Return a figure of the measurements, with lines of the expected growth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes = figure.subplots(2, len(CASES), sharex="col")
    for column, (kind, (label, values)) in enumerate(CASES.items()):
        power = 2 if kind == "side" else 1
        for row, unit in enumerate(("seconds", "added MiB")):
            measured = [found[kind, value][row] for value in values]
            axis = axes[row, column]
            axis.loglog(values, measured, "o-", label="measured")
            axis.set_ylabel(unit)
            if kind == "bins":  # the layers before the last one cost the same for any number
                axis.set_ylim(measured[-1] / 10, measured[-1] * 2)
                continue
            expected = [measured[-1] * (value / values[-1]) ** power for value in values]
            axis.loglog(values, expected, "--", color="gray", label=f"slope {power}")
            axis.legend()
        axes[0, column].set_title("coloring" if kind == "coloring" else f"training, {kind}")
        axes[1, column].set_xlabel(label)
        axes[1, column].set_xticks(values, map(str, values))
        axes[1, column].minorticks_off()
    return figure


def main():
    """Measure all cases, and write the table and the figure."""
    from colorkit import figures
    from colorkit.experiments.records import save_table

    cases = [(kind, value) for kind, (_, values) in CASES.items() for value in values]
    found = {case: measured(*case) for case in cases}
    rows = [("work", "what grows", "size", "seconds", "added MiB")]
    for (kind, value), (seconds, added) in found.items():
        work = "coloring" if kind == "coloring" else f"training step, batch {BATCH}"
        rows.append((work, CASES[kind][0], str(value), f"{seconds:.3f}", f"{added:.0f}"))
    # What `colorize` does with a folder, as the price of a large collection.
    seconds, added = measured("folder", FILES)
    hours = 1e6 * seconds / FILES * os.cpu_count() / 3600
    work = f"a folder of 640 x 480, {hours:.0f} core-hours per million images"
    rows.append((work, "images", str(FILES), f"{seconds:.3f}", f"{added:.0f}"))
    save_table(rows, "speed_growth", "quick", data="no dataset", seed=0)
    figures.save(draw(found), "speed_growth", "quick")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
