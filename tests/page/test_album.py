import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from colorkit.data.image_files import read_picture, write_picture
from colorkit.page import album as rooms
from colorkit.page.album import Album, loaders


@pytest.fixture
def uploaded(tmp_path, photograph):
    """Return a function that puts a copy of the photograph where uploads arrive."""

    def upload(name="rose.jpg"):
        folder = tmp_path / "uploads"
        folder.mkdir(exist_ok=True)
        return shutil.copy(photograph, folder / name)

    return upload


@pytest.fixture
def album(tmp_path, bins, regression, uploaded):
    found = Album(loaders([bins, regression]), tmp_path)
    assert found.add([uploaded()]) == []
    return found


def test_models_are_named_and_loaded_once(tmp_path, bins):
    bins.save(tmp_path / "mine.keras")
    bins.save(tmp_path / "other" / "mine.keras")
    paths = [tmp_path / "mine.keras", tmp_path / "other" / "mine.keras"]
    found = loaders([bins, *paths, "cifar10"])
    assert list(found) == ["bins", "mine", "mine (2)", "cifar10"]
    assert found["bins"]() is bins
    assert found["mine"]() is found["mine"]()


def test_settings_move_the_result_as_a_call_would(album, bins, photograph):
    for temperature, saturation in ((0, 1.0), (1, 0.5)):
        album.adjust(temperature, saturation)
        expected = bins.prediction(photograph).rgb(temperature, saturation)
        np.testing.assert_array_equal(album.rgb(), expected)


def test_network_runs_once_per_picture_and_model(album, bins, monkeypatch):
    album.rgb()
    monkeypatch.setattr(bins, "_network", None)
    album.adjust(0.9, 0.5)
    assert album.rgb().shape == (90, 120, 3)


def test_large_picture_is_shown_smaller_and_downloaded_at_full_size(album, bins, monkeypatch):
    monkeypatch.setattr(rooms, "_SHOWN_PIXELS", 30 * 40)
    album.picture._colorizer = None
    assert album.rgb().shape == (30, 40, 3)
    album.hint((30, 10), "#c03030")
    expected = bins.prediction(album.picture.path).with_hints([(30, 90, "#c03030")])
    expected = expected.rgb(album.temperature, album.saturation)
    found = read_picture(album.download())
    assert np.abs(found.astype(int) - expected).mean() < 3  # JPEG


def test_hints_are_taken_back_one_by_one(album):
    states = [album.rgb()]
    for place, color in (((20, 10), "#ff0000"), ((100, 80), "#0000ff")):
        album.hint(place, color)
        states.append(album.rgb())
    assert not np.array_equal(states[1], states[2])
    album.undo()
    np.testing.assert_array_equal(album.rgb(), states[1])
    album.hint((20, 10), "#00ff00")  # another color for the same place
    assert len(album.picture.hints) == 1
    album.clear()
    album.undo()
    np.testing.assert_array_equal(album.rgb(), states[0])


def test_reach_of_hints_belongs_to_the_picture(album, bins, uploaded):
    album.hint((60, 45), "#c03030")
    wide = album.rgb()
    album.stretch(0.1)
    assert not np.array_equal(album.rgb(), wide)
    expected = bins.prediction(album.picture.path).with_hints([(45, 60, "#c03030")], 0.1)
    np.testing.assert_array_equal(album.rgb(), expected.rgb(album.temperature, album.saturation))
    album.add([uploaded("b.jpg")])
    assert album.picture.reach == 1
    album.choose(0)
    assert album.picture.reach == 0.1


def test_hints_are_marked_in_their_color(album):
    album.hint((60, 45), "#12ab34")
    assert tuple(album.picture.marked(album.rgb())[45, 60]) == (0x12, 0xAB, 0x34)


def test_chosen_variant_is_what_is_shown_and_downloaded(album):
    variants = [album.rgb(i) for i in range(5)]
    assert len({each.tobytes() for each in variants}) == 5
    album.vary(3)
    np.testing.assert_array_equal(album.rgb(), variants[3])
    assert np.abs(read_picture(album.download()).astype(int) - variants[3]).mean() < 3


def test_doubt_is_orange_where_many_colors_are_likely(album):
    found, colors = album.picture.doubt()
    assert colors.shape == (90, 120, 3) and 0 <= found.sureness <= 1
    orange = colors[..., 0].astype(int) - colors[..., 2]
    assert np.corrcoef(orange.ravel(), found.doubt.ravel())[0, 1] > 0.9


def test_regression_has_no_temperature_variants_or_doubt(album):
    album.use("regression")
    assert album.temperature is None
    assert album.rgb().shape == (90, 120, 3)
    with pytest.raises(ValueError, match="regression"):
        album.picture.doubt()
    with pytest.raises(ValueError, match="regression"):
        album.rgb(1)


def test_download_keeps_format_name_and_metadata(album):
    path = album.download()
    assert path.endswith("/rose-colored.jpg")
    with Image.open(path) as image:
        assert image.getexif()[0x010E] == "a rose"
        assert "colorkit" in image.getexif()[0x0131]


def test_format_that_is_only_read_becomes_png(tmp_path, album, photograph):
    Image.open(photograph).save(tmp_path / "rose.gif")
    assert album.add([tmp_path / "rose.gif"]) == []
    assert album.download().endswith("/rose-colored.png")


def test_several_are_downloaded_with_their_names(album, uploaded):
    album.add([uploaded(), uploaded("tulip.jpg")])
    with zipfile.ZipFile(album.download_all()) as archive:
        assert archive.namelist() == [
            "rose-colored.jpg",
            "2-rose-colored.jpg",
            "tulip-colored.jpg",
        ]


def test_files_that_cannot_be_read_are_named_and_deleted(tmp_path, album, uploaded):
    broken, cut = tmp_path / "broken.jpg", tmp_path / "cut.png"
    broken.write_text("no picture")
    write_picture(cut, np.random.default_rng(0).integers(0, 256, (40, 40, 3), "uint8"))
    cut.write_bytes(cut.read_bytes()[:2000])
    before = sorted(album.folder.iterdir())
    problems = album.add([broken, cut])
    assert ["broken.jpg" in problems[0], "cut.png" in problems[1]] == [True, True]
    assert str(tmp_path) not in "".join(problems)
    assert sorted(album.folder.iterdir()) == before and not broken.exists()
    assert len(album.pictures) == 1


def test_too_many_pixels_or_pictures_are_refused(tmp_path, album, uploaded, monkeypatch):
    for side in (9000, 14143):
        path = tmp_path / f"{side}.png"
        Image.new("1", (side, side)).save(path)
        (problem,) = album.add([path])
        assert problem.startswith(f"{path.name} has more than 64 megapixels")
    monkeypatch.setattr(rooms, "PICTURES", 2)
    (problem,) = album.add([uploaded("a.jpg"), uploaded("b.jpg")])
    assert problem == "b.jpg: at most 2 pictures fit on the page."


def test_old_views_are_deleted(album, monkeypatch):
    monkeypatch.setattr(rooms, "_RECENT", 3)
    paths = [album.file(album.rgb()) for _ in range(6)]
    assert len(list(album.folder.glob("view-*"))) == 3
    assert paths[-1].endswith(sorted(x.name for x in album.folder.glob("view-*"))[-1])


def test_forgotten_album_leaves_no_file_and_says_so(album):
    album.download()
    album.forget()
    assert not album.folder.exists()
    with pytest.raises(ValueError, match="Drop it again"):
        album.rgb()
