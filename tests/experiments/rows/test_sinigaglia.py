import itertools

from colorkit import experiments


def test_every_architecture_meets_every_loss_on_the_same_schedule():
    architectures_of = ("autoencoder", "deep-cnn", "unet", "resnet", "densenet")
    pairs = itertools.product(architectures_of, ("mse", "mae", "huber"))
    rows = [experiments.experiment(f"architectures/{name}-{loss}") for name, loss in pairs]
    assert len({(row.data, row.size, row.crop, row.epochs, row.learning_rate) for row in rows}) == 1
    assert len({row.build for row in rows}) == 5
    assert len({row.loss for row in rows}) == 3


def test_pix2pix_is_trained_on_what_the_architectures_are():
    unet, players = (
        experiments.experiment(f"architectures/{name}") for name in ("unet-mae", "pix2pix")
    )
    assert (unet.data, unet.size, unet.epochs) == (players.data, players.size, players.epochs)
    generator = players.build(0.05, None).generator
    assert generator.count_params() == unet.build(0.05, None).count_params()
