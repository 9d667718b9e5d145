"""The network of Zhang, Isola, Efros: "Colorful Image Colorization", ECCV 2016."""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import BatchNormalization, CropLike, Enlarge, to_chroma
from colorkit.models.blocks import ANY_SIZE, lightness_input

# Width, strides of the 3x3 convolutions and their dilation, block by block.
BLOCKS = (
    (64, (1, 2), 1),
    (128, (1, 2), 1),
    (256, (1, 1, 2), 1),
    (512, (1, 1, 1), 1),
    (512, (1, 1, 1), 2),
    (512, (1, 1, 1), 2),
    (512, (1, 1, 1), 1),
)
_LAST = 256  # width of the block that doubles the size


def build_zhang(num_bins=313, *, space=LAB, input_shape=ANY_SIZE, width=1.0, name="zhang"):
    """Build the authors' training network: stride 8, dilation, then stride 4 (Table 4).

    Batch normalization, without scale and shift, ends each of the first seven blocks after its
    last ReLU. The last block has none. Lightness is from -1 to 1, where the authors use L minus 50.

    See `colorkit.models` for shapes, other arguments and errors.

    Args:
        num_bins: Number of color bins, or `None` for a regression.
        width: Factor on the width of every block; 1 is the published network of 32 million
            weights.

    Returns:
        `keras.Model` from lightness `(H, W, 1)` to logits `(ceil(H / 4), ceil(W / 4), num_bins)`,
        whose pixel `[i, j]` belongs to pixel `[4 i, 4 j]` of the image. A regression predicts
        chroma instead, enlarged to `(H, W, C)`.

    References:
        Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016.

    Example:
        >>> build_zhang(width=0.1).compute_output_shape((1, 64, 96, 1))
        (1, 16, 24, 313)
    """
    space, inputs, x = lightness_input(space, input_shape)
    for i, (filters, strides, dilation) in enumerate(BLOCKS, start=1):
        x = _block(x, round(filters * width) or 1, strides, dilation, name=f"conv{i}")
        x = BatchNormalization(center=False, scale=False, name=f"conv{i}_bn")(x)
        if i == 2:
            quarter = x
    filters = round(_LAST * width) or 1
    x = layers.Conv2DTranspose(
        filters, 4, strides=2, padding="same", activation="relu", name="conv8_1"
    )(x)
    # An eighth, rounded up and doubled, may be one pixel larger than a quarter, rounded up.
    x = CropLike(name="conv8_crop")([x, quarter])
    x = _block(x, filters, (1, 1), 1, name="conv8", first=2)
    if num_bins is None:
        x = layers.Conv2D(space.chroma_channels, 1, name="head")(x)
        x = Enlarge(4, name="enlarge")([x, inputs])
        return keras.Model(inputs, to_chroma(x, space), name=name)
    logits = layers.Conv2D(num_bins, 1, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)


def _block(x, filters, strides, dilation, *, name, first=1):
    for i, stride in enumerate(strides, start=first):
        options = {"dilation_rate": dilation, "activation": "relu", "name": f"{name}_{i}"}
        # Padded explicitly: "same" would shift the strided pixels, and with them 4 i, by one.
        if stride > 1:
            x = layers.ZeroPadding2D(1, name=f"{name}_{i}_pad")(x)
        padding = "valid" if stride > 1 else "same"
        x = layers.Conv2D(filters, 3, strides=stride, padding=padding, **options)(x)
    return x
