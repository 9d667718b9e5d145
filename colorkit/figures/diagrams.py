"""Draw networks as boxes: choose the layers, their positions and their style."""

import keras
import numpy as np

_SIDE = 256  # input size for networks of free size
_LANE = 1.55  # distance between branches, in heights of the largest features


def draw_network(axes, model):
    """Draw a network as boxes into axes and return the width and height needed, in inches."""
    sized = model
    if None in model.inputs[0].shape[1:]:  # heights need a size that can be halved many times
        sizes = [keras.Input((_SIDE, _SIDE, each.shape[-1])) for each in model.inputs]
        sized = keras.models.clone_model(model, sizes if len(sizes) > 1 else sizes[0])
    boxes = _boxes(sized)
    columns, lanes = (1 + max(box[name] for box in boxes) for name in ("column", "lane"))
    tallest = max(box["height"] for box in boxes)
    for box in boxes:
        x, y = box["column"], -_LANE * box["lane"]
        height = 0.15 + 0.85 * box["height"] / tallest
        width = 0.16 + 0.09 * np.log2(max(box["features"], 1)) / 1.4
        axes.bar(x, height, width, y - height / 2, color=box["color"], edgecolor="gray")
        if box["is_normalized"]:
            edge = x + width / 2
            axes.plot([edge, edge], [y - height / 2, y + height / 2], color="black", linewidth=2.5)
        for source in box["sources"]:
            if source["lane"] != box["lane"]:
                level = -_LANE * source["lane"]  # along its own branch first, to avoid other boxes
                path = [source["column"], x, x], [level, level, y]
                axes.plot(*path, color="gray", linewidth=0.8, zorder=0)
        axes.text(x, y - 0.56, box["text"], ha="center", va="top", fontsize=7)
    axes.set(xlim=(-0.7, columns - 0.3), ylim=(0.6 - _LANE * lanes, 0.6))
    axes.set_title(model.name.replace("_", " "))
    axes.set_axis_off()
    return 0.62 * columns + 0.6, 2.6 * lanes


def _boxes(model, sources=(), boxes=None):
    """Return the box of each layer with weights that `network_diagram` draws."""
    boxes = [] if boxes is None else boxes
    last = {}  # layer name -> boxes that its output comes from
    for config in model.get_config()["layers"]:
        layer = model.get_layer(config["name"])
        origins = [box for name in _sources(config["inbound_nodes"]) for box in last[name]]
        last[layer.name] = origins or list(sources)
        if isinstance(layer, keras.Model):
            last[layer.name] = _boxes(layer, last[layer.name], boxes)[-1:]
        elif box := _box(layer, last[layer.name]):
            taken = {other["lane"] for other in boxes if other["column"] == box["column"]}
            free = (lane for lane in (box["lane"], *range(len(boxes) + 1)) if lane not in taken)
            boxes.append({**box, "lane": next(free)})
            last[layer.name] = boxes[-1:]
        elif isinstance(layer, keras.layers.BatchNormalization):
            for before in last[layer.name]:
                before["is_normalized"] = True
    return boxes


def _sources(nodes):
    """Return the names of the layers whose tensors the serialized calls of a layer take."""
    if isinstance(nodes, dict) and nodes.get("class_name") == "__keras_tensor__":
        yield nodes["config"]["keras_history"][0]
    elif isinstance(nodes, (dict, list, tuple)):
        for entry in nodes.values() if isinstance(nodes, dict) else nodes:
            yield from _sources(entry)


def _box(layer, sources):
    """Return the box of a layer with weights, or `None` for another layer."""
    before = max(sources, key=lambda box: box["column"], default=None)
    height = before["height"] if before else _SIDE
    if isinstance(layer, keras.layers.Dense):
        features, notes, color = layer.units, ["dense"], "navajowhite"
    elif type(layer) in (keras.layers.Conv2D, keras.layers.Conv2DTranspose):
        features, color = layer.filters, "lightsteelblue"
        stride, rate = layer.strides[0], layer.dilation_rate[0]
        is_up = isinstance(layer, keras.layers.Conv2DTranspose)
        # In a network that is a layer of another network, sizes are unknown again.
        height = layer.output.shape[1] or (height * stride if is_up else height / stride)
        notes = [f"{layer.kernel_size[0]}x{layer.kernel_size[1]}"]
        notes += [f"{'up' if is_up else 'stride'} {stride}"] * (stride > 1)
        notes += [f"dilated {rate}"] * (rate > 1) + ["frozen"] * (not layer.trainable)
    else:
        return None
    return {
        "height": height, "features": features, "text": "\n".join([str(features), *notes]),
        "color": color, "is_normalized": False, "sources": sources,
        "column": before["column"] + 1 if before else 0, "lane": before["lane"] if before else 0,
    }  # fmt: skip
