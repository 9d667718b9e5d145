"""Command line: `python -m colorkit colorize | evaluate | train | results`."""

import argparse
import contextlib
import fnmatch
import gc
import json
import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path

from colorkit import __version__

_SHOWN = 10  # problems of a kind

# Import only light modules here: `--help` must not wait for a deep-learning framework.


def main(arguments=None):
    """Run the command line and return its exit code: 0 for success, 2 for an error."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # names of files may hold what a stream cannot encode
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Hide as much of TensorFlow's log as TensorFlow allows.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with warnings.catch_warnings(), _terminated():
            warnings.showwarning = _print_warning
            # Libraries do not name the file; what prevents its coloring is an error.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            logging.getLogger("tifffile").setLevel(logging.CRITICAL)
            code = options.command(options)
        sys.stdout.flush()  # here, where a closed pipe is no error
        return code
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, RuntimeError, ImportError, MemoryError) as error:
        print(f"colorkit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("colorkit: interrupted", file=sys.stderr)
        return 130


_received = []  # signals that end the command


def _end(number, _):
    _received.append(number)
    sys.exit(128 + number)


@contextlib.contextmanager
def _terminated():
    """Let SIGTERM raise `SystemExit`, so that no temporary file stays behind."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        _received.clear()


def _start_keras():
    """Import Keras and start its backend, without the log lines that the backend prints."""
    gc.disable()  # in vain, it would search all that the import creates many times
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras

        keras.ops.zeros(1)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
        gc.freeze()
        gc.enable()


def _print_warning(message, *_):
    """Print a warning as one line, without its line in the code."""
    print(f"colorkit: {' '.join(str(message).split())}", file=sys.stderr, flush=True)


def _parser():
    parser = argparse.ArgumentParser(prog="colorkit", description="Automatic image colorization.")
    parser.add_argument("--version", action="version", version=f"colorkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    colorize = commands.add_parser(
        "colorize",
        help="color images and videos",
        description="Color image files, folders of them, and video files.",
    )
    colorize.set_defaults(command=_colorize)
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
    add("--dry-run", action="store_true", help="print what would be colored, and stop")

    evaluate = commands.add_parser(
        "evaluate",
        help="measure colored images of any colorizer",
        description="Compare colored images with their ground truth, beside gray, one constant "
        "color, the colors of another image and the oracle over 313 color bins, and warn about "
        "frequent faults. Each metric has its standard error over images. Images match by name, "
        "apart from the ending. The exit code is 2 if an image has no partner or could not be "
        "compared.",
    )
    evaluate.set_defaults(command=_evaluate)
    add = evaluate.add_argument
    add("colored", metavar="COLORED", help="folder of colored images, or one image file")
    add("truth", metavar="TRUTH", help="folder of the true images, or one image file")
    add("--resize", action="store_true",
        help="resize colored images of another size than the truth (default: leave them out)"
        )  # fmt: skip
    add("--sample", type=int, default=100, metavar="N",
        help="pairs, chosen at random, for the slow metrics SSIM and CIEDE2000 (default: "
        "%(default)s); the others are measured on all pairs")  # fmt: skip
    add("--kid", action="store_true", help="measure the kernel distance too, which is slow")
    add("--reported", nargs="+", default=(), metavar="METRIC=VALUE",
        help="number that was reported for these images, such as psnr=24.5; it is compared with "
        "variants of the metric in published code")  # fmt: skip
    for ending in ("csv", "json", "markdown"):
        add(f"--{ending}", metavar="FILE", help=f"also write the metrics to this {ending} file")

    train = commands.add_parser(
        "train",
        help="train or resume experiments",
        description="Train or resume experiments, one after the other. Complete experiments are "
        "not trained again.",
    )
    train.set_defaults(command=_train)
    add = train.add_argument
    add("names", nargs="+", metavar="NAME",
        help="experiment, such as cifar/lab-conv-regression, or a pattern, such as 'cifar/lab-*'"
        )  # fmt: skip
    add("--profile", help="smoke, quick or full (default: quick)")
    add("--data", metavar="NAME",
        help="train on other images, such as folder:PATH, or on several datasets, such as "
        "'folder:PATH*2+cifar10', where training shows the first twice as often as the second "
        "(default: the experiment's own)")  # fmt: skip
    add("--seed", type=int, default=0, help="default: %(default)s")
    add("--epochs", type=int, help="default: the profile's")

    results = commands.add_parser(
        "results", help="print the tables", description="Print the tables of the records on disk."
    )
    results.set_defaults(command=_results)
    results.add_argument(
        "--folder", help="folder of records (default: the package and figures/records)"
    )
    return parser


def _colorize(options):
    jobs, problems, skipped = _jobs(options.inputs, options.output)
    total = len(jobs) + len(problems)
    done = [] if options.overwrite else [target for _, target in jobs if os.path.lexists(target)]
    jobs = [job for job in jobs if options.overwrite or not os.path.lexists(job[1])]
    if options.dry_run:
        for source, target in jobs:
            print(f"{source} -> {target}")
    elif jobs:
        problems += _color_files(jobs, options)
    for problem in (*skipped, *problems):
        print(f"colorkit: {problem}", file=sys.stderr)
    if skipped:
        files = "file" if len(skipped) == 1 else "files"
        print(f"colorkit: {len(skipped)} {files} skipped", file=sys.stderr)
    if done:
        example = f"{done[0]} exists" if len(done) == 1 else f"{len(done)} outputs exist"
        print(f"colorkit: {example} already; --overwrite colors such inputs again", file=sys.stderr)
    if problems and total > 1:
        print(f"colorkit: {len(problems)} inputs failed of {total}", file=sys.stderr)
    return 2 if problems else 0


def _color_files(jobs, options):
    """Color files, and return the problems of those that failed."""
    from tqdm import tqdm

    _start_keras()
    from colorkit.colorizer import Colorizer
    from colorkit.data.image_files import write_picture
    from colorkit.data.metadata import read_metadata
    from colorkit.data.video import color_video, is_animated, is_video
    from colorkit.files import sweep
    from colorkit.stream import attempt

    is_file = Path(options.model).suffix == ".keras" or Path(options.model).is_file()
    load = Colorizer.load if is_file else Colorizer.pretrained
    settings = {name: getattr(options, name) for name in ("temperature", "size", "saturation")}
    settings = {name: value for name, value in settings.items() if value is not None}
    colorizer = load(options.model, **settings)
    software = None if options.no_tag else f"colorized by colorkit {__version__}"
    for folder in {target.parent for _, target in jobs}:
        sweep(folder)
    dtype = f"uint{options.depth}"
    films = [job for job in jobs if is_video(job[0])]
    pictures = [job for job in jobs if job not in films]
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

    def results():
        sources = [source for source, _ in pictures]
        if is_studied:
            yield from (attempt(_study, colorizer, *job, options, software) for job in pictures)
        else:
            yield from colorizer.stream(sources, write, dtype=dtype)
        yield from (attempt(color_video, colorizer, *job) for job in films)

    problems = []
    # A bar on a terminal, else a line per file.
    bar = tqdm(results(), total=len(jobs), unit="file", disable=not sys.stderr.isatty())
    for (source, target), error in zip((*pictures, *films), bar, strict=True):
        if _received:  # code in C may have turned the exit into an error of one file
            sys.exit(128 + _received[0])
        if isinstance(error, Exception):  # one bad file must not stop the others
            message = str(error) or type(error).__name__
            problems.append(message if str(source) in message else f"{source}: {message}")
        elif bar.disable or len(jobs) == 1:
            shown = target
            if options.variants:
                shown = (
                    f"{target.with_stem(f'{target.stem}-1')} to {target.stem}-{options.variants}"
                )
            print(f"{source} -> {shown}", flush=True)
    return problems


def _study(colorizer, source, target, options, software):
    """Color an image as the options about its prediction say, and write what they ask for."""
    from colorkit import figures
    from colorkit.data.image_files import as_rgb, write_picture
    from colorkit.data.metadata import read_metadata
    from colorkit.files import written_whole
    from colorkit.prediction import read_hints

    dtype = f"uint{options.depth}"
    kept = colorizer.prediction(source, deep=options.depth == 16)
    keep_gray = options.keep_gray and as_rgb(options.keep_gray)[..., 0] / 255
    # Ask first for what may fail, so that no file is written in vain.
    doubt = kept.uncertainty() if options.doubt else None
    if options.hints:
        kept = kept.with_hints(read_hints(options.hints, kept.size))
    targets = {target: kept}
    if options.variants:
        found = enumerate(kept.variants(options.variants), start=1)
        targets = {target.with_stem(f"{target.stem}-{i}"): each for i, each in found}
    metadata = read_metadata(source, software)
    for path, each in targets.items():
        if options.variants and not options.overwrite and os.path.lexists(path):
            warnings.warn(f"{path} exists already; --overwrite writes it again", stacklevel=1)
            continue
        write_picture(path, each.rgb(keep_gray=keep_gray, dtype=dtype), metadata)
    if doubt is not None:
        with written_whole(target.with_name(f"{target.stem}.doubt.png")) as temporary:
            figures.doubt([kept.rgb()], [doubt]).savefig(temporary, dpi=120)
        print(f"{source}: sureness {doubt.sureness:.2f}", flush=True)


def _jobs(inputs, output):
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


def _check_ending(source, target):
    """Raise a `ValueError` unless a video, or else an image, can be written to a path."""
    from colorkit.data.image_files import output_format
    from colorkit.data.video import WRITTEN, is_video

    if not is_video(source):
        output_format(target)
    elif target.suffix.lower() not in WRITTEN:
        raise ValueError(f"--output of a video must end in one of {WRITTEN}. Received: {target}")


def _has_ending(source, target):
    try:
        _check_ending(source, target)
    except ValueError:
        return False
    return True


def _evaluate(options):
    _start_keras()
    from colorkit.evaluation import evaluate_pairs
    from colorkit.experiments.records import markdown
    from colorkit.files import make_folder, written_whole

    reported = dict(map(_number, options.reported))
    for path in filter(None, (options.csv, options.json, options.markdown)):
        make_folder(Path(path).parent)  # an error must not come after the work
    scores = evaluate_pairs(
        options.colored,
        options.truth,
        resize=options.resize,
        sample=options.sample,
        kid=options.kid,
        reported=reported,
    )
    text = f"{markdown(scores.rows())}\n\n{scores.notes()}"
    print(text)
    record = {"colored": options.colored, "truth": options.truth, "colorkit": __version__}
    for path, written in (
        (options.csv, lambda: scores.frame().to_csv(index=False)),
        (options.json, lambda: json.dumps(record | scores.to_dict(), indent=1)),
        (options.markdown, lambda: f"{text}\n"),
    ):
        if path is not None:
            with written_whole(path) as temporary:
                temporary.write_text(written(), encoding="utf-8")
    for name, warning in scores.warnings.items():
        print(f"colorkit: warning: {name}: {warning}", file=sys.stderr)
    for kind, problems in scores.problems.items():
        for problem in problems[:_SHOWN]:
            print(f"colorkit: {problem}", file=sys.stderr)
        further = f", of which {_SHOWN} are shown" if len(problems) > _SHOWN else ""
        print(f"colorkit: {kind}: {len(problems)}{further}", file=sys.stderr)
    return 2 if scores.problems else 0


def _number(text):
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(
            f"--reported takes METRIC=VALUE, such as psnr=24.5. Received: {text}"
        ) from None


def _train(options):
    _start_keras()
    import keras

    from colorkit.experiments.run import run
    from colorkit.report.tables import overview

    names = _experiments(options.names)
    settings = {name: getattr(options, name) for name in ("profile", "data", "seed", "epochs")}
    settings["verbose"] = "auto" if sys.stdout.isatty() else 2  # no progress bar in a log file
    records, problems = [], []
    for name in names:
        if len(names) > 1:
            print(f"{name}, seed {options.seed}", flush=True)
        try:
            _, record = run(name, **settings)
        except (OSError, RuntimeError, ValueError) as error:
            if len(names) == 1:
                raise
            problems.append(f"{name}: {error}")  # continue with the other experiments
            print(f"colorkit: {problems[-1]}", file=sys.stderr, flush=True)
        else:
            records.append(record)
        keras.backend.clear_session()
    if records:
        print(overview(records))
    if problems:
        print(f"colorkit: {len(problems)} experiments failed of {len(names)}", file=sys.stderr)
    return 2 if problems else 0


def _experiments(patterns):
    """Return the names of the experiments that match the patterns, in the order of the table."""
    from colorkit.experiments import EXPERIMENTS, experiment

    chosen = set()
    for pattern in patterns:
        # An unknown name raises an error.
        chosen.update(fnmatch.filter(EXPERIMENTS, pattern) or [experiment(pattern).name])
    return [name for name in EXPERIMENTS if name in chosen]


def _results(options):
    _start_keras()
    from colorkit import report
    from colorkit.experiments.records import read_all

    records, problems = read_all(options.folder)
    for problem in problems:
        hint = "Delete or move the file; `python -m colorkit train NAME` writes it again."
        print(f"colorkit: skipped: {problem}. {hint}", file=sys.stderr)
    if not records:
        folder = options.folder or "figures/records"
        raise ValueError(
            f"There are no records in {folder}; `python -m colorkit train NAME` writes one."
        )
    print(report.render(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
