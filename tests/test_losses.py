import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax

from colorkit import ColorBins, class_weights
from colorkit.losses import (
    CancellingCrossentropy,
    JointCrossentropy,
    RebalancedCrossentropy,
)
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


def test_published_rebalancing_cancels(rng, chroma):
    bins = ColorBins.grid(81, centered=False)
    logits = random_logits(rng, bins)
    weights = rng.uniform(0.3, 3, 81)
    plain, cancelled, weighted = (
        gradient(lambda z: loss(chroma, z), logits)  # noqa: B023
        for loss in (
            RebalancedCrossentropy(bins),
            CancellingCrossentropy(bins, weights),
            RebalancedCrossentropy(bins, weights),
        )
    )
    np.testing.assert_allclose(cancelled, plain, atol=1e-2 * np.abs(plain).max())
    assert np.abs(weighted - plain).max() > 0.5 * np.abs(plain).max()


def test_joint_loss_adds_the_error_of_the_mean(rng, chroma):
    bins = ColorBins.grid(49)
    logits = random_logits(rng, bins)
    joint = JointCrossentropy(bins, regression_weight=0.5, delta=1e-3)
    crossentropy = RebalancedCrossentropy(bins, neighbors=5)
    mean = ops.convert_to_numpy(bins.decode(logits, temperature=1))
    expected = float(crossentropy(chroma, logits)) + 0.5 * np.abs(mean - chroma).mean()
    np.testing.assert_allclose(float(joint(chroma, logits)), expected, rtol=1e-4)
    alone = JointCrossentropy(bins, regression_weight=0)
    np.testing.assert_allclose(
        float(alone(chroma, logits)), float(crossentropy(chroma, logits)), rtol=1e-6
    )
    for wrong in ({"delta": 0}, {"regression_weight": -1}):
        with pytest.raises(ValueError, match="must be positive"):
            JointCrossentropy(bins, **wrong)


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
    logits = random_logits(rng, bins)
    for loss in (
        RebalancedCrossentropy(bins, weights, neighbors=5, sigma=4.0),
        JointCrossentropy(bins, weights, regression_weight=0.3, delta=2.0),
        CancellingCrossentropy(bins, weights),
    ):
        restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
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
