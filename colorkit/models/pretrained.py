"""A U-Net whose encoder is a network that was trained to classify photographs."""

import keras
from keras import layers

from colorkit.color.spaces import LAB
from colorkit.layers import CropLike, GrayImage, PadToMultiple, ResizeLike
from colorkit.models.blocks import ANY_SIZE, chroma_head, conv_norm
from colorkit.models.efficientnet import build_efficientnet_lite0

WIDTHS = (160, 112, 80, 56)
_SKIPS = ("stage1", "stage2", "stage3", "stage5", "stage7")  # of EfficientNet-Lite0


def build_pretrained_unet(
    num_bins=None,
    *,
    weights=None,
    encoder=None,
    pixel_range=(-1.0, 1.0),
    space=LAB,
    input_shape=ANY_SIZE,
    widths=WIDTHS,
    name="pretrained_unet",
):
    """Build a U-Net on the features of an image classifier.

    The classifier sees lightness as a gray RGB image. Its features at strides 2, 4, 8, ... are the
    skip connections of a decoder with two 3x3 convolutions per level. The decoder ends one level
    below the full size, at every second pixel. This is enough for chroma, and it takes a quarter
    of the time.

    Batch normalization of the encoder stays in inference mode. To train the decoder alone, call
    `freeze_encoder(model)` before `compile`.

    Args:
        weights: Path of the weights of EfficientNet-Lite0, see `build_efficientnet_lite0`, or
            `None` for a random encoder.
        encoder: Classifier without its head, a functional `keras.Model` from RGB of any size, such
            as `keras.applications.MobileNetV2(include_top=False, input_shape=(None, None, 3))`.
            `None` means EfficientNet-Lite0. Images are padded by reflection to the next size that
            the encoder can halve without remainder, as encoders differ in their padding.
        pixel_range: Values that `encoder` expects for black and white, for instance (-1, 1) or
            (0, 255).
        widths: Channels of each level of the decoder, the smallest size first.

    Returns:
        `keras.Model` from lightness `(H, W, 1)` to chroma `(ceil(H / 2), ceil(W / 2), C)`, or to
        logits `(ceil(H / 2), ceil(W / 2), num_bins)`. `RebalancedCrossentropy` and
        `JointCrossentropy` take `stride=2`.

    Raises:
        ValueError: If `encoder` does not take RGB of any size, or does not halve it once more
            often than there are `widths`. See `build_efficientnet_lite0` for files of weights.

    Example:
        >>> model = build_pretrained_unet(64)
        >>> model.compute_output_shape((1, 96, 128, 1))
        (1, 48, 64, 64)
    """
    levels = len(widths) + 1
    is_own = encoder is None
    if is_own:
        encoder = build_efficientnet_lite0(weights)
    elif weights is not None:
        raise ValueError(
            "`weights` are those of EfficientNet-Lite0; a given `encoder` has its own. "
            f"Received both: {weights!r} and {encoder!r}"
        )
    features_of = _pyramid(encoder, _SKIPS if is_own else None, levels)
    _keep_statistics(encoder)
    inputs = keras.Input(input_shape, name="lightness")
    gray = GrayImage(space, *pixel_range, name="gray")(inputs)
    if not is_own:  # EfficientNet-Lite0 rounds sizes up at each stride
        gray = PadToMultiple(2**levels, name="pad")(gray)
    *features, x = features_of(gray)
    for level, (width, skip) in enumerate(zip(widths, reversed(features), strict=True)):
        x = ResizeLike(name=f"up{level}_resize")([x, skip])
        x = layers.Concatenate(name=f"up{level}_skip")([x, skip])
        for i in (1, 2):
            x = conv_norm(x, width, name=f"up{level}_{i}")
    if not is_own:
        second = layers.MaxPooling2D(1, strides=2, padding="same", name="every_second")(inputs)
        x = CropLike(name="crop")([x, second])
    return keras.Model(inputs, chroma_head(x, num_bins, space), name=name)


def freeze_encoder(model, frozen=True):
    """Freeze the encoder of a model of `build_pretrained_unet`, or let its kernels train again.

    Compile the model afterward. The batch normalization of the encoder never changes. A model
    without an encoder is a `ValueError`.

    Example:
        >>> model = build_pretrained_unet(64)
        >>> before = len(model.trainable_weights)
        >>> freeze_encoder(model)
        >>> len(model.trainable_weights) < before
        True
    """
    encoder = next((layer for layer in model.layers if isinstance(layer, keras.Model)), None)
    if encoder is None:
        raise ValueError(
            "`model` must be a network of `build_pretrained_unet`, which has an encoder. "
            f"Received {model.name!r}"
        )
    encoder.trainable = not frozen
    _keep_statistics(encoder)


def _keep_statistics(encoder):
    """Keep batch normalization in inference mode, even if other layers are trained."""
    for layer in encoder.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
        elif isinstance(layer, keras.Model):
            _keep_statistics(layer)


def _pyramid(encoder, skips, levels):
    """Return the encoder as a model of its features at strides 2, 4, 8, ..., largest size first.

    They are those of the layers `skips`, or if this is `None`, of the last layer at each stride.
    """
    shapes = [tuple(given.shape) for given in encoder.inputs]
    if shapes != [(None, None, None, 3)]:
        raise ValueError(
            "`encoder` must take RGB images of any size: build it without its head and with "
            f"`input_shape=(None, None, 3)`. Received one that takes {shapes}"
        )
    side, strides = 2 ** (levels + 1), [2**level for level in range(1, levels + 1)]
    chosen = encoder.layers if skips is None else [encoder.get_layer(name) for name in skips]
    outputs = [layer.output for layer in chosen]
    shapes = keras.Model(encoder.inputs[0], outputs).compute_output_shape((1, side, side, 3))
    last = {
        side // shape[1]: output
        for output, shape in zip(outputs, shapes, strict=True)
        if len(shape) == 4 and shape[1] == shape[2] and side % shape[1] == 0
    }
    if not set(strides) <= set(last):
        raise ValueError(
            f"`encoder` must have features at strides {strides}, one more than `widths`. "
            f"Received {encoder.name!r} with strides {sorted(last)}"
        )
    return keras.Model(encoder.inputs[0], [last[stride] for stride in strides], name=encoder.name)
