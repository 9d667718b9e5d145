import subprocess
import sys

from colorkit.__main__ import main
from colorkit.experiments import records
from tests.report.test_tables import make_record


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


def test_results_of_the_package_are_there_in_an_empty_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["results"]) == 0
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if "81 bins, rebalanced" in line]
    assert any("± " in row for row in rows), "means over seeds"
