"""Save trained models atomically and at half their size, and load them."""

import concurrent.futures
import inspect
import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from colorkit.files import written_whole

_PARENTS = {"keras.layers": keras.Layer, "keras.initializers": keras.Initializer}
_SIGNIFICANT_BITS = 9  # of kernels in files; training multiplies with the 8 bits of bfloat16
_CONFIG_BYTES = 2**24  # at most; the largest networks of Keras need a tenth
# Weights may unpack to 64 MB and 50 times their compressed size. Usual ones unpack to twice that
# size.
_SPARE_BYTES, _COMPRESSION = 2**26, 50


def save_model(model, path):
    """Save a `keras.Model` atomically to a compressed `.keras` file.

    Compression halves the file if the kernels were rounded, see `round_kernels`. Options of Keras
    layers with their default values are left out, so that older versions of Keras read the file.
    """
    with written_whole(path) as temporary, written_whole(temporary) as compressed:
        model.save(temporary)
        with (
            zipfile.ZipFile(temporary) as plain,
            zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name in plain.namelist():
                content = plain.read(name)
                if name == "config.json":
                    content = json.dumps(_without_defaults(json.loads(content)))
                archive.writestr(name, content, zipfile.ZIP_DEFLATED)


def read_model(path):
    """Load the `keras.Model` of a `.keras` file, not compiled.

    Raises:
        FileNotFoundError, ValueError: If the file is missing or damaged, holds no network, or
            declares more than it holds, so that it would fill the memory.
    """
    path = Path(path)
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise FileNotFoundError(
            f"A model was expected at {path}; {what}. `python -m colorkit train "
            "NAME` trains a model and saves it in runs/PROFILE/NAME/seedN."
        )
    try:
        if not zipfile.is_zipfile(path):  # Keras would report a missing file
            raise ValueError("it is no .keras archive, or was cut off")
        _check_declared(path)
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # the type depends on where the file is damaged
        reason = str(error).partition("\n")[0][:300]
        raise ValueError(f"{path} is not a Keras model that can be read: {reason}") from error


def _check_declared(path):
    """Raise a `ValueError` if a file holds no network, or less than it declares."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            most = _SPARE_BYTES + _COMPRESSION * member.compress_size
            if member.file_size > (_CONFIG_BYTES if member.filename.endswith(".json") else most):
                raise ValueError(
                    f"{member.filename} would take {member.file_size:,} bytes of memory, "
                    "implausibly many"
                )
        config = json.loads(archive.read("config.json"))
        content = archive.read("model.weights.h5")
    items = []
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(lambda _, item: items.append(item))
        datasets = [item for item in items if isinstance(item, h5py.Dataset)]
        held = sum(dataset.size for dataset in datasets)
        size = sum(dataset.nbytes for dataset in datasets)
    if size > len(content):
        raise ValueError(f"its {len(content):,} bytes of weights declare {size:,} bytes")
    # The variables that Keras defers belong to a thread, and end with it.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        declared = thread.submit(_count_weights, config).result()
    if declared > held:
        raise ValueError(f"it declares {declared:,} weights and holds {held:,} numbers")


def _count_weights(config):
    """Count the weights of the network of a config, without memory for them."""
    if config.get("module") != "keras.optimizers":  # whose variables cannot be deferred
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object({**config, "compile_config": None})
        if isinstance(model, keras.Model) and model.layers and model.built:
            return model.count_params()
    raise ValueError(f"it holds no network with layers but {config['class_name']}")


def _without_defaults(config):
    """Return the config of a model without the options that have Keras's default values."""
    if isinstance(config, list):
        return [_without_defaults(entry) for entry in config]
    if not isinstance(config, dict):
        return config
    parent = _PARENTS.get(config.get("module"))
    if parent is not None:
        module = getattr(keras, config["module"].removeprefix("keras."))
        kind = getattr(module, config["class_name"])
        known = inspect.signature(kind).parameters
        needs_all = kind.from_config.__func__ is not parent.from_config.__func__
        options = {
            option: value
            for option, value in config["config"].items()
            if option not in known
            or known[option].default != value
            or (needs_all and value is not None)
        }
        config = {**config, "config": options}
    return {key: _without_defaults(value) for key, value in config.items()}


def round_kernels(model):
    """Round the kernels of a `keras.Model` in place to 9 significant bits, one more than bfloat16.

    Kernels stay float32, so none overflows or vanishes. Each changes by less than one part in 500,
    and a compressed file takes half the space.
    """
    for variable in model.weights:
        if len(variable.shape) >= 2:
            mantissa, exponent = np.frexp(np.asarray(variable.numpy(), "float32"))
            rounded = np.round(mantissa * 2**_SIGNIFICANT_BITS) / 2**_SIGNIFICANT_BITS
            variable.assign(np.ldexp(rounded, exponent))
