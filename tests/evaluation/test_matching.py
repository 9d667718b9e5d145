import numpy as np
import pytest

from colorkit.data.image_files import write_picture
from colorkit.evaluation.matching import match_files

IMAGE = np.zeros((4, 4, 3), "uint8")


@pytest.fixture
def matched(tmp_path):
    """A function that writes empty images and matches them."""

    def match(colored, truth):
        for folder, names in (("colored", colored), ("truth", truth)):
            for name in names:
                write_picture(tmp_path / folder / name, IMAGE)
        matches, unmatched = match_files(tmp_path / "colored", tmp_path / "truth")
        pairs = {
            name: tuple(str(path.relative_to(tmp_path)) for path in pair)
            for name, pair in matches.items()
        }
        return pairs, [text.replace(f"{tmp_path}/", "") for text in unmatched]

    return match


def test_names_match_whatever_their_ending(matched):
    pairs, unmatched = matched(["b.png", "a.png"], ["a.jpg", "b.png"])
    assert pairs == {
        "a": ("colored/a.png", "truth/a.jpg"),
        "b": ("colored/b.png", "truth/b.png"),
    }
    assert list(pairs) == ["a", "b"] and not unmatched


def test_equal_names_in_subfolders_are_kept_apart(matched):
    pairs, unmatched = matched(["x/a.png", "y/a.png"], ["x/a.jpg", "y/a.jpg"])
    assert list(pairs) == ["x/a", "y/a"] and not unmatched
    assert pairs["y/a"] == ("colored/y/a.png", "truth/y/a.jpg")


def test_image_in_another_subfolder_matches_by_its_name_alone(matched):
    pairs, unmatched = matched(["a.png", "b.png"], ["cats/a.jpg", "dogs/b.jpg"])
    assert sorted(pairs) == ["a", "b"] and not unmatched


def test_images_without_a_partner_are_named(matched):
    pairs, unmatched = matched(["a.png", "b.png"], ["a.png", "c.png"])
    assert list(pairs) == ["a"]
    assert unmatched == [
        "colored/b.png has no partner in truth",
        "truth/c.png has no partner in colored",
    ]


def test_two_images_of_one_name_match_nothing(matched):
    pairs, unmatched = matched(["a.png", "a.jpg", "b.png"], ["a.png", "b.png"])
    assert list(pairs) == ["b"]
    assert unmatched[0] == "colored/a.jpg, colored/a.png have one name; keep one of them"


def test_two_files_match_whatever_their_names(tmp_path):
    for name in ("new.png", "old.jpg"):
        write_picture(tmp_path / name, IMAGE)
    matches, unmatched = match_files(tmp_path / "new.png", tmp_path / "old.jpg")
    assert list(matches) == ["old"] and not unmatched


def test_what_cannot_match_raises(tmp_path, matched):
    with pytest.raises(ValueError, match=r"Names must agree.*Received: a and b"):
        matched(["a.png"], ["b.png"])
    with pytest.raises(ValueError, match=r"two folders, or two image files"):
        match_files(tmp_path / "colored" / "a.png", tmp_path / "truth")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        match_files(tmp_path / "nowhere", tmp_path / "truth")


def test_exact_path_comes_before_an_equal_name_elsewhere(matched):
    pairs, unmatched = matched(["rose.png", "a/rose.png"], ["rose.png", "b/rose.png"])
    assert pairs == {"rose": ("colored/rose.png", "truth/rose.png")}
    assert unmatched == [
        "colored/a/rose.png has no partner in truth",
        "truth/b/rose.png has no partner in colored",
    ]
