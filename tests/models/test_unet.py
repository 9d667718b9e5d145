import keras
import numpy as np
import pytest

from colorkit import LAB, RGB, YUV, models

SMALL = {"widths": (4, 8, 8), "encoder_blocks": (0, 1, 1), "decoder_blocks": (0, 1)}


@pytest.mark.parametrize(
    "options", [{"space": LAB}, {"space": YUV}, {"space": RGB}, {"num_bins": 49}]
)
def test_residual_unet_accepts_images_of_any_size(options):
    model = models.build_residual_unet(**options, **SMALL)
    for size in ((32, 32), (31, 57), (1, 1)):
        output = keras.ops.convert_to_numpy(model(np.zeros((2, *size, 1), "float32")))
        channels = options["space"].chroma_channels if "space" in options else 49
        assert output.shape == (2, *size, channels) and np.isfinite(output).all()


@pytest.mark.parametrize("context", [True, False])
def test_every_pixel_depends_on_the_whole_image_with_context(context):
    keras.utils.set_random_seed(0)
    model = models.build_residual_unet(**SMALL, context=context)
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 40, 40, 1)).astype("float32")
    before = model.predict(lightness, verbose=0)
    lightness[0, 0, 0, 0] += 50
    changed = (model.predict(lightness, verbose=0) != before).any(axis=-1)
    if context:
        assert changed[0, -1, -1] and changed.mean() > 0.9
    else:
        assert changed[0, 0, 0] and not changed[0, -1, -1]


def test_classes_are_a_second_output():
    model = models.build_residual_unet(49, num_classes=10, **SMALL)
    outputs = model.predict(np.zeros((3, 16, 16, 1), "float32"), verbose=0)
    assert outputs["chroma"].shape == (3, 16, 16, 49) and outputs["label"].shape == (3, 10)


def test_default_has_fewer_than_five_million_weights():
    assert models.build_residual_unet(64, num_classes=10).count_params() < 5_000_000


def test_saved_residual_unet_predicts_the_same(tmp_path):
    model = models.build_residual_unet(**SMALL)
    model.save(tmp_path / "unet.keras")
    restored = keras.saving.load_model(tmp_path / "unet.keras")
    lightness = np.linspace(0, 100, 9 * 14, dtype="float32").reshape(1, 9, 14, 1)
    np.testing.assert_array_equal(
        restored.predict(lightness, verbose=0), model.predict(lightness, verbose=0)
    )


@pytest.mark.parametrize("wrong", [(1,), (0, 1, 1, 1)])
@pytest.mark.parametrize("name", ["encoder_blocks", "decoder_blocks"])
def test_numbers_of_blocks_fit_the_widths(name, wrong):
    with pytest.raises(ValueError, match="zip"):
        models.build_residual_unet(**{**SMALL, name: wrong})
