import subprocess
import sys

import keras
import pytest

import colorkit
from colorkit import ColorBins, Colorizer, losses, metrics, models


def run_python(code):
    """Run code in a fresh process and return what it prints."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_help_of_the_installed_command_does_not_wait_for_keras():
    command = "import sys; sys.argv = ['/usr/bin/colorkit', '--help']; import colorkit"
    assert run_python(f"{command}; print('keras' in sys.modules)").strip() == "False"


def test_import_is_enough_to_load_a_compiled_model(tmp_path):
    bins = ColorBins.grid(9)
    model = models.build_conv_classification(9, blocks=((4,),), dilation_rates=(1,))
    model.compile("adam", losses.RebalancedCrossentropy(bins, neighbors=3))
    model.save(tmp_path / "bins.keras")
    image = keras.Input((8, 8, 3))
    colored = keras.Model(image, keras.layers.Activation("sigmoid")(image))
    colored.compile("adam", "mse", metrics=[metrics.CIEDE2000(), metrics.Colorfulness()])
    colored.save(tmp_path / "metrics.keras")
    Colorizer(model, bins=bins).save(tmp_path / "colorizer.keras")
    code = (
        "import keras, colorkit\n"
        f"for name in ('bins', 'metrics', 'colorizer'):\n"
        f"    print(keras.models.load_model({str(tmp_path)!r} + f'/{{name}}.keras').name)"
    )
    assert run_python(code).split() == [model.name, colored.name, model.name]


@pytest.mark.parametrize("name", colorkit.__all__)
def test_public_name_is_importable(name):
    assert getattr(colorkit, name) is not None


def test_unknown_name_raises():
    with pytest.raises(AttributeError, match="colorize"):
        colorkit.colorize  # noqa: B018
