"""Train or resume experiments."""

import fnmatch
import os
import sys

from colorkit.commands.terminal import start_keras


def add_parser(commands):
    """Add the parser of this command."""
    train = commands.add_parser(
        "train",
        help="train or resume experiments",
        description="Train or resume experiments, one after the other. Complete experiments are "
        "not trained again.",
    )
    train.set_defaults(command=run)
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


def run(options):
    """Train the experiments, and return the exit code."""
    # By itself, TensorFlow uses oneDNN on newer CPUs only. Coloring many sizes is slower with it.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    start_keras()
    import keras

    from colorkit.experiments.run import run as run_experiment
    from colorkit.report.tables import overview

    names = _experiments(options.names)
    settings = {name: getattr(options, name) for name in ("profile", "data", "seed", "epochs")}
    settings["verbose"] = "auto" if sys.stdout.isatty() else 2  # no progress bar in a log file
    records, problems = [], []
    for name in names:
        if len(names) > 1:
            print(f"{name}, seed {options.seed}", flush=True)
        try:
            _, record = run_experiment(name, **settings)
        except (OSError, RuntimeError, ValueError, ImportError, MemoryError) as error:
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
