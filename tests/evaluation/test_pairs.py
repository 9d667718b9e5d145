import numpy as np
import pytest
import scipy.stats
import skimage.color
import skimage.data
import skimage.metrics

import colorkit as ck
from colorkit.data.image_files import write_picture


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colorkit.evaluation.pairs._DRAWS", 5)
        yield


@pytest.fixture(scope="module")
def truths():
    photos = skimage.data.astronaut(), skimage.data.coffee()
    crops = [photo[y : y + 32, x : x + 32] for photo in photos for y, x in ((40, 60), (180, 200))]
    return crops[:3]


def dull(rgb):
    lightness, chroma = map(np.asarray, ck.LAB.split(rgb))
    return np.uint8(np.asarray(ck.LAB.merge(lightness, np.float32(0.7 * chroma))) * 255 + 0.5)


@pytest.fixture(scope="module")
def scores(truths):
    return ck.evaluate_pairs([dull(rgb) for rgb in truths], truths)


def test_metrics_and_errors_agree_with_scikit_image(truths, scores):
    pairs = [(truth, dull(truth)) for truth in truths]
    options = {"channel_axis": -1, "gaussian_weights": True, "use_sample_covariance": False}
    labs = [[skimage.color.rgb2lab(rgb) for rgb in pair] for pair in pairs]
    expected = {
        "psnr": [skimage.metrics.peak_signal_noise_ratio(*pair) for pair in pairs],
        "ssim": [skimage.metrics.structural_similarity(*pair, **options) for pair in pairs],
        "ciede2000": [skimage.color.deltaE_ciede2000(*lab).mean() for lab in labs],
        "mse": [((pair[0] / 255 - pair[1] / 255) ** 2).mean() for pair in pairs],
    }
    for metric, values in expected.items():
        found = scores.estimates[metric]["colored"]
        assert found.value == pytest.approx(np.mean(values), rel=2e-3), metric
        assert found.error == pytest.approx(scipy.stats.sem(values), rel=2e-2), metric
    pooled = -10 * np.log10(np.mean(expected["mse"]))
    assert scores.estimates["psnr_pooled"]["colored"].value == pytest.approx(pooled, rel=1e-4)


def test_colorfulness_has_both_published_formulas(truths, scores):
    def published(rgb, change):
        red, green, blue = np.moveaxis(np.float64(rgb), -1, 0)
        planes = change(red - green), change((red + green) / 2 - blue)
        return np.hypot(*map(np.std, planes)) + 0.3 * np.hypot(*map(np.mean, planes))

    for metric, change in (("colorfulness", lambda x: x), ("colorfulness_absolute", np.abs)):
        for kind, images in (("truth", truths), ("colored", map(dull, truths))):
            expected = np.mean([published(rgb, change) for rgb in images])
            assert scores.estimates[metric][kind].value == pytest.approx(expected, rel=1e-3)


def test_metrics_and_references_agree_with_evaluate(truths, scores):
    expected = ck.evaluate(lambda images: np.stack([dull(rgb) for rgb in images]), np.stack(truths))
    for metric, found in scores.estimates.items():
        for kind, prefix in (("colored", ""), ("gray", "gray/"), ("constant", "constant/")):
            if f"{prefix}{metric}" in expected:
                assert found[kind].value == pytest.approx(
                    expected[f"{prefix}{metric}"], rel=1e-3, abs=1e-4
                ), (kind, metric)


def test_oracle_moves_each_color_to_its_bin(truths, scores):
    bins = ck.ColorBins.gamut()
    errors = []
    for rgb in truths:
        lab = skimage.color.rgb2lab(rgb)
        away = np.linalg.norm(lab[..., None, 1:] - bins.centers, axis=-1)
        lab[..., 1:] = bins.centers[away.argmin(axis=-1)]
        with np.errstate(all="ignore"):
            merged = np.clip(skimage.color.lab2rgb(lab), 0, 1)
        errors.append(skimage.metrics.peak_signal_noise_ratio(rgb / 255, merged, data_range=1))
    assert scores.estimates["psnr"]["oracle"].value == pytest.approx(np.mean(errors), rel=5e-3)


def test_shuffled_colors_are_those_of_other_images(truths, scores):
    found = {kind: value.value for kind, value in scores.estimates["colorfulness"].items()}
    assert found["shuffled"] > 0.5 * found["truth"]
    psnr = {kind: value.value for kind, value in scores.estimates["psnr"].items()}
    assert psnr["shuffled"] < psnr["colored"]


@pytest.mark.parametrize("most", [0, 100], ids=["XLA", "graph"])
def test_compiled_metrics_are_those_of_single_images(truths, monkeypatch, most):
    truths = truths if most == 0 else [truths[0], truths[1][:30, :28]]  # of several sizes
    colored = [dull(rgb) for rgb in truths]
    worth = dict.fromkeys(("tensorflow", "jax"), most)
    monkeypatch.setattr("colorkit.evaluation.pairs._WORTH_COMPILING", worth)
    compiled = ck.evaluate_pairs(colored, truths, sample=0)
    assert compiled.pairs == len(truths) and not compiled.problems
    assert "ssim" not in compiled.estimates
    for name in ("_compiled", "_graph"):  # each image on its own, operation by operation
        monkeypatch.setattr(f"colorkit.evaluation.pairs.{name}", lambda function, *_: function)
    eager = ck.evaluate_pairs(colored, truths, sample=0)
    for metric, found in compiled.estimates.items():
        for kind, estimate in found.items():
            other = eager.estimates[metric][kind]
            # Bins of the oracle lie where two hues meet, so that rounding decides.
            rounding = 0.02 if (metric, kind) == ("dominant_hue", "oracle") else 1e-3
            assert estimate.value == pytest.approx(other.value, rel=1e-3, abs=rounding)
            assert estimate.error == pytest.approx(other.error, rel=2e-2, abs=rounding)


def test_warning_names_the_metrics_that_prefer_gray(truths):
    wrong = [rgb[..., [1, 2, 0]] for rgb in truths]
    scores = ck.evaluate_pairs(wrong, truths, sample=2)
    warning = scores.warnings["gray_preferred"]
    for metric in ("psnr", "ab_auc", "ciede2000"):
        found = scores.estimates[metric]
        prefers = (found["colored"].value < found["gray"].value) != (metric == "ciede2000")
        assert prefers == (f"{metric} by " in warning)
    assert scores.estimates["ssim"]["colored"].count == 2
    assert scores.estimates["psnr"]["colored"].count == len(truths)


def test_reported_number_is_compared_with_published_variants(truths, scores):
    values = {name: found["colored"].value for name, found in scores.estimates.items()}
    reported = {
        "colorfulness": values["colorfulness_absolute"],
        "psnr": values["psnr"] + 20 * np.log10(255),
        "mae": values["mae"],
    }
    colored = [dull(rgb) for rgb in truths]
    found = ck.evaluate_pairs(colored, truths, sample=0, reported=reported).warnings
    assert "agrees with the variant with absolute values" in found["colorfulness_variant"]
    assert "agrees with the variant with a range of 255" in found["psnr_variant"]
    assert "mae_variant" not in found


def test_unknown_metric_of_a_reported_number_raises(truths):
    with pytest.raises(ValueError, match=r"`reported` must name metrics.*lpips"):
        ck.evaluate_pairs([None], truths[:1], reported={"lpips": 0.1})  # before any work


def test_other_sizes_are_left_out_or_resized(truths):
    colored = [rgb[:24] if i == 1 else rgb for i, rgb in enumerate(truths)]
    scores = ck.evaluate_pairs(colored, truths, sample=0)
    assert scores.problems == {"different sizes": ["image 1: 32x24 pixels, and its truth 32x32"]}
    assert scores.pairs == len(truths) - 1
    scores = ck.evaluate_pairs(colored, truths, sample=0, resize=True)
    assert (scores.pairs, scores.resized, scores.problems) == (len(truths), 1, {})
    assert scores.warnings["resized"].startswith("1 colored images were resized")
    with pytest.raises(ValueError, match=r"No pair can be measured.*--resize"):
        ck.evaluate_pairs([rgb[:24] for rgb in truths], truths)


def test_images_of_several_sizes_and_a_single_pair_are_measured(truths):
    cut = [rgb[: 20 + i] for i, rgb in enumerate(truths)]
    scores = ck.evaluate_pairs(cut, cut, sample=0)
    assert scores.estimates["psnr"]["colored"].value == pytest.approx(100)
    single = ck.evaluate_pairs(cut[:1], cut[:1])
    assert "shuffled" not in single.estimates["psnr"]
    assert single.rows()[1][1] == "100"  # without an error, which a single pair does not have
    first = single.to_dict()["scores"][0]
    assert (first["pairs"], first["standard_error"]) == (1, None)


def test_kernel_distance_prefers_true_colors(truths):
    flipped = [rgb[::-1] for rgb in truths]
    found = ck.evaluate_pairs(truths + flipped, truths + flipped, sample=0, kid=True)
    found = found.estimates["kid"]
    assert found["colored"].value < found["gray"].value
    assert found["colored"].error > 0


def test_broken_files_are_named_and_left_out(tmp_path, truths):
    for i, rgb in enumerate(truths):
        write_picture(tmp_path / "truth" / f"{i}.png", rgb)
        write_picture(tmp_path / "colored" / f"{i}.png", dull(rgb))
    (tmp_path / "truth" / "0.png").write_bytes(b"")
    (tmp_path / "colored" / "1.png").write_text("no image")
    scores = ck.evaluate_pairs(tmp_path / "colored", tmp_path / "truth", sample=0)
    assert scores.pairs == len(truths) - 2
    first, second = scores.problems["unreadable"]
    assert "colored/1.png is not an image" in first and "truth/0.png is empty" in second


def test_published_grayscale_is_the_red_channel(cifar10_test):
    truth = np.asarray(cifar10_test[:100])
    scores = ck.evaluate_pairs(
        truth[..., [0, 0, 0]], truth, sample=0, reported={"threshold_accuracy": 91.05}
    )
    assert "red channel alone" in scores.warnings["single_channel"]
    assert "threshold_accuracy by 3." in scores.warnings["gray_preferred"]
    assert "threshold_accuracy_variant" not in scores.warnings


def test_image_too_small_for_ssim_does_not_hide_that_of_the_others(truths):
    some = [*truths, truths[0][:8]]
    found = ck.evaluate_pairs([dull(rgb) for rgb in some], some).estimates
    expected = ck.evaluate_pairs([dull(rgb) for rgb in truths], truths).estimates
    assert found["ssim"]["colored"].value == pytest.approx(expected["ssim"]["colored"].value)
    assert found["ssim"]["colored"].count == len(truths)


def test_shuffled_colors_are_never_the_own(truths):
    for i in range(2):  # whichever of the two comes last
        colored = [rgb[:24] if j == i else rgb for j, rgb in enumerate(truths[:2])]
        found = ck.evaluate_pairs(colored, truths[:2], sample=0).estimates
        assert found["psnr"]["shuffled"].value < 60


def test_bins_of_another_space_raise(truths):
    with pytest.raises(ValueError, match="`bins` must be `ColorBins` of Lab"):
        ck.evaluate_pairs(truths, truths, bins=ck.ColorBins.grid(9, space="yuv"))


def test_negative_sample_raises(truths):
    with pytest.raises(ValueError, match=r"`sample` must be a whole number of at least 0.*-1"):
        ck.evaluate_pairs(truths, truths, sample=-1)


def test_unequal_numbers_of_images_raise(truths):
    with pytest.raises(ValueError, match=r"equally many images.*Received: 1 and 3"):
        ck.evaluate_pairs(truths[:1], truths)
