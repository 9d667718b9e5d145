"""Lay out the page, and connect its controls with the album of each visitor."""

import html
import os
import re
import shutil
import socket
import tempfile

import numpy as np

from colorkit.page.album import MEGABYTES, MEGAPIXELS, VARIANTS, Album, loaders

__all__ = ["build", "launch"]

_MODELS = "photos", "flowers", "cifar10"
_INTRODUCTION = f"""
# colorkit
Pictures stay on the computer that runs this page, and are deleted when you close it. At most
{MEGAPIXELS} megapixels and {MEGABYTES} MB each.
"""
_STYLE = """<style>
html {scrollbar-gutter: stable}
.gradio-container {width: 100%; max-width: 1500px !important; margin: auto}
@media (max-width: 600px) {.gradio-container .fillable {padding: 12px !important}}
#title h1 {margin: 0; font-size: 1.3rem} #title p {margin: 0; opacity: .75}
#model label {padding: 6px 8px}
#hinting {align-items: center} #advice {min-width: 240px}
[role=tab][aria-selected=true] {color: var(--body-text-color) !important; font-weight: 600}
:is(#canvas, #doubt) :is(.image-container, .image-container > button, .image-frame) {width: 100%}
:is(#canvas, #doubt) img {width: 100%; max-height: 62vh; object-fit: contain}
#compare img {max-height: 62vh !important}
#strip .grid-wrap, #variants .grid-wrap {max-height: none; min-height: 0; height: auto}
#strip .grid-container {grid-template-columns: repeat(auto-fill, 88px)}
#variants .thumbnail-item {aspect-ratio: auto; height: auto}
#file {position: absolute; opacity: 0; pointer-events: none; height: 0; overflow: hidden}
</style>"""
# A file is prepared when its button is clicked; then this clicks the hidden link to it.
_CLICK = "() => document.querySelector('#file a, a#file, #file').click()"


def build(*models):
    """Return the page as `gradio.Blocks`, which `launch` starts.

    Each visitor has an album of their own. Its files are deleted when they leave.

    Args:
        *models: Models to choose from: names of `Colorizer.pretrained`, paths of `.keras` files,
            or a `Colorizer`. Without any, all of the package.

    Example:
        >>> build("cifar10").title
        'colorkit'
    """
    gr = _gradio()
    # All files are in a folder that is deleted at the end of the process, if not before.
    parent = tempfile.TemporaryDirectory(prefix="colorkit-page-")
    os.environ["GRADIO_TEMP_DIR"] = parent.name
    models = loaders(models or _MODELS)
    albums = {}  # by session

    bare = {"show_label": False, "container": False, "interactive": False}
    image = {**bare, "buttons": ["fullscreen"]}
    gallery = {**bare, "buttons": [], "allow_preview": False, "height": "auto"}
    small = {"size": "sm", "scale": 0, "min_width": 80}
    with gr.Blocks(
        title="colorkit", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)
    ) as page:
        gr.Markdown(_INTRODUCTION, elem_id="title")
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                drop = gr.File(
                    label="Black-and-white pictures",
                    file_count="multiple",
                    height=420,
                    elem_id="drop",
                )
                with gr.Column(visible=False) as stage:
                    with gr.Tabs(overflow_behavior="wrap"):
                        with gr.Tab("Compare") as compare_tab:
                            compare = gr.ImageSlider(**image, max_height=640, elem_id="compare")
                        with gr.Tab("Hints") as hints_tab:
                            with gr.Row(elem_id="hinting"):
                                color = gr.ColorPicker(
                                    "#b03030",
                                    container=False,
                                    scale=0,
                                    min_width=60,
                                    elem_id="color",
                                )
                                gr.Markdown(
                                    "Choose a color, and click where it belongs.", elem_id="advice"
                                )
                                undo = gr.Button("Undo", **small, elem_id="undo")
                                clear = gr.Button("Clear", **small, elem_id="clear")
                            canvas = gr.Image(**image, elem_id="canvas")
                        with gr.Tab("Variants") as variants_tab:
                            note = gr.Markdown(elem_id="note")
                            variants = gr.Gallery(**gallery, columns=3, elem_id="variants")
                        with gr.Tab("Doubt") as doubt_tab:
                            sureness = gr.Markdown(elem_id="sureness")
                            doubt = gr.Image(**image, elem_id="doubt")
                    strip = gr.Gallery(**gallery, columns=8, elem_id="strip")
            with gr.Column(scale=1, min_width=320, visible=False) as side:
                model = gr.Radio(list(models), label="Model", elem_id="model")
                temperature, saturation = (
                    gr.Slider(0, top, step=0.01, label=label, info=info, buttons=[], elem_id=name)
                    for top, label, info, name in (
                        (1, "Temperature", "0 vivid, 1 cautious", "temperature"),
                        (2, "Saturation", "0 gray, 1 as predicted", "saturation"),
                    )
                )
                download = gr.Button("Download", variant="primary", elem_id="download")
                together = gr.Button("Download all (ZIP)", elem_id="together")
                more = gr.UploadButton("Add pictures", file_count="multiple", elem_id="more")
                file = gr.DownloadButton("File", elem_id="file")
        images = [compare, canvas, variants, doubt]
        outputs = [*images, note, sureness, drop, stage, side, model, temperature, saturation]
        outputs += [together, more, strip, file]

        def shown(album):
            """Return what the chosen tab shows."""
            picture = album.picture
            if album.view == "compare":
                return {compare: (str(picture.before), album.file(album.rgb()))}
            if album.view == "hints":
                return {canvas: album.file(picture.marked(album.rgb()))}
            if album.colorizer.bins is None:
                able = [name for name, load in models.items() if load().bins is not None]
                text = (
                    f"{album.model} predicts one color per pixel, so it knows no variants and no "
                    f"doubt. Models that do: {', '.join(able) or 'none on this page'}."
                )
                return {note: text, variants: [], sureness: text, doubt: None}
            if album.view == "variants":
                names = "Predicted", *(f"Variant {i + 1}" for i in range(VARIANTS))
                items = [(album.file(album.rgb(i)), name) for i, name in enumerate(names)]
                text = "Other colors that the model believes in. Choose one."
                return {note: text, variants: gr.Gallery(items, selected_index=picture.variant)}
            found, colors = picture.doubt()
            return {sureness: _in_words(found), doubt: album.file(colors)}

        def everything(album):
            """Return what the page shows, and the positions of its controls."""
            if not album.pictures:
                return {drop: None}
            shows = gr.Column(visible=True)
            several = len(album.pictures) > 1
            items = [str(each.thumbnail) for each in album.pictures]
            return shown(album) | {
                drop: gr.File(None, visible=False),
                more: None,
                stage: shows,
                side: shows,
                model: album.model,
                temperature: gr.Slider(
                    value=album.temperature, interactive=album.temperature is not None
                ),
                saturation: album.saturation,
                together: gr.Button(visible=several),
                strip: gr.Gallery(items, visible=several, selected_index=album.index),
            }

        def add(album, paths):
            problems = album.add(paths)
            if problems:
                gr.Warning("<br>".join(map(html.escape, problems)), title="Not added", duration=20)

        def on(event, work, inputs=(), show=shown, selects=False, **options):
            """Let an event of a control change the album of its visitor, and show the result."""

            def respond(key, *values):
                album = albums.get(key) or albums.setdefault(key, Album(models, parent.name))
                try:
                    found = work(album, *values)
                    if found is False:  # nothing has changed
                        return {file: gr.skip()}
                    return show(album) if show else {file: found}
                except (ValueError, OSError, MemoryError) as error:
                    text = html.escape(str(error) or type(error).__name__)
                    raise gr.Error(text, title="", print_exception=False) from error
                finally:
                    if albums.get(key) is not album:  # the visitor left in the middle
                        album.forget()

            def handler(request: gr.Request, *values):
                return respond(request.session_hash, *values)

            def selecting(request: gr.Request, chosen: gr.SelectData, *values):
                return respond(request.session_hash, chosen.index, *values)

            options = {"api_visibility": "private", "show_progress_on": images, **options}
            return event(selecting if selects else handler, list(inputs), outputs, **options)

        def leave(request: gr.Request):
            if request.session_hash in albums:
                albums.pop(request.session_hash).forget()
            if not albums:  # then what is left belongs to uploads that were cut off
                shutil.rmtree(parent.name, ignore_errors=True)
                os.makedirs(parent.name, exist_ok=True)

        quick = {"show_progress": "hidden", "trigger_mode": "always_last"}
        sliders = temperature, saturation
        on(page.load, lambda album: False)  # the visitor gets an album
        on(drop.upload, add, [drop], everything, show_progress_on=drop)
        on(more.upload, add, [more], everything)
        on(strip.select, Album.choose, show=everything, selects=True)
        on(model.input, Album.use, [model], everything)
        on(temperature.input, Album.adjust, sliders, **quick)
        on(saturation.input, Album.adjust, sliders, **quick)
        on(compare_tab.select, lambda album: album.look("compare"))
        on(hints_tab.select, lambda album: album.look("hints"))
        on(variants_tab.select, lambda album: album.look("variants"))
        on(doubt_tab.select, lambda album: album.look("doubt"))
        on(
            canvas.select,
            lambda album, place, color: album.hint(place, _hexadecimal(color)),
            [color],
            selects=True,
            show_progress="hidden",
        )
        on(undo.click, Album.undo)
        on(clear.click, Album.clear)
        on(variants.select, Album.vary, show=lambda album: {file: gr.skip()}, selects=True)
        for button, write in ((download, Album.download), (together, Album.download_all)):
            ready = on(button.click, write, show=None, show_progress_on=button)
            ready.success(None, js=_CLICK)
        page.unload(leave)
    page.parent_folder, page.models = parent, models  # which live as long as the page
    return page


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
        OSError: If the port cannot be used.
        ImportError: If Gradio is missing.

    Example:
        >>> launch("photos").close()  # doctest: +SKIP
    """
    if port is not None:
        _check_port(host, port)
    page = build(*models)
    colorizer = next(iter(page.models.values()))()
    for _ in range(2):  # the second call compiles; the first visitor need not wait for it
        colorizer(np.zeros((64, 64), "uint8"))
    page.launch(
        server_name=host,
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        height=900,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        max_file_size=f"{MEGABYTES}mb",
        theme=_theme(),
        head=_STYLE,
    )
    return page


def _theme():
    themes = _gradio().themes
    # Without colors and fonts of its own: the picture is the only thing in color.
    theme = themes.Default(
        primary_hue="neutral",
        neutral_hue="neutral",
        font=("system-ui", "Helvetica", "Arial", "sans-serif"),
        font_mono=("monospace",),
    )
    return theme.set(
        button_primary_background_fill="*primary_800",
        button_primary_background_fill_hover="*primary_700",
        slider_color="*primary_700",
        slider_color_dark="*primary_500",
    )


def _gradio():
    try:
        import gradio
    except ImportError as error:
        raise ImportError(
            'The page needs Gradio: pip install gradio, or the extra "page" of keras-colorkit.'
        ) from error
    return gradio


def _check_port(host, port):
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise OSError(
            f"`port` {port} of {host} cannot be used: {error}. Choose another one with --port."
        ) from error


def _in_words(found):
    text = f"The more orange, the more colors are likely. Sureness: {found.sureness:.2f} of 1."
    if found.sets is not None:
        text += f" On average, {found.sizes.mean():.0f} colors hold the true one with "
        text += f"{found.coverage:.0%}."
    if found.distance is not None and found.distance > 1:
        text += " **The picture is unlike those that the model knows, so this means little.**"
    return text


def _hexadecimal(color):
    """Return "#rrggbb" for a color of the picker, which also gives "rgba(r, g, b, a)"."""
    if color.startswith("#"):
        return color[:7]
    return "#" + "".join(f"{round(float(x)):02x}" for x in re.findall(r"[\d.]+", color)[:3])
