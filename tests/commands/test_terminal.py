import contextlib
import os
import signal
import subprocess
import sys
import time
import warnings

import imageio.v3 as iio
import numpy as np
import pytest

from colorkit import Colorizer
from colorkit.__main__ import main
from colorkit.data.image_files import read_picture


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_terminated_command_leaves_no_file_behind(tmp_path, model):
    frames = np.random.default_rng(0).integers(0, 256, (2000, 32, 32, 3), dtype="uint8")
    iio.imwrite("film.mp4", frames, plugin="pyav", codec="mpeg4")
    command = [sys.executable, "-m", "colorkit", "colorize", "film.mp4", "-o", "out"]
    command += ["--model", model]
    process = subprocess.Popen(command)
    while process.poll() is None and not list(tmp_path.glob("out/.colorkit-*")):
        time.sleep(0.05)
    process.terminate()
    assert process.wait(200) in (143, -15)
    assert not list(tmp_path.glob("out/*")) and not list(tmp_path.glob("out/.*"))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_termination_that_becomes_an_error_of_a_file_still_ends(photos, model, monkeypatch):
    def predict(*_):
        with contextlib.suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        raise SystemError("bad argument to internal function")

    monkeypatch.setattr("colorkit.colorizer.Colorizer.predict", predict)
    with pytest.raises(SystemExit) as ended:
        main(["colorize", "in", "-o", "out", "--model", model])
    assert ended.value.code == 143


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_termination_that_code_in_c_swallows_still_ends_a_film(tmp_path, model, monkeypatch):
    iio.imwrite("film.mp4", np.zeros((9, 32, 32, 3), "uint8"), plugin="pyav", codec="mpeg4")
    call = Colorizer.__call__

    def color(self, rgb):
        with contextlib.suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        return call(self, rgb)

    monkeypatch.setattr(Colorizer, "__call__", color)
    with pytest.raises(SystemExit) as ended:
        main(["colorize", "film.mp4", "-o", "out", "--model", model])
    assert ended.value.code == 143
    assert not list(tmp_path.glob("out/*")) and not list(tmp_path.glob("out/.*"))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_interrupted_folder_keeps_only_whole_files(tmp_path, photos, model):
    for i in range(300):
        (photos / f"{i:03}.png").hardlink_to(photos / "a.png")
    command = [sys.executable, "-m", "colorkit", "colorize", "in", "-o", "out", "--model", model]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(tmp_path.glob("out/*.png")):
        time.sleep(0.01)
    process.terminate()
    assert process.wait(200) in (143, -15)
    assert not list(tmp_path.glob("out/.*"))
    found = list(tmp_path.glob("out/*.png"))
    assert 0 < len(found) < 300
    assert {read_picture(path).shape for path in found} == {(40, 50, 3)}


def test_warning_is_printed_as_one_line(monkeypatch, capsys):
    def warned(options):
        warnings.warn("small\nimages", stacklevel=1)
        return 0

    monkeypatch.setattr("colorkit.commands.results.run", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["results"]) == 0
    assert capsys.readouterr().err == "colorkit: small images\n"
