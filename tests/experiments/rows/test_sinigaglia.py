import itertools

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
