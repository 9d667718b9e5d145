import subprocess
import sys
import time

import pytest

from colorkit.__main__ import main


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


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


def test_wrong_usage_exits_with_code_two(capsys):
    for arguments in ([], ["paint"], ["colorize", "x.png"], ["train"]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2


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
