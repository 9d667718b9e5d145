"""Transfer learning: start from the weights of a trained network."""

import keras

from colorkit.color.spaces import LAB
from colorkit.models.blocks import chroma_head

# Layers that belong to one set of bins or classes.
_HEADS = ("logits", "head", "label_logits")


def copy_weights(trained, model):
    """Copy the weights of a trained `keras.Model` to another of its builder, except its outputs.

    Layers with the same name and the same shapes of weights are copied; if no layer matches, it is
    a `ValueError`. The networks share no weights. `trained` may be
    `Colorizer.pretrained("cifar10").model`, which `build_residual_unet` built.

    Example:
        >>> copy_weights(build_unet(widths=(8, 16)), build_unet(64, widths=(8, 16)))
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


def replace_head(model, num_bins=None, *, space=LAB, name=None):
    """Return a trained network with new outputs, for training on other images.

    All other layers before it are shared with `model`: training one network changes the other.
    Layers behind the old outputs, such as those of `smooth_predictions`, are left out.

    Args:
        model: Functional `keras.Model` whose chroma comes from a layer named "logits" or "head",
            as in the U-Nets of this package, such as `Colorizer.pretrained("cifar10").model`.
        num_bins, space: See `colorkit.models`.
        name: Name of the new model; `None` takes the name of `model`.

    Raises:
        ValueError: If the model has no such layer.

    Example:
        >>> replace_head(build_unet(widths=(8, 16)), num_bins=64).output_shape
        (None, None, None, 64)
    """
    known = {layer.name: layer for layer in model.layers}
    last = known.get("logits") or known.get("head")
    if last is None:
        raise ValueError(
            '`model` must have a layer named "logits" or "head" that predicts chroma. '
            f"Received {model.name!r}, which ends with {model.layers[-1].name!r}"
        )
    chroma = chroma_head(last.input, num_bins, space)
    return keras.Model(model.inputs[0], chroma, name=name or model.name)
