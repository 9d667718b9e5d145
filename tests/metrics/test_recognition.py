import re

import keras
import numpy as np
import pytest

from colorkit import metrics


def test_feature_preservation_is_the_accuracy_of_the_classifier():
    inputs = keras.Input((4, 4, 3))
    channels = keras.layers.GlobalAveragePooling2D()(inputs)  # the class is the strongest channel
    metric = metrics.FeaturePreservation(keras.Model(inputs, channels))
    pictures = np.broadcast_to(np.eye(3, dtype="float32")[:, None, None], (3, 4, 4, 3))
    metric.update_state(np.array([0, 1, 0]), pictures)
    metric.update_state(np.array([2]), pictures[2:])
    assert float(metric.result()) == pytest.approx(3 / 4)
    for labels, received in (([0, 1], r"shape \(2,\)"), ([0, 1, 3], "classes 0 to 3")):
        with pytest.raises(ValueError, match=received):
            metric.update_state(np.array(labels), pictures)
    with pytest.raises(TypeError, match="classifier"):
        type(metric).from_config(metric.get_config())


@pytest.fixture
def segmenter():
    """Predicts class 1 where there is more red than green, else class 0."""
    inputs = keras.Input((None, None, 3))
    difference = keras.layers.Conv2D(2, 1, use_bias=False, name="difference")
    model = keras.Model(inputs, difference(inputs))
    kernel = np.zeros((1, 1, 3, 2), "float32")
    kernel[0, 0, 0, 1] = kernel[0, 0, 1, 0] = 1.0
    difference.set_weights([kernel])
    return model


def halves(left, right):
    """An image `(1, 4, 4, 3)` of two colors."""
    picture = np.empty((1, 4, 4, 3), "float32")
    picture[:, :, :2], picture[:, :, 2:] = left, right
    return picture


RED, GREEN = (1, 0, 0), (0, 1, 0)


def test_mask_iou_of_predicted_classes_is_known(segmenter):
    mask = np.zeros((1, 4, 4), "int32")
    mask[:, :, 2:] = 1
    for picture, expected in (
        (halves(GREEN, RED), 1.0),
        (halves(RED, GREEN), 0.0),
        (halves(RED, RED), (0 / 8 + 8 / 16) / 2),
    ):
        metric = metrics.MaskIoU(segmenter)
        metric.update_state(mask, picture)
        assert float(metric.result()) == pytest.approx(expected)
    mask[:, :, :2] = 255  # ignore the left half
    metric = metrics.MaskIoU(segmenter, ignore_class=255)
    metric.update_state(mask, halves(RED, RED))
    assert float(metric.result()) == pytest.approx(1)


def test_mask_iou_needs_one_mask_per_image_and_has_no_config(segmenter):
    metric = metrics.MaskIoU(segmenter)
    with pytest.raises(ValueError, match=r"\(1, 4, 4\).* Received shape \(1, 2, 2\)"):
        metric.update_state(np.ones((1, 2, 2)), halves(RED, RED))
    with pytest.raises(TypeError):
        type(metric).from_config(metric.get_config())


def test_masks_with_unknown_classes_raise(segmenter):
    mask = np.zeros((1, 4, 4))
    for value, received in ((2, "2.0 is unknown"), (-1, "-1"), (np.nan, "nan"), (0.5, "0.5")):
        mask[0, 3, 3] = value
        with pytest.raises(ValueError, match=rf"classes from 0 to 1\. Received.*{received}"):
            metrics.MaskIoU(segmenter).update_state(mask, halves(RED, RED))
    mask[0, 3, 3] = 7
    with pytest.raises(ValueError, match=r"from 0 to 1, or 255.*of which 7"):
        metrics.MaskIoU(segmenter, ignore_class=255).update_state(
            mask.astype("uint8"), halves(RED, RED)
        )


def convolved(channels, pooled=False):
    model = keras.Sequential([keras.Input((None, None, 3))])
    model.add(keras.layers.Conv2D(channels, 1))
    if pooled:
        model.add(keras.layers.GlobalAveragePooling2D())
    return model


def test_segmenter_of_another_output_raises():
    for model, made in (
        (convolved(1), "(None, None, None, 1)"),
        (convolved(4, pooled=True), "(None, 4)"),
    ):
        with pytest.raises(ValueError, match="at least two classes.*" + re.escape(made)):
            metrics.MaskIoU(model)


def test_classifier_of_another_output_raises():
    for model in (convolved(1, pooled=True), convolved(3)):
        with pytest.raises(ValueError, match=r"logits \(N, classes\) of at least two"):
            metrics.FeaturePreservation(model)


def test_networks_may_be_sequential():
    pictures = halves(RED, GREEN)
    classifier = convolved(3, pooled=True)
    predicted = np.argmax(classifier.predict(pictures, verbose=0), axis=-1)
    preserved = metrics.FeaturePreservation(classifier)
    preserved.update_state(predicted, pictures)
    assert float(preserved.result()) == pytest.approx(1)
    segmenter = convolved(2)
    masks = np.argmax(segmenter.predict(pictures, verbose=0), axis=-1)
    metric = metrics.MaskIoU(segmenter)
    metric.update_state(masks, pictures)
    assert float(metric.result()) == pytest.approx(1)


def test_unknown_labels_raise():
    metric = metrics.FeaturePreservation(convolved(3, pooled=True))
    for label in (-1, 0.5, np.nan):
        with pytest.raises(ValueError, match=f"from 0 to 2.*{label}"):
            metric.update_state(np.array([label]), halves(RED, RED))


def test_mask_iou_weights_images():
    rgb = keras.Input((8, 8, 3))
    segmenter = keras.Model(rgb, keras.ops.concatenate([rgb[..., :1], 1 - rgb[..., :1]], axis=-1))
    metric = metrics.MaskIoU(segmenter)
    masks = np.zeros((2, 8, 8), "int32")
    images = np.stack([np.ones((8, 8, 3)), np.zeros((8, 8, 3))])  # classes 0 and 1
    metric.update_state(masks, images, [0.5, 0.0])
    assert float(metric.result()) == pytest.approx(1.0)
