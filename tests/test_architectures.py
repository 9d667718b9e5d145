import keras
import numpy as np
import pytest

from colorkit import ColorBins, Colorizer, models, pairs
from colorkit.losses import RebalancedCrossentropy
from colorkit.models.sizes import output_stride

SMALL = {
    "autoencoder": lambda **options: models.build_autoencoder(widths=(4, 6, 8), **options),
    "deep_cnn": lambda **options: models.build_deep_cnn(width=4, num_blocks=3, **options),
    "unet": lambda **options: models.build_unet(widths=(4, 6, 8), **options),
    "residual_unet": lambda **options: models.build_residual_unet(
        widths=(4, 6, 8), encoder_blocks=(0, 1, 1), decoder_blocks=(0, 1), **options
    ),
    "resnet": lambda **options: models.build_resnet(width=8, bottleneck=4, num_blocks=2, **options),
    "densenet": lambda **options: models.build_densenet(growth=4, num_blocks=2, **options),
    "pix2pix_generator": lambda **options: models.build_pix2pix_generator(
        widths=(4, 4, 4, 4, 4), **options
    ),
    "simple_convnet": lambda **options: models.build_simple_convnet(
        filters=(4, 4, 4, 4, 4, 8, 8), **options
    ),
    "simple_convnet_as_coded": lambda **options: models.build_simple_convnet(
        filters=(4, 4, 4, 4, 4, 8, 8), upsampling="transpose", **options
    ),
    "additive_unet_as_coded": lambda **options: models.build_additive_unet(
        filters=(4, 4, 4, 8, 8), upsampling="transpose", **options
    ),
    "pix2pix_generator_as_published": lambda **options: models.build_pix2pix_generator(
        widths=(4, 4, 4, 4, 4), upsampling="transpose", **options
    ),
    "additive_unet": lambda **options: models.build_additive_unet(
        filters=(4, 4, 4, 8, 8), **options
    ),
}


# Models with bins, or with two networks.
BINS = ColorBins.grid(9)
OTHERS = {
    "zhang": lambda: models.build_zhang(9, width=0.03),
    "coherent": lambda: keras.Model(
        (
            network := models.build_coherent(models.build_zhang(9, width=0.03), filters=(4, 4))
        ).inputs[0],
        network.output["coherent"],
    ),
    "shallow_classification": lambda: models.build_shallow_classification(9, filters=(4, 4, 4)),
    "shallow_classification_dilated": lambda: models.build_shallow_classification(
        9, filters=(4, 4, 4), dilation_rates=(1, 3, 9)
    ),
    "conv_classification": lambda: models.build_conv_classification(
        9, blocks=((4,), (4,)), dilation_rates=(1, 2)
    ),
    "adversarial": lambda: models.Adversarial(
        SMALL["additive_unet"](), models.build_patch_discriminator(widths=(4, 4))
    ),
    "adversarial_as_coded": lambda: models.Adversarial(
        SMALL["additive_unet_as_coded"](),
        models.build_picture_discriminator(filters=(4, 4), head_size=7, conditional=False),
        objective="crossentropy",
    ),
}
SIDES = (64, 96)  # a power of two, and another multiple of 32


def compiled(name):
    """Return a small compiled model, and the network that colors.

    It runs eagerly, because tracing takes longer than training.
    """
    if name in SMALL:
        model = SMALL[name]()
        model.compile(keras.optimizers.Adam(1e-3), loss="mae", run_eagerly=True)
        return model, model
    model = OTHERS[name]()
    if name.startswith("adversarial"):
        model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
        return model, model.generator
    if name == "coherent":
        model.get_layer("zhang").trainable = False  # the losses do not train it
    stride = output_stride(model)
    loss = RebalancedCrossentropy(BINS, stride=stride)
    model.compile(keras.optimizers.Adam(1e-3), loss, run_eagerly=True)
    return model, model


@pytest.mark.parametrize("name", [*SMALL, *OTHERS])
def test_architecture_trains_saves_loads_and_colors_another_size(name, tmp_path, rng):
    model, network = compiled(name)
    images = rng.integers(0, 256, (4, 32, 32, 3), dtype="uint8")
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]
    model.fit(pairs(images, batch_size=4), verbose=0)
    after = map(keras.ops.convert_to_numpy, model.trainable_variables)
    assert any((new != old).any() for new, old in zip(after, before, strict=True))
    colorizer = Colorizer(network, bins=BINS if name in OTHERS and model is network else None)
    colorizer.save(tmp_path / "colorizer.keras")
    loaded = Colorizer.load(tmp_path / "colorizer.keras")
    picture = rng.integers(0, 256, (45, 70, 3), dtype="uint8")
    np.testing.assert_allclose(loaded(picture), colorizer(picture), atol=1)
    assert loaded(picture).shape == picture.shape


@pytest.mark.parametrize("name", [*SMALL, *OTHERS])
def test_architecture_trains_a_step_at_every_size(name, rng):
    model, network = compiled(name)
    for side in SIDES:
        images = rng.integers(0, 256, (1, side, side, 3), dtype="uint8")
        lightness, chroma = pairs(images, batch_size=1)[0]
        assert np.isfinite(model.train_on_batch(lightness, chroma)).all(), side
        stride = output_stride(network)
        assert network(lightness).shape[1:3] == (side // stride,) * 2


@pytest.mark.parametrize("name", SMALL)
def test_architecture_accepts_a_fixed_size(name):
    assert SMALL[name](input_shape=(96, 96, 1)).output_shape == (None, 96, 96, 2)


def test_help_has_one_line_per_builder():
    table = models.__doc__.partition("`Adversarial`")[0].split()
    builders = [name for name in models.__all__ if name.startswith("build_")]
    assert sorted(word for word in table if word.startswith("build_")) == sorted(builders)
