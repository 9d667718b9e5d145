import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import skimage.data
import tifffile
from PIL import Image

import colorkit
from colorkit import ColorBins, Colorizer, models
from colorkit.__main__ import main
from colorkit.data.image_files import as_rgb, read_picture
from colorkit.data.video import read_frames
from colorkit.experiments import PROFILES, records
from tests.report.test_tables import make_record


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(tmp_path):
    """A saved colorizer that gives strong colors."""
    network = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    Colorizer(network, bins=ColorBins.grid(49), temperature=0).save(tmp_path / "tiny.keras")
    return "tiny.keras"


@pytest.fixture
def photos(tmp_path):
    for name in ("a.png", "b.jpg", "deep/c.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(skimage.data.cat()[:40, :50]).save(path)
    return tmp_path / "in"


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


def test_equal_names_of_two_folders_do_not_overwrite_each_other(tmp_path, photos, model):
    (photos / "deep" / "c.png").rename(photos / "deep" / "a.png")
    arguments = ["in/a.png", "in/deep/a.png", "-o", "out", "--model", model]
    assert main(["colorize", *arguments]) == 0
    assert names(tmp_path / "out") == ["a.png", "deep-a.png"]


def test_bad_files_are_reported_and_the_others_colored(tmp_path, photos, model, capsys):
    (photos / "broken.png").write_bytes(b"\x89PNG broken")
    (photos / "empty.png").touch()
    assert main(["colorize", "in", "in/none.png", "-o", "out", "--model", model]) == 2
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/c.png"]
    message = capsys.readouterr().err
    for part in ("broken.png", "empty.png", "none.png", "3 inputs failed of 6"):
        assert part in message
    assert "Traceback" not in message


def test_inputs_are_never_overwritten(photos, model, capsys):
    before = (photos / "a.png").read_bytes()
    assert main(["colorize", "in", "-o", "in", "--model", model]) == 2
    assert main(["colorize", "in/a.png", "-o", "in/a.png", "--model", model]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert (photos / "a.png").read_bytes() == before


def test_inputs_are_never_overwritten_by_their_variants(photos, model, capsys):
    (photos / "a.png").rename(photos / "a-1.png")
    before = (photos / "a-1.png").read_bytes()
    arguments = ["in/a-1.png", "-o", "in/a.png", "--variants", "2", "--overwrite"]
    assert main(["colorize", *arguments, "--model", model]) == 2
    assert "would be overwritten by a variant" in capsys.readouterr().err
    assert (photos / "a-1.png").read_bytes() == before


def test_inputs_are_never_overwritten_by_those_of_another_folder(photos, model, capsys):
    before = (photos / "a.png").read_bytes()
    assert main(["colorize", "in/deep/c.png", "in/a.png", "-o", "in", "--model", model]) == 2
    assert (photos / "a.png").read_bytes() == before
    assert "would overwrite" in capsys.readouterr().err


def test_output_folder_inside_the_input_is_not_colored_again(tmp_path, photos, model):
    for _ in range(2):
        assert main(["colorize", "in", "-o", "in/out", "--model", model]) == 0
    assert names(tmp_path / "in" / "out") == ["a.png", "b.jpg", "deep/c.png"]


def test_folder_into_one_image_is_an_error(photos, model, capsys):
    assert main(["colorize", "in", "-o", "all.png", "--model", model]) == 2
    assert "must be a folder" in capsys.readouterr().err


def test_format_that_is_only_read_becomes_png(tmp_path, photos, model):
    Image.new("L", (9, 9)).save(photos / "old.gif")
    assert main(["colorize", "in/old.gif", "-o", "out", "--model", model]) == 0
    assert names(tmp_path / "out") == ["old.gif.png"]


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


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_terminated_command_leaves_no_file_behind(tmp_path, model):
    frames = np.random.default_rng(0).integers(0, 256, (400, 64, 64, 3), dtype="uint8")
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


def test_warning_is_printed_as_one_line(monkeypatch, capsys):
    def warned(options):
        warnings.warn("small\nimages", stacklevel=1)
        return 0

    monkeypatch.setattr("colorkit.commands.results.run", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["results"]) == 0
    assert capsys.readouterr().err == "colorkit: small images\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["colorize", "missing.png", "-o", "out.png"], "missing.png"),
        (["colorize", "in/a.png", "-o", "out.txt"], ".txt"),
        (["colorize", "in/a.png", "-o", "out.png", "--model", "imagenet"], "imagenet"),
        (["colorize", "in/a.png", "-o", "out.png", "--model", "none.keras"], "none.keras"),
        (["colorize", "in/a.png", "-o", "out.png", "--temperature", "-1"], "temperature"),
        (["colorize", "in/a.png", "-o", "out.png", "--size", "0"], "size"),
        (["colorize", "in/a.png", "in/b.jpg", "-o", "in/b.jpg"], "must be a folder"),
        (["colorize", "in/a.png", "-o", "out.png", "--variants", "0"], "`--variants`"),
        (["colorize", "nothing", "-o", "out"], "nothing"),
        (["train", "cifar/best", "--profile", "smoke"], "cifar/lab-conv-regression"),
        (["train", "cifar/lab-conv-regression", "--profile", "huge"], "smoke"),
        (["train", "cifar/lab-conv-regression", "--epochs", "0"], "`epochs`"),
        (["train", "cifar/lab-conv-regression", "--profile", ""], "''"),
        (["train", "cifar/lab-conv-regression", "--seed", "99999999999"], "4294967295"),
        (["results", "--folder", "typo"], "typo"),
    ],
)
def test_bad_input_is_an_error_without_traceback(
    tmp_path, photos, model, arguments, message, capsys
):
    if "--model" not in arguments and arguments[0] == "colorize":
        arguments = [*arguments, "--model", model]
    before = names(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert names(tmp_path) == before


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


def test_results_on_other_images_have_claims_and_a_closed_pipe_is_no_error(tmp_path, capsys):
    folder = tmp_path / "records"
    folder.mkdir()
    for name in ("unet-mae", "unet-mse"):
        record = make_record(f"architectures/{name}@flowers", colorfulness=1.0)
        records.write(record, folder / f"{name}.json")
    assert main(["results", "--folder", str(folder)]) == 0
    judged = capsys.readouterr().out.split("## What the papers claim, on flowers")[1]
    told, untold = judged.split("Not run")
    assert "MAE is more colorful than MSE, unet" in told
    assert "MAE is more colorful than MSE, resnet" in untold
    command = f"{sys.executable} -m colorkit results --folder {folder} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=300)
    assert "Summary" in done.stdout and "pipe" not in done.stderr.lower()


def test_wrong_usage_exits_with_code_two(capsys):
    for arguments in ([], ["paint"], ["colorize", "x.png"], ["train"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2


def test_results_of_the_package_are_there_in_an_empty_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["results"]) == 0
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if "81 bins, rebalanced" in line]
    assert any("± " in row for row in rows), "means over seeds"


def test_training_prints_a_table(tmp_path, capsys, monkeypatch, eager):
    tiny = dataclasses.replace(PROFILES["smoke"], train=16, validation=8, test=8, epochs=1)
    monkeypatch.setitem(PROFILES, "smoke", tiny)
    assert main(["train", "cifar/lab-dense-regression", "--profile", "smoke"]) == 0
    assert "cifar/lab-dense-regression" in capsys.readouterr().out.splitlines()[-1]
    assert main(["results", "--folder", "runs/smoke/figures/records"]) == 0
    assert "95.58" in capsys.readouterr().out


def test_pattern_trains_several_experiments_and_continues_after_a_failure(monkeypatch, capsys):

    trained = []

    def fake(name, profile, data, seed, epochs, verbose):
        trained.append((name, seed))
        if "vgg1" in name:
            raise FileNotFoundError("weights of VGG16 are needed")
        return None, records.read(Path(colorkit.__file__).parent / "weights/cifar10.json")

    monkeypatch.setattr("colorkit.experiments.run.run", fake)
    assert main(["train", "cifar/lab-*-frozen-regression", "cifar/rgb-*", "--seed", "2"]) == 2
    assert [name for name, _ in trained] == [
        "cifar/rgb-dense-regression",
        "cifar/rgb-conv-regression",
        "cifar/lab-vgg-frozen-regression",
        "cifar/lab-vgg1-frozen-regression",
        "cifar/lab-own-frozen-regression",
    ]
    assert {seed for _, seed in trained} == {2}
    assert "1 experiments failed of 5" in capsys.readouterr().err
    assert main(["train", "cifar/lab-vgg1-frozen-regression"]) == 2
    assert "weights of VGG16 are needed" in capsys.readouterr().err


def test_help_imports_no_framework():
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "colorkit", "--help"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "colorize" in done.stdout
    for heavy in ("keras", "tensorflow", "numpy"):
        assert f"| {heavy}\n" not in done.stderr
    assert time.monotonic() - start < 60


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


@pytest.fixture
def pairs(tmp_path):
    """Three true images, and the same with red and blue swapped."""
    shown = skimage.data.cat(), skimage.data.coffee(), skimage.data.astronaut()
    for i, photo in enumerate(shown):
        for folder, rgb in (("truth", photo), ("colored", photo[..., ::-1])):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(rgb[60:92, 60:92]).save(tmp_path / folder / f"{i}.png")
    return tmp_path


def test_evaluate_prints_and_writes_the_metrics(pairs, capsys):
    files = ["--csv", "a.csv", "--json", "a.json", "--markdown", "a.md"]
    assert main(["evaluate", "colored", "truth", "--sample", "0", *files]) == 0
    out, err = capsys.readouterr()
    assert "| psnr " in out and "colorkit: warning: swapped_channels: " in err
    table = pd.read_csv("a.csv")
    assert set(table["images"]) == {"colored", "gray", "constant", "shuffled", "oracle", "truth"}
    record = json.loads((pairs / "a.json").read_text())
    assert record["pairs"] == 3 and "swapped_channels" in record["warnings"]
    psnr = table.query("metric == 'psnr' and images == 'gray'")["value"].item()
    assert {"metric": "psnr", "images": "gray", "value": psnr}.items() <= next(
        row for row in record["scores"] if (row["metric"], row["images"]) == ("psnr", "gray")
    ).items()
    assert (pairs / "a.md").read_text() == out


def test_evaluate_names_what_it_could_not_compare(pairs, capsys):
    (pairs / "colored" / "0.png").write_text("no image")
    (pairs / "colored" / "1.png").rename(pairs / "colored" / "9.png")
    assert main(["evaluate", "colored", "truth", "--sample", "0"]) == 2
    err = capsys.readouterr().err
    assert "colored/0.png is not an image" in err and "colorkit: unreadable: 1" in err
    assert "colored/9.png has no partner in truth" in err and "colorkit: unmatched: 2" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "truth"], "nowhere: there is no such file"),
        (["colored/0.png", "truth"], "two folders, or two image files"),
        (["colored", "truth", "--reported", "psnr"], "--reported takes METRIC=VALUE"),
        (["colored", "truth", "--csv", "truth/0.png/a.csv"], "cannot be created"),
    ],
)
def test_evaluate_explains_wrong_arguments(pairs, capsys, arguments, message):
    assert main(["evaluate", *arguments, "--sample", "0"]) == 2
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
