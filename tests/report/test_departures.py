import pytest

from colorkit import experiments
from colorkit.report import departures


def rows(text, paper):
    """Return the departures from a paper: experiment -> column -> cell."""
    lines = text.split(f"### {paper}\n\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(cells[0][1:], row[1:], strict=True)) for row in cells[2:]}


@pytest.mark.parametrize(
    "paper, ours, departs",
    [
        ("1024", "128", True),
        ("128", "128", False),
        ("0.001 to 0.005", "0.002", False),
        ("0.001 to 0.005", "0.0002", True),
        ("20 to 50 epochs", "50 epochs", False),
        ("20 to 50 epochs", "50 steps", True),
        ("not given", "16", True),
    ],
)
def test_a_setting_departs_outside_of_what_the_paper_gives(paper, ours, departs):
    assert departures.departs(paper, ours) == departs


def test_departures_are_those_of_the_experiments():
    text = departures.render()
    found = rows(text, "Champati, Houle and Zhang")
    row = found["cifar/lab-conv-regression"]
    batch = experiments.experiment("cifar/lab-conv-regression").schedule.batch_size
    assert row["batch"] == f"1024 → {batch}"
    assert "length" not in row and "temperature" not in row, "they agree in all experiments"
    # 6 regressions, 10 classifications and 8 transfers: the substitutes are none of the paper's.
    assert len(found) == 24
    assert rows(text, "Stellbrink")["coherence/published-64"]["batch"] == "6 → 32"
    assert rows(text, "Han")["convnets/adversarial"]["color space"] == "rgb → lab"
    assert rows(text, "Han")["convnets/adversarial-as-coded"]["color space"] == ""
