import dataclasses

import pytest

from colorkit import experiments
from colorkit.experiments import records
from colorkit.report import tables


def make_record(name, seed=0, profile="quick", **metrics):
    return records.Record(
        experiment=name, profile=profile, data="cifar10", sizes={"test": 10_000}, seed=seed,
        epochs=3, images_seen=1, minutes=1.0, parameters=1, metrics=metrics, settings={},
        **records.circumstances(),
    )  # fmt: skip


def cells(text, title, label):
    """Return the cells of one row of a formatted table."""
    part = text.split(f"### {title}")[1].split("###")[0]
    line = next(line for line in part.splitlines() if line.startswith(f"| {label} "))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_rows_of_tables_name_experiments():
    for row in [row for table in tables.TABLES for row in table.rows]:
        assert {row.audited, row.published or row.audited} <= set(experiments.EXPERIMENTS), row


@pytest.mark.parametrize(
    "title, numbers",
    {
        "Table 1": {"truth": "100.00", "red channel": "91.05", "gray": ""},
        "Table 2": {"truth": "81.44", "red channel": "73.40", "one constant": ""},
        "Table 3": {
            "dense, RGB": "91.22", "dense, Yuv": "94.08", "dense, Lab": "95.58",
            "convolution only, RGB": "92.88", "convolution only, Yuv": "95.68",
            "convolution only, Lab": "95.82",
            "convolution only, VGG16, ImageNet, frozen": "95.71",
            "convolution only, VGG16, ImageNet, trainable": "95.85",
        },
        "Table 4": {
            "dense, RGB": "66.68", "dense, Yuv": "40.76", "dense, Lab": "74.66",
            "convolution only, RGB": "74.41", "convolution only, Yuv": "74.65",
            "convolution only, Lab": "76.46",
            "convolution only, VGG16, ImageNet, frozen": "75.62",
            "convolution only, VGG16, ImageNet, trainable": "76.65",
        },
        "Table 5": {
            "49 bins": "94.60", "64 bins": "94.39", "100 bins": "94.26", "81 bins": "95.58",
            "81 bins, rebalanced": "95.56",
            "81 bins, VGG16, ImageNet, frozen": "95.40",
            "81 bins, rebalanced, VGG16, ImageNet, frozen": "95.40",
            "81 bins, VGG16, ImageNet, trainable": "95.25",
            "81 bins, rebalanced, VGG16, ImageNet, trainable": "95.57",
            "49 bins, centered lattice": "", "313 bins": "",
        },
        "Table 6": {
            "49 bins": "74.79", "64 bins": "73.57", "100 bins": "74.92", "81 bins": "76.74",
            "81 bins, rebalanced": "75.97",
            "81 bins, VGG16, ImageNet, frozen": "76.94",
            "81 bins, rebalanced, VGG16, ImageNet, frozen": "76.77",
            "81 bins, VGG16, ImageNet, trainable": "76.45",
            "81 bins, rebalanced, VGG16, ImageNet, trainable": "76.23",
        },
        "Table 7. The best: threshold": {
            "regression: VGG16 trainable": "95.85",
            "classification: VGG16 frozen, rebalanced": "95.57",
        },
        "Table 7. The best: feature": {
            "regression: VGG16 trainable": "76.65",
            "classification: VGG16 frozen, rebalanced": "76.77",
        },
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_numbers_of_the_paper_are_in_their_rows(title, numbers):
    text = tables.render([])
    for label, number in numbers.items():
        label = {"red channel": "red channel, the paper's grayscale",
                 "gray": "gray: lightness alone",
                 "one constant": "one constant chroma"}.get(label, label)  # fmt: skip
        assert cells(text, title, label)[1] == number, label


def test_columns_are_the_published_and_the_audited_protocol():
    name = "cifar/lab-conv-classification-81-rebalanced"
    records = [
        make_record(f"{name}-as-published", **{"published/threshold_accuracy": 0.91}),
        make_record(name, **{"published/threshold_accuracy": 0.5, "threshold_accuracy": 0.93}),
    ]
    row = cells(tables.render(records), "Table 5", "81 bins, rebalanced")
    assert row == ["81 bins, rebalanced", "95.56", "91.00", "93.00", "quick"]


def test_numbers_are_means_over_seeds_of_the_largest_profile():
    name = "cifar/lab-conv-regression"
    records = [
        make_record(name, profile="full", seed=seed, threshold_accuracy=value)
        for seed, value in enumerate((0.95, 0.96, 0.97))
    ]
    records.append(make_record(name, seed=3, threshold_accuracy=0.5))
    row = cells(tables.render(records), "Table 3", "convolution only, Lab")
    assert row[3:] == ["96.00 ± 1.00 (3)", "full"]


def test_baselines_come_from_any_record_of_cifar10():
    records = [make_record("cifar/x", **{"red/threshold_accuracy": 0.9105,
                                         "truth/feature_preservation_vgg": 0.8133})]  # fmt: skip
    text = tables.render(records)
    assert cells(text, "Table 1", "red channel, the paper's grayscale")[2] == "91.05"
    assert cells(text, "Table 2", "truth")[2] == "81.33"


def test_tables_begin_with_trivial_baselines():
    records = [make_record("cifar/x", **{"gray/threshold_accuracy": 0.9449,
                                         "constant/feature_preservation_vgg": 0.7556})]  # fmt: skip
    text = tables.render(records)
    assert cells(text, "Table 5", "gray: lightness alone")[2:4] == ["94.49", "94.49"]
    assert cells(text, "Table 4", "one constant chroma")[2:4] == ["75.56", "75.56"]


def test_missing_runs_are_listed_with_the_command():
    name = "cifar/lab-vgg-frozen-regression"
    text = tables.render([])
    assert name in text.split("Not run: ")[1] and "colorkit train" in text
    text = tables.render([make_record(name, threshold_accuracy=0.95)])
    assert name not in text.split("Not run: ")[1].split(", ")
    row = cells(text, "Table 3", "convolution only, VGG16, ImageNet, trainable")
    assert row[2:] == ["not run", "not run", ""]


def test_epochs_of_a_short_full_run_are_shown():
    name = "cifar/lab-conv-classification-313"
    for epochs, profile in ((11, "full, 11 of 70 epochs"), (70, "full")):
        record = make_record(name, profile="full", threshold_accuracy=0.95)
        record = dataclasses.replace(record, settings={"epochs": epochs})
        row = cells(tables.render([record]), "Table 5", "313 bins, soft codes, rebalanced")
        assert row[-1] == profile
        assert f"| {profile}" in tables.summary([record])


def test_substitutes_have_no_numbers_of_the_paper():
    for line in tables.render([]).splitlines():
        if line.startswith("|") and ("own" in line or "first layer only" in line):
            assert not any(character.isdigit() for character in line.split("|")[2])


def test_durations_count_a_base_once():
    base, later = (make_record(f"coherence/{x}-32") for x in ("colorful", "corrected"))
    base, later = (dataclasses.replace(x, minutes=m) for x, m in ((base, 90.0), (later, 150.0)))
    *_, line, total = tables.durations([base, later]).splitlines()
    assert "2.5" in total
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "coherence", "quick", "2", "2.5",
    ]  # fmt: skip


def test_summary_and_overview_show_results():
    records = [make_record("cifar/lab-residual-unet", threshold_accuracy=0.966)]
    assert "96.60" in tables.summary(records)
    assert "94.12" in tables.summary([]), "76.65 / 81.44"
    assert "cifar/lab-residual-unet" in tables.overview(records)


def test_comparison_begins_with_truth_and_trivial_baselines():
    metrics = {"bleeding": 2.0, "truth/bleeding": 1.2, "gray/bleeding": 0.0, "minutes": 3.0}
    lines = tables.compare([make_record("a", **metrics)], {"A": "a"}, {"bleeding": "bleeding"})
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines.splitlines()]
    assert [row[:2] for row in rows[2:]] == [
        ["truth", "1.20"],
        ["gray: lightness alone", "0.0000"],
        ["A", "2.00"],
    ]


def test_baselines_come_from_the_first_record_with_the_metric():
    records = [make_record("a", hue=0.2), make_record("b", **{"hue": 0.3, "truth/hue": 0.1})]
    text = tables.compare(records, {"A": "a", "B": "b"}, {"hue": "hue"})
    assert "| truth | 0.1000 |" in " ".join(text.split())


def test_comparison_uses_the_profile_that_most_experiments_have():
    records = [
        make_record("a", seed, profile, bleeding=bleeding, threshold_accuracy=0.95)
        for seed, profile, bleeding in ((0, "quick", 1.0), (1, "quick", 2.0), (0, "full", 9.0))
    ]
    records.append(make_record("b", bleeding=0.5, threshold_accuracy=0.94))
    columns = {"accuracy": "threshold_accuracy", "bleeding": "bleeding"}
    lines = tables.compare(records, {"A": "a", "B": "b", "C": "c"}, columns).splitlines()
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[2:]]
    assert rows == [
        ["A", "95.00", "1.50 ± 0.71 (2)", "quick"],  # the accuracy is the same for every seed
        ["B", "94.00", "0.5000", "quick"],
        [""],
        ["Not run at quick: C."],
    ]


def test_experiment_at_another_profile_does_not_empty_the_comparison():
    records = [make_record(name, bleeding=1.0) for name in "ab"]
    records.append(make_record("c", 0, "full", bleeding=2.0))
    table = tables.compare(records, {"A": "a", "B": "b", "C": "c"}, {"bleeding": "bleeding"})
    assert "| A " in table and "| B " in table
    assert table.endswith("Not run at quick: C.")
