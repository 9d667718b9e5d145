import dataclasses
import os
from pathlib import Path

import colorkit
from colorkit.__main__ import main
from colorkit.experiments import PROFILES, records


def test_training_prints_a_table(tmp_path, capsys, monkeypatch, eager):
    tiny = dataclasses.replace(PROFILES["smoke"], train=16, validation=8, test=8, epochs=1)
    monkeypatch.setitem(PROFILES, "smoke", tiny)
    assert main(["train", "cifar/lab-dense-regression", "--profile", "smoke"]) == 0
    assert "cifar/lab-dense-regression" in capsys.readouterr().out.splitlines()[-1]
    assert main(["results", "--folder", "runs/smoke/figures/records"]) == 0
    assert "95.58" in capsys.readouterr().out


def test_pattern_trains_several_experiments_and_continues_after_a_failure(monkeypatch, capsys):

    trained = []

    def fake(name, profile, data, seed, epochs, verbose):
        trained.append((name, seed))
        if "vgg1" in name:
            raise FileNotFoundError("weights of VGG16 are needed")
        if "rgb-dense" in name:
            raise MemoryError("memory is too small")
        return None, records.read(Path(colorkit.__file__).parent / "weights/cifar10.json")

    monkeypatch.setattr("colorkit.experiments.run.run", fake)
    assert main(["train", "cifar/lab-*-frozen-regression", "cifar/rgb-*", "--seed", "2"]) == 2
    assert [name for name, _ in trained] == [
        "cifar/rgb-dense-regression",
        "cifar/rgb-conv-regression",
        "cifar/lab-vgg-frozen-regression",
        "cifar/lab-vgg1-frozen-regression",
        "cifar/lab-own-frozen-regression",
    ]
    assert {seed for _, seed in trained} == {2}
    assert "2 experiments failed of 5" in capsys.readouterr().err
    assert main(["train", "cifar/lab-vgg1-frozen-regression"]) == 2
    assert "weights of VGG16 are needed" in capsys.readouterr().err


def test_onednn_is_on_unless_the_user_turns_it_off(monkeypatch, capsys):
    name = "TF_ENABLE_ONEDNN_OPTS"
    monkeypatch.delenv(name)
    for value in ("1", "0"):
        assert main(["train", "no/experiment"]) == 2
        assert os.environ[name] == value
        monkeypatch.setenv(name, "0")
