from pathlib import Path

import pytest

from colorkit import report
from colorkit.experiments.records import read, read_all
from colorkit.report import tables

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="not in a checkout")


def test_ci_runs_the_test_command_of_the_readme():
    command = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert command.startswith("python3 -m venv") and "pytest -n 2 tests" in command
    assert f"```sh\n{command}\n```" in (ROOT / "README.md").read_text()


def test_summary_in_the_readme_matches_the_records():
    records, problems = read_all(ROOT / "figures" / "records")
    assert records and not problems
    text = (ROOT / "README.md").read_text()
    assert tables.summary(records) in text


def test_page_of_results_matches_the_records():
    records, _ = read_all(ROOT / "figures" / "records")
    page = (ROOT / "figures" / "results.md").read_text()
    assert page == report.render(records) + "\n", (
        "Run `python -m colorkit results > figures/results.md`."
    )


def test_weights_in_the_package_have_records_and_cards():
    weights = sorted((ROOT / "colorkit" / "weights").rglob("*.keras"))
    assert len(weights) >= 3
    for path in weights:
        record = read(path.with_suffix(".json"))
        assert record.data != "cifar10" or record.sizes["test"] == 10_000
        assert record.profile in ("quick", "full")
        assert path.stat().st_size <= 10e6
        assert path.with_suffix(".md").read_text().startswith(f"# Model card: `{path.stem}`")
    assert sum(path.stat().st_size for path in weights) <= 40e6


def test_pictures_and_notebooks_in_the_readme_exist():
    text = (ROOT / "README.md").read_text()
    for target in text.split("](")[1:]:
        target = target.split(")")[0]
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_example_in_the_readme_runs(tmp_path, monkeypatch, pictures):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    for i, picture in enumerate(pictures):
        path = tmp_path / "my_pictures" / ("test" if i % 4 == 0 else "train") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).resize((80, 70)).save(path)
    text = (ROOT / "README.md").read_text()
    code = text.split("## Train on your own images")[1].split("```python\n")[1].split("```")[0]
    code = code.replace("epochs=20", "epochs=1, verbose=0").replace("(bins.num_bins)", SMALL)
    namespace = {}
    exec("import colorkit as ck\n" + code, namespace)
    assert (tmp_path / "mine.keras").exists()
    assert namespace["colorizer"](pictures[0]).shape == (16, 16, 3)


SMALL = "(bins.num_bins, blocks=((4,),), dilation_rates=(1,))"
