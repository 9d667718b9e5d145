import numpy as np
import pytest

from colorkit import LAB, ColorBins, Colorizer, evaluate, models
from colorkit.data.images import Images
from colorkit.evaluation.scores import curve, temperature_curve

METRICS = {
    "threshold_accuracy", "threshold_accuracy_euclidean", "psnr", "ssim", "colorfulness",
    "colorfulness_absolute", "ciede2000", "ab_auc", "ab_auc_rebalanced",
    "mae", "mse", "huber", "binary_crossentropy", "bleeding", "chroma_gradient_error",
    "occupied_bins",
    "dominant_hue",
}  # fmt: skip
MAIN_METRICS = {"threshold_accuracy", "psnr", "colorfulness"}


@pytest.fixture
def colorizer():
    model = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    return Colorizer(model, bins=ColorBins.grid(49))


def test_every_metric_has_baselines(colorizer, pictures):
    scores = evaluate(colorizer, pictures)
    expected = {p + m for p in ("", "gray/", "constant/") for m in METRICS}
    expected |= {p + m for p in ("oracle/", "published/", "red/", "truth/") for m in MAIN_METRICS}
    assert set(scores) == expected | {
        f"truth/{name}" for name in ("colorfulness_absolute", "bleeding", "dominant_hue")
    }
    assert all(np.isfinite(list(scores.values())))


def test_truth_is_perfect_and_gray_equals_its_baseline(pictures):
    scores = evaluate(lambda rgb: rgb, pictures)
    assert scores["threshold_accuracy"] == scores["ab_auc"] == scores["ssim"] == 1
    assert scores["psnr"] == 100 and scores["ciede2000"] == 0
    assert scores["colorfulness"] == pytest.approx(scores["truth/colorfulness"])
    assert not any(name.startswith("oracle/") for name in scores)

    def gray(rgb):
        lightness, chroma = LAB.split(rgb)
        return np.asarray(LAB.merge(lightness, np.zeros(chroma.shape, "float32")))

    scores = evaluate(gray, pictures)
    for name in METRICS - {"colorfulness", "colorfulness_absolute"}:
        assert scores[name] == pytest.approx(scores[f"gray/{name}"], rel=1e-4)


def test_oracle_is_better_than_constant_and_constant_than_gray(colorizer, pictures):
    scores = evaluate(colorizer, pictures)
    for metric in ("threshold_accuracy", "psnr"):
        order = [scores[f"{prefix}/{metric}"] for prefix in ("gray", "constant", "oracle")]
        assert order == sorted(order)


def test_images_of_different_sizes_are_averaged_per_image(colorizer, rng):
    images = [rng.integers(0, 256, (14 + i, 20, 3), dtype="uint8") for i in range(3)]
    scores = evaluate(colorizer, images)
    expected = np.mean([evaluate(colorizer, [image], baselines={})["psnr"] for image in images])
    assert scores["psnr"] == pytest.approx(expected, rel=1e-5)


def test_feature_preservation_has_truth_and_baselines(colorizer, pictures):
    labels = np.arange(16) % 2
    classifier = models.build_vgg_classifier(2, input_shape=(16, 16, 3), widths=(4,), hidden=4)
    scores = evaluate(colorizer, pictures, labels, classifiers={"toy": classifier})
    right = classifier.predict(np.float32(pictures / 255), verbose=0).argmax(-1) == labels
    assert scores["truth/feature_preservation_toy"] == pytest.approx(right.mean())
    for prefix in ("gray/", "red/", "constant/", "published/"):
        assert 0 <= scores[f"{prefix}feature_preservation_toy"] <= 1
    perfect = evaluate(
        lambda rgb: rgb, Images(pictures, labels=labels), classifiers={"toy": classifier}
    )
    assert perfect["feature_preservation_toy_kept"] == pytest.approx(1 if right.any() else 0)


def test_red_baseline_is_the_red_channel(pictures):
    scores = evaluate(lambda rgb: rgb[..., :1].repeat(3, -1), pictures)
    for name in MAIN_METRICS:
        assert scores[name] == pytest.approx(scores[f"red/{name}"], rel=1e-5)


def test_published_protocol_clips_channels(pictures):
    vivid = Colorizer(models.build_conv_regression(blocks=((4,),)))
    head = vivid.model.get_layer("head")
    kernel, _ = head.get_weights()
    head.set_weights([kernel * 0, np.array([1.8, 1.8], "float32")])
    scores = evaluate(vivid, pictures, baselines={})
    lightness, chroma = LAB.split(pictures)
    strong = np.full(chroma.shape, 99.0, "float32")
    for prefix, keep in (("", True), ("published/", False)):
        rgb = np.asarray(LAB.merge(lightness, strong, keep_lightness=keep))
        expected = evaluate(lambda _, rgb=rgb: rgb, pictures, baselines={})
        assert scores[f"{prefix}psnr"] == pytest.approx(expected["psnr"], rel=1e-3)


def test_missing_and_wrong_labels_raise(colorizer, pictures):
    classifier = models.build_vgg_classifier(2, input_shape=(16, 16, 3), widths=(4,), hidden=4)
    for labels in (None, [0, 1, 0], 5, np.zeros((16, 2), int)):
        with pytest.raises(ValueError, match="one class per image, 16, for the `classifiers`"):
            evaluate(colorizer, pictures, labels, classifiers={"toy": classifier})
    with pytest.raises(ValueError, match=r"from 0 to 1\b.*0\.5 is unknown"):
        evaluate(colorizer, pictures, [0.5] * 16, classifiers={"toy": classifier})
    with pytest.raises(ValueError, match=r"from 0 to 1\b.*classes 0 to 7"):
        evaluate(colorizer, pictures, np.arange(16) // 2, classifiers={"toy": classifier})


@pytest.mark.parametrize("wrong", [np.nan, 200.0, -1.0])
def test_colors_outside_the_range_raise(pictures, wrong):
    with pytest.raises(ValueError, match=r"floating point in \[0, 1\]. Received values from"):
        evaluate(lambda rgb: np.full(rgb.shape, wrong, "float32"), pictures)


def test_single_image_raises(colorizer, pictures):
    with pytest.raises(ValueError, match=r"image\[None\].*\(16, 16, 3\)"):
        evaluate(colorizer, pictures[0])


def test_no_images_raise(colorizer, pictures):
    with pytest.raises(ValueError, match="at least one image"):
        evaluate(colorizer, [])
    with pytest.raises(ValueError, match="at least one image"):
        temperature_curve(colorizer, pictures[:0], [0])


@pytest.mark.parametrize("size", [256, 8])
def test_scores_at_temperatures_equal_the_temperature_curve(colorizer, pictures, size):
    pictures = pictures[:6]
    colorizer.size = size  # 8: the network sees reduced images
    scores = evaluate(colorizer, pictures, temperatures=(1, 0.38, 0), baselines={})
    rows = temperature_curve(colorizer, pictures, (0, 0.38, 1))
    for row, expected in zip(curve(scores), rows, strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert scores["T=0.38/colorfulness"] == pytest.approx(scores["colorfulness"], rel=1e-4)
    vivid = evaluate(colorizer.at_temperature(0), pictures, baselines={})
    assert scores["T=0/threshold_accuracy"] == pytest.approx(vivid["threshold_accuracy"], rel=1e-4)
    assert curve(evaluate(lambda rgb: rgb, pictures, temperatures=(0, 1), baselines={})) == []


def test_temperature_curve_keeps_the_temperature(colorizer, pictures):
    rows = temperature_curve(colorizer, pictures, [0, 0.5, 1])
    assert [row["temperature"] for row in rows] == [0, 0.5, 1]
    assert rows[0]["colorfulness"] >= rows[2]["colorfulness"]
    assert colorizer.temperature == 0.38
    regression = Colorizer(models.build_conv_regression(blocks=((4,),)))
    with pytest.raises(ValueError, match="no temperature"):
        temperature_curve(regression, pictures, [0])
