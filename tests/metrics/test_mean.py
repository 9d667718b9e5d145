import keras
import numpy as np
import pytest

from colorkit import YUV, ColorBins, metrics


def spoiled(truth, rng, amount=0.1):
    return np.clip(truth + rng.normal(0, amount, truth.shape), 0, 1).astype("float32")


def measured(metric, y_true, y_pred, **kwargs):
    metric.update_state(y_true, y_pred, **kwargs)
    return float(metric.result())


@pytest.mark.parametrize(
    "make",
    [
        metrics.ThresholdAccuracy,
        lambda: metrics.ThresholdAccuracy("euclidean"),
        metrics.PSNR,
        metrics.SSIM,
        metrics.Colorfulness,
        lambda: metrics.Colorfulness(signed=False),
        metrics.CIEDE2000,
        metrics.AbAUC,
        lambda: metrics.AbAUC(ColorBins.grid(49), np.linspace(1, 2, 49)),
        lambda: metrics.Bleeding(60.0, 60.0),
        metrics.ChromaGradientError,
        lambda: metrics.OccupiedBins(ColorBins.grid(49), share=0.01),
        metrics.DominantHue,
    ],
)
def test_metrics_accumulate_weight_reset_and_survive_their_config(make, truth, rng):
    prediction = spoiled(truth, rng)
    whole = measured(make(), truth, prediction)
    metric = make()
    for i in range(3):
        metric.update_state(truth[i : i + 1], prediction[i : i + 1])
    assert float(metric.result()) == pytest.approx(whole, rel=1e-5)
    metric.reset_state()
    weighted = measured(metric, truth, prediction, sample_weight=np.array([0.0, 1.0, 0.0]))
    alone = measured(make(), truth[1:2], prediction[1:2])
    assert weighted == pytest.approx(alone, rel=1e-5)
    # The shape of the weights that `pairs` returns.
    one_pixel = np.array([0.0, 1.0, 0.0]).reshape(3, 1, 1)
    assert measured(make(), truth, prediction, sample_weight=one_pixel) == pytest.approx(weighted)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert measured(restored, truth, prediction) == pytest.approx(whole, rel=1e-6)


def test_wrong_shapes_ranges_and_options_raise(truth):
    metric = metrics.PSNR()
    with pytest.raises(ValueError, match="same shape"):
        metric.update_state(truth, truth[:2])
    with pytest.raises(ValueError, match="uint8"):
        metric.update_state(np.zeros((1, 4, 4, 3), "uint8"), np.zeros((1, 4, 4, 3), "uint8"))
    for value in (np.nan, 100.0, -1.0):
        with pytest.raises(ValueError, match=r"in \[0, 1\]. Received values from"):
            metric.update_state(truth, np.full(truth.shape, value, "float32"))
    with pytest.raises(ValueError, match=r"\(49,\).*\(3,\)"):
        metrics.AbAUC(ColorBins.grid(49), np.ones(3))
    with pytest.raises(ValueError, match="'l2'"):
        metrics.ThresholdAccuracy("l2").update_state(truth, truth)
    with pytest.raises(ValueError, match="must both be given"):
        metrics.AbAUC(class_weights=np.ones(49))
    with pytest.raises(ValueError, match="of Lab"):
        metrics.AbAUC(ColorBins.grid(49, space=YUV), np.ones(49))
    for weights in (np.ones(2), np.ones(truth.shape[:3])):
        for each in (metrics.PSNR(), metrics.Bleeding(), metrics.AbAUC(), metrics.DominantHue()):
            with pytest.raises(ValueError, match="one weight per image"):
                each.update_state(truth, truth, weights)
    with pytest.raises(ValueError, match="must be positive"):
        metrics.bleeding(truth, truth, chroma_edge=-1.0)


def test_all_metrics_measure_in_a_compiled_model_what_they_measure_alone(rng):
    truth = rng.uniform(size=(5, 16, 16, 3)).astype("float32")
    model = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Rescaling(0.8)])
    kinds = [metrics.PSNR, metrics.SSIM, metrics.CIEDE2000, metrics.Colorfulness, metrics.Bleeding]
    is_jax = keras.backend.backend() == "jax"  # XLA of TensorFlow cannot call scikit-image
    model.compile(loss="mse", metrics=[kind() for kind in kinds], jit_compile=is_jax)
    scores = model.evaluate(truth, truth, batch_size=2, verbose=0, return_dict=True)
    for kind in kinds:
        alone = kind()
        alone.update_state(truth, np.float32(0.8) * truth)
        assert scores[alone.name] == pytest.approx(float(alone.result()), rel=1e-4)
