import pytest

from colorkit import experiments, hardware


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_every_experiment_builds_at_every_profile(name):
    row = experiments.experiment(name)
    bins = row.bins() if row.bins else None
    channels = bins.num_bins if bins else row.space.chroma_channels
    sizes = []
    for profile in experiments.PROFILES.values():
        model = row.build(profile.width, bins and bins.num_bins)
        assert model.output.shape[-1] == channels
        sizes.append(model.count_params())
    assert sizes == sorted(sizes)


def test_profile_comes_from_the_environment_or_the_hardware(monkeypatch):
    monkeypatch.setenv("COLORKIT_PROFILE", "smoke")
    assert experiments.profile().name == "smoke"
    assert experiments.profile("full").name == "full"
    monkeypatch.delenv("COLORKIT_PROFILE")
    monkeypatch.setattr(hardware, "accelerators", list)
    assert experiments.profile().name == "quick"
    monkeypatch.setattr(hardware, "accelerators", lambda: ["gpu:0"])
    assert experiments.profile().name == "full"


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match=r"'full', 'quick', 'smoke'.*'huge'"):
        experiments.profile("huge")
    with pytest.raises(ValueError, match=r"cifar/lab-conv-regression.*'best'"):
        experiments.experiment("best")
