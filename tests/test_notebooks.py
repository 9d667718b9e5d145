"""What every notebook must be like; they are run by `COLORKIT_PROFILE=smoke pytest --nbmake`."""

import ast
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_LINES = 25
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
REPOSITORY = "https://colab.research.google.com/github/colorkit/colorkit"

pytestmark = pytest.mark.skipif(not NOTEBOOKS, reason="installed without the notebooks")
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind=None):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if kind in (None, cell["cell_type"])]


def source(cell):
    return "".join(cell["source"])


@every_notebook
def test_outputs_are_stripped(path):
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@every_notebook
def test_kernel_is_plain_python(path):
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == "python3"
    assert "widgets" not in metadata


@every_notebook
def test_first_cell_has_title_badge_question_and_method(path):
    first = cells(path)[0]
    assert first["cell_type"] == "markdown"
    text = source(first)
    assert text.startswith(f"# {path.stem[:2]} · ")
    address = f"{REPOSITORY}/blob/main/notebooks/{path.name}"
    assert f"[![Open in Colab]({BADGE})]({address})" in text
    for part in ("**Question.**", "**Method.**", "**Time.**"):
        assert part in text


@every_notebook
def test_packages_are_installed_in_colab_only(path):
    install = [cell for cell in cells(path, "code") if "pip install" in source(cell)]
    assert [source(cell) for cell in install] == [source(cells(path)[1])]
    assert 'if "google.colab" in sys.modules:' in source(install[0])


@every_notebook
def test_one_cell_holds_parameters_and_derives_nothing(path):
    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    lines = ast.parse(source(tagged[0])).body
    names = [line.targets[0].id for line in lines]
    assert {"profile", "seed"} <= set(names)
    # Runners insert their values in a cell after this one: what is derived here would be stale.
    used = {n.id for line in lines for n in ast.walk(line.value) if isinstance(n, ast.Name)}
    assert not used & set(names)


@every_notebook
def test_cells_are_short(path):
    for cell in cells(path, "code"):
        assert len(source(cell).splitlines()) <= MOST_LINES, source(cell)


@every_notebook
def test_code_parses(path):
    transformer = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()
    for cell in cells(path, "code"):
        ast.parse(transformer.transform_cell(source(cell)))


@every_notebook
def test_findings_come_last_and_before_the_exercises(path):
    headings = [source(cell).splitlines()[0] for cell in cells(path, "markdown")]
    assert headings.count("## Conclusions") == 1
    after = headings[headings.index("## Conclusions") + 1 :]
    numbers = [title for title in after if title.startswith("### Exercise")]
    assert after == (["## Exercises", *numbers] if after else [])
    assert numbers or "**Exercise.**" in source(cells(path)[-1])


@every_notebook
def test_figures_in_the_text_are_in_the_repository(path):
    for cell in cells(path, "markdown"):
        for name in re.findall(r"!\[[^\]]*\]\((?!https)([^)]+)\)", source(cell)):
            assert (path.parent / name).is_file(), name


@every_notebook
def test_figures_are_named_after_the_notebook(path):
    for cell in cells(path, "code"):
        for line in source(cell).splitlines():
            if "figures.save(" in line:
                assert f'"{path.stem}' in line or f'"{path.stem[:2]}_' in line, line


@every_notebook
def test_parameters_stay_what_they_were(path):
    # A cell that is run again must do what it did; only what cannot be had is replaced by photos.
    code = cells(path, "code")
    (tagged,) = (c for c in code if "parameters" in c["metadata"].get("tags", []))
    names = {line.targets[0].id for line in ast.parse(source(tagged)).body} - {"profile"}
    for cell in code[code.index(tagged) + 2 :]:
        nodes = ast.walk(ast.parse(source(cell)))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assert not stored & names, source(cell)
