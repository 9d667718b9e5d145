import keras
import numpy as np
import pytest

from colorkit import models
from colorkit.data.batches import labeled
from colorkit.data.images import Images
from colorkit.evaluation.scores import evaluate_classifier


@pytest.mark.parametrize(
    "build",
    [
        lambda: models.build_vgg_classifier(3, input_shape=(16, 16, 3), widths=(8,), hidden=16),
        lambda: models.build_residual_classifier(3, widths=(8, 8), blocks=(1, 1)),
    ],
    ids=["vgg", "residual"],
)
def test_classifiers_learn_to_tell_colors(build, rng):
    keras.utils.set_random_seed(0)
    labels = rng.integers(0, 3, 96)
    pictures = rng.integers(0, 120, (96, 16, 16, 3), dtype="uint8")
    pictures[np.arange(96), :, :, labels] += 120
    images = Images(pictures, labels=labels)
    model = build()
    assert not model.compiled
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
    model.fit(labeled(images, batch_size=16, augment=True), epochs=12, verbose=0)
    scores = evaluate_classifier(model, images)
    assert scores["accuracy"] > 0.9
    assert scores["gray/accuracy"] < 0.7, "without color there is little to tell"


def test_residual_classifier_needs_one_number_of_blocks_a_level():
    with pytest.raises(ValueError, match=r"2 entries.*Received: 1"):
        models.build_residual_classifier(widths=(4, 8), blocks=(1,))


def test_shipped_classifier_is_as_strong_as_the_papers(cifar10_test):
    scores = evaluate_classifier(models.load_classifier("vgg"), cifar10_test[:1000])
    # 81.44 on all 10,000 pictures, and 73.40 for what the paper calls grayscale.
    assert scores["accuracy"] == pytest.approx(0.8144, abs=0.025)
    assert scores["red/accuracy"] == pytest.approx(0.7340, abs=0.03)


def test_classifier_of_a_file_is_loaded(tmp_path):
    model = models.build_residual_classifier(3, widths=(4,), blocks=(0,))
    model.save(tmp_path / "mine.keras")
    assert models.load_classifier(tmp_path / "mine.keras").output.shape == (None, 3)
    with pytest.raises(FileNotFoundError, match=r"none\.keras.*colorkit train"):
        models.load_classifier(tmp_path / "none.keras")


def test_unknown_classifiers_name_the_known_ones():
    with pytest.raises(ValueError, match=r"one of.*imagenet"):
        models.load_classifier("imagenet")
