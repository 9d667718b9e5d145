import keras
import numpy as np
import pytest

from colorkit import models, pairs
from colorkit.data.images import Images
from colorkit.models.adversarial import Adversarial

DISTANCE = Adversarial._distance


def build(**options):
    keras.utils.set_random_seed(0)
    conditional = options.pop("conditional", True)
    generator = models.build_pix2pix_generator(widths=(4, 6), dropout=0)
    discriminator = models.build_patch_discriminator(widths=(4, 6), conditional=conditional)
    return Adversarial(generator, discriminator, **options)


@pytest.fixture
def batch(rng):
    lightness = rng.uniform(0, 100, (4, 16, 16, 1)).astype("float32")
    return lightness, rng.normal(0, 30, (4, 16, 16, 2)).astype("float32")


def gradients(model, batch):
    """Return the gradients of the total loss for the weights of each network."""
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    networks = {"generator": model.generator, "discriminator": model.discriminator}
    before = {
        name: [np.array(keras.ops.convert_to_numpy(v)) for v in network.trainable_variables]
        for name, network in networks.items()
    }
    model.train_on_batch(*batch)
    return {
        name: [
            old - keras.ops.convert_to_numpy(v)
            for old, v in zip(before[name], network.trainable_variables, strict=True)
        ]
        for name, network in networks.items()
    }


def silenced(build, batch, *silent):
    """Return the gradients while some of the four terms are multiplied by zero."""
    terms = iter(("real", "fake", "fooling"))
    with pytest.MonkeyPatch.context() as patched:

        def distance(self, logits, label):
            return DISTANCE(self, logits, label) * (0.0 if next(terms) in silent else 1.0)

        patched.setattr(Adversarial, "_distance", distance)
        model = build()
        if "reconstruction" in silent:
            model.reconstruction_weight = 0.0
        return gradients(model, batch)


def is_zero(values):
    return all((value == 0).all() for value in values)


@pytest.mark.parametrize("objective", ["least_squares", "crossentropy"])
@pytest.mark.parametrize("conditional", [True, False])
def test_each_network_trains_on_its_own_loss_alone(batch, objective, conditional):
    def model():
        return build(objective=objective, conditional=conditional)

    whole = silenced(model, batch)
    of_discriminator = silenced(model, batch, "fooling", "reconstruction")
    of_generator = silenced(model, batch, "real", "fake")
    assert is_zero(of_discriminator["generator"]) and is_zero(of_generator["discriminator"])
    for name, alone in (("generator", of_generator), ("discriminator", of_discriminator)):
        assert not is_zero(alone[name])
        for a, b in zip(alone[name], whole[name], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5 * max(1, np.abs(b).max()))
    for term in ("fooling", "reconstruction"):
        others = {"real", "fake", "fooling", "reconstruction"} - {term}
        found = silenced(model, batch, *others)
        assert not is_zero(found["generator"]) and is_zero(found["discriminator"]), term


def test_discriminator_statistics_come_from_real_and_predicted_images_once(batch):
    lightness, chroma = batch
    model = build()
    fake = keras.ops.convert_to_numpy(model.generator(lightness, training=True))
    norm = next(
        layer
        for layer in model.discriminator.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    below = keras.Model(model.discriminator.inputs, norm.input)
    expected = np.array(keras.ops.convert_to_numpy(norm.moving_mean))
    for shown in (chroma, fake):  # and not once more for the generator
        mean = keras.ops.convert_to_numpy(below([lightness, shown])).mean(axis=(0, 1, 2))
        expected = norm.momentum * expected + (1 - norm.momentum) * mean
    model = build()
    gradients(model, batch)
    norm = model.discriminator.get_layer(norm.name)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(norm.moving_mean), expected, rtol=1e-3, atol=1e-6
    )


def test_sample_weights_raise(batch):
    model = build()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(ValueError, match=r"chroma alone.*sample weights"):
        model.train_on_batch(*batch, sample_weight=np.ones((4, 1, 1)))


def test_loss_of_compile_raises(batch):
    model = build()
    model.compile("adam", loss="mse", run_eagerly=True)
    with pytest.raises(ValueError, match=r"its own losses.*leave `loss` of `compile`"):
        model.train_on_batch(*batch)


def test_images_too_small_for_the_discriminator_raise(batch):
    model = build()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(ValueError, match=r"4 x 8 pixels are too small for .*patch_discriminator"):
        model.train_on_batch(*(plane[:, :4, :8] for plane in batch))


def test_generator_that_changes_the_size_raises(batch):
    inputs = keras.Input((None, None, 1))
    chroma = keras.layers.Conv2D(2, 3, strides=4, padding="same")(inputs)
    model = Adversarial(keras.Model(inputs, chroma), build().discriminator)
    model.compile("adam", run_eagerly=True)
    with pytest.raises(ValueError, match=r"\(4, 4, 2\) instead of \(16, 16, 2\)"):
        model.train_on_batch(*batch)


def test_fit_lowers_the_error_and_reports_both_networks(batch):
    network = build(reconstruction_weight=1.0)
    network.compile(keras.optimizers.Adam(1e-2, beta_1=0.5), jit_compile=False)
    often = [np.tile(part, (5, 1, 1, 1)) for part in batch]
    history = network.fit(*often, epochs=3, batch_size=4, verbose=0, validation_data=batch).history
    assert history["reconstruction"][-1] < history["reconstruction"][0]
    for name in ("generator_accuracy", "discriminator_accuracy", "val_discriminator_loss"):
        assert np.isfinite(history[name]).all()
    assert network.predict(batch[0], verbose=0).shape == batch[1].shape


def test_networks_that_do_not_fit_each_other_raise():
    generator = models.build_pix2pix_generator(widths=(4, 6), input_shape=(32, 32, 1))
    discriminator = models.build_patch_discriminator(widths=(4, 6), input_shape=(16, 16, 1))
    with pytest.raises(ValueError, match=r"32, 32, 2.*which takes .*16, 16, 2"):
        Adversarial(generator, discriminator)
    with pytest.raises(ValueError, match="the output of"):
        Adversarial(generator, models.build_patch_discriminator(space="rgb"))
    with pytest.raises(ValueError, match="are the networks swapped"):
        Adversarial(discriminator, generator)
    with pytest.raises(ValueError, match="least_squares"):
        build(objective="hinge")


def test_saved_model_predicts_the_same(batch, tmp_path):
    network = build()
    network.compile("adam", run_eagerly=True)
    network.fit(*batch, verbose=0)
    expected = network.predict(batch[0], verbose=0)
    network.save(tmp_path / "gan.keras")
    restored = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_allclose(restored.predict(batch[0], verbose=0), expected, atol=1e-3)


def test_swapped_networks_raise_if_unconditional():
    for discriminator in (
        models.build_patch_discriminator(widths=(4, 6), conditional=False),
        models.build_picture_discriminator(filters=(4,), conditional=False),
    ):
        generator = models.build_pix2pix_generator(widths=(4, 6))
        with pytest.raises(ValueError, match="are the networks swapped"):
            Adversarial(discriminator, generator)


@pytest.mark.parametrize("conditional", [True, False])
def test_networks_of_two_color_spaces_raise(conditional):
    for spaces in (("lab", "yuv"), ("yuv", "lab")):
        generator = models.build_pix2pix_generator(widths=(4, 6), space=spaces[0])
        discriminators = {
            space: models.build_patch_discriminator(
                widths=(4, 6), space=space, conditional=conditional
            )
            for space in spaces
        }
        with pytest.raises(ValueError, match=r"color space of `generator`.*differ"):
            Adversarial(generator, discriminators[spaces[1]])
        assert Adversarial(generator, discriminators[spaces[0]]).conditional is conditional


def test_reconstruction_weight_is_finite_and_non_negative():
    for weight in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"`reconstruction_weight` must be .*{weight}"):
            build(reconstruction_weight=weight)


def test_labels_raise():
    images = Images(np.zeros((4, 16, 16, 3), "uint8"), labels=[0, 1, 0, 1])
    model = build()
    model.compile("adam", run_eagerly=True)
    with pytest.raises(ValueError, match=r"chroma alone.*`labels`"):
        model.fit(pairs(images, labels=True), verbose=0)


def test_metrics_weight_a_smaller_last_batch_by_its_images(batch):
    lightness, chroma = (np.concatenate([plane, plane[:1] + 20]) for plane in batch)
    model = build()
    model.compile("adam", jit_compile=False)
    scores = model.evaluate(lightness, chroma, batch_size=4, return_dict=True, verbose=0)
    error = np.abs(model.predict(lightness, verbose=0) - chroma).mean()
    assert scores["reconstruction"] == pytest.approx(error, rel=1e-4)
