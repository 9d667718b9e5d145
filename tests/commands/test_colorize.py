import os
import subprocess
import sys
import warnings
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

from colorkit import Colorizer, models
from colorkit.__main__ import main
from colorkit.data.image_files import as_rgb, read_picture
from colorkit.data.video import read_frames


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_one_image_is_colored(tmp_path, photos, model, capsys):
    assert main(["colorize", "in/a.png", "-o", "out/new.png", "--model", model]) == 0
    assert read_picture("out/new.png").shape == (40, 50, 3)
    assert "in/a.png -> out/new.png" in capsys.readouterr().out


def test_folder_is_colored_and_names_are_kept(tmp_path, photos, model):
    assert main(["colorize", "in", "-o", "out", "--model", model]) == 0
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/c.png"]


def test_video_is_colored(tmp_path, model, capsys):
    frames = np.stack([skimage.data.cat()[i : i + 40, :50] for i in range(6)])
    options = {"plugin": "pyav", "codec": "libx264", "fps": 5}
    iio.imwrite(tmp_path / "film.mp4", frames, **options)
    assert main(["colorize", "film.mp4", "-o", "new.mkv", "--model", model]) == 0
    assert main(["colorize", "film.mp4", "-o", "out", "--model", model]) == 0
    assert [frame.shape for frame in read_frames("new.mkv")] == [(40, 50, 3)] * 6
    assert names(tmp_path / "out") == ["film.mp4"]
    capsys.readouterr()
    assert main(["colorize", "film.mp4", "-o", "new.png", "--model", model]) == 2
    assert ".mkv" in capsys.readouterr().err
    (tmp_path / "bad.mp4").write_text("no video")
    assert main(["colorize", "bad.mp4", "-o", "bad_colored.mp4", "--model", model]) == 2
    assert "bad.mp4 cannot be decoded" in capsys.readouterr().err
    assert not (tmp_path / "bad_colored.mp4").exists()


def test_bad_files_are_reported_and_the_others_colored(tmp_path, photos, model, capsys):
    (photos / "broken.png").write_bytes(b"\x89PNG broken")
    (photos / "empty.png").touch()
    assert main(["colorize", "in", "in/none.png", "-o", "out", "--model", model]) == 2
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/c.png"]
    message = capsys.readouterr().err
    for part in ("broken.png", "empty.png", "none.png", "3 inputs failed of 6"):
        assert part in message
    assert "Traceback" not in message


def test_inputs_are_never_overwritten_by_their_variants(photos, model, capsys):
    (photos / "a.png").rename(photos / "a-1.png")
    before = (photos / "a-1.png").read_bytes()
    arguments = ["in/a-1.png", "-o", "in/a.png", "--variants", "2", "--overwrite"]
    assert main(["colorize", *arguments, "--model", model]) == 2
    assert "would be overwritten by a variant" in capsys.readouterr().err
    assert (photos / "a-1.png").read_bytes() == before


def test_depth_of_sixteen_bits_is_written_where_the_format_holds_it(photos, model):
    Image.fromarray(np.linspace(0, 65535, 600).astype("uint16").reshape(20, 30)).save("in/d.tif")
    assert main(["colorize", "in", "-o", "out", "--model", model, "--depth", "16"]) == 0
    assert main(["colorize", "in/d.tif", "-o", "one.tif", "--model", model, "--depth", "16"]) == 0
    assert main(["colorize", "in/d.tif", "-o", "eight.tif", "--model", model]) == 0
    for name, dtype in (("out/d.tif", "uint16"), ("one.tif", "uint16"), ("eight.tif", "uint8")):
        assert tifffile.imread(name).dtype == dtype
    assert Path("out/a.png").read_bytes()[24] == 16
    assert read_picture("out/b.jpg").shape == (40, 50, 3)


def test_failure_of_one_image_does_not_stop_the_others(photos, model, capsys, monkeypatch):
    def failing(image, deep):
        if str(image).endswith("a.png"):
            raise MemoryError
        return as_rgb(image, deep)

    monkeypatch.setattr("colorkit.colorizer.colorizer.as_rgb", failing)
    assert main(["colorize", "in", "-o", "out", "--model", model]) == 2
    assert "in/a.png: MemoryError" in capsys.readouterr().err
    assert names(photos.parent / "out") == ["b.jpg", "deep/c.png"]


def test_outputs_that_exist_are_kept_unless_told_otherwise(tmp_path, photos, model, capsys):
    target = tmp_path / "out" / "a.png"
    target.parent.mkdir()
    target.write_bytes(b"mine")
    assert main(["colorize", "in", "-o", "out", "--model", model]) == 0
    assert target.read_bytes() == b"mine"
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/c.png"], "the others are colored"
    assert "out/a.png exists already; --overwrite" in capsys.readouterr().err
    assert main(["colorize", "in", "-o", "out", "--model", model]) == 0
    assert "3 outputs exist already" in capsys.readouterr().err
    assert main(["colorize", "in", "-o", "out", "--model", model, "--overwrite"]) == 0
    assert read_picture(target).shape == (40, 50, 3)


def test_shards_color_each_image_once(tmp_path, photos, model, capsys):
    shared = ["colorize", "in", "-o", "out", "--model", model]
    assert main([*shared, "--shard", "2/2"]) == 0
    assert names(tmp_path / "out") == ["b.jpg"]
    assert main([*shared, "--shard", "1/2"]) == 0
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/c.png"]
    assert main([*shared, "--shard", "4/4"]) == 0  # an empty share
    for wrong in ("0/2", "3/2", "2", "a/b"):
        with pytest.raises(SystemExit):
            main([*shared, "--shard", wrong])
        assert "must be I/N, from 1/N to N/N" in capsys.readouterr().err


def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path, photos, capsys):
    assert main(["colorize", "in", "-o", "out", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"in/{name} -> out/{name}" for name in ("a.png", "b.jpg", "deep/c.png")
    ]
    assert main(["colorize", "in/a.png", "-o", "out", "--dry-run", "--variants", "3"]) == 0
    assert capsys.readouterr().out == "in/a.png -> out/a-1.png to a-3\n"
    assert not (tmp_path / "out").exists()


def test_everything_readable_in_a_folder_is_colored_and_the_rest_named(
    tmp_path, photos, model, capsys
):
    image = Image.fromarray(skimage.data.cat()[:9, :8])
    image.save(photos / "noending", "PNG")
    image.save(photos / "scan.dat", "JPEG")
    (photos / "notes.txt").write_text("no image")
    (photos / "Thumbs.db").write_bytes(b"x")
    (photos / ".hidden.png").write_bytes(b"x")
    (photos / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "elsewhere").mkdir()
    image.save(tmp_path / "elsewhere" / "linked.png")
    (photos / "album").symlink_to(tmp_path / "elsewhere")
    (photos / "loop").symlink_to(photos)
    iio.imwrite(
        photos / "film.mkv", np.zeros((3, 16, 16, 3), "uint8"), plugin="pyav", codec="mpeg4"
    )
    assert main(["colorize", "in", "-o", "out", "--model", model]) == 0
    assert names(tmp_path / "out") == [
        "a.png", "album/linked.png", "b.jpg", "deep/c.png", "film.mkv", "noending.png",
        "scan.dat.png",
    ]  # fmt: skip
    message = capsys.readouterr().err
    for part in ("notes.txt: neither", "Thumbs.db: neither", "broken.jpg: a broken link",
                 "3 files skipped"):  # fmt: skip
        assert part in message
    assert "hidden" not in message


def test_inputs_that_cannot_be_opened_are_reported_one_by_one(tmp_path, photos, model, capsys):
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    os.mkfifo(tmp_path / "pipe.png")
    inputs = ["self.png", "n" * 300 + ".png", "pipe.png", "in/a.png"]
    assert main(["colorize", *inputs, "-o", "out", "--model", model]) == 2
    assert names(tmp_path / "out") == ["a.png"]
    message = capsys.readouterr().err
    for part in ("self.png: there is no", "nnn.png: there is no", "not a regular file",
                 "3 inputs failed of 4"):  # fmt: skip
        assert part in message


def test_temperature_and_size_reach_the_colorizer(photos, model):
    for temperature, name in (("0", "mode.png"), ("1", "mean.png")):
        options = ["--model", model, "--temperature", temperature, "--size", "20"]
        assert main(["colorize", "in/a.png", "-o", name, *options]) == 0
    mode, mean = (read_picture(name).astype(int) for name in ("mode.png", "mean.png"))
    assert np.ptp(mode, axis=-1).mean() > np.ptp(mean, axis=-1).mean()


def test_temperature_of_a_regression_is_an_error(tmp_path, photos, capsys):
    Colorizer(models.build_unet(widths=(4, 6))).save(tmp_path / "regression.keras")
    arguments = ["colorize", "in/a.png", "-o", "new.png", "--model", "regression.keras"]
    assert main([*arguments, "--temperature", "0.2"]) == 2
    assert "a regression has no temperature" in capsys.readouterr().err
    assert not (tmp_path / "new.png").exists()
    assert main(arguments) == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_an_error(tmp_path, photos, model, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert main(["colorize", "in/a.png", "-o", "locked/a.png", "--model", model]) == 2
    assert "locked" in capsys.readouterr().err


def test_empty_output_and_missing_folder_are_errors(photos, model, capsys):
    assert main(["colorize", "in/a.png", "-o", "", "--model", model]) == 2
    assert "Inputs and --output must be paths" in capsys.readouterr().err
    assert main(["results", "--folder", "nowhere"]) == 2
    assert "There are no records in nowhere" in capsys.readouterr().err


def test_output_below_a_file_is_an_error(photos, model, capsys):
    assert main(["colorize", "in/a.png", "-o", "in/b.jpg/a.png", "--model", model]) == 2
    assert "b.jpg" in capsys.readouterr().err


def test_command_colors_an_image(photos, model):
    done = subprocess.run(
        [sys.executable, "-m", "colorkit", "colorize", "in/a.png", "-o", "x.png", "--model", model],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Image.open("x.png") as picture:
        assert picture.size == (50, 40)


@pytest.mark.parametrize("kind, count", [("GIF", 3), ("PNG", 3)])
def test_all_frames_of_an_animation_are_colored(tmp_path, model, capsys, kind, count):
    first, *others = (Image.fromarray(skimage.data.cat()[i : i + 40, :50]) for i in range(count))
    name = f"moving.{kind.lower()}"
    first.save(name, save_all=True, append_images=others, duration=200)
    assert main(["colorize", name, "-o", "new.mp4", "--model", model]) == 0
    assert main(["colorize", name, "-o", "out", "--model", model]) == 0
    assert names(tmp_path / "out") == [f"{name}.mp4"]
    for path in ("new.mp4", f"out/{name}.mp4"):
        assert len(list(read_frames(path))) == count
    assert main(["colorize", name, "-o", "new.jpg", "--model", model]) == 2
    assert "--output of a video must end in" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".webp", ".WEBP"])
def test_animation_that_is_not_read_as_a_video_gives_a_warning(tmp_path, model, capsys, ending):
    first, *others = (Image.fromarray(skimage.data.cat()[i : i + 40, :50]) for i in range(3))
    first.save(f"moving{ending}", save_all=True, append_images=others, duration=200)
    first.save(f"still{ending}")
    inputs = [f"moving{ending}", f"still{ending}"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["colorize", *inputs, "-o", "out", "--model", model]) == 0
    message = capsys.readouterr().err
    assert f"moving{ending} is animated, and only its first frame is colored" in message
    assert "still" not in message
    assert read_picture(f"out/moving{ending}").shape == (40, 50, 3)
