import json

import pandas as pd
import pytest

from colorkit.__main__ import main


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
