"""Match colored image files with their ground truth by name."""

from collections import defaultdict
from pathlib import Path

from colorkit.data.folders import find_media
from colorkit.data.video import is_video

__all__ = ["match_files"]


def match_files(colored, truth):
    """Match the images of two folders, or two image files.

    Two images match if their paths inside the folders agree apart from the ending. An image
    without such a partner matches by its name alone, if only one image of each folder has it.
    Hidden files, videos and files that are no images are left out.

    Returns a dict from name to the paths `(colored, truth)`, sorted, and a sentence per image
    without a partner. Paths that do not exist, do not fit each other, or of which no names match
    raise a `FileNotFoundError` or a `ValueError`.
    """
    colored, truth = Path(colored), Path(truth)
    for path in (colored, truth):
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")
    if colored.is_dir() != truth.is_dir():
        raise ValueError(
            "COLORED and TRUTH must be two folders, or two image files. "
            f"Received: {colored} and {truth}"
        )
    if not colored.is_dir():
        return {truth.stem: (colored, truth)}, []
    sides = [_by_name(folder) for folder in (colored, truth)]
    matches, unmatched = _matched(*sides), []
    pairs, by_name = set(matches.values()), _matched(*map(_by_stem, sides))
    matches |= {name: pair for name, pair in by_name.items() if pair not in pairs}
    found = {path for pair in matches.values() for path in pair}
    for side, other in zip(sides, (truth, colored), strict=True):
        for paths in side.values():
            if len(paths) > 1:
                names = ", ".join(map(str, paths))
                unmatched.append(f"{names} have one name; keep one of them")
            elif paths[0] not in found:
                unmatched.append(f"{paths[0]} has no partner in {other}")
    if not matches:
        examples = [next(iter(side), "no images") for side in sides]
        raise ValueError(
            f"No image of {colored} has the name of an image of {truth}. Names must agree apart "
            f"from the ending. Received: {examples[0]} and {examples[1]}"
        )
    return dict(sorted(matches.items())), unmatched


def _by_name(folder):
    """Return lists of the images of a folder by their paths inside it, without endings."""
    found = defaultdict(list)
    for path in find_media(folder)[0]:
        if not is_video(path):
            found[path.relative_to(folder).with_suffix("").as_posix()].append(path)
    return found


def _by_stem(side):
    found = defaultdict(list)
    for name, paths in side.items():
        found[Path(name).name] += paths
    return found


def _matched(first, second):
    """Return the pairs whose name occurs once on both sides."""
    both = first.keys() & second.keys()
    unique = [name for name in both if len(first[name]) == len(second[name]) == 1]
    return {name: (first[name][0], second[name][0]) for name in unique}
