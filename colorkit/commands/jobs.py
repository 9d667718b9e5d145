"""Which files the command `colorize` reads, and which it writes."""

import os
from pathlib import Path


def find_jobs(inputs, output):
    """Return pairs of input and output paths, the problems of other inputs, and skipped files."""
    from colorkit.data.folders import find_media
    from colorkit.data.video import is_video

    if "" in (*inputs, output):
        raise ValueError("Inputs and --output must be paths of files or folders. Received: ''")
    inputs, output = [Path(name) for name in inputs], Path(output)
    problems, skipped, wanted = [], [], []
    is_file = len(inputs) == 1 and not os.path.isdir(inputs[0])
    if is_file and not output.is_dir() and output.suffix:
        _check_ending(inputs[0], output)
        wanted = [(inputs[0], output)]
    elif output.is_file() or (_has_ending("", output) and not output.exists()):
        raise ValueError(f"--output must be a folder for several inputs. Received: {output}")
    else:
        for name in inputs:
            if not os.path.isdir(name):
                wanted.append((name, output / name.name))
                continue
            found, others = find_media(name)
            if not found:
                problems.append(f"The folder {name} holds no images or videos.")
            if name.resolve() in output.resolve().parents:  # skip results of an earlier run
                found = [path for path in found if output.resolve() not in path.resolve().parents]
            skipped += others
            wanted += [(path, output / path.relative_to(name)) for path in found]
    sources = {os.path.realpath(source) for source, _ in wanted}
    jobs = {}  # from target to source
    for source, target in wanted:
        if not os.path.exists(source):
            problems.append(f"{source}: there is no such file or folder")
            continue
        if not _has_ending(source, target):  # a format that is only read, such as .gif
            target = target.with_name(target.name + (".mp4" if is_video(source) else ".png"))
        if target in jobs:  # the same name occurs in another folder
            target = target.with_name(f"{source.resolve().parent.name}-{target.name}")
        if target in jobs or os.path.realpath(target) in sources:
            problems.append(f"{source} would overwrite {target}; choose another --output")
        else:
            jobs[target] = source
    return [(source, target) for target, source in jobs.items()], problems, skipped


def outputs(target, variants=None, doubt=False):
    """Return the paths that are written for an image: of its variants if any, and of its doubt."""
    paths = [target]
    if variants:
        paths = [target.with_stem(f"{target.stem}-{i}") for i in range(1, variants + 1)]
    return [*paths, target.with_name(f"{target.name}.doubt.png")] if doubt else paths


def _check_ending(source, target):
    """Raise a `ValueError` unless a video, or else an image, can be written to a path."""
    from colorkit.data.image_files import output_format
    from colorkit.data.video import WRITTEN, is_video

    if not is_video(source):
        try:
            output_format(target)
        except ValueError as error:
            raise ValueError(str(error).replace("`path`", "--output", 1)) from error
    elif target.suffix.lower() not in WRITTEN:
        raise ValueError(f"--output of a video must end in one of {WRITTEN}. Received: {target}")


def _has_ending(source, target):
    try:
        _check_ending(source, target)
    except ValueError:
        return False
    return True
