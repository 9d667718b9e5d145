import keras
import numpy as np

from colorkit import LAB, RGB, YUV, ColorBins
from colorkit.layers import ColorDecoder, ResizeLike, normalize_lightness, to_chroma


def test_rescaling_spans_the_natural_units():
    for space in (LAB, YUV, RGB):
        inputs = keras.Input((1,))
        model = keras.Model(inputs, normalize_lightness(inputs, space))
        ends = np.array(space.lightness_range, "float32")[:, None]
        np.testing.assert_allclose(model.predict(ends, verbose=0).ravel(), [-1, 1], atol=1e-6)
        model = keras.Model(inputs, to_chroma(inputs, space))
        ends = np.array([[-2], [2]], "float32")
        scaled = model.predict(ends, verbose=0).ravel()
        np.testing.assert_allclose(scaled, space.chroma_range, atol=1e-4)


def test_decoder_decodes_bins_and_passes_chroma_through(rng):
    bins = ColorBins.grid(49)
    logits = rng.normal(size=(1, 3, 3, 49)).astype("float32")
    decoded = keras.ops.convert_to_numpy(ColorDecoder(LAB, bins, temperature=0.5)(logits))
    np.testing.assert_allclose(decoded, bins.decode(logits, 0.5), rtol=1e-6)
    chroma = rng.normal(size=(1, 3, 3, 2)).astype("float32")
    np.testing.assert_array_equal(ColorDecoder("yuv")(chroma), chroma)


def test_decoder_survives_its_config():
    for decoder in (ColorDecoder("yuv", size=32), ColorDecoder(LAB, ColorBins.gamut(), 0.2)):
        config = keras.saving.serialize_keras_object(decoder)
        restored = keras.saving.deserialize_keras_object(config)
        assert restored.get_config() == decoder.get_config()


def test_resizing_is_the_same_where_a_graph_does_not_know_the_size(rng):
    x, like = keras.Input((None, None, 2)), keras.Input((None, None, 1))
    model = keras.Model([x, like], ResizeLike()([x, like]))
    # From the second size on TensorFlow traces for all of them.
    for size, target in (((4, 4), (8, 8)), ((5, 3), (9, 6)), ((3, 4), (6, 7)), ((1, 1), (2, 1))):
        features = rng.normal(size=(1, *size, 2)).astype("float32")
        planes = np.zeros((1, *target, 1), "float32")
        expected = keras.ops.convert_to_numpy(keras.ops.image.resize(features, target))
        actual = model.predict([features, planes], verbose=0)
        np.testing.assert_allclose(actual, expected, atol=1e-5)
