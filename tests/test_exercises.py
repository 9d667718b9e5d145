"""Each exercise of the notebooks: the stub fails its check, and the solution passes it."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
COURSE = sorted(FOLDER.glob("0[1-9]_*.ipynb")) + sorted(FOLDER.glob("1[0-25]_*.ipynb"))
PER_NOTEBOOK = 3

pytestmark = pytest.mark.skipif(not COURSE, reason="installed without the notebooks")
every_notebook = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)


def code(path, tag=None):
    """Return the code cells of a notebook, or those with a tag, as text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    return [
        "".join(cell["source"])
        for cell in cells
        if tag is None or tag in cell["metadata"].get("tags", [])
    ]


def solution(path):
    return path.parent / "solutions" / path.name


def imported(path):
    """Return the names of the first cell of a notebook that imports the package."""
    names = {}
    exec(next(text for text in code(path) if "import colorkit" in text), names)
    return names


@every_notebook
def test_stub_fails_its_check_with_a_sentence(path):
    exercises, checks = code(path, "exercise"), code(path, "check")
    assert len(exercises) == len(checks) == PER_NOTEBOOK
    names = imported(path)
    for exercise, check in zip(exercises, checks, strict=True):
        with pytest.raises((NotImplementedError, AssertionError)) as failure:
            exec(exercise, names)
            exec(check, names)
        assert len(str(failure.value).split()) > 2


@every_notebook
def test_solution_passes_the_same_check(path, capsys):
    solved = solution(path)
    assert code(solved, "check") == code(path, "check")
    names = imported(solved)
    for number, (exercise, check) in enumerate(
        zip(code(solved, "exercise"), code(solved, "check"), strict=True), 1
    ):
        exec(exercise, names)
        exec(check, names)
        assert f"Exercise {number}: correct." in capsys.readouterr().out


@every_notebook
def test_failed_checks_do_not_stop_a_run_of_the_notebook(path):
    assert code(path, "raises-exception") == code(path, "check")
    assert not code(solution(path), "raises-exception")
