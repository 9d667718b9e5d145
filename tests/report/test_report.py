from colorkit import report
from tests.report.test_tables import make_record


def test_page_has_results_and_lists_missing_runs():
    records = [
        make_record(f"architectures/{name}@flowers", seed, colorfulness=10.0 + i)
        for i, name in enumerate(("unet-mse", "unet-mae"))
        for seed in (0, 1)
    ]
    page = report.render(records)
    titles = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert titles[:2] == ["Summary", "The tables of Champati, Houle and Zhang"]
    assert "Architectures and losses, on flowers" in titles
    assert "Architectures and losses" not in titles, "no record of the original dataset"
    verdicts = page.split("## What the papers claim, on flowers")[1].split("\n## ")[0]
    assert "MAE is more colorful than MSE, unet " in verdicts and "resnet" not in verdicts
    assert "How the verdicts are reached" in titles
    missing = page.split("## Not run")[1].split("\n## ")[0]
    assert "- MAE is more colorful than MSE, resnet" in missing
    assert titles[-1] == "All records"
