"""Find the features of a network: what it knows of each part of an image."""

import keras

_SIDE = 192  # of an input from whose shapes the strides of features are known


def feature_model(model):
    """Return a model of the last features at each stride of a network, before its outputs.

    It takes the input of a functional `model`, shares all weights, and returns a list of features
    `(N, rows, columns, channels)`, fine ones last. `None` if the network has no such features.
    """
    layers = model.layers
    head = max((i for i, layer in enumerate(layers) if layer.weights), default=-1)
    # Use inputs of layers, not outputs: the output of a nested network belongs to its own graph.
    tensors = {
        id(tensor): tensor
        for layer in layers[: head + 1]
        if not isinstance(layer, (keras.Model, keras.layers.InputLayer))
        for tensor in keras.tree.flatten(layer.input)
        if len(tensor.shape) == 4 and tensor is not model.inputs[0]
    }
    tensors = list(tensors.values())
    if not tensors:
        return None
    shape = (1, *(side or _SIDE for side in model.inputs[0].shape[1:3]), 1)
    every = keras.Model(model.inputs[0], [*tensors, model.outputs[0]])
    *shapes, output = every.compute_output_shape(shape)
    last = {}
    for tensor, (_, rows, columns, _) in zip(tensors, shapes, strict=True):
        if 1 < rows <= output[1] and 1 < columns <= output[2]:
            last[rows, columns] = tensor
    if not last:
        return None
    return keras.Model(model.inputs[0], [last[size] for size in sorted(last)])
