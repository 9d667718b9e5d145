"""The guides in docs/: their code runs, and their links lead somewhere."""

import re
import warnings
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
WITH_CODE = [path for path in GUIDES if "```python" in path.read_text()]
# Package that a block of code needs, by a word of the block.
OPTIONAL = {"onnx": "tf2onnx", "litert": "tensorflow.lite"}

pytestmark = pytest.mark.skipif(not GUIDES, reason="not in a checkout")


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_code_of_a_guide_runs(path, tmp_path, monkeypatch):
    if "tensorflow" in path.read_text() and keras.backend.backend() != "tensorflow":
        pytest.skip("this guide is about TensorFlow")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL):
        for word, package in OPTIONAL.items():
            if word in block:
                pytest.importorskip(package)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporters
            exec(block, names)


@pytest.mark.parametrize("path", [*GUIDES, ROOT / "README.md"], ids=lambda path: path.stem)
def test_links_of_a_guide_lead_to_files(path):
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / link).exists(), link
