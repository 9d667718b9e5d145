import pytest
from PIL import Image

from colorkit import experiments, models
from colorkit.experiments import definition

TRAINED_BEFORE = ("-vgg-", "-vgg1-", "-own-")  # rows that begin with weights from elsewhere


# Rows that differ in data or loss alone share their builder.
BUILDERS = {
    (row.build, str(row.build_options)): row.name
    for row in reversed(experiments.EXPERIMENTS.values())
}


@pytest.mark.parametrize("name", BUILDERS.values())
def test_every_experiment_builds_at_full_size(name, pictures, monkeypatch, tmp_path, lite0_file):
    row = experiments.experiment(name)
    monkeypatch.setenv("COLORKIT_EFFICIENTNET", str(lite0_file))
    if any(source in name for source in TRAINED_BEFORE):
        monkeypatch.setattr(models, "build_vgg_features", lambda *args, **kwargs: None)
        monkeypatch.setattr(models, "load_classifier", lambda name: None)
        (tmp_path / "first.npz").touch()
        monkeypatch.setenv("COLORKIT_VGG16", str(tmp_path / "first.npz"))
    bins = row.objective.bins(pictures) if row.objective.bins else None
    channels = bins.num_bins if bins else row.space.chroma_channels
    widths = [row.width(profile) for profile in experiments.PROFILES.values()]
    assert widths == sorted(widths)
    sizes = widths[-1], bins and bins.num_bins  # the notebooks build it at smoke
    base = experiments.experiment(row.base) if row.base else None
    networks = [base.build(*sizes, **base.build_options)] if base else []
    model = row.build(*sizes, *networks, **row.build_options)
    outputs = row.objective.coloring(model).output
    assert outputs.shape[-1] == (channels if row.objective.colors else 10)


def test_profile_comes_from_the_environment_or_is_quick(monkeypatch):
    monkeypatch.setenv("COLORKIT_PROFILE", "smoke")
    assert experiments.profile().name == "smoke"
    assert experiments.profile("full").name == "full"
    monkeypatch.delenv("COLORKIT_PROFILE")
    assert experiments.profile().name == "quick"


def test_profile_is_smoke_where_the_dataset_cannot_be_loaded(monkeypatch, tmp_path, capsys):
    Image.new("RGB", (8, 8), "red").save(tmp_path / "one.png")
    assert experiments.profile("full", data=f"folder:{tmp_path}").name == "full"
    assert not capsys.readouterr().out
    assert experiments.profile("full", data="folder:nowhere").name == "smoke"
    assert "bundled photographs" in capsys.readouterr().out

    def offline(*arguments):
        raise ConnectionError("cifar10 cannot be downloaded.")

    monkeypatch.setattr(definition, "load", offline)
    assert experiments.profile("quick", data="cifar10").name == "smoke"
    assert "cifar10 cannot be downloaded" in capsys.readouterr().out
    assert experiments.profile("smoke", data="cifar10").name == "smoke"
    assert not capsys.readouterr().out


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="for instance cifar/lab-conv-regression"):
        experiments.experiment("cifar/lab-conv-regresion")
    for name in ("huge", ""):
        with pytest.raises(ValueError, match=rf"'full', 'quick', 'smoke'.*'{name}'"):
            experiments.profile(name)
    with pytest.raises(ValueError, match=r"cifar/lab-conv-regression.*'best'"):
        experiments.experiment("best")


def test_schedule_is_the_profiles_the_experiments_or_what_shall_be_seen():
    row = experiments.experiment("coherence/colorful-32")
    smoke, quick, full = (experiments.profile(name) for name in ("smoke", "quick", "full"))
    assert row.epochs(full, 10_000) == row.schedule.epochs
    assert row.epochs(smoke, 10_000) == smoke.epochs
    assert row.epochs(quick, 50_000) == 4 and row.epochs(quick, 1_000_000) == 1
    row = experiments.experiment("cifar/lab-conv-regression")
    assert row.epochs(quick, 50_000) == quick.epochs
    nothing_to_learn = experiments.experiment("coherence/coherent-32")
    assert {nothing_to_learn.epochs(profile, 100) for profile in (smoke, quick, full)} == {0}


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ("folder:some/where/", "where"),
        ("oxford_flowers102/1.0", "oxford_flowers102-1.0"),
        ("lfw", "lfw"),
        ("folder:some/ my|flowers ", "my-flowers"),
        ("video:a film.mp4?stride=2", "a-film.mp4-stride-2"),
        ("cifar10+lfw", "cifar10-lfw"),
        ("folder:some/where+lfw", "where-lfw"),
        ("cifar10*2+folder:some/ my|flowers *.5+lfw", "cifar10-2-my-flowers-0.5-lfw-1"),
    ],
)
def test_other_pictures_make_a_row_of_its_own(data, label):
    row = experiments.experiment("coherence/colorful-64").on(data)
    assert row.name == f"coherence/colorful-64@{label}" and row.data.name == data
    assert row.data.splits == ("train", "test") and row.data.size == 64
    assert row.on(data) is row, "it is on these pictures already"


def test_smoke_shrinks_pictures_and_their_crops_alike():
    smoke, quick, full = (experiments.profile(name) for name in ("smoke", "quick", "full"))

    def sides(row, profile):
        data = row.at(profile).data
        return data.size, data.crop

    row = experiments.experiment("pix2pix/adversarial-patches")
    assert row.at(smoke).data.large_size == 2 * smoke.size
    assert sides(row, full) == (256, 128)
    assert sides(row, smoke) == (2 * smoke.size, smoke.size)
    assert sides(experiments.experiment("convnets/simple"), quick) == (73, 64)
    assert sides(experiments.experiment("cifar/lab-conv-regression"), smoke) == (None, None)
    # Crops of a share of the image have a size where images have none.
    shares = row.but(data={"size": None, "crop": 128, "context": (0.5, 1.0)})
    assert sides(shares, full) == (None, 128) and sides(shares, smoke) == (None, smoke.size)
    several = shares.but(data={"crop": (64, 128)})
    assert sides(several, full) == (None, (64, 128)) and sides(several, smoke) == (None, (32,))
    deep = experiments.experiment("pix2pix/as-published")
    assert sides(deep, smoke) == sides(deep, full) == (128, None), "halved seven times"


def test_folders_with_a_plus_in_their_names_are_named_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a+b", "c*2", "d"):
        (tmp_path / name).mkdir()
    row = experiments.experiment("coherence/colorful-64")
    assert row.on("folder:a+b").name == f"{row.name}@a-b"
    assert row.on("folder:c*2").name == f"{row.name}@c-2"
    assert row.on("folder:d+a+b").name == f"{row.name}@d-a-b"
