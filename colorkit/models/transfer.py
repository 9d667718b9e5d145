"""Begin with what another network has learned."""

import keras

from colorkit import colorspace
from colorkit.models.blocks import chroma_head, label_head


def replace_head(model, num_bins=None, *, space=colorspace.LAB, num_classes=None, name=None):
    """A trained network with new outputs, to be taught other pictures.

    All layers but the last are shared with `model`: what one learns, the other has learned.

    Args:
        model: Functional `keras.Model` whose chroma is made by a layer called "logits" or "head",
            as the U-Nets of the kit have it; for instance `Colorizer.pretrained("cifar10").model`.
        num_bins: Number of colour bins to predict logits for, or `None` to predict chroma.
        space: `ColorSpace` of lightness and chroma, or its name.
        num_classes: Number of classes that a second output tells, or `None` for no such output.
            The network must be one of `build_residual_unet`.
        name: Name of the new model; `None` for the old one's.

    Returns:
        `keras.Model` with the outputs that `build_residual_unet` describes.

    Raises:
        ValueError: If the model has no such layer, or is to tell classes and cannot.
    """
    space = colorspace.get(space)
    known = {layer.name: layer for layer in model.layers}
    last = known.get("logits") or known.get("head")
    if last is None:
        raise ValueError(
            '`model` must have a layer called "logits" or "head" that makes chroma of features. '
            f"{model.name!r} ends with {model.layers[-1].name!r}"
        )
    chroma = chroma_head(last.input, num_bins, space)
    inputs, name = model.inputs[0], name or model.name
    if num_classes is None:
        return keras.Model(inputs, chroma, name=name)
    if "features" not in known:
        raise ValueError(
            '`num_classes` needs a layer called "features", which sees whole pictures, as '
            f"`build_residual_unet` has it. {model.name!r} has none"
        )
    label = label_head(known["features"].output, num_classes)
    return keras.Model(inputs, {"chroma": chroma, "label": label}, name=name)
