"""Compare colored images with their ground truth."""

import json
import sys
from pathlib import Path

from colorkit import __version__
from colorkit.commands.terminal import start_keras

_SHOWN = 10  # problems of a kind


def add_parser(commands):
    """Add the parser of this command."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure colored images of any colorizer",
        description="Compare colored images with their ground truth, beside gray, one constant "
        "color, the colors of another image and the oracle over 313 color bins, and warn about "
        "frequent faults. Each metric has its standard error over images. Images match by name, "
        "apart from the ending. The exit code is 2 if an image has no partner or could not be "
        "compared.",
    )
    evaluate.set_defaults(command=run)
    add = evaluate.add_argument
    add("colored", metavar="COLORED", help="folder of colored images, or one image file")
    add("truth", metavar="TRUTH", help="folder of the true images, or one image file")
    add("--resize", action="store_true",
        help="resize colored images of another size than the truth (default: leave them out)"
        )  # fmt: skip
    add("--sample", type=int, default=100, metavar="N",
        help="pairs, chosen at random, for the slow metrics SSIM and CIEDE2000 (default: "
        "%(default)s; 0 leaves them out); the others are measured on all pairs")  # fmt: skip
    add("--kid", action="store_true", help="measure the kernel distance too, which is slow")
    add("--reported", nargs="+", default=(), metavar="METRIC=VALUE",
        help="number that was reported for these images, such as psnr=24.5; it is compared with "
        "variants of the metric in published code")  # fmt: skip
    for ending in ("csv", "json", "markdown"):
        add(f"--{ending}", metavar="FILE", help=f"also write the metrics to this {ending} file")


def run(options):
    """Evaluate the images, and return the exit code."""
    start_keras()
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
