"""Kill the command line at random times, start it again, and check what is left.

    python -m tests.kills --folder 40 --film 30 --training 30

Each number is a number of kills, by SIGKILL, SIGINT and SIGTERM in turn. After the last one the
command runs to its end. Its results must equal those of a run that nothing has interrupted.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.mutations import picture

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
EXPERIMENT = "cifar/lab-conv-classification-49"
EPOCHS = 6


def command(*arguments):
    """Return the arguments of the command line."""
    return [sys.executable, "-m", "colorkit", *map(str, arguments)]


def age(folder):
    """Make the files in a folder two hours old, as temporary files are kept for an hour."""
    before = time.time() - 7200
    for path in folder.rglob(".*"):
        os.utime(path, (before, before))


def interrupted(arguments, folder, kills, rng, check, outputs):
    """Kill a command at random times of its duration, and then run it to its end.

    Whenever it comes to its end before it is killed, its outputs are removed.

    Args:
        arguments: The command.
        folder: Working directory.
        kills: Number of kills.
        rng: Random generator of the times.
        check: Function that raises an `AssertionError` if the files in `folder` are not in order.
        outputs: File or folder that the command writes.

    Returns:
        Number of commands that were killed before they ended.
    """
    killed, duration = 0, 30.0
    for number in range(kills):
        process = subprocess.Popen(arguments, cwd=folder, stderr=subprocess.PIPE, text=True)
        start = time.monotonic()
        try:
            process.wait(rng.uniform(1, duration))
        except subprocess.TimeoutExpired:
            process.send_signal(SIGNALS[number % len(SIGNALS)])
            killed += 1
        _, errors = process.communicate()
        assert "Traceback" not in errors, errors
        check()
        if process.returncode == 0:
            duration = max(5.0, time.monotonic() - start)
            shutil.rmtree(outputs) if outputs.is_dir() else outputs.unlink()
    age(folder)
    subprocess.run(arguments, cwd=folder, check=True, capture_output=True)
    check()
    return killed


def kill_folder(kills, rng, folder):
    """Kill the coloring of a folder."""
    (folder / "in").mkdir()
    for number in range(40):
        Image.fromarray(picture(rng, 480, 640)).save(folder / f"in/{number:02}.png")
    subprocess.run(command("colorize", "in", "-o", "expected"), cwd=folder, check=True)

    def check():
        for path in (folder / "out").glob("*.png"):
            assert _equal(path, folder / "expected" / path.name), path

    arguments = command("colorize", "in", "-o", "out")
    killed = interrupted(arguments, folder, kills, rng, check, folder / "out")
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == [f"{number:02}.png" for number in range(40)], names
    return killed


def _equal(first, second):
    with Image.open(first) as one, Image.open(second) as other:
        difference = np.int16(one) - np.int16(other)
    return abs(difference).max() <= 1


def kill_film(kills, rng, folder):
    """Kill the coloring of a film."""
    import av

    with av.open(folder / "in.mp4", "w") as film:
        stream = film.add_stream("libx264", rate=10, width=320, height=240)
        for _ in range(50):
            frame = av.VideoFrame.from_ndarray(picture(rng, 240, 320))
            film.mux(stream.encode(frame))
        film.mux(stream.encode())

    def check():
        if (folder / "out.mp4").exists():
            with av.open(folder / "out.mp4") as film:
                frames = sum(1 for _ in film.decode(video=0))
            assert frames == 50, frames

    arguments = command("colorize", "in.mp4", "-o", "out.mp4")
    killed = interrupted(arguments, folder, kills, rng, check, folder / "out.mp4")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["in.mp4", "out.mp4"], names
    return killed


def kill_training(kills, rng, folder):
    """Kill a training."""
    arguments = command("train", EXPERIMENT, "--profile", "smoke", "--epochs", EPOCHS)
    expected = folder / "expected"
    expected.mkdir()
    subprocess.run(arguments, cwd=expected, check=True, capture_output=True)
    place = folder / "interrupted"
    place.mkdir()
    run = Path("runs/smoke", EXPERIMENT, "seed0")
    most = [0]

    def check():
        log = place / run / "history.jsonl"
        epochs = len(log.read_text().splitlines()) if log.exists() else 0
        if epochs == EPOCHS:
            most[0] = 0  # from the beginning again
        assert epochs >= most[0] - 1, (epochs, most[0])  # at most one epoch is lost
        most[0] = max(most[0], epochs % EPOCHS)
        if (place / run / "record.json").exists():
            found, wanted = (
                json.loads((where / run / "record.json").read_text())["metrics"]
                for where in (place, expected)
            )
            assert found.keys() == wanted.keys()
            worst = max(abs(found[key] - wanted[key]) for key in ("threshold_accuracy", "psnr"))
            assert worst < 1e-3, worst

    killed = interrupted(arguments, place, kills, rng, check, place / run)
    litter = [path for path in place.rglob(".*") if path.is_file()]
    assert not litter, litter
    return killed


KINDS = {"folder": kill_folder, "film": kill_film, "training": kill_training}


def main():
    """Run the numbers of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in KINDS:
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name, kill in KINDS.items():
        kills = getattr(options, name)
        if kills:
            with tempfile.TemporaryDirectory() as folder:
                killed = kill(kills, np.random.default_rng(options.seed), Path(folder))
            print(f"{name}: {kills} times started, {killed} times killed, all in order", flush=True)


if __name__ == "__main__":
    main()
