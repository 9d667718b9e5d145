import dataclasses
import json
import os

import numpy as np
import pytest

from colorkit.experiments import records
from colorkit.experiments.records import (
    Record,
    by_profile,
    circumstances,
    gather,
    headed,
    markdown,
    read,
    read_all,
    save,
    save_table,
    write,
)
from colorkit.files import home


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in an empty folder, and as if the package had no records."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "_SHIPPED", tmp_path / "package")


def make_record(**changes):
    fields = {
        "experiment": "cifar/lab-conv-regression",
        "profile": "quick",
        "data": "cifar10",
        "sizes": {"train": 40_000, "validation": 2000, "test": 10_000},
        "seed": 0,
        "epochs": 3,
        "images_seen": 120_000,
        "minutes": 9.5,
        "parameters": 1000,
        "metrics": {"threshold_accuracy": np.float32(0.9512), "gray/threshold_accuracy": 0.9449},
        "settings": {"temperature": 0.38},
        **circumstances(),
    }
    return Record(**(fields | changes))


def test_record_reads_back_the_same():
    path = save(make_record())
    record = read(path)
    assert record.metrics["threshold_accuracy"] == pytest.approx(0.9512)
    assert dataclasses.replace(record, metrics={}) == make_record(metrics={}, date=record.date)


def test_circumstances_say_where_and_with_what():
    record = make_record()
    assert "cores" in record.hardware
    assert {"python", "keras", "numpy"} <= set(record.versions)
    assert record.revision and record.date.endswith("UTC")


def test_better_record_replaces_a_lesser_one_and_not_the_reverse():
    first = save(make_record())
    longer = make_record(images_seen=240_000, epochs=6)
    assert read(save(longer)).epochs == 6
    assert read(save(make_record())).epochs == 6
    full = save(make_record(profile="full", images_seen=10))
    assert read(full).profile == "full"
    assert len({first, full, save(make_record(seed=1))}) == 3


def test_profiles_are_never_mixed():
    quick = [make_record(experiment=name, seed=seed) for name in "ab" for seed in (2, 0, 1)]
    full = make_record(experiment="a", profile="full")
    found = by_profile([*quick, full], "ab")
    assert {name: [(r.profile, r.seed) for r in of] for name, of in found.items()} == {
        name: [("quick", 0), ("quick", 1), ("quick", 2)] for name in "ab"
    }
    assert by_profile([*quick, full], "a") == {"a": [full]}
    assert by_profile(quick, "ac") == {"a": [], "c": []}
    assert by_profile(quick, []) == {}


def test_smoke_records_are_kept_apart(tmp_path):
    kept = save(make_record())
    smoke = save(make_record(profile="smoke", images_seen=10**9))
    assert read(kept).profile == "quick"
    assert smoke.is_relative_to(tmp_path / "runs" / "smoke")
    assert not smoke.is_relative_to(tmp_path / "figures")


def test_gathered_records_are_those_of_the_package_and_ones_own(tmp_path, capsys):
    save(make_record(seed=3, minutes=1.0))
    package = save(make_record(seed=3, minutes=2.0)).parent.rename(tmp_path / "package")
    write(make_record(seed=4), package / "other_seed.json")
    save(make_record(seed=3, minutes=5.0))
    assert [(record.seed, record.minutes) for record in gather("quick")] == [(3, 5.0), (4, 9.5)]
    assert not capsys.readouterr().out
    save(make_record(seed=5, profile="smoke"))
    assert [record.seed for record in gather("smoke")] == [5]
    save(make_record(seed=6, data="photos"))
    assert len(gather("full")) == 2
    assert "record skipped" in capsys.readouterr().out


def test_tables_of_smoke_runs_say_so():
    assert headed("table", {"quick"}) == "table"
    assert "Smoke run" in headed("table", {"quick", "smoke"})


def test_damaged_and_foreign_records_are_reported_and_skipped():
    good = save(make_record())
    (good.parent / "damaged.json").write_text(good.read_text()[:100])
    fields = json.loads(good.read_text())
    (good.parent / "newer.json").write_text(json.dumps({**fields, "version": 99}))
    (good.parent / "list.json").write_text("[1, 2]")
    (good.parent / "kinds.json").write_text(json.dumps({**fields, "metrics": [1]}))
    records, problems = read_all()
    assert [record.experiment for record in records] == ["cifar/lab-conv-regression"]
    assert len(problems) == 4
    assert any("newer.json" in problem and "version is 99" in problem for problem in problems)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"metrics": {"psnr": "25"}}, "metrics"),
        ({"metrics": {"psnr": True}}, "metrics"),
        ({"metrics": {"psnr": 10**400}}, "metrics"),
        ({"metrics": {**{f"a{i}": 1.0 for i in range(99)}, "ssim": 7.5}}, "'ssim': 7.5"),
        ({"metrics": {"threshold_accuracy": 7.5}}, "'threshold_accuracy': 7.5"),
        ({"sizes": {"test": "many"}}, "sizes"),
        ({"sizes": {"test": None}}, "sizes"),
        ({"seed": 1.5}, "seed"),
        ({"seed": -1}, "seed"),
        ({"minutes": True}, "minutes"),
        ({"experiment": "a | b"}, "experiment"),
        ({"profile": ""}, "profile"),
        ({"more": 1}, "unknown: more"),
        ({"version": None}, "version is None"),
    ],
)
def test_fields_that_are_not_what_they_should_be_are_named(changes, message):
    path = save(make_record())
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    records, problems = read_all()
    assert not records and len(problems) == 1
    assert path.name in problems[0] and message in problems[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("0.9449", "NaN"),
        lambda text: text.replace("0.9449", "1e999"),
        lambda text: text.replace('"seed": 0', '"seed": 0, "seed": 1'),
        lambda text: "[" * 100_000,
        lambda text: "",
    ],
    ids=["nan", "infinite", "twice", "nested", "empty"],
)
def test_text_that_is_no_record_is_skipped(spoil):
    path = save(make_record())
    path.write_text(spoil(path.read_text()))
    records, problems = read_all()
    assert not records and path.name in problems[0]


def test_what_is_no_file_is_skipped():
    good = save(make_record())
    os.mkfifo(good.with_name("pipe.json"))
    good.with_name("folder.json").mkdir()
    records, problems = read_all()
    assert len(records) == 1 and len(problems) == 2


def test_records_that_are_no_seeds_of_one_experiment_are_not_merged():
    settings = {"epochs": 4, "validation_loss": 0.5, "temperature": 0.38}
    good = save(make_record(settings=settings))
    found_out = {**settings, "validation_loss": 0.4, "best_epoch": 2, "newer": 1}
    save(make_record(settings=found_out, seed=1))
    write(make_record(settings=settings, images_seen=10), good.with_name("again.json"))
    save(make_record(settings={**settings, "epochs": 1}, seed=2, images_seen=10))
    save(make_record(settings=settings, data="photos", seed=3))
    records, problems = read_all()
    assert [record.seed for record in records] == [0, 1]
    assert len(problems) == 3
    for message in ("again.json", "epochs 1 for 4", "data 'photos' for 'cifar10'"):
        assert any(message in problem for problem in problems), message


def test_seeds_that_left_out_other_copies_are_seeds_of_one_experiment():
    def seed(number, train, epochs, test=208):
        sizes = {"train": train, "validation": 72, "test": test}
        seen = train * epochs
        save(make_record(sizes=sizes, settings={"epochs": epochs}, seed=number, images_seen=seen))

    seed(0, 644, 12)
    seed(1, 633, 13)  # the longest, which others are compared with
    seed(2, 600, 13)  # too few to be explained by copies
    seed(3, 640, 11)  # two epochs fewer
    seed(4, 640, 12, test=200)  # other test images
    seed(5, 633, 12)  # the same images, but fewer epochs
    records, problems = read_all()
    assert [record.seed for record in records] == [0, 1]
    assert len(problems) == 4


def test_what_was_not_timed_has_no_time():
    assert make_record().value("training_milliseconds") is None
    assert make_record(training_milliseconds=2.5).value("training_milliseconds") == 2.5
    assert make_record().value("minutes") == 9.5
    assert make_record().value("hardware") is None


def test_nan_is_written_as_null():
    path = save(make_record(metrics={"ssim": float("nan")}))
    assert json.loads(path.read_text())["metrics"]["ssim"] is None


def test_home_is_the_checkout_or_the_working_directory(tmp_path, monkeypatch):
    assert home() == tmp_path
    (tmp_path / "kit" / "colorkit").mkdir(parents=True)
    (tmp_path / "kit" / "colorkit" / "experiments").mkdir()
    (tmp_path / "kit" / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "kit" / "notebooks")
    assert home() == tmp_path / "kit"


def test_tables_of_notebooks_say_how_they_were_measured(tmp_path):
    rows = [("", "KID"), ("gray", "1.25")]
    table = save_table(rows, "11_sets", "quick", data="folder:flowers", seed=3)
    assert table == markdown(rows)
    kept = (tmp_path / "figures" / "11_sets.md").read_text()
    assert kept.startswith(table)
    now = circumstances()
    for part in ("Profile quick, folder:flowers, seed 3", now["hardware"], "numpy "):
        assert part in kept
    save_table(rows, "11_sets", "smoke", data="photos", seed=0)
    assert "photos" in (tmp_path / "runs/smoke/figures/11_sets.md").read_text()
    assert (tmp_path / "figures" / "11_sets.md").read_text() == kept


def test_older_record_with_a_repeated_name_is_refused():
    path = save(make_record())
    fields = json.loads(path.read_text())
    del fields["checksum"]
    path.write_text(json.dumps(fields))
    assert read(path) == make_record()
    path.write_text(json.dumps(fields)[:-1] + ', "epochs": 99}')
    with pytest.raises(ValueError, match="same name twice"):
        read(path)
