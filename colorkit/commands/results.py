"""Print the tables of records."""

import sys

from colorkit.commands.terminal import start_keras


def add_parser(commands):
    """Add the parser of this command."""
    results = commands.add_parser(
        "results", help="print the tables", description="Print the tables of the records on disk."
    )
    results.set_defaults(command=run)
    results.add_argument(
        "--folder", help="folder of records (default: the package and figures/records)"
    )


def run(options):
    """Print the tables, and return the exit code."""
    start_keras()
    from colorkit import report
    from colorkit.experiments.records import read_all

    records, problems = read_all(options.folder)
    for problem in problems:
        print(f"colorkit: skipped: {problem.removesuffix('.')}.", file=sys.stderr)
    if problems and records:
        hint = "Delete or move such files; `python -m colorkit train NAME` writes them again."
        print(f"colorkit: {hint}", file=sys.stderr)
    if not records:
        folder = options.folder or "figures/records"
        raise ValueError(
            f"There are no records in {folder}; `python -m colorkit train NAME` writes one."
        )
    print(report.render(records))
    return 0
