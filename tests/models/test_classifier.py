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
def test_classifiers_learn_classes_that_differ_in_color(build, rng):
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
    assert scores["gray/accuracy"] < 0.7, "without color, classes are alike"


def test_pretrained_classifier_has_the_accuracy_of_the_papers(cifar10_test):
    scores = evaluate_classifier(models.load_classifier("vgg"), cifar10_test[:500])
    # 81.44 on all 10,000 images, and 73.40 on those that the paper calls grayscale.
    assert scores["accuracy"] == pytest.approx(0.8144, abs=0.035)
    assert scores["red/accuracy"] == pytest.approx(0.7340, abs=0.04)


def test_load_classifier_reads_a_file(tmp_path):
    model = models.build_residual_classifier(3, widths=(4,), blocks=(0,))
    model.save(tmp_path / "mine.keras")
    assert models.load_classifier(tmp_path / "mine.keras").output.shape == (None, 3)
    with pytest.raises(FileNotFoundError, match=r"none\.keras.*colorkit train"):
        models.load_classifier(tmp_path / "none.keras")


def test_unknown_classifier_raises_with_the_known_names():
    with pytest.raises(ValueError, match=r"one of.*imagenet"):
        models.load_classifier("imagenet")
