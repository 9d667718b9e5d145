"""Serve the page, and connect its controls with the album of each visitor."""

import errno
import functools
import html
import os
import re
import shutil
import socket
import tempfile

import numpy as np

from colorkit.page.album import MEGABYTES, Album, loaders
from colorkit.page.layout import CLICK, STYLE, WORDS, Layout, theme

__all__ = ["build", "launch"]

_MODELS = "photos", "flowers", "cifar10"
_albums = {}  # by visitor, of all pages of this process, as these share Gradio's folder


def build(*models):
    """Return the page as `gradio.Blocks`, which `launch` starts.

    Each visitor has an album of their own. Its files are deleted when they leave.

    Args:
        *models: Models to choose from: names of `Colorizer.pretrained`, paths of `.keras` files,
            or a `Colorizer`. Without any, all of the package.

    Example:
        >>> page = build("cifar10")  # doctest: +SKIP
    """
    gr, folder, models = _gradio(), _folder(), loaders(models or _MODELS)
    layout = Layout(gr, models)
    nothing = {layout.file: gr.skip()}

    def add(album, paths):
        problems = album.add(paths)
        if problems:
            gr.Warning("<br>".join(map(html.escape, problems)), duration=20)

    def on(event, work, inputs=(), show=layout.shown, selects=False, **options):
        """Let an event of a control change the album of its visitor, and show the result.

        `work` returns `False` if nothing has changed. `show` is a function of the album, or `None`
        for the path of a file that `work` returns.
        """

        def respond(key, *values):
            album = _albums.get(key) or _albums.setdefault(key, Album(models, folder))
            try:
                with album.lock:
                    found = work(album, *values)
                    if found is False:
                        return nothing
                    return show(album) if show else {layout.file: found}
            except (ValueError, OSError, MemoryError) as error:
                text = html.escape(str(error) or type(error).__name__)
                raise gr.Error(text, print_exception=False) from error
            finally:
                if _albums.get(key) is not album:  # the visitor left in the middle
                    album.forget()

        def handler(request: gr.Request, *values):
            return respond(request.session_hash, *values)

        def selecting(request: gr.Request, chosen: gr.SelectData, *values):
            return respond(request.session_hash, chosen.index, *values)

        options = {"api_visibility": "private", "show_progress_on": layout.images, **options}
        return event(selecting if selects else handler, list(inputs), layout.outputs, **options)

    def leave(request: gr.Request):
        if request.session_hash in _albums:
            _albums.pop(request.session_hash).forget()
        if not _albums:  # then what is left belongs to uploads that were cut off
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder, exist_ok=True)

    with layout.page:
        quick = {"show_progress": "hidden", "trigger_mode": "always_last"}
        sliders = layout.temperature, layout.saturation
        on(layout.page.load, lambda album: False, show_progress="hidden")  # creates an album
        on(layout.drop.upload, add, [layout.drop], layout.everything, show_progress_on=layout.drop)
        on(layout.more.upload, add, [layout.more], layout.everything)
        on(layout.strip.select, Album.choose, show=layout.everything, selects=True)
        on(layout.model.input, Album.use, [layout.model], layout.everything)
        for slider in sliders:
            on(slider.input, Album.adjust, sliders, **quick)
        on(layout.reach.input, Album.stretch, [layout.reach], **quick)
        for view, tab in layout.tabs.items():
            on(tab.select, functools.partial(Album.look, view=view))
        on(layout.canvas.select, _hint, [layout.color], selects=True, show_progress="hidden")
        on(layout.undo.click, Album.undo)
        on(layout.clear.click, Album.clear)
        on(layout.variants.select, Album.vary, show=lambda album: nothing, selects=True)
        for button, write in (
            (layout.download, Album.download),
            (layout.together, Album.download_all),
        ):
            written = on(button.click, write, show=None, show_progress_on=button)
            written.success(None, js=CLICK)
        layout.page.unload(leave)
    layout.page.models = models
    return layout.page


def launch(*models, host="127.0.0.1", port=None):
    """Start the page, and show it below the cell in a notebook, such as one of Colab.

    Only this computer can open it, unless `host` says otherwise, such as "0.0.0.0" for all.

    Args:
        *models: See `build`.
        host: Address to listen at.
        port: Port, or `None` for a free one.

    Returns:
        The page. Its `close` stops it, and `local_url` is its address.

    Raises:
        ValueError, OSError: If the port is out of range, or cannot be used, or a model is unknown.
        ImportError: If Gradio is missing.

    Example:
        >>> launch("photos").close()  # doctest: +SKIP
    """
    if port is not None:
        _check_port(host, port)
    gr, page = _gradio(), build(*models)
    # Load each model that is named, so that an error comes before the first visitor.
    colorizer, *_ = [load() for load in list(page.models.values())[: len(models) or 1]]
    for _ in range(2):  # the second call compiles; the first visitor need not wait for it
        colorizer.prediction(np.zeros((64, 64), "uint8")).pooled()
    page.launch(
        server_name=host, server_port=port, share=False, quiet=True, prevent_thread_lock=True,
        height=900, footer_links=[], run_history=False, ssr_mode=False, mcp_server=False,
        enable_monitoring=False, max_file_size=f"{MEGABYTES}mb", theme=theme(gr), head=STYLE,
        i18n=gr.I18n(en=WORDS),
    )  # fmt: skip
    return page


@functools.cache
def _folder():
    """Return the folder of all files, which is deleted at the end of the process, if not before."""
    _folder.kept = tempfile.TemporaryDirectory(prefix="colorkit-page-")
    os.environ["GRADIO_TEMP_DIR"] = _folder.kept.name
    return _folder.kept.name


def _gradio():
    try:
        import gradio
    except ImportError as error:
        raise ImportError(
            'The page needs Gradio: pip install gradio, or the extra "page" of keras-colorkit.'
        ) from error
    return gradio


def _check_port(host, port):
    if not 0 < port < 2**16:
        raise ValueError(f"`port` must be from 1 to 65535. Received: {port}")
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise OSError(
                "`host` must be an address of this computer, such as 127.0.0.1, or 0.0.0.0 for all "
                f"of them. Received: {host!r}"
            ) from error
        raise OSError(
            f"`port` {port} of {host} cannot be used: {error}. Choose another one with --port."
        ) from error


def _hint(album, place, color):
    """Give a hint in a color of the picker: "#rrggbb", or "rgba(r, g, b, a)" with fractions."""
    if not color.startswith("#"):
        values = re.findall(r"[\d.]+", color)[:3]
        color = "#" + "".join(f"{round(float(value)):02x}" for value in values)
    album.hint(place, color)
