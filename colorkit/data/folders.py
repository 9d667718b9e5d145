"""Find images and videos in folders."""

import os
from pathlib import Path

from colorkit.data.image_files import has_image_ending, is_image
from colorkit.data.video import is_video


def find_media(folder):
    """Find the images and videos in a folder and its subfolders, linked ones too.

    A file whose ending is not known is an image if its content is. Hidden files and folders are
    left out. Returns sorted paths, and a message for each file that is neither.
    """
    paths, skipped, seen = [], [], set()

    def report(error):
        skipped.append(f"{error.filename}: {error.strerror}")

    for root, folders, files in os.walk(folder, onerror=report, followlinks=True):
        place = os.path.realpath(root)
        if place in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(root, name) for name in sorted(files) if not name.startswith(".")):
            if not path.exists():
                skipped.append(f"{path}: a broken link")
            elif has_image_ending(path) or is_video(path) or is_image(path):
                paths.append(path)
            else:
                skipped.append(f"{path}: neither an image nor a video")
    return sorted(paths), skipped
