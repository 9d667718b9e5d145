import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import softmax

from colorkit import LAB, RGB, YUV, ColorBins


def to_numpy(x):
    return ops.convert_to_numpy(x)


def brute_force(bins, chroma):
    """Squared distances to all bins, shape `(pixels, num_bins)`."""
    return ((chroma[:, None].astype("float64") - bins.centers) ** 2).sum(-1)


def random_chroma(bins, rng, factor, count=20_000):
    return (factor * rng.uniform(*bins.space.chroma_range, (count, 2))).astype("float32")


def test_gamut_has_the_313_published_bins():
    bins = ColorBins.gamut()
    assert bins.num_bins == 313
    assert [0.0, 0.0] in bins.centers.tolist()
    assert bins.centers[:, 0].min() == -90 and bins.centers[:, 0].max() == 100
    assert bins.centers[:, 1].min() == -110 and bins.centers[:, 1].max() == 100
    assert not (bins.centers % 10).any()
    assert bins.centers.tolist() == sorted(bins.centers.tolist())


def test_gamut_covers_every_color_of_srgb():
    levels = np.linspace(0, 1, 33, dtype="float32")
    rgb = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    chroma = to_numpy(LAB.split(rgb)[1])
    bins = ColorBins.gamut()
    nearest = bins.centers[to_numpy(bins.encode(chroma))]
    assert np.linalg.norm(nearest - chroma, axis=-1).max() < 10


@pytest.mark.parametrize("factor", [0.2, 1.0, 1.9])
def test_encode_gives_the_nearest_center(any_bins, rng, factor):
    chroma = random_chroma(any_bins, rng, factor)
    distances = brute_force(any_bins, chroma)
    chosen = np.take_along_axis(distances, to_numpy(any_bins.encode(chroma))[:, None], 1)[:, 0]
    # Compared by distance: of two centers equally near, either is right.
    np.testing.assert_allclose(chosen, distances.min(axis=1), rtol=1e-4, atol=1e-6)


def test_encode_of_a_center_is_its_own_bin(any_bins):
    indices = to_numpy(any_bins.encode(any_bins.centers))
    np.testing.assert_array_equal(indices, np.arange(any_bins.num_bins))


@pytest.mark.parametrize("factor", [0.2, 1.0, 1.9])
def test_soft_encode_gives_five_nearest_with_gaussian_weights(any_bins, rng, factor):
    sigma = 5.0 if any_bins.space is LAB else 0.05
    chroma = random_chroma(any_bins, rng, factor)
    indices, weights = map(to_numpy, any_bins.soft_encode(chroma, 5, sigma))
    distances = brute_force(any_bins, chroma)
    nearest = np.sort(distances, axis=1)[:, :5]
    found = np.take_along_axis(distances, indices, 1)
    np.testing.assert_allclose(found, nearest, rtol=1e-3, atol=1e-6)
    assert (np.sort(indices, axis=1)[:, 1:] > np.sort(indices, axis=1)[:, :-1]).all()
    np.testing.assert_allclose(weights, softmax(-found / (2 * sigma**2), axis=1), atol=2e-4)


def test_soft_encode_without_spread_is_encode(any_bins, rng):
    chroma = random_chroma(any_bins, rng, 0.5)
    indices, weights = map(to_numpy, any_bins.soft_encode(chroma, 5, sigma=0.0))
    distances = brute_force(any_bins, chroma)
    clear = np.diff(np.sort(distances, axis=1)[:, :2]).ravel() > 1e-3
    np.testing.assert_array_equal(indices[clear, 0], to_numpy(any_bins.encode(chroma))[clear])
    np.testing.assert_allclose(weights[clear, 0], 1.0, atol=1e-5)


def test_soft_encode_keeps_leading_shape_and_sums_to_one(rng):
    indices, weights = ColorBins.gamut().soft_encode(rng.uniform(-300, 300, (2, 3, 4, 2)))
    assert tuple(indices.shape) == tuple(weights.shape) == (2, 3, 4, 5)
    assert keras.backend.standardize_dtype(indices.dtype) == "int32"
    np.testing.assert_allclose(to_numpy(weights).sum(-1), 1.0, rtol=1e-5)


def test_soft_code_at_a_center_has_the_published_sharpness():
    # With spacing 10 and sigma 5: 1 / (1 + 4 exp(-2)) for 5 neighbors.
    weights = to_numpy(ColorBins.gamut().soft_encode(np.zeros((1, 2), "float32"))[1])
    np.testing.assert_allclose(weights[0, 0], 1 / (1 + 4 * np.exp(-2)), rtol=1e-5)


def test_decode_of_temperature_one_is_the_mean(any_bins, rng):
    logits = rng.normal(size=(3, 4, any_bins.num_bins)).astype("float32")
    expected = softmax(logits, axis=-1) @ any_bins.centers
    scale = any_bins.space.chroma_range[1]
    actual = to_numpy(any_bins.decode(logits, temperature=1))
    np.testing.assert_allclose(actual, expected, atol=1e-5 * scale)


def test_decode_goes_to_the_mode_as_temperature_goes_to_zero(any_bins, rng):
    logits = rng.normal(size=(50, any_bins.num_bins)).astype("float32")
    mode = any_bins.centers[logits.argmax(-1)]
    np.testing.assert_array_equal(to_numpy(any_bins.decode(logits, temperature=0)), mode)
    clear = np.diff(np.sort(logits, axis=-1)[:, -2:]).ravel() > 0.02
    actual = to_numpy(any_bins.decode(logits, temperature=1e-3))
    np.testing.assert_allclose(actual[clear], mode[clear], atol=1e-3)
    assert clear.sum() > 30


def test_decode_anneals_as_published(rng):
    bins = ColorBins.grid(81)
    logits = rng.normal(size=(10, 81)).astype("float32")
    annealed = softmax(logits.astype("float64"), axis=-1) ** (1 / 0.38)
    annealed /= annealed.sum(axis=-1, keepdims=True)
    actual = to_numpy(bins.decode(logits, temperature=0.38))
    np.testing.assert_allclose(actual, annealed @ bins.centers, rtol=1e-4, atol=1e-4)


def test_decode_inverts_encode_at_the_centers(any_bins):
    logits = np.eye(any_bins.num_bins, dtype="float32")
    np.testing.assert_array_equal(to_numpy(any_bins.decode(logits, 0)), any_bins.centers)


@pytest.mark.parametrize("num_bins", [49, 64, 81, 100])
def test_centered_grid_has_a_neutral_bin_and_covers_the_range(num_bins):
    for space in (LAB, YUV):
        centers = ColorBins.grid(num_bins, space=space).centers
        assert len(centers) == num_bins
        assert np.linalg.norm(centers, axis=1).min() < 1e-6
        step = 2 * space.chroma_range[1] / np.sqrt(num_bins)
        np.testing.assert_allclose(np.unique(np.diff(np.unique(centers))), step, rtol=1e-5)
        low, high = centers.min() - step / 2, centers.max() + step / 2
        assert low <= -space.chroma_range[1] + 1e-5 and high >= 0.85 * space.chroma_range[1]


@pytest.mark.parametrize("num_bins, distance", [(49, 22.22), (64, 0), (81, 17.28), (100, 0)])
def test_published_lattice_misses_neutral_when_its_side_is_odd(num_bins, distance):
    centers = ColorBins.grid(num_bins, centered=False).centers
    assert centers.min() == -110
    assert np.linalg.norm(centers, axis=1).min() == pytest.approx(distance, abs=0.01)


def test_fit_puts_bins_where_the_colors_are(pictures):
    bins = ColorBins.fit(pictures, 32)
    assert bins.num_bins == 32
    assert [0.0, 0.0] in bins.centers.tolist()
    chroma = to_numpy(LAB.split(pictures)[1]).reshape(-1, 2)
    fitted = np.sqrt(brute_force(bins, chroma).min(axis=1)).mean()
    lattice = np.sqrt(brute_force(ColorBins.grid(36), chroma).min(axis=1)).mean()
    assert fitted < lattice
    np.testing.assert_array_equal(ColorBins.fit(pictures, 32).centers, bins.centers)


def test_bins_survive_their_config(any_bins):
    config = keras.saving.serialize_keras_object(any_bins)
    restored = keras.saving.deserialize_keras_object(config)
    np.testing.assert_array_equal(restored.centers, any_bins.centers)
    assert restored.space is any_bins.space


@pytest.mark.parametrize("num_bins", [-4, 0, 1, 50])
def test_grid_raises_for_counts_that_are_not_square(num_bins):
    with pytest.raises(ValueError, match="square"):
        ColorBins.grid(num_bins)


def test_bins_raise_for_bad_input():
    bins = ColorBins.grid(49)
    with pytest.raises(ValueError, match=r"\(..., 2\).*\(5, 3\)"):
        bins.encode(np.zeros((5, 3), "float32"))
    with pytest.raises(ValueError, match="NaN"):
        bins.encode(np.array([[np.nan, 0.0]], "float32"))
    with pytest.raises(ValueError, match="NaN"):
        bins.soft_encode(np.array([[0.0, np.inf]], "float32"))
    with pytest.raises(ValueError, match="49 entries"):
        bins.decode(np.zeros((5, 81), "float32"))
    with pytest.raises(ValueError, match="temperature"):
        bins.decode(np.zeros((5, 49), "float32"), temperature=-1)
    for weights in (np.ones(3), np.zeros(49)):
        with pytest.raises(ValueError, match="class_weights"):
            bins.decode(np.zeros((5, 49), "float32"), class_weights=weights)
    with pytest.raises(ValueError, match=r"in \[0, 1\].*255\.0; divide"):
        ColorBins.fit(np.full((1, 4, 4, 3), 255.0), 2)
    with pytest.raises(ValueError, match="clusters=16"):
        ColorBins.fit(np.full((2, 8, 8, 3), 128, "uint8"), 16)
    for options, named in (({"neighbors": 50}, r"from 1 to 49"), ({"sigma": np.nan}, "sigma")):
        with pytest.raises(ValueError, match=named):
            bins.soft_encode(np.zeros((5, 2), "float32"), **options)
    with pytest.raises(ValueError, match="two chroma channels"):
        ColorBins.grid(49, space=RGB)
    with pytest.raises(ValueError, match=r"lab.*'hsv'"):
        ColorBins.grid(49, space="hsv")
    for centers in ([[0, 0], [0, 0]], [[0, np.nan]]):
        with pytest.raises(ValueError, match="finite and distinct"):
            ColorBins(centers)
    with pytest.raises(ValueError, match=r"shape \(num_bins, 2\)\. Received: \(1, 3\)"):
        ColorBins([[0, 0, 0]])


def test_division_by_class_weights_undoes_their_shift(rng):
    bins = ColorBins.grid(49)
    prior = rng.dirichlet(np.ones(49), (3, 4))
    weights = rng.uniform(0.2, 5, 49)
    shifted = np.log(prior * weights).astype("float32")
    mean = to_numpy(bins.decode(shifted, 1.0, weights))
    np.testing.assert_allclose(mean, prior @ bins.centers, atol=1e-3)
    np.testing.assert_array_equal(
        to_numpy(bins.decode(shifted, 0.0, weights)), to_numpy(bins.decode(shifted, 0.0))
    )
    np.testing.assert_allclose(
        to_numpy(bins.decode(shifted, 0.5, np.ones(49))),
        to_numpy(bins.decode(shifted, 0.5)),
        atol=1e-4,
    )
