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


def test_every_metric_stands_beside_its_baselines(colorizer, pictures):
    scores = evaluate(colorizer, pictures)
    expected = {p + m for p in ("", "gray/", "constant/") for m in METRICS}
    expected |= {p + m for p in ("oracle/", "published/", "red/", "truth/") for m in MAIN_METRICS}
    assert set(scores) == expected | {
        f"truth/{name}" for name in ("colorfulness_absolute", "bleeding", "dominant_hue")
    }
    assert all(np.isfinite(list(scores.values())))


def test_truth_scores_perfectly_and_gray_scores_like_gray(pictures):
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


def test_better_baselines_score_better(colorizer, pictures):
    scores = evaluate(colorizer, pictures)
    for metric in ("threshold_accuracy", "psnr"):
        order = [scores[f"{prefix}/{metric}"] for prefix in ("gray", "constant", "oracle")]
        assert order == sorted(order)


def test_pictures_of_different_sizes_are_measured_one_by_one(colorizer, rng):
    images = [rng.integers(0, 256, (14 + i, 20, 3), dtype="uint8") for i in range(3)]
    scores = evaluate(colorizer, images)
    expected = np.mean([evaluate(colorizer, [image])["psnr"] for image in images])
    assert scores["psnr"] == pytest.approx(expected, rel=1e-5)


def test_feature_preservation_stands_beside_truth_and_baselines(colorizer, pictures):
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


def test_red_channel_is_the_red_channel(pictures):
    scores = evaluate(lambda rgb: rgb[..., :1].repeat(3, -1), pictures)
    for name in MAIN_METRICS:
        assert scores[name] == pytest.approx(scores[f"red/{name}"], rel=1e-5)


def test_published_protocol_clips_channels(pictures):
    vivid = Colorizer(models.build_conv_regression(blocks=((4,),)))
    head = vivid.model.get_layer("head")
    kernel, _ = head.get_weights()
    head.set_weights([kernel * 0, np.array([1.8, 1.8], "float32")])
    scores = evaluate(vivid, pictures)
    lightness, chroma = LAB.split(pictures)
    strong = np.full(chroma.shape, 99.0, "float32")
    for prefix, keep in (("", True), ("published/", False)):
        rgb = np.asarray(LAB.merge(lightness, strong, keep_lightness=keep))
        expected = evaluate(lambda _, rgb=rgb: rgb, pictures)
        assert scores[f"{prefix}psnr"] == pytest.approx(expected["psnr"], rel=1e-3)


def test_labels_that_are_needed_and_absent_are_an_error(colorizer, pictures):
    classifier = models.build_vgg_classifier(2, input_shape=(16, 16, 3), widths=(4,), hidden=4)
    with pytest.raises(ValueError, match="these images have none"):
        evaluate(colorizer, pictures, classifiers={"toy": classifier})
    with pytest.raises(ValueError, match=r"same `classifiers`; \['toy'\] are missing"):
        evaluate(
            colorizer, pictures, np.zeros(16, int), classifiers={"toy": classifier}, baselines={}
        )
    for labels in ([0, 1, 0], ["cat"] * 16, [None] * 16, [0.5] * 16, 5, np.zeros((16, 2), int)):
        with pytest.raises(ValueError, match=r"one whole number per image, 16\. Received shape"):
            evaluate(colorizer, pictures, labels)
    with pytest.raises(ValueError, match=r"from 0 to 1\b.*classes 0 to 7"):
        evaluate(colorizer, pictures, np.arange(16) // 2, classifiers={"toy": classifier})


@pytest.mark.parametrize(
    "classifiers, message",
    [
        (["vgg"], "dict from name"),
        ({"vgg": "vgg"}, "dict from name"),
        ({"toy": (8, 8, 3)}, "takes images of 8 x 8 pixels; these have 16 x 16"),
    ],
)
def test_classifiers_that_do_not_fit_are_refused_at_once(colorizer, pictures, classifiers, message):
    if isinstance(classifiers, dict) and isinstance(classifiers.get("toy"), tuple):
        shape = classifiers["toy"]
        classifiers["toy"] = models.build_vgg_classifier(
            2, input_shape=shape, widths=(4,), hidden=4
        )
    with pytest.raises(ValueError, match=message):
        evaluate(colorizer, pictures, np.zeros(16, int), classifiers=classifiers)


@pytest.mark.parametrize("wrong", [np.nan, 200.0, -1.0])
def test_colors_that_are_none_are_refused(pictures, wrong):
    with pytest.raises(ValueError, match=r"floating point in \[0, 1\]. Received values from"):
        evaluate(lambda rgb: np.full(rgb.shape, wrong, "float32"), pictures)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_batches_of_nothing_are_refused(colorizer, pictures, batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be a positive whole number"):
        evaluate(colorizer, pictures, batch_size=batch_size)


def test_what_is_no_set_of_pictures_is_refused(colorizer, pictures):
    with pytest.raises(ValueError, match=r"`images` must be images.*'photos'"):
        evaluate(colorizer, "photos")
    with pytest.raises(ValueError, match=r"image\[None\].*\(16, 16, 3\)"):
        evaluate(colorizer, pictures[0])
    with pytest.raises(ValueError, match=r"one \(a, b\). Received: \(1, 2, 3\)"):
        evaluate(colorizer, pictures, constant=(1, 2, 3))


def test_no_pictures_is_an_error(colorizer):
    with pytest.raises(ValueError, match="at least one image"):
        evaluate(colorizer, [])


@pytest.mark.parametrize("size", [256, 8])
def test_scores_at_temperatures_are_the_curve(colorizer, pictures, size):
    pictures = pictures[:6]
    colorizer.size = size  # 8: the network sees the pictures reduced
    scores = evaluate(colorizer, pictures, temperatures=(1, 0.38, 0))
    rows = temperature_curve(colorizer, pictures, (0, 0.38, 1))
    for row, expected in zip(curve(scores), rows, strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert scores["T=0.38/colorfulness"] == pytest.approx(scores["colorfulness"], rel=1e-4)
    vivid = evaluate(colorizer.at_temperature(0), pictures)
    assert scores["T=0/threshold_accuracy"] == pytest.approx(vivid["threshold_accuracy"], rel=1e-4)
    assert curve(evaluate(lambda rgb: rgb, pictures, temperatures=(0, 1))) == []


def test_temperature_curve_restores_the_temperature(colorizer, pictures):
    rows = temperature_curve(colorizer, pictures, [0, 0.5, 1])
    assert [row["temperature"] for row in rows] == [0, 0.5, 1]
    assert rows[0]["colorfulness"] >= rows[2]["colorfulness"]
    assert colorizer.temperature == 0.38
    regression = Colorizer(models.build_conv_regression(blocks=((4,),)))
    with pytest.raises(ValueError, match="no temperature"):
        temperature_curve(regression, pictures, [0])


def test_a_network_is_no_colorizer(pictures):
    with pytest.raises(ValueError, match=r"the keras\.Model unet; give `Colorizer\(model\)`"):
        evaluate(models.build_unet(widths=(4, 6)), pictures)
    with pytest.raises(ValueError, match=r"`colorizer` must color images. Received: None"):
        evaluate(None, pictures)
