import numpy as np
import pytest

from colorkit import Colorizer, experiments

ROW = experiments.experiment("flowers/residual-unet")


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_flowers_begin_with_what_cifar_taught_but_the_heads(profile):
    network = ROW.build(ROW.width(experiments.profile(profile)), 64, **ROW.build_options)
    trained = Colorizer.pretrained("cifar10").model
    heads = {"logits", "label_logits"}
    for layer in trained.layers:
        for new, old in zip(
            network.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
        ):
            assert np.array_equal(new, old) == (layer.name not in heads), layer.name
    assert network.output["label"].shape == (None, 102)


def test_a_network_of_other_widths_begins_anew():
    smoke = experiments.profile("smoke")
    network = ROW.build(ROW.width(smoke), 64, **ROW.build_options)
    assert network.count_params() < Colorizer.pretrained("cifar10").model.count_params()


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_flowers_are_seen_from_half_of_them_to_the_whole(profile):
    data = ROW.at(experiments.profile(profile)).data
    size, crop = data.size, data.crop
    assert [crop * factor / size for factor in ROW.data.zoom] == [0.5, 1]


def test_flowers_learn_as_the_best_of_cifar_did():
    best = experiments.experiment("cifar/lab-residual-unet")
    for name in ("loss", "loss_options", "neighbors", "uniform_weight", "label_weight"):
        assert getattr(ROW.objective, name) == getattr(best.objective, name), name
    assert ROW.decoding == best.decoding
    assert ROW.schedule.weight_decay == best.schedule.weight_decay
    assert ROW.data.shift == 0 and ROW.data.classifiers == ()
