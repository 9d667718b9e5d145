import os

import pytest

from colorkit.files import make_folder, sweep, written_whole


def test_file_is_written_atomically(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    with written_whole(path) as temporary:
        temporary.write_text("after")
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]
    (tmp_path / "other.txt").touch()
    assert path.stat().st_mode == (tmp_path / "other.txt").stat().st_mode


def test_folder_that_cannot_be_created_raises_with_its_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/below cannot be created \(Not a directory\)"):
        make_folder(tmp_path / "file" / "below")


def test_writing_to_a_folder_raises(tmp_path):
    (tmp_path / "mine.keras").mkdir()
    message = r"mine\.keras cannot be written: it is a folder"
    with (
        pytest.raises(IsADirectoryError, match=message),
        written_whole(tmp_path / "mine.keras"),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine.keras"]


def test_sweep_removes_old_temporary_files_alone(tmp_path):
    names = (".colorkit-0123abcd.png", ".colorkit-4567abcd.mp4", "photo.png", ".hidden.png")
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".colorkit-89abcdef.png").touch()  # of a process that still runs
    sweep(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".colorkit-89abcdef.png", ".hidden.png", "photo.png"]
