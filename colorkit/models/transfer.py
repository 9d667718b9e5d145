"""Begin with what another network has learned."""

import keras

from colorkit import colorspace
from colorkit.models.blocks import chroma_head, label_head

# Layers that speak of one set of bins or classes, and of no other.
_HEADS = ("logits", "head", "label_logits")


def copy_weights(trained, model):
    """Give a network what another of its kind has learned, all but its outputs.

    Layers of the same name and the same weights' shapes are copied; both networks stay apart.

    Args:
        trained: `keras.Model` that has learned, such as
            `Colorizer.pretrained("cifar10").model`.
        model: `keras.Model` of the same builder, for it `build_residual_unet`.

    Raises:
        ValueError: If no layer agrees.
    """
    known = {layer.name: layer for layer in trained.layers if layer.name not in _HEADS}
    copied = 0
    for layer in model.layers:
        weights = known[layer.name].get_weights() if layer.name in known else []
        if weights and [w.shape for w in weights] == [tuple(w.shape) for w in layer.weights]:
            layer.set_weights(weights)
            copied += 1
    if not copied:
        raise ValueError(
            f"`model` must have layers of the names and widths of `trained`, {trained.name!r}. "
            f"Received {model.name!r}, of which none agrees"
        )


def replace_head(model, num_bins=None, *, space=colorspace.LAB, num_classes=None, name=None):
    """A trained network with new outputs, to be taught other images.

    All layers but the last are shared with `model`: what one learns, the other has learned.

    Args:
        model: Functional `keras.Model` whose chroma is made by a layer called "logits" or "head",
            as the U-Nets of the kit have it; for instance `Colorizer.pretrained("cifar10").model`.
        num_bins: Number of color bins to predict logits for, or `None` to predict chroma.
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
            '`num_classes` needs a layer called "features", which sees whole images, as '
            f"`build_residual_unet` has it. {model.name!r} has none"
        )
    label = label_head(known["features"].output, num_classes)
    return keras.Model(inputs, {"chroma": chroma, "label": label}, name=name)
