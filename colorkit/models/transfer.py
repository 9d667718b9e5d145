"""Transfer learning: start from the weights of a trained network."""

import keras

from colorkit.color.spaces import LAB
from colorkit.models.blocks import chroma_head, label_head

# Layers that belong to one set of bins or classes.
_HEADS = ("logits", "head", "label_logits")


def copy_weights(trained, model):
    """Copy the weights of a trained network to another of its kind, except its outputs.

    Layers with the same name and the same shapes of weights are copied. The networks share no
    weights.

    Args:
        trained: Trained `keras.Model`, such as `Colorizer.pretrained("cifar10").model`.
        model: `keras.Model` of the same builder, in this example `build_residual_unet`.

    Raises:
        ValueError: If no layer matches.
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
            f"Received {model.name!r}, in which no layer matches"
        )


def replace_head(model, num_bins=None, *, space=LAB, num_classes=None, name=None):
    """Return a trained network with new outputs, for training on other images.

    All layers but the last are shared with `model`: training one network changes the other.

    Args:
        model: Functional `keras.Model` whose chroma comes from a layer named "logits" or "head",
            as in the U-Nets of this package, such as `Colorizer.pretrained("cifar10").model`.
        num_bins, space: See `colorkit.models`.
        num_classes: Number of classes of a second output, or `None` for no such output. The
            network must be one of `build_residual_unet`.
        name: Name of the new model; `None` takes the name of `model`.

    Returns:
        `keras.Model` with the outputs that `build_residual_unet` describes.

    Raises:
        ValueError: If the model has no such layer, or `num_classes` is given and not possible.
    """
    known = {layer.name: layer for layer in model.layers}
    last = known.get("logits") or known.get("head")
    if last is None:
        raise ValueError(
            '`model` must have a layer named "logits" or "head" that predicts chroma. '
            f"Received {model.name!r}, which ends with {model.layers[-1].name!r}"
        )
    outputs = chroma_head(last.input, num_bins, space)
    if num_classes is not None:
        if "features" not in known:
            raise ValueError(
                '`num_classes` needs a layer named "features", which sees whole images, as '
                f"`build_residual_unet` has it. Received {model.name!r} without this layer"
            )
        label = label_head(known["features"].output, num_classes)
        outputs = {"chroma": outputs, "label": label}
    return keras.Model(model.inputs[0], outputs, name=name or model.name)
