import keras
import numpy as np
import pytest

from colorkit import ColorBins, Colorizer, models, pairs
from colorkit.losses import RebalancedCrossentropy

SMALL = {"widths": (4, 8), "encoder_blocks": (0, 1), "decoder_blocks": (0,)}


@pytest.fixture
def lightness(rng):
    return rng.uniform(0, 100, (2, 8, 12, 1)).astype("float32")


def features(model, lightness, name):
    layer = model.get_layer(name)
    return keras.ops.convert_to_numpy(keras.Model(model.inputs[0], layer.input)(lightness))


def test_replace_head_keeps_all_other_layers(lightness):
    before = models.build_residual_unet(9, **SMALL)
    after = models.replace_head(before, 16)
    assert after(lightness).shape == (2, 8, 12, 16)
    np.testing.assert_array_equal(
        features(after, lightness, "logits"), features(before, lightness, "logits")
    )
    chroma = models.replace_head(after, name="chroma")
    assert chroma.name == "chroma" and chroma(lightness).shape == (2, 8, 12, 2)
    np.testing.assert_array_equal(
        features(chroma, lightness, "head"), features(before, lightness, "logits")
    )


def test_copy_weights_copies_all_matching_layers_except_heads():
    trained = models.build_residual_unet(9, **SMALL)
    model = models.build_residual_unet(9, **SMALL, num_classes=3)
    fresh = {layer.name: layer.get_weights() for layer in model.layers}
    models.copy_weights(trained, model)
    for layer in trained.layers:
        expected = (fresh[layer.name],) if layer.name == "logits" else (layer.get_weights(),)
        for new, old in zip(model.get_layer(layer.name).get_weights(), *expected, strict=True):
            np.testing.assert_array_equal(new, old)
    before = trained.get_weights()
    model.set_weights([0 * weights for weights in model.get_weights()])
    for new, old in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(new, old)
    with pytest.raises(ValueError, match="no layer matches"):
        models.copy_weights(models.build_unet(9, widths=(5, 6)), model)


def test_network_with_a_new_head_trains_saves_and_colors(tmp_path, pictures):
    bins = ColorBins.fit(pictures, 12)
    model = models.replace_head(models.build_unet(9, widths=(4, 6)), bins.num_bins)
    model.compile("adam", RebalancedCrossentropy(bins), run_eagerly=True)
    history = model.fit(pairs(pictures, batch_size=8), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    colorizer = Colorizer(model, bins=bins)
    colorizer.save(tmp_path / "mine.keras")
    loaded = Colorizer.load(tmp_path / "mine.keras")
    np.testing.assert_array_equal(loaded(pictures[0]), colorizer(pictures[0]))


def test_replace_head_requires_a_head():
    with pytest.raises(ValueError, match=r'"logits" or "head".*ends with'):
        models.replace_head(models.build_vae(input_shape=(8, 8, 3), widths=(4,)), 9)
