import pytest

from colorkit import experiments
from colorkit.report import studies
from tests.report.test_tables import make_record


@pytest.mark.parametrize("study", studies.STUDIES, ids=lambda study: study.title)
def test_rows_of_studies_name_experiments(study):
    assert set(study.rows.values()) <= set(experiments.EXPERIMENTS)
    assert len(set(study.rows.values())) == len(study.rows)


def test_study_is_formatted_per_dataset():
    study = studies.ARCHITECTURES
    name = study.rows["U-Net, MAE"]
    records = [make_record(f"{name}@flowers", seed, mae=0.1 + 0.02 * seed) for seed in (0, 1)]
    assert studies.labels(records, study) == ["flowers"]
    text = studies.render(records, studies.on(study, "flowers"))
    row = next(line for line in text.splitlines() if line.startswith("| U-Net, MAE "))
    assert "0.1100 ± 0.0141 (2)" in row and row.rstrip(" |").endswith("quick")
    missing = text.splitlines()[-1].removeprefix("Not run at quick: ").removesuffix(".").split("; ")
    assert missing == [title for title in study.rows if title != "U-Net, MAE"]
    assert studies.labels(records, studies.CONVNETS) == []


def test_architectures_are_compared_by_every_metric_and_cost():
    assert len(studies.ARCHITECTURES.rows) == 16
    wanted = {"parameters", "minutes", "training_milliseconds", "colorfulness", "ssim", "psnr"}
    assert wanted <= set(studies.ARCHITECTURES.metrics.values())
    large = {experiments.experiment(name).data.large_size for name in studies.PATCHES.rows.values()}
    assert large == {256}
    # Metrics of large images have their baselines, too.
    records = [make_record("pix2pix/unet", **{"gray/large/psnr": 20.0})]
    assert "| gray: lightness alone" in studies.render(records, studies.PATCHES)
