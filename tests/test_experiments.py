import pytest

from colorkit import experiments, hardware, models

TRAINED_BEFORE = ("-vgg-", "-vgg1-", "-own-")  # rows that begin with weights from elsewhere


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_every_experiment_builds_at_every_profile(name, pictures, monkeypatch):
    row = experiments.experiment(name)
    if any(source in name for source in TRAINED_BEFORE):
        monkeypatch.setattr(models, "build_vgg_features", lambda *args, **kwargs: None)
        monkeypatch.setattr(models, "load_classifier", lambda name: None)
        monkeypatch.setenv("COLORKIT_VGG16", "first.npz")
    bins = row.bins(pictures) if row.bins else None
    channels = bins.num_bins if bins else row.space.chroma_channels
    sizes = []
    for profile in experiments.PROFILES.values():
        model = row.build(row.width(profile), bins and bins.num_bins)
        outputs = model.output["chroma"] if row.target == "both" else model.output
        assert outputs.shape[-1] == (10 if row.target == "label" else channels)
        sizes.append(model.count_params())
    assert sizes == sorted(sizes)


def test_experiments_without_their_weights_say_what_they_need(monkeypatch):
    monkeypatch.delenv("COLORKIT_VGG16", raising=False)
    row = experiments.experiment("cifar/lab-vgg1-frozen-regression")
    for path in (None, "vgg16_weights.h5"):  # both layers would be another row
        if path:
            monkeypatch.setenv("COLORKIT_VGG16", path)
        with pytest.raises(FileNotFoundError, match="set COLORKIT_VGG16"):
            row.build(0.25, None)


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
