"""Start the page in the browser."""

import threading

from colorkit.commands.terminal import start_keras


def add_parser(commands):
    """Add the parser of this command."""
    serve = commands.add_parser(
        "serve",
        help="color images on a page in the browser",
        description="Start a page in the browser to color images with. Only this computer can open "
        "it, unless --host says otherwise. Ctrl+C stops it.",
    )
    serve.set_defaults(command=run)
    add = serve.add_argument
    add("--model", nargs="+", default=(), metavar="NAME",
        help="models to choose from, or paths of .keras files (default: those of the package)"
        )  # fmt: skip
    add("--host", default="127.0.0.1", metavar="ADDRESS",
        help="address to listen at; 0.0.0.0 lets other computers of the network open the page "
        "(default: %(default)s)")  # fmt: skip
    add("--port", type=int, default=7860, metavar="N", help="port (default: %(default)s)")


def run(options):
    """Serve the page until it is interrupted, and return the exit code."""
    start_keras()
    from colorkit.page import launch

    page = launch(*options.model, host=options.host, port=options.port)
    print(f"Open {page.local_url} in a browser; Ctrl+C stops the page.", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    finally:
        page.close(verbose=False)
