import numpy as np
import pytest

from colorkit import LAB, ColorBins, Colorizer, evaluate, models
from colorkit.evaluation import temperature_curve

METRICS = {
    "threshold_accuracy", "threshold_accuracy_euclidean", "psnr", "ssim", "colorfulness",
    "colorfulness_absolute", "ciede2000", "ab_auc", "ab_auc_rebalanced",
}  # fmt: skip
MAIN_METRICS = {"threshold_accuracy", "psnr", "colorfulness", "ab_auc"}


@pytest.fixture
def colorizer():
    model = models.build_conv_classification(49, blocks=((4,),), dilation_rates=(1,))
    return Colorizer(model, bins=ColorBins.grid(49))


def test_every_metric_stands_beside_its_baselines(colorizer, pictures):
    scores = evaluate(colorizer, pictures)
    expected = {p + m for p in ("", "gray/", "constant/") for m in METRICS}
    expected |= {p + m for p in ("oracle/", "published/", "red/", "truth/") for m in MAIN_METRICS}
    assert set(scores) == expected | {"truth/colorfulness_absolute"}
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
    for metric in ("threshold_accuracy", "psnr", "ab_auc"):
        order = [scores[f"{prefix}/{metric}"] for prefix in ("gray", "constant", "oracle")]
        assert order == sorted(order)


def test_pictures_of_different_sizes_are_measured_one_by_one(colorizer, rng):
    images = [rng.integers(0, 256, (14 + i, 20, 3), dtype="uint8") for i in range(3)]
    scores = evaluate(colorizer, images)
    expected = np.mean([evaluate(colorizer, [image])["psnr"] for image in images])
    assert scores["psnr"] == pytest.approx(expected, rel=1e-5)


def test_no_pictures_is_an_error(colorizer):
    with pytest.raises(ValueError, match="at least one picture"):
        evaluate(colorizer, [])


def test_temperature_curve_restores_the_temperature(colorizer, pictures):
    rows = temperature_curve(colorizer, pictures, [0, 0.5, 1])
    assert [row["temperature"] for row in rows] == [0, 0.5, 1]
    assert rows[0]["colorfulness"] >= rows[2]["colorfulness"]
    assert colorizer.temperature == 0.38
    regression = Colorizer(models.build_conv_regression(blocks=((4,),)))
    with pytest.raises(ValueError, match="no temperature"):
        temperature_curve(regression, pictures, [0])
