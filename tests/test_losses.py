import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax, softmax

from colorkit import ColorBins, class_weights, losses, pairs
from colorkit.losses import (
    CancellingCrossentropy,
    GradientCoherence,
    JointCrossentropy,
    RebalancedCrossentropy,
)
from tests.color.test_spaces import gradient


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


@pytest.mark.parametrize("neighbors", [1, 5])
def test_gradient_is_the_softmax_minus_the_code(rng, chroma, neighbors):
    bins = ColorBins.gamut()
    logits = random_logits(rng, bins)
    weights = class_weights(rng.dirichlet(np.ones(313)))
    indices, shares = map(ops.convert_to_numpy, bins.soft_encode(chroma, neighbors))
    code = np.zeros(logits.shape)
    np.put_along_axis(code, indices, shares, -1)
    expected = (softmax(logits, axis=-1) - code) * weights[indices[..., :1]] / code[..., 0].size
    loss = RebalancedCrossentropy(bins, weights, neighbors)
    found = gradient(lambda z: loss(chroma, z), logits)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compiled by TensorFlow")
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_compiled_gradient_is_that_of_the_dense_formula(rng, chroma, jit_compile, dtype):
    import tensorflow as tf

    bins = ColorBins.gamut()
    logits = tf.constant(random_logits(rng, bins), dtype)
    indices, shares = bins.soft_encode(chroma, 5)
    code = tf.reduce_sum(tf.one_hot(indices, 313) * shares[..., None], axis=-2)
    loss = RebalancedCrossentropy(bins, neighbors=5)

    def ours(logits):
        return tf.reduce_mean(tf.cast(loss(chroma, logits), "float32"))

    def dense(logits):
        logs = tf.nn.log_softmax(tf.cast(logits, "float32"))
        return -tf.reduce_mean(tf.reduce_sum(code * logs, axis=-1))

    def gradient_of(function):
        def run(logits):
            with tf.GradientTape() as tape:
                tape.watch(logits)
                value = function(logits)
            return tf.cast(tape.gradient(value, logits), "float32")

        return tf.function(run, jit_compile=jit_compile)(logits).numpy()

    tolerance = 1e-6 if dtype == "float32" else 2e-4
    np.testing.assert_allclose(gradient_of(ours), gradient_of(dense), atol=tolerance)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_loss_trains_compiled_or_not(pictures, jit_compile):
    if keras.backend.backend() == "torch" and jit_compile:
        pytest.skip("PyTorch compiles for minutes")
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(49, 1)])
    loss = RebalancedCrossentropy(ColorBins.grid(49), neighbors=5)
    network.compile(keras.optimizers.Adam(0.1), loss, jit_compile=jit_compile)
    losses = network.fit(pairs(pictures), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and np.isfinite(losses).all()


@pytest.mark.parametrize(
    "make", [RebalancedCrossentropy, JointCrossentropy, CancellingCrossentropy]
)
def test_stride_compares_every_nth_pixel(rng, chroma, make):
    bins = ColorBins.grid(49)
    weights = np.linspace(0.5, 2, 49)
    logits = random_logits(rng, bins)[:, ::2, ::2]
    pixel_weights = rng.random((2, 4, 5)).astype("float32")
    strided = make(bins, weights, stride=2)
    expected = make(bins, weights)(chroma[:, ::2, ::2], logits, pixel_weights[:, ::2, ::2])
    assert float(strided(chroma, logits, pixel_weights)) == pytest.approx(float(expected), rel=1e-5)
    image_weights = np.array([1.0, 0.5], "float32").reshape(2, 1, 1)
    expected = make(bins, weights)(chroma[:, ::2, ::2], logits, image_weights)
    actual = strided(chroma, logits, image_weights)
    assert float(actual) == pytest.approx(float(expected), rel=1e-5)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(strided))
    assert float(restored(chroma, logits)) == pytest.approx(float(strided(chroma, logits)))
    with pytest.raises(ValueError, match="stride 2"):
        strided(chroma, random_logits(rng, bins))


def test_weights_per_image_and_per_pixel_train_one_network(pictures):
    bins = ColorBins.grid(49)
    network = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(49, 2, 2)])
    network.compile("sgd", RebalancedCrossentropy(bins, stride=2), jit_compile=False)
    for options in ({"near_gray": "mask"}, {"luminance_gate": True}, {"near_gray": "mask"}):
        history = network.fit(pairs(pictures, batch_size=2, **options), verbose=0)
        assert np.isfinite(history.history["loss"][0])


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
    """The published rebalancing: a factor on the softmax output is normalized away."""
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
    plain, canceled, weighted = (
        gradient(lambda z: loss(chroma, z), logits)  # noqa: B023
        for loss in (
            RebalancedCrossentropy(bins),
            CancellingCrossentropy(bins, weights),
            RebalancedCrossentropy(bins, weights),
        )
    )
    np.testing.assert_allclose(canceled, plain, atol=1e-2 * np.abs(plain).max())
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


def test_bad_weights_and_sizes_raise(rng, chroma):
    bins = ColorBins.grid(49)
    with pytest.raises(ValueError, match=r"\(49,\).*\(81,\)"):
        RebalancedCrossentropy(bins, np.ones(81))
    with pytest.raises(ValueError, match="positive and finite"):
        RebalancedCrossentropy(bins, np.zeros(49))
    with pytest.raises(ValueError, match=r"from 1 to 49.*50"):
        RebalancedCrossentropy(bins, neighbors=50)
    for sigma in (-1, np.nan):
        with pytest.raises(ValueError, match="sigma"):
            RebalancedCrossentropy(bins, neighbors=5, sigma=sigma)
    for stride in (-1, 2.5):
        with pytest.raises(ValueError, match="`stride` must be a positive whole number"):
            RebalancedCrossentropy(bins, stride=stride)
    loss = RebalancedCrossentropy(bins)
    with pytest.raises(ValueError, match="every pixel"):
        loss(chroma, np.zeros((2, 4, 4, 49), "float32"))
    with pytest.raises(ValueError, match="49 bins"):
        loss(chroma, np.zeros((2, 4, 5, 81), "float32"))


def step(height):
    """Chroma `(1, 6, 6, 2)` that steps by `height` in b half-way to the right."""
    chroma = np.zeros((1, 6, 6, 2), "float32")
    chroma[:, :, 3:, 1] = height
    return chroma


def pixels(loss, y_true, y_pred):
    return ops.convert_to_numpy(loss.call(ops.convert_to_tensor(y_true), y_pred))


def test_gradient_coherence_is_the_length_of_the_difference(rng, chroma):
    predicted = chroma + rng.normal(0, 9, chroma.shape).astype("float32")
    down, right = (np.diff(chroma - predicted, axis=axis) for axis in (1, 2))
    squared = np.zeros(chroma.shape[:-1])
    squared[:, :-1] += (down**2).sum(-1)
    squared[:, :, :-1] += (right**2).sum(-1)
    expected = np.sqrt(squared)
    np.testing.assert_allclose(pixels(GradientCoherence(), chroma, predicted), expected, atol=1e-3)


def test_gradient_coherence_does_not_depend_on_the_colors():
    np.testing.assert_allclose(pixels(GradientCoherence(), step(40), step(40) - 30), 0, atol=1e-4)


def test_unsigned_coherence_of_opposite_steps_is_zero():
    for signed, opposite in ((True, 80.0), (False, 0.0)):
        loss = pixels(GradientCoherence(signed=signed), step(40), step(-40))
        np.testing.assert_allclose(loss[0, :, 2], opposite, atol=1e-4)
        assert (loss[0, :, :2] < 1e-4).all() and (loss[0, :, 3:] < 1e-4).all()


def test_gradient_weights_count_by_the_size_of_the_true_gradient():
    weights = np.arange(1.0, 5.0)
    loss = GradientCoherence(magnitudes=(5.0, 50.0, 100.0), class_weights=weights)
    for height, weight in ((0, 1), (10, 2), (60, 3), (150, 4)):
        missed = pixels(loss, step(height), step(height + 7))[0, :, 2]
        np.testing.assert_allclose(missed, 7 * weight, rtol=1e-4)


def test_gradient_coherence_of_logits_equals_that_of_their_colors(rng):
    bins = ColorBins.grid(25)
    logits = rng.normal(0, 3, (1, 6, 6, 25)).astype("float32")
    decoded = ops.convert_to_numpy(bins.decode(logits, 0.2))
    of_logits = pixels(GradientCoherence(bins, 0.2), step(30), logits)
    np.testing.assert_allclose(of_logits, pixels(GradientCoherence(), step(30), decoded), atol=1e-4)


def test_gradient_coherence_survives_its_config(rng):
    bins = ColorBins.grid(25)
    loss = GradientCoherence(bins, 0.2, signed=False, class_weights=rng.uniform(0.5, 2, 8))
    logits = rng.normal(0, 3, (1, 6, 6, 25)).astype("float32")
    restored = keras.losses.deserialize(keras.losses.serialize(loss))
    expected = pixels(loss, step(30), logits)
    np.testing.assert_allclose(pixels(restored, step(30), logits), expected, rtol=1e-6)


def test_gradient_coherence_raises_for_bad_arguments():
    with pytest.raises(ValueError, match="temperature"):
        GradientCoherence(temperature=0)
    with pytest.raises(ValueError, match="height, width"):
        GradientCoherence()(np.zeros((4, 2), "float32"), np.zeros((4, 2), "float32"))
    with pytest.raises(ValueError, match="one entry per class"):
        GradientCoherence(class_weights=np.ones(3))
    with pytest.raises(ValueError, match="positive and finite"):
        GradientCoherence(class_weights=[1.0] * 7 + [np.nan])
    with pytest.raises(ValueError, match="same size"):
        GradientCoherence()(step(1), step(1)[:, :3])


def test_indices_of_many_logits_do_not_overflow():
    """A real batch of this size would need 9 GB, so only the type of its indices is tested."""
    few, many = (keras.KerasTensor((count, 256, 256, 313)) for count in (8, 128))
    assert losses._index_dtype(few) == "int32"
    if keras.backend.backend() == "jax":
        with pytest.raises(ValueError, match="smaller batches"):
            losses._index_dtype(many)
    else:
        assert losses._index_dtype(many) == "int64"
        assert losses._index_dtype(keras.KerasTensor((None, 256, 256, 313))) == "int64"


def test_crossentropy_is_the_same_for_large_indices(monkeypatch, rng):
    bins = ColorBins.grid(9)
    chroma = rng.uniform(-60, 60, (2, 4, 4, 2)).astype("float32")
    logits = rng.normal(size=(2, 4, 4, 9)).astype("float32")
    expected = losses.rebalanced_crossentropy(chroma, logits, bins, None, 3)
    if keras.backend.backend() != "jax":
        monkeypatch.setattr(losses, "_index_dtype", lambda logits: "int64")
    found = losses.rebalanced_crossentropy(chroma, logits, bins, None, 3)
    np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (found, expected)))


@pytest.fixture
def features():
    """A network whose features are known: twice the red, and the green of every second pixel."""
    inputs = keras.Input((None, None, 3))
    kernel = np.zeros((1, 1, 3, 2), "float32")
    kernel[0, 0, 0, 0], kernel[0, 0, 1, 1] = 2.0, 1.0
    layer = keras.layers.Conv2D(2, 1, strides=2, use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([kernel])
    return model


def test_feature_loss_is_the_absolute_error_plus_that_of_features(rng, features):
    true, predicted = rng.random((2, 3, 6, 4, 3)).astype("float32")
    loss = losses.FeatureLoss(features, feature_weight=0.5)
    planes = [np.stack([2 * x[..., 0], x[..., 1]], -1)[:, ::2, ::2] for x in (true, predicted)]
    expected = abs(true - predicted).mean() + 0.5 * ((planes[0] - planes[1]) ** 2).mean()
    assert float(loss(true, predicted)) == pytest.approx(expected, rel=1e-5)


def test_feature_loss_trains_a_network_by_its_features_but_not_them(rng, features):
    true, predicted = rng.random((2, 1, 4, 4, 3)).astype("float32")
    plain, both = (
        gradient(lambda x, w=weight: losses.FeatureLoss(features, w)(true, x), predicted)
        for weight in (0.0, 0.5)
    )
    # The features are twice the red and the green, at every second pixel of 4 x 4.
    expected = np.zeros(true.shape)
    for channel, factor in ((0, 2), (1, 1)):
        error = (predicted - true)[:, ::2, ::2, channel]
        expected[:, ::2, ::2, channel] = 0.5 * 2 * factor**2 * error / 8
    np.testing.assert_allclose(both - plain, expected, atol=1e-6)
    before = features.get_weights()[0].copy()
    network = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(3, 1)])
    network.compile(keras.optimizers.SGD(0.1), losses.FeatureLoss(features), jit_compile=False)
    network.fit(true[..., :1], true, verbose=0)
    np.testing.assert_array_equal(features.get_weights()[0], before)


def test_feature_loss_takes_weights_of_images_and_of_pixels(rng, features):
    true, predicted = rng.random((2, 3, 6, 4, 3)).astype("float32")
    loss = losses.FeatureLoss(features, feature_weight=0.0)
    error = np.abs(true - predicted).mean(axis=-1)
    for weights in rng.random((3, 1, 1)), rng.random((3, 6, 4)):
        found = float(loss(true, predicted, sample_weight=weights.astype("float32")))
        assert found == pytest.approx((weights * error).mean(), rel=1e-5)


def test_feature_loss_refuses_what_would_be_wrong(features):
    vector = keras.Model(features.input, keras.layers.GlobalAveragePooling2D()(features.output))
    several = keras.Model(features.input, [features.output, features.output])
    for wrong in (vector, several, "imagenet"):
        with pytest.raises(ValueError, match=r"`features` must be .* with one output"):
            losses.FeatureLoss(wrong)
    for weight in (-1.0, np.inf, np.nan, "1"):
        with pytest.raises(ValueError, match="`feature_weight` must be"):
            losses.FeatureLoss(features, weight)
    with pytest.raises(ValueError, match=r"RGB images.*\(1, 4, 4, 2\)"):
        losses.FeatureLoss(features)(np.zeros((1, 4, 4, 2)), np.zeros((1, 4, 4, 2)))


def test_model_with_a_feature_loss_is_saved_and_loads_without_it(features, tmp_path):
    network = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(3, 1)])
    network.compile("sgd", losses.FeatureLoss(features))
    network.save(tmp_path / "network.keras")
    with pytest.raises(ValueError, match="compile=False"):  # its features would be random
        keras.saving.load_model(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras", compile=False)
    np.testing.assert_array_equal(again.get_weights()[0], network.get_weights()[0])
