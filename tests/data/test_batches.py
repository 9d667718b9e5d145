import keras
import numpy as np
import pytest

from colorkit import LAB, RGB, YUV, ColorBins, load, pairs
from colorkit.data.batches import labeled, visibility
from colorkit.data.images import Images
from colorkit.losses import RebalancedCrossentropy


@pytest.mark.parametrize("space", [LAB, YUV, RGB], ids=repr)
def test_pairs_are_lightness_and_chroma_in_natural_units(pictures, space):
    dataset = pairs(pictures, space=space, batch_size=6)
    assert len(dataset) == 3
    lightness, chroma = (np.concatenate(parts) for parts in zip(*dataset, strict=True))
    expected_lightness, expected_chroma = map(keras.ops.convert_to_numpy, space.split(pictures))
    np.testing.assert_allclose(lightness, expected_lightness, atol=1e-4)
    np.testing.assert_allclose(chroma, expected_chroma, atol=1e-3)
    assert lightness.dtype == chroma.dtype == np.float32


def test_mirroring_flips_lightness_and_chroma_together(pictures):
    lightness, chroma = pairs(pictures, batch_size=16, augment=True, shuffle=False)[0]
    plain_lightness, plain_chroma = pairs(pictures, batch_size=16)[0]
    mirrored = 0
    for i in range(16):
        flip = not np.allclose(lightness[i], plain_lightness[i], atol=1e-4)
        step = -1 if flip else 1
        mirrored += flip
        np.testing.assert_allclose(lightness[i], plain_lightness[i][:, ::step], atol=1e-4)
        np.testing.assert_allclose(chroma[i], plain_chroma[i][:, ::step], atol=1e-3)
    assert 2 <= mirrored <= 14


def test_shift_moves_images_and_reflects_their_border(rng):
    images = rng.integers(0, 256, (64, 8, 8, 3), dtype="uint8")
    moved = labeled(Images(images, labels=np.arange(64)), batch_size=64, augment=True, shift=2)[0]
    seen = set()
    for rgb, label in zip(np.uint8(moved[0] * 255 + 0.5), moved[1], strict=True):
        padded = np.pad(images[label], ((2, 2), (2, 2), (0, 0)), mode="reflect")
        places = [
            (flip, top, left)
            for flip in (1, -1)
            for top in range(5)
            for left in range(5)
            if np.array_equal(rgb[:, ::flip], padded[top : top + 8, left : left + 8])
        ]
        assert len(places) == 1
        seen.add(places[0])
    assert len(seen) > 20
    with pytest.raises(ValueError, match="`shift` must be a whole number from 0 to 7"):
        pairs(images, shift=8)


def test_zoom_resizes_parts_of_images(rng):
    # Red and green are the horizontal and vertical position, so a crop shows where it was taken.
    ramp = np.zeros((64, 64, 3), "uint8")
    ramp[..., 0], ramp[..., 1] = np.meshgrid(4 * np.arange(64), 4 * np.arange(64))
    images = Images(np.stack([ramp] * 200), labels=np.zeros(200))
    for crop, low, high in ((None, 32, 64), (32, 16, 48)):
        options = {"batch_size": 200, "crop": crop, "zoom": (0.5, 1.5)}
        rgb = 255 * labeled(images, augment=True, **options)[0][0]
        side = rgb.shape[1]
        assert side == (crop or 64)
        slope = np.abs(rgb[:, 16, 24, 0] - rgb[:, 16, 8, 0]) / 16  # away from the border
        taken = slope / 4 * side
        assert low - 1 < taken.min() < low + 4 and high - 4 < taken.max() < high + 1
        central = 255 * labeled(images, **options)[0][0][0]
        np.testing.assert_allclose(np.mean(central[..., :2], axis=(0, 1)), 126, atol=1)
        assert central[16, 24, 0] - central[16, 8, 0] == pytest.approx(64 * high / side, abs=2)
    wide = [rng.integers(0, 256, (20, 30, 3), dtype="uint8")] * 4
    lightness, _ = pairs(wide, batch_size=4, augment=True, zoom=(1.0, 1.0))[0]
    plain, _ = pairs(wide[:1])[0]
    assert min(np.abs(lightness[0] - part).max() for part in (plain, plain[:, :, ::-1])) < 1e-4
    for zoom in ((0, 1), (1, 0.5), (1,)):
        with pytest.raises(ValueError, match="`zoom` must be"):
            pairs(wide, zoom=zoom)


def test_labels_are_in_the_target_with_chroma_or_alone(pictures):
    images = Images(pictures, labels=np.arange(16))
    _, target = pairs(images, batch_size=4, labels=True)[1]
    np.testing.assert_array_equal(target["label"], [4, 5, 6, 7])
    np.testing.assert_array_equal(target["chroma"], pairs(images, batch_size=4)[1][1])
    rgb, label = labeled(images, batch_size=4)[1]
    np.testing.assert_array_equal(label, [4, 5, 6, 7])
    np.testing.assert_allclose(rgb, pictures[4:8] / 255, atol=1e-7)
    for make in (labeled, lambda images: pairs(images, labels=True)):
        with pytest.raises(ValueError, match="must have labels"):
            make(pictures)
    with pytest.raises(ValueError, match="`labels` cannot be combined"):
        pairs(images, labels=True, near_gray="mask")


def test_epochs_differ_and_can_be_repeated(pictures):
    def epoch(number):
        dataset = pairs(pictures, batch_size=5, augment=True, seed=3)
        dataset.epoch = number
        return np.concatenate([lightness for lightness, _ in dataset])

    assert len(epoch(0)) == 15, "a partial batch is left out while shuffling"
    np.testing.assert_array_equal(epoch(1), epoch(1))
    assert (epoch(0) != epoch(1)).any()


def test_fit_sees_each_epoch_once_in_order(pictures):
    seen = []

    class Spy(type(pairs(pictures))):
        def __getitem__(self, index):
            seen.append((self.epoch, index))
            return super().__getitem__(index)

    dataset = pairs(pictures, batch_size=8, augment=True)
    dataset.__class__ = Spy
    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(2, 1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    assert [(epoch, index) for epoch, index in seen if epoch == 1] == [(1, 0), (1, 1)]


def test_crops_are_random_for_training_and_central_otherwise(folder):
    images = load(f"folder:{folder}", "all")
    central = pairs(images, batch_size=40, crop=16)[0][0]
    assert central.shape == (40, 16, 16, 1)
    np.testing.assert_array_equal(central, pairs(images, batch_size=40, crop=16)[0][0])
    random = pairs(images, batch_size=40, crop=16, augment=True, shuffle=False)[0][0]
    assert (random != central).any()


def test_near_gray_images_are_dropped_or_masked(pictures):
    gray = np.full((4, 16, 16, 3), 90, "uint8")
    mixed = np.concatenate([pictures[:4], gray])
    assert len(pairs(mixed, batch_size=8)[0]) == 2
    assert len(pairs(mixed, batch_size=8, near_gray="drop")[0][0]) == 4
    weights = pairs(mixed, batch_size=8, near_gray="mask")[0][2]
    assert weights.ravel().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="near-gray"):
        pairs(gray, near_gray="drop")


@pytest.mark.parametrize("loss", ["mse", None])
def test_masked_images_have_no_influence_in_fit(pictures, loss):
    gray = np.full((4, 16, 16, 3), 90, "uint8")
    dataset = pairs(np.concatenate([pictures[:4], gray]), batch_size=8, near_gray="mask")
    channels = 2 if loss else 49
    model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(channels, 1)])
    loss = keras.losses.MeanSquaredError() if loss else RebalancedCrossentropy(ColorBins.grid(49))
    model.compile("sgd", loss, jit_compile=False)
    masked = model.evaluate(dataset, verbose=0)
    alone = model.evaluate(pairs(pictures[:4], batch_size=4), verbose=0)
    assert masked == pytest.approx(alone / 2, rel=1e-4), "four of eight images have weight zero"
    model.fit(dataset, verbose=0)


def test_floating_point_images_raise(pictures):
    for images in (pictures / 255.0, list(pictures / 255.0)):
        with pytest.raises(ValueError, match=r"uint8.*float64"):
            pairs(images)


def test_pairs_raise_for_unsuitable_images_and_options(folder, pictures):
    images = load(f"folder:{folder}", "all")
    with pytest.raises(ValueError, match="different sizes"):
        pairs(images)
    with pytest.raises(ValueError, match="smallest is 20 pixels high and 30 wide"):
        pairs(images, crop=24)
    with pytest.raises(ValueError, match="at least one image"):
        pairs([])
    with pytest.raises(ValueError, match=r"\(4, 16, 16\)"):
        pairs(np.zeros((4, 16, 16), "uint8"))
    with pytest.raises(ValueError, match="batch_size"):
        pairs(pictures, batch_size=0)
    with pytest.raises(ValueError, match="near_gray"):
        pairs(pictures, near_gray="hide")
    with pytest.raises(ValueError, match="'hsv'"):
        pairs(pictures, space="hsv")
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        pairs(pictures, seed=-1)
    for zoom in (5, (1, np.inf), (2, 1)):
        with pytest.raises(ValueError, match="`zoom` must be"):
            pairs(pictures, zoom=zoom)


def test_luminance_gate_reduces_weights_of_dark_and_bright_pixels(pictures):
    images = pictures.copy()
    images[0], images[1] = images[0] // 16, 255 - images[1] // 16  # nearly black, nearly white
    lightness, _, weights = pairs(images, luminance_gate=True)[0]
    assert weights.shape == lightness.shape[:3]
    assert weights.mean() == pytest.approx(1)  # the weight of the whole loss is unchanged
    assert weights[:2].max() < 0.5 < weights[2:].mean()
    masked = pairs(images, luminance_gate=True, near_gray="mask")[0][2]
    assert masked.shape == weights.shape and (masked <= weights).all()


def test_luminance_gate_needs_lab_and_excludes_labels(pictures):
    with pytest.raises(ValueError, match="Lab"):
        pairs(pictures, space="yuv", luminance_gate=True)
    with pytest.raises(ValueError, match="`labels` cannot be combined"):
        pairs(pictures, luminance_gate=True, labels=True)


def test_visibility_is_low_near_black_and_white():
    lightness = np.array([0, 20, 55, 95, 100], "float32")[None, :, None]
    visible = keras.ops.convert_to_numpy(visibility(lightness))[0]
    assert visible[0] < 0.01 and visible[2] > 0.99
    np.testing.assert_allclose(visible[[1, 3]], 0.5, atol=0.01)
    assert visible[4] < 0.2


@pytest.mark.parametrize(("side", "crop"), [(100, 11), (58, 28), (58, 56), (232, 56)])
def test_large_zoom_takes_the_whole_image(rng, side, crop):
    images = Images(rng.integers(0, 256, (2, side, side, 3), dtype="uint8"))
    for augment in (True, False):
        batches = pairs(images, crop=crop, zoom=(1, 30), augment=augment, batch_size=2)
        assert batches[0][0].shape == (2, crop, crop, 1)


def seen(dataset, epochs=1):
    """Return the labels of the images of each epoch, in order."""
    shown = []
    for epoch in range(epochs):
        dataset.epoch = epoch
        batches = [dataset[i] for i in range(len(dataset))]
        labels = [
            labels if isinstance(labels, np.ndarray) else labels["label"] for _, labels in batches
        ]
        shown.append(np.concatenate(labels))
    return shown


def tiny(count, **options):
    """Return images of one pixel, labeled by number."""
    return Images(np.zeros((count, 1, 1, 3), "uint8"), labels=np.arange(count), **options)


def test_images_are_shown_in_proportion_to_their_weights(rng):
    few, many = Images(tiny(30)._items), Images(tiny(170)._items)
    both = Images.concatenate([few, many], shares=[3, 1])
    both.labels = np.arange(200)
    shown = seen(labeled(both, batch_size=20, augment=True), epochs=40)
    assert {np.sum(epoch < 30) for epoch in shown} <= {149, 150, 151}, "in every epoch"
    times = np.bincount(np.concatenate(shown), minlength=200) / 40
    np.testing.assert_allclose(times[:30].mean(), 5, rtol=0.01)
    np.testing.assert_allclose(times[30:].mean(), 50 / 170, rtol=0.01)
    weights = rng.uniform(0, 4, 200)
    shown = seen(labeled(tiny(200, weights=weights), batch_size=20, augment=True), epochs=200)
    expected = weights / weights.mean()
    for epoch in shown[:5]:
        times = np.bincount(epoch, minlength=200)
        assert ((times - expected > -1) & (times - expected < 1)).all(), "rounded up or down"
    times = np.bincount(np.concatenate(shown), minlength=200) / 200
    np.testing.assert_allclose(times, expected, atol=0.15)


def test_images_of_weight_zero_are_never_shown():
    weights = np.repeat([0, 1], 50)
    first, second = seen(labeled(tiny(100, weights=weights), batch_size=10, augment=True), 2)
    assert np.bincount(first, minlength=100).tolist() == [0] * 50 + [2] * 50
    assert (first != second).any() and (first != np.sort(first)).any()


def test_weights_have_no_effect_without_shuffling():
    images = tiny(12, weights=np.arange(12))
    assert seen(labeled(images, batch_size=5))[0].tolist() == list(range(12))


def test_dropped_images_lose_their_weights(pictures):
    mixed = np.concatenate([pictures[:4], np.full((4, 16, 16, 3), 90, "uint8")])
    images = Images(mixed[::-1], weights=np.arange(8), labels=np.arange(8))
    dataset = pairs(images, batch_size=22, near_gray="drop", augment=True, labels=True)
    assert dataset.images.weights.tolist() == dataset.images.labels.tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("weights", [None, np.arange(1, 61)], ids=["alike", "weighted"])
def test_order_depends_only_on_seed_and_epoch(weights):
    def make(seed):
        images = tiny(60, weights=weights)
        return pairs(images, batch_size=7, augment=True, labels=True, epoch_batches=3, seed=seed)

    shown = seen(make(1), 10)
    again = make(1)
    for epoch in (7, 2, 9):  # in any order
        again.epoch = epoch
        batches = [again[i][1]["label"] for i in (2, 0, 1)]
        np.testing.assert_array_equal(
            np.concatenate(batches), shown[epoch].reshape(3, 7)[[2, 0, 1]].ravel()
        )
    assert (np.concatenate(shown) != np.concatenate(seen(make(2), 10))).any()


def test_epoch_batches_continue_the_pass_of_the_last_epoch():
    options = {"batch_size": 5, "augment": True, "labels": True}
    whole = seen(pairs(tiny(40), **options), 3)
    for count in (3, 8, 11):  # fewer than a pass has, as many, more
        dataset = pairs(tiny(40), epoch_batches=count, **options)
        assert len(dataset) == count
        shown = np.concatenate(seen(dataset, 24 // count + 1))[:120]
        np.testing.assert_array_equal(shown, np.concatenate(whole))
        for start in (0, 40, 80):
            assert sorted(shown[start : start + 40]) == list(range(40)), "each once per pass"
    plain = pairs(tiny(12), batch_size=5, labels=True, epoch_batches=2)
    assert [part.tolist() for part in seen(plain, 2)] == [list(range(10)), [10, 11, 0, 1, 2, 3, 4]]


def test_crop_sides_alternate(rng):
    images = Images([rng.integers(0, 256, (40, 40, 3), dtype="uint8")] * 16)
    for context in (None, (0.5, 1)):
        options = {"batch_size": 4, "crop": (8, 24, 16), "context": context}
        dataset = pairs(images, augment=True, epoch_batches=4, **options)
        sides = []
        for epoch in range(3):
            dataset.epoch = epoch
            for i in range(4):
                lightness, chroma = dataset[i]
                sides.append(lightness.shape[1])
                assert lightness.shape[1] == lightness.shape[2] == chroma.shape[1]
        assert sides == [8, 24, 16] * 4
        assert pairs(images, **options)[0][0].shape[1] == 24, "the middle one"
        single = pairs(images, augment=True, epoch_batches=1, **options)
        single.epoch = 1
        assert single[0][0].shape[1] == 8, "an epoch of one batch has one size"


def test_network_fits_crops_of_several_sides(rng):
    images = Images(list(rng.integers(0, 256, (3, 20, 30, 3), dtype="uint8")) * 8)
    for batches in (1, 4):
        dataset = pairs(
            images, batch_size=2, crop=(8, 12, 16), context=(0.5, 1), augment=True,
            epoch_batches=batches,
        )  # fmt: skip
        model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])
        model.compile("sgd", "mse", jit_compile=False)
        model.fit(dataset, epochs=3, shuffle=False, verbose=0)


def test_context_is_a_share_of_the_short_side():
    # Red and green are the horizontal and vertical position, so a crop shows where it was taken.
    ramp = np.zeros((100, 240, 3), "uint8")
    ramp[..., 0], ramp[..., 1] = np.meshgrid(np.arange(240), 2 * np.arange(100))
    images = Images([ramp] * 200, labels=np.zeros(200))
    for side in (20, 64):
        options = {"batch_size": 200, "crop": side, "context": (0.5, 0.9)}
        options |= {"space": RGB, "labels": True}
        rgb = _shown(images, augment=True, **options)
        edge, far = side // 4, side - 1 - side // 4  # away from the border
        across = np.abs(rgb[:, edge, far, 0] - rgb[:, edge, edge, 0]) / (far - edge) * side
        down = (rgb[:, far, edge, 1] - rgb[:, edge, edge, 1]) / 2 / (far - edge) * side
        np.testing.assert_allclose(across, down, atol=2.5)  # a square part
        assert 47.5 < across.min() < 54 and 86 < across.max() < 92.5  # of levels rounded
        middle = rgb[:, side // 2, side // 2]
        assert middle[:, 0].min() < 40 and middle[:, 0].max() > 195, "anywhere along the long side"
        central = _shown(images, **options)[0]
        assert (central[edge, far, 0] - central[edge, edge, 0]) / (far - edge) == pytest.approx(
            90 / side, abs=0.1
        )
        np.testing.assert_allclose(central.mean(axis=(0, 1))[:2], [119.5, 99], atol=1)
    whole = _shown(Images([ramp[:, :100]]), crop=100, context=(1, 1), space=RGB)[0]
    np.testing.assert_allclose(whole, ramp[:, :100], atol=1)


def _shown(images, **options):
    """Return the RGB of the first batch, from 0 to 255."""
    lightness, target = pairs(images, **options)[0]
    chroma = target["chroma"] if isinstance(target, dict) else target
    return 255 * keras.ops.convert_to_numpy(RGB.merge(lightness, chroma))


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (32, 20_000), (20_000, 1)])
def test_context_accepts_images_of_any_size(rng, size):
    images = Images([rng.integers(0, 256, (*size, 3), dtype="uint8")] * 2)
    for augment in (True, False):
        dataset = pairs(images, batch_size=2, crop=64, context=(0.01, 1), augment=augment)
        lightness, chroma = dataset[0]
        assert lightness.shape == (2, 64, 64, 1) and np.isfinite(chroma).all()
    if size == (1, 1):
        np.testing.assert_array_equal(
            lightness, np.broadcast_to(lightness[:, :1, :1], lightness.shape)
        )


def test_aging_changes_lightness_but_not_chroma(pictures):
    images = Images(np.concatenate([pictures] * 8), labels=np.arange(128))
    options = {"batch_size": 128, "augment": True, "shift": 2, "labels": True, "seed": 4}
    plain, expected = pairs(images, **options)[0]
    changed = []
    for share in (0.5, 1):
        lightness, target = pairs(images, aging=share, **options)[0]
        np.testing.assert_array_equal(target["chroma"], expected["chroma"])
        np.testing.assert_array_equal(target["label"], expected["label"])
        assert lightness.min() >= 0 and lightness.max() <= 100
        changed.append(np.abs(lightness - plain).max(axis=(1, 2, 3)) > 0.1)
    assert 0.35 < changed[0].mean() < 0.65 and changed[1].all()
    tests = pairs(images, batch_size=128, labels=True)[0][0]
    np.testing.assert_array_equal(
        pairs(images, batch_size=128, labels=True, aging=1.0)[0][0], tests
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop": ()}, "`crop` must be a positive whole number"),
        ({"crop": (8, 0)}, "`crop` must be a positive whole number. Received: 0"),
        ({"crop": (8, 2.5)}, "`crop` must be a positive whole number. Received: 2.5"),
        ({"crop": [8, 12]}, "`crop` must be a positive whole number"),
        ({"crop": (8, 17)}, "`crop` must fit into every image"),
        ({"crop": (8, 4), "shift": 4}, "`shift` must be a whole number from 0 to 3"),
        ({"context": (0.5, 1)}, "`context` needs `crop`"),
        ({"crop": 8, "context": (0.5, 1), "zoom": (1, 1)}, "cannot be combined"),
        ({"crop": 8, "context": (0, 1)}, "`context` must be .*<= 1"),
        ({"crop": 8, "context": (0.5, 1.1)}, "`context` must be .*<= 1"),
        ({"crop": 8, "context": (1, 0.5)}, "`context` must be"),
        ({"crop": 8, "context": 0.5}, "`context` must be"),
        ({"crop": 8, "context": (0.5, np.nan)}, "`context` must be"),
        ({"aging": -0.1}, "`aging` must be a number from 0 to 1. Received: -0.1"),
        ({"aging": 1.5}, "`aging` must be a number from 0 to 1"),
        ({"epoch_batches": 0}, "`epoch_batches` must be a positive whole number. Received: 0"),
        ({"epoch_batches": 1.5}, "`epoch_batches` must be a positive whole number"),
    ],
)
def test_options_out_of_range_raise(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        pairs(pictures, augment=True, **options)
