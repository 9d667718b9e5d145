import itertools

import pytest

from colorkit import experiments


def test_every_architecture_meets_every_loss_on_the_same_schedule():
    architectures_of = ("autoencoder", "deep-cnn", "unet", "resnet", "densenet")
    pairs = itertools.product(architectures_of, ("mse", "mae", "huber"))
    rows = [experiments.experiment(f"architectures/{name}-{loss}") for name, loss in pairs]
    assert all((row.data, row.schedule) == (rows[0].data, rows[0].schedule) for row in rows)
    assert len({row.build for row in rows}) == 5
    assert len({row.objective.loss for row in rows}) == 3


def test_pix2pix_is_trained_on_what_the_architectures_are():
    unet, adversarial = (
        experiments.experiment(f"architectures/{name}") for name in ("unet-mae", "pix2pix")
    )
    assert unet.data == adversarial.data and unet.schedule.epochs == adversarial.schedule.epochs
    generator = adversarial.build(0.05, None).generator
    assert generator.count_params() == unet.build(0.05, None).count_params()


def test_variations_differ_from_the_unet_in_one_thing():
    unet = experiments.experiment("architectures/unet-mae")
    for space in ("lab", "rgb", "yuv"):
        row = experiments.experiment(f"architectures/unet-mae-{space}")
        assert row.but(name=unet.name, build_options={}, space=unet.space) == unet
        network = row.build(0.05, None, **row.build_options)
        assert row.space.name == space and network.output.shape[-1] == row.space.chroma_channels


def test_feature_loss_is_the_only_change_of_its_row():
    row = experiments.experiment("architectures/unet-mae-rgb-features")
    plain = experiments.experiment("architectures/unet-mae-rgb")
    assert row.but(name=plain.name, objective=plain.objective) == plain
    assert isinstance(row.objective, experiments.FeatureRegression)


@pytest.mark.parametrize(
    "name",
    [
        "large-resnet-mae",
        "large-densenet-mae",
        "residual-unet-mae",
        "residual-unet-mae-without-context",
    ],
)
def test_networks_beside_the_unet_have_as_many_weights(name):
    unet = experiments.experiment("architectures/unet-mae")
    row = experiments.experiment(f"architectures/{name}")
    width = row.width(experiments.profile("quick"))
    own, its = (
        each.build(width, None, **each.build_options).count_params() for each in (row, unet)
    )
    assert 1 <= own / its < 1.15 and row.schedule == unet.schedule and row.data == unet.data
