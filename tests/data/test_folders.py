import os

import pytest
from PIL import Image

from colorkit.data.folders import find_media


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.JPG", "noending", ".hidden.png"):
        Image.new("L", (4, 4)).save(folder / name, "PNG")
    (folder / "film.mkv").write_bytes(b"a video by its ending")
    return folder


def test_images_and_videos_are_found_in_order(folder):
    paths, skipped = find_media(folder)
    assert paths == [folder / name for name in ("a.png", "deep/b.JPG", "film.mkv", "noending")]
    assert skipped == []


def test_other_files_and_broken_links_are_named(folder):
    (folder / "notes.txt").write_text("no image")
    (folder / "broken.png").symlink_to("nowhere.png")
    _, skipped = find_media(folder)
    assert skipped == [
        f"{folder / 'broken.png'}: a broken link",
        f"{folder / 'notes.txt'}: neither an image nor a video",
    ]


def test_pipes_and_sockets_are_named_and_not_opened(folder):
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.gif")
    paths, skipped = find_media(folder)
    assert skipped == [f"{folder / 'pipe'}: neither an image nor a video"]
    assert folder / "pipe.gif" in paths, "its error is reported when it is colored"


def test_linked_folders_are_followed_once(folder, tmp_path):
    (tmp_path / "album").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "album" / "c.png")
    (folder / "linked").symlink_to(tmp_path / "album")
    (folder / "loop").symlink_to(folder)
    paths, _ = find_media(folder)
    assert folder / "linked" / "c.png" in paths and len(paths) == 5
