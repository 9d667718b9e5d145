import pytest

from colorkit import experiments, models
from colorkit.experiments.rows import han


def test_every_network_stands_beside_what_was_coded():
    names = {row.name for row in han.ROWS}
    assert {name for name in names if not name.endswith("-as-coded")} == {
        name.removesuffix("-as-coded") for name in names if name.endswith("-as-coded")
    }
    assert len({(row.data.name, row.data.size, row.data.crop) for row in han.ROWS}) == 1
    assert len({row.schedule.quick_images / row.schedule.batch_size for row in han.ROWS}) == 1, (
        "steps"
    )


@pytest.mark.parametrize(("kind", "weight"), [("", 100 * 2 / 220), ("-as-coded", 100 * 2 / 1)])
def test_adversaries_weigh_the_reconstruction_as_the_paper_does(kind, weight):
    """The paper's weight of 100 is for colors in [-1, 1]; ab span 220, RGB 1."""
    players = experiments.experiment(f"convnets/adversarial{kind}").build(0.07, None)
    assert isinstance(players, models.Adversarial)
    assert players.conditional == (kind == "")
    assert players.reconstruction_weight == pytest.approx(weight)
