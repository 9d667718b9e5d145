import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax

from colorkit import ColorBins, class_weights
from colorkit.losses import RebalancedCrossentropy
from tests.test_colorspace import gradient


@pytest.fixture
def chroma(rng):
    return rng.uniform(-60, 60, (2, 4, 5, 2)).astype("float32")


def random_logits(rng, bins):
    return rng.normal(size=(2, 4, 5, bins.num_bins)).astype("float32")


def test_unit_weights_reduce_to_keras_crossentropy(rng, any_bins, chroma):
    chroma = chroma * np.float32(any_bins.space.chroma_range[1] / 110)
    logits = random_logits(rng, any_bins)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = float(crossentropy(any_bins.encode(chroma), logits))
    for weights in (None, np.ones(any_bins.num_bins)):
        loss = RebalancedCrossentropy(any_bins, weights)
        assert float(loss(chroma, logits)) == pytest.approx(expected, rel=1e-5)


def test_soft_codes_agree_with_the_dense_formula(rng, chroma):
    bins = ColorBins.gamut()
    logits = random_logits(rng, bins)
    weights = class_weights(rng.dirichlet(np.ones(313)))
    distances = ((chroma[..., None, :] - bins.centers) ** 2).sum(-1)
    nearest = np.argsort(distances, axis=-1)[..., :5]
    code = np.exp(-np.take_along_axis(distances, nearest, -1) / 50)
    dense = np.zeros(logits.shape)
    np.put_along_axis(dense, nearest, code / code.sum(-1, keepdims=True), -1)
    expected = -(dense * log_softmax(logits, axis=-1)).sum(-1) * weights[nearest[..., 0]]
    loss = RebalancedCrossentropy(bins, weights, neighbors=5)
    assert float(loss(chroma, logits)) == pytest.approx(expected.mean(), rel=1e-4)


def test_soft_codes_without_spread_are_hard_codes(rng, chroma):
    bins = ColorBins.grid(81)
    logits = random_logits(rng, bins)
    hard = RebalancedCrossentropy(bins)(chroma, logits)
    soft = RebalancedCrossentropy(bins, neighbors=5, sigma=0.0)(chroma, logits)
    np.testing.assert_allclose(float(soft), float(hard), rtol=1e-5)


@pytest.mark.parametrize("neighbors", [1, 5])
def test_doubling_a_weight_doubles_the_gradient_of_its_pixels(rng, chroma, neighbors):
    bins = ColorBins.grid(81)
    logits = random_logits(rng, bins)
    labels = ops.convert_to_numpy(bins.encode(chroma))
    chosen = labels[0, 0, 0]
    weights = np.ones(81)
    before = gradient(lambda z: RebalancedCrossentropy(bins, weights, neighbors)(chroma, z), logits)
    weights[chosen] = 2.0
    after = gradient(lambda z: RebalancedCrossentropy(bins, weights, neighbors)(chroma, z), logits)
    doubled = labels == chosen
    np.testing.assert_allclose(after[doubled], 2 * before[doubled], rtol=1e-5)
    np.testing.assert_allclose(after[~doubled], before[~doubled], rtol=1e-5)
    assert np.abs(before[doubled]).max() > 0


def test_weight_on_probabilities_would_cancel(rng, chroma):
    """The published rebalancing: a factor on the softmax output is normalised away."""
    bins = ColorBins.grid(81)
    logits = random_logits(rng, bins)
    labels = bins.encode(chroma)
    probabilities = ops.softmax(logits)
    plain = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    weighted = keras.losses.sparse_categorical_crossentropy(labels, 0.3 * probabilities)
    np.testing.assert_allclose(
        ops.convert_to_numpy(weighted), ops.convert_to_numpy(plain), rtol=1e-4
    )
    ours = RebalancedCrossentropy(bins, np.full(81, 0.3))(chroma, logits)
    np.testing.assert_allclose(float(ours), 0.3 * float(ops.mean(plain)), rtol=1e-4)


def test_pixel_weights_choose_pixels(rng, chroma):
    bins = ColorBins.grid(49)
    logits = random_logits(rng, bins)
    mask = np.zeros((2, 4, 5), "float32")
    mask[0, 1, 2] = 1
    one = RebalancedCrossentropy(bins)(chroma[:1, 1:2, 2:3], logits[:1, 1:2, 2:3])
    masked = RebalancedCrossentropy(bins, reduction="sum")(chroma, logits, sample_weight=mask)
    np.testing.assert_allclose(float(masked), float(one), rtol=1e-5)


def test_loss_survives_its_config(rng, chroma):
    bins = ColorBins.gamut()
    weights = rng.uniform(0.5, 2, 313)
    loss = RebalancedCrossentropy(bins, weights, neighbors=5, sigma=4.0)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    logits = random_logits(rng, bins)
    assert float(restored(chroma, logits)) == float(loss(chroma, logits))


def test_bad_weights_and_sizes_are_refused(rng, chroma):
    bins = ColorBins.grid(49)
    with pytest.raises(ValueError, match=r"\(49,\).*\(81,\)"):
        RebalancedCrossentropy(bins, np.ones(81))
    with pytest.raises(ValueError, match="positive and finite"):
        RebalancedCrossentropy(bins, np.zeros(49))
    with pytest.raises(ValueError, match=r"1\.\.49.*2\.5"):
        RebalancedCrossentropy(bins, neighbors=2.5)
    loss = RebalancedCrossentropy(bins)
    with pytest.raises(ValueError, match="same size"):
        loss(chroma, np.zeros((2, 4, 4, 49), "float32"))
    with pytest.raises(ValueError, match="49"):
        loss(chroma, np.zeros((2, 4, 5, 81), "float32"))
