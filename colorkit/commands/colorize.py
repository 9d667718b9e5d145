"""Color image files, folders of them, and films."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from colorkit import __version__
from colorkit.checks import check_whole
from colorkit.commands.jobs import find_jobs, outputs
from colorkit.commands.terminal import exit_if_ended, start_keras


def add_parser(commands):
    """Add the parser of this command."""
    colorize = commands.add_parser(
        "colorize",
        help="color images and videos",
        description="Color image files, folders of them, and video files.",
    )
    colorize.set_defaults(command=run)
    add = colorize.add_argument
    add(
        "inputs",
        nargs="+",
        metavar="IN",
        help="image file, folder of them, video file or animated GIF",
    )
    add("-o", "--output", required=True, metavar="OUT",
        help="image or video file for a single input file, else a folder, created if missing; "
        "files keep their names")  # fmt: skip
    add("--model", default="photos", metavar="NAME",
        help='"photos", "cifar10", "flowers" or the path of a .keras file (default: %(default)s)'
        )  # fmt: skip
    add("--temperature", type=float, metavar="T",
        help="1 is conservative, 0 is vivid (default: the model's)")  # fmt: skip
    add("--size", type=int, metavar="N", help="short side the network sees (default: the model's)")
    add("--saturation", type=float, metavar="S",
        help="factor of the colors: 0 is gray (default: the model's)")  # fmt: skip
    add("--hints", metavar="FILE",
        help="colors of some pixels of a single image: a CSV file of lines row,column,color, "
        "or a PNG file that is transparent elsewhere")  # fmt: skip
    add("--reach", type=float, metavar="R",
        help="distance at which similar pixels follow a hint about half, as a share of the longer "
        "side (default: 1, any distance)")  # fmt: skip
    add(
        "--keep-gray",
        metavar="MASK",
        help="image file of the size of a single image, white where it stays gray",
    )
    add(
        "--variants",
        type=int,
        metavar="N",
        help="write N different colorings of each image, as OUT-1, OUT-2, ...",
    )
    add("--doubt", action="store_true",
        help="also write a picture of how unsure the model is, as OUT.doubt.png, and print how "
        "sure it is, from 0 to 1")  # fmt: skip
    add("--depth", type=int, choices=(8, 16), default=8,
        help="bits per channel of .png and .tif files; others have 8 (default: %(default)s)"
        )  # fmt: skip
    add("--no-tag", action="store_true",
        help='do not add "colorized by colorkit" to the metadata; the others are kept')  # fmt: skip
    add("--overwrite", action="store_true", help="color again what was colored before")
    add("--shard", type=_shard, default=(1, 1), metavar="I/N",
        help="color only the I-th of N equal shares of the inputs, such as 3/16, for N machines"
        )  # fmt: skip
    add("--dry-run", action="store_true", help="print what would be colored, and stop")


def _shard(text):
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"must be I/N, from 1/N to N/N. Received: {text}")
    return int(number), int(count)


def run(options):
    """Color the inputs, and return the exit code."""
    if options.variants is not None:
        check_whole("--variants", options.variants)
    jobs, problems, skipped = find_jobs(options.inputs, options.output)
    number, count = options.shard
    jobs = jobs[number - 1 :: count]
    total = len(jobs) + len(problems)
    written = [outputs(target, options.variants, options.doubt) for _, target in jobs]
    done = [not options.overwrite and all(map(os.path.lexists, paths)) for paths in written]
    kept = [paths[0] for paths, is_done in zip(written, done, strict=True) if is_done]
    jobs = [job for job, is_done in zip(jobs, done, strict=True) if not is_done]
    if options.dry_run:
        for source, target in jobs:
            print(f"{source} -> {_named(target, options.variants)}")
    elif jobs:
        problems += _color_files(jobs, options)
    for problem in (*skipped, *problems):
        print(f"colorkit: {problem}", file=sys.stderr)
    if skipped:
        files = "file" if len(skipped) == 1 else "files"
        print(f"colorkit: {len(skipped)} {files} skipped", file=sys.stderr)
    if kept:
        example = f"{kept[0]} exists" if len(kept) == 1 else f"{len(kept)} outputs exist"
        print(f"colorkit: {example} already; --overwrite colors such inputs again", file=sys.stderr)
    if problems and total > 1:
        print(f"colorkit: {len(problems)} inputs failed of {total}", file=sys.stderr)
    return 2 if problems else 0


def _named(target, variants):
    """Return the name of what is written for an image: one file, or its variants."""
    paths = outputs(target, variants)
    return f"{paths[0]} to {paths[-1].stem}" if variants else target


def _color_files(jobs, options):
    """Color files, and return the problems of those that failed."""
    from tqdm import tqdm

    start_keras()
    from colorkit.colorizer import Colorizer
    from colorkit.colorizer.stream import attempt
    from colorkit.data.image_files import write_picture
    from colorkit.data.metadata import read_metadata
    from colorkit.data.video import color_video, is_animated, is_video
    from colorkit.files import sweep

    is_file = Path(options.model).suffix == ".keras" or Path(options.model).is_file()
    load = Colorizer.load if is_file else Colorizer.pretrained
    settings = {name: getattr(options, name) for name in ("temperature", "size", "saturation")}
    settings = {name: value for name, value in settings.items() if value is not None}
    colorizer = load(options.model, **settings)
    software = None if options.no_tag else f"colorized by colorkit {__version__}"
    for folder in {target.parent for _, target in jobs}:
        sweep(folder)
    dtype = f"uint{options.depth}"
    films, pictures = [], []
    for job in jobs:
        (films if is_video(job[0]) else pictures).append(job)
    if options.reach is not None and not options.hints:
        raise ValueError(f"--reach needs --hints. Received: --reach {options.reach} alone")
    is_studied = any((options.hints, options.keep_gray, options.variants, options.doubt))
    if is_studied and films:
        raise ValueError(
            f"--hints, --keep-gray, --variants and --doubt are for images. Received: {films[0][0]}"
        )
    if (options.hints or options.keep_gray) and len(pictures) > 1:
        raise ValueError(
            f"--hints and --keep-gray are for a single image. Received: {len(pictures)} images"
        )
    for source, _ in pictures:
        if source.suffix.lower() in (".avif", ".webp") and is_animated(source):
            warnings.warn(
                f"{source} is animated, and only its first frame is colored; convert it to .gif "
                "or .mp4 to color all",
                stacklevel=1,
            )

    def write(index, rgb):
        source, target = pictures[index]
        write_picture(target, rgb, read_metadata(source, software))

    def color_frame(rgb):
        exit_if_ended()
        return colorizer(rgb)

    def results():
        sources = [source for source, _ in pictures]
        if is_studied:
            yield from (attempt(_study, colorizer, *job, options, software) for job in pictures)
        else:
            yield from colorizer.stream(sources, write, dtype=dtype)
        yield from (attempt(color_video, color_frame, *job) for job in films)

    problems = []
    # A bar on a terminal, else a line per file.
    bar = tqdm(results(), total=len(jobs), unit="file", disable=not sys.stderr.isatty())
    for (source, target), error in zip((*pictures, *films), bar, strict=True):
        exit_if_ended()
        if isinstance(error, Exception):  # one bad file must not stop the others
            message = str(error) or type(error).__name__
            problems.append(message if str(source) in message else f"{source}: {message}")
        elif bar.disable or len(jobs) == 1:
            print(f"{source} -> {_named(target, options.variants)}", flush=True)
    return problems


def _study(colorizer, source, target, options, software):
    """Color an image as the options about its prediction say, and write what they ask for."""
    from colorkit import figures
    from colorkit.colorizer import read_hints
    from colorkit.data.image_files import as_rgb, write_picture
    from colorkit.data.metadata import read_metadata
    from colorkit.files import written_whole

    dtype = f"uint{options.depth}"
    kept = colorizer.prediction(source, deep=options.depth == 16)
    keep_gray = options.keep_gray and as_rgb(options.keep_gray)[..., 0] / 255
    # Ask first for what may fail, so that an error comes before any file is written.
    doubt = kept.uncertainty() if options.doubt else None
    if options.hints:
        reach = 1.0 if options.reach is None else options.reach
        kept = kept.with_hints(read_hints(options.hints, kept.size), reach)
    found = kept.variants(options.variants) if options.variants else [kept]
    paths = outputs(target, options.variants)
    if any(os.path.exists(path) and os.path.samefile(path, source) for path in paths):
        raise ValueError(f"{source} would be overwritten by a variant; choose another --output")
    metadata = read_metadata(source, software)

    def is_kept(path):
        if options.overwrite or not os.path.lexists(path):
            return False
        warnings.warn(f"{path} exists already; --overwrite writes it again", stacklevel=2)
        return True

    for path, each in zip(paths, found, strict=True):
        if not is_kept(path):
            write_picture(path, each.rgb(keep_gray=keep_gray, dtype=dtype), metadata)
    if doubt is None:
        return
    path = outputs(target, doubt=True)[-1]
    if not is_kept(path):
        with written_whole(path) as temporary:
            figures.doubt([kept.rgb()], [doubt]).savefig(temporary, dpi=120)
    note = ", of an image far from those that the model knows" if doubt.is_far else ""
    print(f"{source}: sureness {doubt.sureness:.2f}{note}", flush=True)
