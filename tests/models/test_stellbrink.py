import keras
import numpy as np
import pytest
from keras import ops

from colorkit import ColorBins, losses, models, pairs
from colorkit.layers import ColorRegularizer


@pytest.fixture
def bins():
    return ColorBins.grid(25)


def build(bins, as_published=False, **options):
    keras.utils.set_random_seed(0)
    colorful = models.build_zhang(bins.num_bins, width=0.03)
    if as_published:
        return models.build_coherent_as_published(colorful, **{"filters": (4,)} | options)
    return models.build_coherent(colorful, **{"filters": (4, 4)} | options)


def trained(network, bins, rng, weights):
    """Return the paths of the weights whose gradient is not exactly zero."""
    found = []

    class Recorder(keras.optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            found[:] = map(ops.convert_to_numpy, grads)
            super().apply(grads, trainable_variables)

    network.compile(
        Recorder(0.1),
        loss={
            "colorful": losses.RebalancedCrossentropy(bins, stride=4),
            "coherent": losses.GradientCoherence(bins, 0.38),
        },
        loss_weights=weights,
        run_eagerly=True,
    )
    lightness = rng.uniform(0, 100, (2, 16, 16, 1)).astype("float32")
    chroma = rng.normal(0, 30, (2, 16, 16, 2)).astype("float32")
    for _ in range(2):  # a correction of zeros has no gradient at first
        network.train_on_batch(lightness, {"colorful": chroma, "coherent": chroma})
    variables = network.trainable_variables
    return {v.path for v, values in zip(variables, found, strict=True) if values.any()}


def of_colorful(network):
    return {variable.path for variable in network.get_layer("zhang").trainable_variables}


def test_initial_prediction_equals_the_colorful_network(bins, rng):
    network = build(bins, smoothing=())
    lightness = rng.uniform(0, 100, (1, 13, 16, 1)).astype("float32")
    logits = network.predict(lightness, verbose=0)
    assert logits["colorful"].shape == (1, 4, 4, 25) and logits["coherent"].shape == (1, 13, 16, 25)
    # Every fourth pixel is predicted; the pixels between are interpolated.
    likely = ops.convert_to_numpy(ops.log_softmax(logits["colorful"]))
    np.testing.assert_allclose(logits["coherent"][:, ::4, ::4], likely, atol=1e-5)
    between = (likely[:, :, :-1] + likely[:, :, 1:]) / 2
    np.testing.assert_allclose(logits["coherent"][:, ::4, 2:-4:4], between, atol=1e-5)


def test_squashed_probabilities_stay_below_0_0087(rng):
    network = build(ColorBins.gamut(), as_published=True, squash=True)
    lightness = rng.uniform(0, 100, (1, 8, 8, 1)).astype("float32")
    last = network.get_layer("coherent_logits")
    last.set_weights([100 * weights for weights in last.get_weights()])
    logits = network.predict(lightness, verbose=0)["coherent"]
    probabilities = ops.convert_to_numpy(ops.softmax(logits))
    assert probabilities.max() < np.e / (np.e + 312) < 0.0087


def test_smoothing_alone_has_no_weights(bins):
    network = build(bins, filters=())
    assert {variable.path for variable in network.trainable_variables} == of_colorful(network)


@pytest.mark.parametrize("as_published", [False, True])
def test_coherence_losses_do_not_train_the_colorful_network(bins, rng, as_published):
    network = build(bins, as_published)
    of_branch = {variable.path for variable in network.trainable_variables} - of_colorful(network)
    assert trained(network, bins, rng, {"colorful": 0.0, "coherent": 1.0}) == of_branch


@pytest.mark.parametrize("as_published", [False, True])
def test_loss_of_the_colorful_network_does_not_train_the_branch(bins, rng, as_published):
    network = build(bins, as_published, regularization=0.0)
    found = trained(network, bins, rng, {"colorful": 1.0, "coherent": 0.0})
    assert found == of_colorful(network)


def test_branch_takes_probabilities_in_the_paper_and_logits_in_the_code(bins, rng):
    lightness = rng.uniform(0, 100, (1, 16, 16, 1)).astype("float32")
    for squash in (False, True):
        network = build(bins, as_published=True, squash=squash)
        joined = keras.Model(network.inputs[0], network.get_layer("join").output)
        given = ops.convert_to_numpy(joined(lightness))[..., -25:]
        assert np.allclose(given.sum(-1), 1, atol=1e-5) is not squash


def test_branch_trains_as_documented(bins, pictures):
    network = build(bins)
    network.get_layer("zhang").trainable = False
    branch = keras.Model(network.inputs[0], network.output["coherent"])
    branch.compile("adam", loss=losses.GradientCoherence(bins, 0.38), run_eagerly=True)
    loss = branch.fit(pairs(pictures, batch_size=8), epochs=3, verbose=0).history["loss"]
    assert loss[-1] < loss[0]


@pytest.mark.parametrize("builder", [models.build_coherent, models.build_coherent_as_published])
def test_colorful_network_must_predict_logits(builder):
    with pytest.raises(ValueError, match="logits over color bins"):
        builder(models.build_zhang(None, width=0.03))


@pytest.mark.parametrize("option", ["regularization", "temperature", "edge"])
def test_negative_options_raise(bins, option):
    with pytest.raises(ValueError, match="-1"):
        build(bins, **{option: -1.0})


def test_regularizer_is_zero_for_equal_modes_and_grows_for_unlikely_ones():
    likely = np.log(np.array([[[[0.6, 0.3, 0.1]]]], "float32"))
    for chosen, expected in ((0, 0.0), (1, 0.5), (2, 1 - 1 / 6)):
        layer = ColorRegularizer()
        coherent = np.eye(3, dtype="float32")[chosen][None, None, None]
        layer((likely, coherent))
        assert float(layer.losses[0]) == pytest.approx(expected, abs=1e-5)


def test_regularizer_agrees_with_the_equation(rng):
    colorful, coherent = rng.normal(size=(2, 2, 3, 4, 7)).astype("float32")
    layer = ColorRegularizer(temperature=0.3, weight=2.0)
    layer((colorful, coherent))

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    likely = softmax(colorful)
    expected = 1 - (likely * softmax(coherent / 0.3)).sum(-1) / likely.max(-1)
    assert float(layer.losses[0]) == pytest.approx(2 * expected.mean(), rel=1e-5)


def test_regularizer_checks_its_temperature():
    with pytest.raises(ValueError, match="temperature"):
        ColorRegularizer(temperature=0)


@pytest.mark.parametrize("as_published", [False, True])
def test_saved_network_predicts_the_same(bins, tmp_path, rng, as_published):
    network = build(bins, as_published)
    lightness = rng.uniform(0, 100, (1, 13, 10, 1)).astype("float32")
    expected = network(lightness)
    network.save(tmp_path / "coherent.keras")
    restored = keras.saving.load_model(tmp_path / "coherent.keras")(lightness)
    for name, logits in expected.items():
        np.testing.assert_allclose(restored[name], logits, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning")
def test_compiled_network_loads(bins, tmp_path):
    network = build(bins)
    loss = losses.RebalancedCrossentropy(bins, stride=4)
    network.compile("adam", {"colorful": loss, "coherent": losses.GradientCoherence(bins)})
    network.save(tmp_path / "network.keras")
    restored = keras.saving.load_model(tmp_path / "network.keras")
    assert restored.name == "coherent" and restored.compiled


def test_smooth_predictions_keeps_edges_and_smooths_between_them(bins):
    # One column of a uniform background predicts another color; the right half is bright.
    inputs = keras.Input((None, None, 1), name="lightness")
    logits = keras.layers.Conv2D(bins.num_bins, 1, strides=2, name="logits")(inputs)
    network = keras.Model(inputs, logits)
    kernel, bias = np.zeros((1, 1, 1, 25), "float32"), np.zeros(25, "float32")
    kernel[..., 3] = 0.05  # the softmax does not saturate
    network.set_weights([kernel, bias])
    lightness = np.full((1, 32, 32, 1), 20.0, "float32")
    lightness[:, :, 16:] = 80.0
    lightness[:, :, 6] = 21.0
    smooth = models.smooth_predictions(network, edge=5.0)
    before = np.asarray(ops.log_softmax(network(lightness)))[0, 8, :, 3]
    after = np.asarray(smooth(lightness))[0, 8, :, 3]
    assert after.shape == (16,)
    assert np.ptp(after[:8]) < 0.5 * np.ptp(before[:8])  # the column is smoothed
    np.testing.assert_allclose(after[8:], before[8:], atol=1e-4)  # nothing crosses the edge


def test_smooth_predictions_shares_weights_and_saves(bins, tmp_path):
    from colorkit import Colorizer

    network = models.build_zhang(bins.num_bins, width=0.03)
    smooth = models.smooth_predictions(network)
    assert {id(w) for w in smooth.weights} == {id(w) for w in network.weights}
    colorizer = Colorizer(smooth, bins=bins)
    colorizer.save(tmp_path / "smooth.keras")
    rgb = np.random.default_rng(0).integers(0, 256, (33, 45, 3), "uint8")
    np.testing.assert_array_equal(Colorizer.load(tmp_path / "smooth.keras")(rgb), colorizer(rgb))
