import keras
import pytest

from colorkit import experiments
from colorkit.experiments.rows import pix2pix


def test_pretrained_players_go_on_with_the_network_that_learned_alone():
    row = experiments.experiment("pix2pix/pretrained")
    base = experiments.experiment(row.base)
    assert base.name == "pix2pix/unet" and (base.data.name, base.data.size) == (
        row.data.name,
        row.data.size,
    )
    network = base.build(0.05, None)
    network.trainable = False  # as a run hands it over
    players = row.build(0.05, None, network)
    assert players.generator is network and network.trainable_variables


def test_players_differ_in_what_the_discriminator_sees_and_is_taught_by():
    players = {}
    for title in ("adversarial", "unconditional", "crossentropy"):
        row = experiments.experiment(f"pix2pix/{title}")
        players[title] = row.build(0.05, None, **row.build_options)
    assert [p.conditional for p in players.values()] == [True, False, True]
    assert [p.objective for p in players.values()] == [
        "least_squares", "least_squares", "crossentropy",
    ]  # fmt: skip
    assert len({p.reconstruction_weight for p in players.values()}) == 1


def test_patches_are_crops_of_larger_pictures():
    patches = [row for row in pix2pix.ROWS if row.name.endswith("-patches")]
    assert len(patches) == 2
    for row in patches:
        whole = experiments.experiment(row.name.removesuffix("-patches"))
        assert row.data.crop == whole.data.size < row.data.size and whole.data.crop is None
        assert row.data.large_size == whole.data.large_size == row.data.size


@pytest.mark.parametrize("side", [16, 34, 142])
def test_discriminator_sees_patches_of_its_name(side):
    row = experiments.experiment(f"pix2pix/discriminator-{side}")
    discriminator = row.build(0.05, None, **row.build_options).discriminator
    # One logit takes a patch: a larger image has more, a smaller one is padded from outside.
    convolutions = [x for x in discriminator.layers if isinstance(x, keras.layers.Conv2D)]
    field = 1
    for layer in reversed(convolutions):
        field = (field - 1) * layer.strides[0] + layer.kernel_size[0]
    assert field == side and (side > row.data.size) == (side == 142)
