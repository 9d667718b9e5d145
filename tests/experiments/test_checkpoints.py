import json
import shutil

import numpy as np
import pytest

from colorkit import experiments, pairs, run, training
from colorkit.experiments import checkpoints, fit

SHORT = experiments.Profile("smoke", "photos", train=16, validation=8, test=8, width=0.1, epochs=2)


@pytest.fixture(autouse=True)
def without_metrics(monkeypatch, eager):
    monkeypatch.setattr(training, "_measured", lambda *_: {})


def test_damaged_checkpoints_are_mended_or_begun_anew(tmp_path, row):
    run(row, SHORT, verbose=0)
    kept = tmp_path / "runs/smoke/test/tiny/seed0"
    latest = "backup/latest.weights.h5"
    for files, epochs in (
        ([latest], 1),
        (["backup/training_metadata.json"], 1),
        (["best.weights.h5"], 0),
        ([latest, f"{latest}.bkp"], 0),
        ([], 2),
    ):
        folder = tmp_path / "copy"
        shutil.copytree(kept, folder)
        for name in files:
            content = (folder / name).read_bytes()
            (folder / name).write_bytes(content[: len(content) // 3])
        log = checkpoints.EpochLog(folder / "history.jsonl", None, "val_loss")
        checkpoints.mend(folder, log)
        assert log.epochs == epochs, files
        assert (folder / "backup").exists() == (epochs > 0)
        shutil.rmtree(folder)


def test_runs_from_before_a_setting_existed_go_on(tmp_path, row, monkeypatch):
    run(row, SHORT, verbose=0)
    path = tmp_path / "runs/smoke/test/tiny/seed0/settings.json"
    begun = json.loads(path.read_text())
    for name in ("shift", "loss", "loss_options", "neighbors", "data"):
        del begun["settings"][name]
    del begun["checksum"]
    path.write_text(json.dumps(begun))
    monkeypatch.setattr(fit, "fit", None)
    run(row, SHORT)
    with pytest.raises(ValueError, match="shift was 0, is 2"):
        run(row.but(data={"shift": 2}), SHORT)


def test_same_run_twice_at_once_is_refused(tmp_path, row):
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    folder.mkdir(parents=True)
    with checkpoints.alone(folder), pytest.raises(RuntimeError, match="already running"):
        run(row, SHORT, verbose=0)


def test_run_goes_on_with_what_it_began_with(tmp_path):
    settings = {"epochs": 3, "data": "photos", "build_options": {"filters": (8, 16)}}
    begun = checkpoints.begin(tmp_path, settings)
    assert checkpoints.begin(tmp_path, settings) == begun
    with pytest.raises(ValueError, match=r"\(epochs was 3, is 4\)\. .*delete .* take another seed"):
        checkpoints.begin(tmp_path, {**settings, "epochs": 4})
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_circumstances_that_are_lost_are_told_before_training(tmp_path):
    begun = checkpoints.begin(tmp_path, {"epochs": 3})
    del begun["circumstances"]["versions"]
    (tmp_path / "settings.json").write_text(json.dumps(begun))
    with pytest.raises(ValueError, match=r"settings\.json is damaged.*delete"):
        checkpoints.begin(tmp_path, {"epochs": 3})


def test_folder_is_free_again_after_a_failure(tmp_path):
    with pytest.raises(KeyError), checkpoints.alone(tmp_path):
        raise KeyError
    with checkpoints.alone(tmp_path):
        pass


def test_an_error_that_is_no_number_any_more_stops_the_run(tmp_path, row):
    log = checkpoints.EpochLog(
        tmp_path / "history.jsonl", pairs(np.zeros((2, 8, 8, 3), "uint8")), "val_loss"
    )
    log.on_epoch_begin(0)
    log.on_test_begin()
    with pytest.raises(RuntimeError, match="no longer a number"):
        log.on_epoch_end(0, {"loss": 1.0, log.monitor: float("nan")})
    assert log.best_epoch is None and not list(tmp_path.iterdir())
