import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from colorkit import experiments, sources
from colorkit.images import Images


def of_split(split, rgb):
    """The same picture for training, mirrored for the test: no copy, but as easy."""
    return rgb[:, ::-1] if split == "test" else rgb


def test_frames_are_validated_on_after_those_that_are_learned_from(row, monkeypatch):
    frames = np.broadcast_to(np.arange(50, dtype="uint8")[:, None, None, None], (50, 8, 8, 3))
    film = Images(frames, is_sequence=True)
    monkeypatch.setattr(sources, "load", lambda *_, **__: film)
    row = dataclasses.replace(row, data="video:film.mp4", validation_split=0.2)
    parts = sources.divided(row, experiments.profile("full"), seed=0)[:2]
    train, validation = (sorted(int(picture[0, 0, 0]) for picture in part) for part in parts)
    assert validation == list(range(40, 50)) and train == list(range(35))


def test_rows_share_a_data_set_in_memory_but_never_a_folder(tmp_path, row, pictures):
    first, second = (
        sources.divided(row, experiments.profile("smoke"), seed=0)[2] for _ in range(2)
    )
    assert np.shares_memory(np.asarray(first), np.asarray(second))
    row = dataclasses.replace(row, data=f"folder:{tmp_path}")
    for count in (4, 6):  # more pictures came in between
        for split in ("train", "test"):
            (tmp_path / split).mkdir(exist_ok=True)
            for i, rgb in enumerate(pictures[:count]):
                Image.fromarray(of_split(split, rgb)).save(tmp_path / split / f"{i}.png")
        assert len(sources.divided(row, experiments.profile("full"), seed=0)[2]) == count


def test_pictures_that_were_learned_from_are_not_tested_on(tmp_path, row, pictures):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for i, rgb in enumerate(pictures[:6]):
            rgb = rgb if i in (2, 3) else of_split(split, rgb)
            Image.fromarray(rgb).save(tmp_path / split / f"{i}.png")
    row = dataclasses.replace(row, data=f"folder:{tmp_path}")
    train, validation, test = sources.divided(row, experiments.profile("full"), seed=0)
    assert len(train) + len(validation) == 6
    left = [of_split("test", pictures[i]) for i in (0, 1, 4, 5)]
    assert np.array_equal(np.asarray(test), np.asarray(left))
    for path in (tmp_path / "test").iterdir():
        shutil.copy(tmp_path / "train" / path.name, path)
    with pytest.raises(ValueError, match=r"All test pictures of .* are among those to learn from"):
        sources.divided(row, experiments.profile("full"), seed=0)


def test_some_of_a_sorted_folder_are_of_all_its_parts(tmp_path, row, rng):
    for split in ("train", "test"):
        for kind in ("a", "b", "c", "d"):
            (tmp_path / split / kind).mkdir(parents=True)
            for i in range(4):
                picture = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype="uint8"))
                picture.save(tmp_path / split / kind / f"{i}.png")
    row = dataclasses.replace(row, data=f"folder:{tmp_path}", size=8, large_size=16)
    profile = dataclasses.replace(experiments.profile("full"), test=4)
    test = sources.divided(row, profile, seed=0)[2]
    assert test.labels.tolist() == [0, 1, 2, 3]
    assert sources.large(row, profile, 4).labels.tolist() == [0, 1, 2, 3]
