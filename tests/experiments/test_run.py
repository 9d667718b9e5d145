import dataclasses
import json
import shutil
import zlib

import h5py
import imageio.v3 as iio
import keras
import numpy as np
import pytest
from PIL import Image

from colorkit import (
    ColorBins,
    Colorizer,
    evaluate,
    evaluation,
    experiments,
    load,
    models,
    pairs,
    run,
    training,
)
from colorkit.data.images import Images
from colorkit.evaluation import temperature_curve
from colorkit.experiments import checkpoints, fit
from colorkit.experiments.records import read, read_all, write
from colorkit.losses import RebalancedCrossentropy
from tests.experiments.test_splits import of_split
from tests.report.test_tables import make_record

TINY = experiments.Profile("smoke", "photos", train=16, validation=8, test=8, width=0.1, epochs=3)
SHORT = dataclasses.replace(TINY, epochs=2)


@pytest.fixture
def regression(row):
    """As small an experiment without bins."""
    return row.but(
        build=lambda width, _: models.build_conv_regression(blocks=((round(80 * width),),)),
        objective=experiments.Regression(),
    )


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, eager):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def all_metrics():
    """For tests of the metrics. In all others, one number of the first image stands for them."""


@pytest.fixture(autouse=True)
def one_metric(request, monkeypatch):
    if "all_metrics" not in request.fixturenames:
        measured = lambda colorizer, images, *_: {"mean": colorizer(images[0]).mean()}  # noqa: E731
        monkeypatch.setattr(training, "_measured", measured)


def folder_of(path, pictures, ending="png"):
    """A folder with pictures for training, and the same mirrored for the test."""
    for split in ("train", "test"):
        (path / split).mkdir(parents=True)
        for i, picture in enumerate(pictures):
            Image.fromarray(of_split(split, picture)).save(path / split / f"{i}.{ending}")
    return f"folder:{path}"


def history(tmp_path):
    path = tmp_path / "runs/smoke/test/tiny/seed0/history.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_run_trains_evaluates_and_writes_a_record(tmp_path, row, all_metrics):
    colorizer, record = run(row, TINY, verbose=0)
    assert isinstance(colorizer, Colorizer)
    assert record.epochs == 3 and record.images_seen == 48
    assert record.sizes == {"train": 16, "validation": 8, "test": 8}
    assert record.settings["loss"] == "RebalancedCrossentropy"
    assert np.isfinite(record.metrics["threshold_accuracy"])
    assert {"bleeding", "occupied_bins", "oracle/psnr"} <= set(record.metrics)
    lines = history(tmp_path)
    assert lines[-1]["loss"] < lines[0]["loss"]
    # Validation comes after training, and is no part of what a picture took to train.
    assert all(0 < line["training_seconds"] < line["seconds"] for line in lines)
    fastest = min(line["training_seconds"] for line in lines)
    assert record.training_milliseconds == pytest.approx(1000 * fastest / 16, rel=1e-3)
    saved = Colorizer.load(tmp_path / "runs/smoke/test/tiny/seed0/colorizer.keras")
    picture = np.arange(256, dtype="uint8").reshape(16, 16)
    np.testing.assert_array_equal(saved(picture), colorizer(picture))
    records, _ = read_all(tmp_path / "runs/smoke/figures/records")
    assert [r.experiment for r in records] == ["test/tiny"]
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    ("average", "place"),
    [
        (None, (checkpoints.EpochLog, "on_epoch_begin", 2)),
        (0.9, (fit._Best, "on_epoch_end", 2)),  # the log has the epoch already
    ],
    ids=["epoch", "average"],
)
def test_interrupted_run_resumes_and_ends_where_it_would_have(
    average, place, tmp_path, row, monkeypatch
):
    row = row.but(schedule={"average": average})
    whole, expected = run(row.but(name="test/whole"), TINY, verbose=0)

    class Interruption(Exception):
        pass

    callback, event, at = place
    original = getattr(callback, event)

    def interrupted(self, epoch, logs=None):
        if epoch == at:
            raise Interruption
        original(self, epoch, logs)

    monkeypatch.setattr(callback, event, interrupted)
    with pytest.raises(Interruption):
        run(row, TINY, verbose=0)
    assert [line["epoch"] for line in history(tmp_path)][:2] == [0, 1]
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    assert not (folder / "record.json").exists()
    monkeypatch.setattr(callback, event, original)
    resumed, record = run(row, TINY, verbose=0)
    assert [line["epoch"] for line in history(tmp_path)] == [0, 1, 2]
    assert record.epochs == 3
    assert record.settings["best_epoch"] == expected.settings["best_epoch"]
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-3, atol=1e-3)


def test_regression_trains_on_the_same_pairs(all_metrics):
    colorizer, record = run("cifar/lab-conv-regression", SHORT, verbose=0)
    assert colorizer.bins is None
    assert record.settings["loss"] == "MeanSquaredError"
    assert "oracle/psnr" not in record.metrics


def test_classes_are_learned_beside_and_left_out_of_the_colorizer(tmp_path):
    row = experiments.experiment("cifar/lab-residual-unet").but(
        name="test/tiny",
        build=lambda width, num_bins: models.build_residual_unet(
            num_bins, widths=(4, 8), encoder_blocks=(0, 1), decoder_blocks=(0,), num_classes=10
        ),
        objective={"bins": lambda images: ColorBins.fit(images, 16)},
    )
    colorizer, record = run(row, SHORT, verbose=0)
    assert colorizer.mirror and colorizer.bins.num_bins == 16
    assert record.settings["temperature"] == colorizer.temperature
    assert {"val_chroma_loss", "label_loss"} <= set(history(tmp_path)[0])
    again, _ = run(row, SHORT, verbose=0)
    np.testing.assert_array_equal(again.bins.centers, colorizer.bins.centers)


def test_temperature_and_weights_are_chosen_on_validation_pictures(tmp_path, pictures):
    bins = ColorBins.grid(49)
    network = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    (tmp_path / "backup").mkdir()
    names = [checkpoints.BEST, checkpoints.LATEST]
    weights, best = [], []
    for seed in ("one", "another"):
        network.set_weights([w + rng_like(w, seed) for w in network.get_weights()])
        training.round_kernels(network)
        weights.append(network.get_weights())
        rows = temperature_curve(Colorizer(network, bins=bins), pictures, experiments.TEMPERATURES)
        best.append(max(rows, key=lambda row: row["threshold_accuracy"]))
    expected = max(range(2), key=lambda i: best[i]["threshold_accuracy"])
    for order in (names, names[::-1]):
        for name, values in zip(order, weights, strict=True):
            network.set_weights(values)
            (tmp_path / name).unlink(missing_ok=True)  # HDF5 takes what it holds open for the old
            network.save_weights(tmp_path / name)
        colorizer = Colorizer(network, bins=bins)
        chosen = training._choose(colorizer, network, tmp_path, Images(pictures))
        assert chosen == order[expected]
        assert colorizer.temperature == best[expected]["temperature"]
        for a, b in zip(network.get_weights(), weights[expected], strict=True):
            np.testing.assert_array_equal(a, b)


def rng_like(weights, seed):
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    return rng.normal(0, 0.5, weights.shape).astype(weights.dtype)


def test_classifier_is_trained_saved_and_measured(tmp_path):
    row = experiments.experiment("cifar/vgg-classifier").but(name="test/tiny")
    classifier, record = run(row, SHORT, verbose=0)
    assert set(record.metrics) == {"accuracy", "gray/accuracy", "red/accuracy"}
    assert record.settings["loss"] == "SparseCategoricalCrossentropy"
    again, _ = run(row, SHORT, verbose=0)
    rgb = np.full((1, 32, 32, 3), 0.5, "float32")
    np.testing.assert_allclose(
        again.predict(rgb, verbose=0), classifier.predict(rgb, verbose=0), rtol=1e-5
    )


def test_run_on_its_own_data_measures_feature_preservation(tmp_path, row, monkeypatch, all_metrics):
    row = row.but(data={"name": "photos", "classifiers": ("vgg",)})
    own_data = dataclasses.replace(TINY, name="quick", data=None, epochs=1)
    _, record = run(row, own_data, verbose=0)
    for prefix in ("", "published/", "truth/", "gray/", "red/"):
        assert 0 <= record.metrics[f"{prefix}feature_preservation_vgg"] <= 1
    assert {"T=0/colorfulness", "T=1/threshold_accuracy"} <= set(record.metrics)
    # What is measured otherwise than now is measured again, and not trained again.
    monkeypatch.setattr(fit, "fit", None)
    monkeypatch.setattr(training.evaluation, "VERSION", 0)
    assert run(row, own_data)[1].settings["measures"] == 0


def test_missing_classifiers_are_told_before_training(row, monkeypatch):
    row = row.but(data={"name": "photos", "classifiers": ("imagenet",)})
    monkeypatch.setattr(fit, "fit", None)
    with pytest.raises(ValueError, match="imagenet"):
        run(row, dataclasses.replace(TINY, data=None))


def test_training_stops_when_it_no_longer_helps(tmp_path, regression, monkeypatch):
    stuck = regression.but(
        build=lambda *_: models.build_conv_regression(blocks=()),
        schedule={"patience": 2, "learning_rate": 0.0},
    )
    _, record = run(stuck, dataclasses.replace(TINY, epochs=9), epochs=9, verbose=0)
    assert record.epochs < 9
    monkeypatch.setattr(fit, "fit", None)
    assert run(stuck, dataclasses.replace(TINY, epochs=9), epochs=9)[1].epochs == record.epochs


def test_complete_run_is_not_trained_again_nor_with_other_settings(
    tmp_path, regression, monkeypatch
):
    _, first = run(regression, SHORT, verbose=0)
    with pytest.raises(ValueError, match=r"learning_rate was 0\.002, is 9"):
        run(regression.but(schedule={"learning_rate": 9}), SHORT, verbose=0)
    with pytest.raises(ValueError, match="epochs was 2, is 5"):
        run(regression, SHORT, epochs=5, verbose=0)
    monkeypatch.setattr(fit, "fit", None)
    _, again = run(regression, SHORT, verbose=0)
    assert again == read(tmp_path / "runs/smoke/test/tiny/seed0/record.json")
    assert again.metrics == pytest.approx(first.metrics, rel=1e-5)
    assert again.date == first.date
    for lost in ("backup", "history.jsonl", "best.weights.h5"):  # the result is enough
        path = tmp_path / "runs/smoke/test/tiny/seed0" / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert run(regression, SHORT, verbose=0)[1] == again


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path, regression):
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    folder.mkdir(parents=True)
    (folder / ".colorkit-0123abcd.keras").touch()
    run(regression, SHORT, verbose=0)
    assert not list(folder.glob(".*"))


def test_run_of_another_network_is_refused_and_kept(tmp_path, regression):
    run(regression, SHORT, verbose=0)
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    other = experiments.experiment("cifar/lab-dense-regression").build
    with pytest.raises(ValueError, match="network was conv_regression, is dense_regression"):
        run(regression.but(build=other), SHORT)
    with pytest.raises(ValueError, match="parameters was"):
        run(regression, dataclasses.replace(SHORT, width=0.2))
    assert kept == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_weights_of_another_network_are_named_with_the_way_out(tmp_path, regression):
    run(regression, SHORT, verbose=0)
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    (folder / "record.json").unlink()
    lines = (folder / "history.jsonl").read_text().splitlines()
    for weights in (checkpoints.BEST, checkpoints.LATEST):
        if weights == checkpoints.LATEST:  # as if it had been interrupted after an epoch
            (folder / "history.jsonl").write_text(lines[0])
            (folder / "backup/training_metadata.json").write_text('{"epoch": 1}')
        whole = (folder / weights).read_bytes()
        (folder / weights).unlink()  # HDF5 takes a file that it holds open for the old one
        models.build_unet(widths=(4, 6)).save_weights(folder / weights)
        wanted = rf"{weights} does not hold .*conv_regr.*or delete the folder {folder} to"
        with pytest.raises(ValueError, match=wanted) as told:
            run(regression, SHORT, verbose=0)
        assert len(str(told.value)) < 1000, "not all weights"
        (folder / weights).unlink()
        (folder / weights).write_bytes(whole)
    assert run(regression, SHORT, verbose=0)[1].epochs == 2


def test_loss_that_is_no_number_stops_the_run_and_keeps_nothing(tmp_path, monkeypatch):
    row = experiments.experiment("cifar/lab-conv-regression")
    wild = row.but(name="test/tiny", schedule={"learning_rate": 1e30})
    with pytest.raises(RuntimeError, match="no longer a number"):
        run(wild, dataclasses.replace(TINY, width=0.05), verbose=0)
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    assert not (folder / "colorizer.keras").exists() and not (folder / "record.json").exists()
    assert not (tmp_path / "runs/smoke/figures").exists()


def test_result_that_is_lost_or_damaged_is_made_anew_from_the_weights(
    tmp_path, regression, monkeypatch
):
    _, first = run(regression, SHORT, verbose=0)
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    monkeypatch.setattr(fit, "fit", None)
    fields = json.loads((folder / "record.json").read_text())
    without_metrics = json.dumps({**fields, "metrics": {}})
    for lost, contents in {
        "colorizer.keras": (None, b"\x93"),
        "record.json": (None, b"\x93", without_metrics.encode()),
    }.items():
        for content in contents:
            (folder / lost).unlink() if content is None else (folder / lost).write_bytes(content)
            _, again = run(regression, SHORT, verbose=0)
            assert again.metrics == pytest.approx(first.metrics, rel=1e-5)
            stored = read(folder / "record.json").metrics
            assert stored == pytest.approx(again.metrics, rel=1e-5)
            Colorizer.load(folder / "colorizer.keras")


def test_record_of_another_run_is_not_taken_for_its_own(tmp_path, row):
    settings = {"measures": evaluation.VERSION}
    record = dataclasses.replace(make_record(row.name, 0, "smoke"), settings=settings)
    for stored, is_own in (
        (record, True),
        (dataclasses.replace(record, experiment="test/other"), False),
        (dataclasses.replace(record, seed=1), False),
        (dataclasses.replace(record, settings={"measures": 0}), False),
    ):
        write(stored, tmp_path / "record.json")
        assert (training._record(tmp_path, row, TINY, 0) is not None) == is_own


def test_record_of_the_package_stands_for_a_run_that_is_not_trained(tmp_path, row):
    name = "cifar/lab-conv-classification-81"
    colorizer, record = run(name, "quick", train=False)
    assert colorizer is None
    assert (record.experiment, record.profile, record.seed) == (name, "quick", 0)
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match=r"no record of test/tiny at smoke .*train=True"):
        run(row, SHORT, train=False)
    _, trained = run(row, SHORT, verbose=0)
    colorizer, record = run(row, SHORT, train=False)
    assert colorizer is not None and record.date == trained.date


DAMAGED = (b"", b"\x93", b"[]", b"null", b"{}", b'{"settings": []}')


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_files_of_a_run_are_named_with_the_way_out(tmp_path, row, content):
    for name in ("settings.json", "bins.json"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"settings\.json is damaged: .* or delete"):
        checkpoints.begin(tmp_path, {"epochs": 3})
    with pytest.raises(ValueError, match=r"bins\.json .*[Dd]elete"):
        training._bins(row, None, tmp_path)


def test_bins_that_were_changed_are_refused(tmp_path, row):
    run(row, SHORT, verbose=0)
    folder = tmp_path / "runs/smoke/test/tiny/seed0"
    begun = json.loads((folder / "settings.json").read_text())
    config = json.loads((folder / "bins.json").read_text())
    config["centers"][7][0] += 1.0
    (folder / "bins.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"bins_checksum was .*bins\.json has changed; restore it"):
        run(row, SHORT, verbose=0)
    del begun["settings"]["bins_checksum"], begun["checksum"]  # as in runs of before
    (folder / "settings.json").write_text(json.dumps(begun))
    assert run(row, SHORT, verbose=0)[1].epochs == 2


WHOLE = b'{"epoch": 0, "seconds": 2.5, "val_loss": 0.5}'
ALTERED = {
    "cut": b'{"epoch": 1',
    "text": b'{"epoch": "1", "seconds": 1, "val_loss": 1}',
    "negative": b'{"epoch": -1, "seconds": 1, "val_loss": 1}',
    "repeated": WHOLE,
    "missing": b'{"epoch": 2, "seconds": 1, "val_loss": 1}',
    "nan": b'{"epoch": 1, "seconds": 1, "val_loss": NaN}',
    "negative time": b'{"epoch": 1, "seconds": -1, "val_loss": 1}',
    "no loss": b'{"epoch": 1, "seconds": 1}',
    **{repr(content): content for content in DAMAGED[1:]},
}


@pytest.mark.parametrize("line", ALTERED.values(), ids=ALTERED)
def test_altered_lines_of_a_history_are_refused(tmp_path, line):
    path = tmp_path / "history.jsonl"
    path.write_bytes(WHOLE + b"\n" + line)
    with pytest.raises(ValueError, match=r"history\.jsonl is damaged: line 2 .* or delete"):
        checkpoints.EpochLog(path, None, "val_loss")
    path.write_bytes(WHOLE)
    assert checkpoints.EpochLog(path, None, "val_loss").rows == [json.loads(WHOLE)]


def test_damaged_state_of_a_checkpoint_is_no_checkpoint(tmp_path, row):
    lines = [json.dumps({"epoch": i, "seconds": 1, "val_loss": 1}) for i in range(2)]
    for i, (content, epochs) in enumerate(
        {b'{"epoch": 2}': 2, b"[]": 0, b'{"epoch": "2"}': 0, b'{"epoch": -1}': 0, b"": 0}.items()
    ):
        folder = tmp_path / str(i)
        (folder / "backup").mkdir(parents=True)
        for name in (checkpoints.BEST, checkpoints.LATEST):
            h5py.File(folder / name, "w").close()
        (folder / "backup/training_metadata.json").write_bytes(content)
        (folder / "history.jsonl").write_text("\n".join(lines))
        log = checkpoints.EpochLog(folder / "history.jsonl", None, "val_loss")
        checkpoints.mend(folder, log)
        assert log.epochs == epochs and (folder / "backup").exists() == bool(epochs)


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_pictures_of_more_classes_than_the_network_knows_are_refused(tmp_path, row, pictures):
    for i, picture in enumerate(pictures[:12]):
        for split in ("train", "test"):
            path = tmp_path / "many" / split / f"{i:02}" / "a.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(of_split(split, picture)).save(path)
    with pytest.raises(ValueError, match=r"class 11; .* has 10 classes"):
        run("cifar/vgg-classifier", SHORT, data=f"folder:{tmp_path / 'many'}", verbose=0)
    assert not list((tmp_path / "runs").rglob("seed0")), "nothing was begun"


def test_experiments_made_for_cifar_reduce_other_pictures_to_its_size(tmp_path, rng):
    for i in range(30):
        for split in ("train", "test"):
            path = tmp_path / "mine" / split / f"{i:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            size = (40 + i % 3, 50, 3)
            Image.fromarray(rng.integers(0, 256, size, dtype="uint8")).save(path)
    _, record = run(
        "cifar/lab-dense-regression", SHORT, data=f"folder:{tmp_path / 'mine'}", verbose=0
    )
    assert record.experiment == "cifar/lab-dense-regression@mine"
    assert record.settings["size"] == 32


def test_damaged_files_are_left_out_of_a_run_and_counted_in_its_record(tmp_path, regression, rng):
    row = regression.but(data={"size": 16})
    pictures = rng.integers(0, 256, (8, 64, 64, 3), dtype="uint8")
    data = folder_of(tmp_path / "mine", pictures, "jpg")
    path = tmp_path / "mine/test/3.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])  # it says its size yet
    (tmp_path / "mine/train/x.jpg").write_text("not a picture")
    with (
        pytest.warns(UserWarning, match=r"^1 of 9 files in .*x\.jpg$"),
        pytest.warns(UserWarning, match=r"^1 of 8 images of folder:mine .*3\.jpg$"),
    ):
        record = run(row, SHORT, data=data, verbose=0)[1]
    assert record.sizes == {"train": 7, "validation": 1, "test": 7, "left_out": 2}
    path.write_bytes(whole)
    (tmp_path / "mine/train/x.jpg").unlink()
    record = run(row, SHORT, data=data, seed=1, verbose=0)[1]
    assert record.sizes == {"train": 7, "validation": 1, "test": 8}


@pytest.mark.parametrize("split", ["train", "validation"])
def test_file_that_disappears_while_training_is_named_with_the_way_out(
    tmp_path, regression, rng, monkeypatch, split
):
    row = regression.but(data={"size": 16})
    monkeypatch.setattr("colorkit.experiments.splits._KEPT_BYTES", 0)  # read in each epoch
    data = folder_of(tmp_path / "mine", rng.integers(0, 256, (20, 16, 16, 3), dtype="uint8"))
    images = dict(
        zip(("train", "validation"), training.splits(row, SHORT, data=data), strict=False)
    )[split]
    path = images._items[0]
    content = path.read_bytes()

    class Gone(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                path.unlink()

    fit = keras.Model.fit

    def fit_and_lose(self, *args, callbacks, **options):
        return fit(self, *args, callbacks=[*callbacks, Gone()], **options)

    with monkeypatch.context() as patched:
        patched.setattr(keras.Model, "fit", fit_and_lose)
        with pytest.raises(FileNotFoundError, match=rf"{path.name}.* restoring the file, and"):
            run(row, TINY, data=data, verbose=0)
    path.write_bytes(content)
    assert run(row, TINY, data=data, verbose=0)[1].epochs == 3
    epochs = training.history(row, TINY, data=data)
    assert [line["epoch"] for line in epochs] == [0, 1, 2]


def test_run_on_other_shares_is_a_run_of_its_own(tmp_path, regression, pictures):
    row = regression.but(data={"size": 16})
    folder_of(tmp_path / "a", pictures[:8])
    folder_of(tmp_path / "b", pictures[8:])
    names = []
    for data in ("folder:a+b", "folder:a*3+b"):
        record = run(row, SHORT, data=data, verbose=0)[1]
        names.append((record.experiment, record.data))
    assert names == [
        ("test/tiny@a-b", "folder:a + folder:b"),
        ("test/tiny@a-3-b-1", "folder:a*3 + folder:b*1"),
    ]


def test_folders_of_one_name_are_told_apart(tmp_path, regression, pictures, monkeypatch):
    row = regression.but(data={"size": 16})
    first, second = (
        folder_of(tmp_path / place / "mine", chosen)
        for place, chosen in (("a", pictures[:8]), ("b", pictures[8:]))
    )
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(fit, "fit", lambda *_, **__: 1 / 0)  # begun, and interrupted
        run(row, SHORT, data=first, verbose=0)
    with pytest.raises(ValueError, match=r"checksum was .*, is .*delete"):
        run(row, SHORT, data=second, verbose=0)


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"epochs": -1}, {"epochs": 1.5}, {"seed": -1}])
def test_impossible_numbers_leave_nothing_behind(tmp_path, row, bad):
    with pytest.raises(ValueError, match="whole number"):
        run(row, TINY, **bad)
    assert not list(tmp_path.iterdir())


def test_unknown_names_and_profiles_leave_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="coherent-32 has nothing to learn"):
        run("coherence/coherent-32", epochs=3)
    with pytest.raises(ValueError, match="cifar/lab-conv-regression"):
        run("cifar/best", "smoke")
    with pytest.raises(ValueError, match="smoke"):
        run("cifar/lab-conv-regression", "huge")
    assert not list(tmp_path.iterdir())


def test_validation_pictures_are_no_training_pictures(row):
    train, validation, _ = training.splits(row, TINY, seed=0)
    train, validation = ({picture.tobytes() for picture in part} for part in (train, validation))
    assert not train & validation


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_baselines_are_those_of_the_pictures_that_are_tested(tmp_path, row, pictures, all_metrics):
    folder = tmp_path / "set"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        for i, rgb in enumerate(pictures[:8]):
            rgb = rgb if i < 3 else of_split(split, rgb)  # the first are copies
            Image.fromarray(rgb).save(folder / split / f"{i}.png")
    row = row.but(
        data={"name": f"folder:{folder}", "size": 16, "large_size": 24, "classifiers": ()}
    )
    profile = dataclasses.replace(experiments.profile("full"), epochs=1)
    colorizer, record = run(row, profile, verbose=0)
    for size, part in ((16, ""), (24, "large/")):
        tested = load(row.data.name, "test", size=size)[3:]
        expected = evaluate(colorizer, tested)
        assert record.sizes["test"] == len(tested) == 5
        for kind, metric in (("", "psnr"), ("gray/", "psnr"), ("truth/", "colorfulness")):
            value = record.metrics[f"{kind}{part}{metric}"]
            assert value == pytest.approx(expected[f"{kind}{metric}"], rel=1e-4)


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_gray_pictures_are_refused_before_training(tmp_path, row, pictures):
    gray = pictures[:8].mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    data = folder_of(tmp_path / "mine", np.uint8(gray))
    with pytest.raises(ValueError, match="gray, or nearly gray; give images in color"):
        run(row, "quick", data=data)
    assert not (tmp_path / "runs").exists()


@pytest.mark.filterwarnings("ignore:The smallest image")
def test_too_few_pictures_are_told_before_anything_is_made(tmp_path, row, pictures):
    data = folder_of(tmp_path / "two", pictures[:1])
    with pytest.raises(ValueError, match="1 images for training, of which 1 are needed"):
        run(row, "quick", data=data)
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_one_fit_on_arrays_lowers_the_loss(rng):
    keras.utils.set_random_seed(0)
    images = np.repeat(rng.integers(0, 256, (16, 1, 1, 3)), 8, 1).repeat(8, 2).astype("uint8")
    lightness, chroma = pairs(images, batch_size=16)[0]
    model = models.build_conv_classification(49, blocks=((8,),), dilation_rates=(1,))
    loss = RebalancedCrossentropy(ColorBins.grid(49), neighbors=5)
    model.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=False)
    losses = model.fit(lightness, chroma, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.fixture
def base(row, monkeypatch):
    """A small experiment that others may begin with."""
    base = row.but(name="test/base", build=lambda width, num_bins: row.build(0.05, num_bins))
    monkeypatch.setitem(experiments.EXPERIMENTS, base.name, base)
    return base


def test_run_begins_with_another_and_leaves_it_as_it_was(base, monkeypatch):
    row = experiments.experiment("coherence/rebalanced-32").but(
        name="test/tiny", base=base.name, objective={"bins": base.objective.bins}
    )
    colorizer, record = run(row, SHORT, verbose=0)
    before, first = run(base, SHORT, verbose=0)  # was run first, because it had to be
    assert record.minutes > first.minutes > 0, "what it begins with costs time, too"
    inner = colorizer.model.get_layer(before.model.name)
    for kept, began in zip(inner.get_weights(), before.model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, began)
    assert record.settings["base"] == base.name
    assert record.settings["build_options"]["as_published"]
    assert record.settings["temperature"] == 0.01, "decoded as it was trained"
    monkeypatch.setattr(fit, "fit", None)
    again, _ = run(row, SHORT)
    picture = np.arange(256, dtype="uint8").reshape(16, 16)
    np.testing.assert_array_equal(again(picture), colorizer(picture))


def test_run_on_another_base_is_refused(base, tmp_path, monkeypatch):
    row = experiments.experiment("coherence/coherent-32").but(  # nothing is learned
        name="test/tiny", base=base.name, objective={"bins": base.objective.bins}
    )
    run(row, SHORT, verbose=0)
    shutil.rmtree(tmp_path / "runs/smoke/test/base")
    other = base.but(schedule={"learning_rate": 1e-4})
    monkeypatch.setitem(experiments.EXPERIMENTS, other.name, other)
    with pytest.raises(ValueError, match=r"base_checksum was .*, is "):
        run(row, SHORT, verbose=0)


def test_errors_of_a_base_name_it(base):
    row = base.but(name="test/second", base=base.name)
    run(base, dataclasses.replace(SHORT, epochs=1), verbose=0)
    with pytest.raises(
        ValueError, match=r"test/second starts from test/base: This run was started"
    ):
        run(row, SHORT, verbose=0)


def test_history_of_a_run_that_never_began_is_missing():
    with pytest.raises(FileNotFoundError, match=r"no run of cifar/.+@mine at smoke with seed 3"):
        training.history("cifar/lab-conv-regression", TINY, data="folder:a/mine", seed=3)


def test_run_on_other_pictures_is_a_run_of_its_own(tmp_path, row, pictures):
    row = row.but(data={"size": 16, "classifiers": ("vgg",)})
    _, record = run(row, SHORT, data=folder_of(tmp_path / "mine", pictures[:12]), verbose=0)
    assert (record.experiment, record.data) == ("test/tiny@mine", "folder:mine")
    assert record.sizes["test"] == 8
    assert (tmp_path / "runs/smoke/test/tiny@mine/seed0/colorizer.keras").exists()
    assert not (tmp_path / "runs/smoke/test/tiny").exists()


def test_run_learns_from_the_frames_of_a_video(tmp_path, row):
    pytest.importorskip("av")
    film = np.random.default_rng(0).integers(0, 256, (60, 32, 48, 3), dtype="uint8")
    iio.imwrite(tmp_path / "film.mp4", film, plugin="pyav", codec="libx264", fps=10)
    row = row.but(data={"size": 16, "crop": 8, "validation_split": 0.1, "classifiers": ()})
    _, record = run(row, SHORT, data=f"video:{tmp_path / 'film.mp4'}?stride=2", verbose=0)
    assert record.experiment == "test/tiny@film.mp4-stride-2"
    assert record.data == "video:film.mp4?stride=2"
    assert record.sizes == {"train": 16, "validation": 2, "test": 6}


def test_adversaries_are_trained_and_the_generator_kept(tmp_path, monkeypatch):
    base = experiments.experiment("pix2pix/unet").but(
        name="test/base",
        build=lambda width, num_bins: models.build_unet(widths=(4, 6)),
        data={"size": None, "large_size": None},
        schedule={"batch_size": 8},
    )
    monkeypatch.setitem(experiments.EXPERIMENTS, base.name, base)
    row = experiments.experiment("pix2pix/pretrained").but(
        name="test/tiny", base=base.name, data=base.data, schedule={"batch_size": 8}
    )
    colorizer, record = run(row, SHORT, verbose=0)
    assert {"discriminator_loss", "val_generator_accuracy"} <= set(history(tmp_path)[0])
    assert record.settings["best_epoch"] == 2 and record.settings["loss"] == "Adversarial"
    # It began as what was trained before, and learned.
    before, _ = run(base, SHORT, verbose=0)
    assert colorizer.model.count_params() == before.model.count_params() == record.parameters
    picture = np.arange(1024, dtype="uint8").reshape(32, 32)
    assert (colorizer(picture) != before(picture)).any()
    saved = Colorizer.load(tmp_path / "runs/smoke/test/tiny/seed0/colorizer.keras")
    np.testing.assert_array_equal(saved(picture), colorizer(picture))


def test_patches_are_trained_on_and_whole_pictures_tested(row, monkeypatch):
    row = row.but(data={"crop": 16})
    seen = []
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda self, x, **kw: seen.append(x[0][0].shape) or fit(self, x, **kw)
    )
    colorizer, record = run(row, SHORT, verbose=0)
    assert seen == [(8, 16, 16, 1)]
    assert colorizer.size == 32 and record.settings["crop"] == 16


def test_large_test_pictures_are_measured_beside(row, all_metrics):
    row = row.but(data={"size": 16, "large_size": 24})
    colorizer, record = run(row, SHORT, verbose=0)
    whole = load("photos", "test", size=24)[: record.sizes["test"]]
    expected = evaluate(colorizer, whole)
    for name in ("psnr", "gray/colorfulness", "truth/colorfulness"):
        head, slash, last = name.rpartition("/")
        assert record.metrics[f"{head}{slash}large/{last}"] == pytest.approx(expected[name])
    assert record.metrics["psnr"] != pytest.approx(expected["psnr"])


def test_large_test_pictures_are_fewer_where_pixels_are_counted(row):
    profile = dataclasses.replace(SHORT, test_pixels=3 * 32 * 32 + 5)
    assert run(row, profile, verbose=0)[1].sizes["test"] == 3


@pytest.mark.parametrize("crop", [16, (8, 16)])
def test_parts_of_pictures_are_colored_at_the_scale_they_were_learned_at(tmp_path, row, rng, crop):
    for split in ("train", "test"):
        (tmp_path / "mine" / split).mkdir(parents=True)
        for i in range(12):
            image = rng.integers(0, 256, (20 + i % 3, 30, 3), dtype="uint8")
            Image.fromarray(image).save(tmp_path / "mine" / split / f"{i}.png")
    row = row.but(
        data={
            "crop": crop,
            "context": (0.4, 0.8),
            "aging": 0.5,
            "epoch_images": 8,
            "classifiers": (),
        }
    )
    colorizer, record = run(row, SHORT, data=f"folder:{tmp_path / 'mine'}", verbose=0)
    # A crop of 16 pixels shows at most 0.8 of the short side.
    assert colorizer.size == 20 and record.settings["size"] is None
    assert record.settings["crop"] == (list(crop) if isinstance(crop, tuple) else crop)
    assert record.images_seen == 2 * 8 and record.sizes["test"] == 8
