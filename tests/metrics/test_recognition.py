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
    """Sees class 1 where there is more red than green, else class 0."""
    inputs = keras.Input((None, None, 3))
    difference = keras.layers.Conv2D(2, 1, use_bias=False, name="difference")
    model = keras.Model(inputs, difference(inputs))
    kernel = np.zeros((1, 1, 3, 2), "float32")
    kernel[0, 0, 0, 1] = kernel[0, 0, 1, 0] = 1.0
    difference.set_weights([kernel])
    return model


def halves(left, right):
    """A picture `(1, 4, 4, 3)` of two colours."""
    picture = np.empty((1, 4, 4, 3), "float32")
    picture[:, :, :2], picture[:, :, 2:] = left, right
    return picture


RED, GREEN = (1, 0, 0), (0, 1, 0)


def test_mask_iou_is_that_of_the_classes_that_are_seen(segmenter):
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
    mask[:, :, :2] = 255  # nothing is known of the left half
    metric = metrics.MaskIoU(segmenter, ignore_class=255)
    metric.update_state(mask, halves(RED, RED))
    assert float(metric.result()) == pytest.approx(1)


def test_mask_iou_wants_a_mask_a_picture_and_has_no_config(segmenter):
    metric = metrics.MaskIoU(segmenter)
    with pytest.raises(ValueError, match=r"\(1, 4, 4\). Received shape \(1, 2, 2\)"):
        metric.update_state(np.ones((1, 2, 2)), halves(RED, RED))
    with pytest.raises(TypeError):
        type(metric).from_config(metric.get_config())
