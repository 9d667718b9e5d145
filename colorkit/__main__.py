"""Command line: `python -m colorkit colorize | serve | evaluate | train | results`."""

import argparse
import logging
import os
import sys
import warnings

from colorkit import __version__
from colorkit.commands import colorize, evaluate, results, serve, train
from colorkit.commands.terminal import print_warning, terminated

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
        with warnings.catch_warnings(), terminated():
            warnings.showwarning = print_warning
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


def _parser():
    parser = argparse.ArgumentParser(prog="colorkit", description="Automatic image colorization.")
    parser.add_argument("--version", action="version", version=f"colorkit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (colorize, serve, evaluate, train, results):
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
