"""Lay out the controls of the page, and say what they show of an album."""

from colorkit.page.album import MEGABYTES, MEGAPIXELS, VARIANTS

_INTRODUCTION = f"""
# colorkit
Copies of pictures stay on the computer that runs this page, and are deleted when you close it.
At most {MEGAPIXELS} megapixels and {MEGABYTES} MB each.
"""
STYLE = """<style>
html {scrollbar-gutter: stable}
.gradio-container {width: 100%; max-width: 1500px !important; margin: auto}
@media (max-width: 600px) {.gradio-container .fillable {padding: 12px !important}}
#title h1 {margin: 0; font-size: 1.3rem} #title p {margin: 0; opacity: .75}
[role=tab][aria-selected=true] {color: var(--body-text-color) !important; font-weight: 600}
#model label {padding: 6px 8px}
#hinting {align-items: center} #advice {min-width: 240px}
:is(#canvas, #doubt) :is(.image-container, .image-container > button, .image-frame) {width: 100%}
:is(#canvas, #doubt) img {width: 100%; max-height: 62vh; object-fit: contain}
#compare img {max-height: 62vh !important}
#strip .grid-wrap, #variants .grid-wrap {max-height: none; min-height: 0; height: auto}
#strip .grid-container {grid-template-columns: repeat(auto-fill, 88px)}
#variants .thumbnail-item {aspect-ratio: auto; height: auto}
#file {position: absolute; opacity: 0; pointer-events: none; height: 0; overflow: hidden}
</style>"""
WORDS = {
    "upload_text.drop_file": "Drop pictures here",
    "upload_text.click_to_upload": "Click to choose them",
}
# A file is prepared when its button is clicked; then this clicks the hidden link to it.
CLICK = "() => document.querySelector('#file a, a#file, #file').click()"


class Layout:
    """Hold the controls of the page. `gr` is `gradio`, imported only where a page is built."""

    def __init__(self, gr, models):
        self._gr, self._models = gr, models
        bare = {"show_label": False, "container": False, "interactive": False}
        image = {**bare, "buttons": ["fullscreen"]}
        gallery = {**bare, "buttons": [], "allow_preview": False, "height": "auto"}
        small = {"size": "sm", "scale": 0, "min_width": 80}
        slider = {"step": 0.01, "buttons": []}
        several = {"file_count": "multiple"}
        self.page = gr.Blocks(
            title="colorkit", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)
        )
        with self.page, gr.Column():
            gr.Markdown(_INTRODUCTION, elem_id="title")
            with gr.Row():
                with gr.Column(scale=4, min_width=320):
                    label = "Black-and-white pictures"
                    self.drop = gr.File(label=label, height=420, elem_id="drop", **several)
                    with gr.Column(visible=False) as self.stage:
                        with gr.Tabs(overflow_behavior="wrap"):
                            self.tabs = {}
                            with gr.Tab("Compare") as self.tabs["compare"]:
                                self.compare = gr.ImageSlider(elem_id="compare", **image)
                            with gr.Tab("Hints") as self.tabs["hints"]:
                                with gr.Row(elem_id="hinting"):
                                    narrow = {"container": False, "scale": 0, "min_width": 60}
                                    self.color = gr.ColorPicker(
                                        "#b03030", elem_id="color", **narrow
                                    )
                                    text = "Choose a color, and click where it belongs."
                                    gr.Markdown(text, elem_id="advice")
                                    self.undo = gr.Button("Undo", elem_id="undo", **small)
                                    self.clear = gr.Button("Clear", elem_id="clear", **small)
                                info = "how far a color spreads to similar places; 1 is everywhere"
                                self.reach = gr.Slider(
                                    0.05, 1, 1, label="Reach", info=info, elem_id="reach", **slider
                                )
                                self.canvas = gr.Image(elem_id="canvas", **image)
                            with gr.Tab("Variants") as self.tabs["variants"]:
                                self.note = gr.Markdown()
                                self.variants = gr.Gallery(columns=3, elem_id="variants", **gallery)
                            with gr.Tab("Doubt") as self.tabs["doubt"]:
                                self.sureness = gr.Markdown()
                                self.doubt = gr.Image(elem_id="doubt", **image)
                        self.strip = gr.Gallery(columns=8, elem_id="strip", **gallery)
                with gr.Column(scale=1, min_width=320, visible=False) as self.side:
                    self.model = gr.Radio(list(models), label="Model", elem_id="model")
                    info = "0 vivid, 1 cautious"
                    self.temperature = gr.Slider(
                        0, 1, label="Temperature", info=info, elem_id="temperature", **slider
                    )
                    info = "0 gray, 1 as predicted"
                    self.saturation = gr.Slider(
                        0, 2, label="Saturation", info=info, elem_id="saturation", **slider
                    )
                    self.download = gr.Button("Download", elem_id="download", variant="primary")
                    self.together = gr.Button("Download all (ZIP)", elem_id="together")
                    self.more = gr.UploadButton("Add pictures", elem_id="more", **several)
                    self.file = gr.DownloadButton("File", elem_id="file")
        self.images = [self.compare, self.canvas, self.variants, self.doubt]
        self.outputs = [
            *self.images, self.note, self.sureness, self.drop, self.stage, self.strip, self.side,
            self.model, self.temperature, self.saturation, self.reach, self.together, self.more,
            self.file,
        ]  # fmt: skip

    def shown(self, album):
        """Return what the chosen tab shows: a dict from control to value."""
        picture = album.picture
        if album.view == "compare":
            return {self.compare: (str(picture.before), album.file(album.rgb()))}
        if album.view == "hints":
            return {self.canvas: album.file(picture.marked(album.rgb()))}
        if album.colorizer.bins is None:
            able = [name for name, load in self._models.items() if load().bins is not None]
            text = (
                f"{album.model} predicts one color per pixel, so it knows no variants and no "
                f"doubt. Models that do: {', '.join(able) or 'none on this page'}."
            )
            return {self.note: text, self.variants: [], self.sureness: text, self.doubt: None}
        if album.view == "doubt":
            found, colors = picture.doubt()
            return {self.sureness: _in_words(found), self.doubt: album.file(colors)}
        names = "Predicted", *(f"Variant {i + 1}" for i in range(VARIANTS))
        items = [(album.file(album.rgb(i)), name) for i, name in enumerate(names)]
        return {
            self.note: "Other colors that the model finds likely. Choose one.",
            self.variants: self._gr.Gallery(items, selected_index=picture.variant),
        }

    def everything(self, album):
        """Return what the page shows, and the positions of its controls."""
        gr = self._gr
        if not album.pictures:
            return {self.drop: None}
        picture = album.picture
        items = [str(each.thumbnail) for each in album.pictures]
        several = len(items) > 1
        hot, spaced = album.temperature is not None, album.colorizer.space.chroma_channels == 2
        return self.shown(album) | {
            self.drop: gr.File(None, visible=False),
            self.stage: gr.Column(visible=True),
            self.strip: gr.Gallery(items, visible=several, selected_index=album.index),
            self.side: gr.Column(visible=True),
            self.model: album.model,
            self.temperature: gr.Slider(value=album.temperature, interactive=hot),
            self.saturation: gr.Slider(value=album.saturation, interactive=spaced),
            self.reach: picture.reach,
            self.together: gr.Button(visible=several),
            self.more: None,
        }


def theme(gr):
    """Return a theme without colors, so that the picture is the only thing in color."""
    found = gr.themes.Default(
        primary_hue="neutral",
        neutral_hue="neutral",
        font=("system-ui", "Helvetica", "Arial", "sans-serif"),
        font_mono=("monospace",),
    )
    return found.set(
        button_primary_background_fill="*primary_800",
        button_primary_background_fill_hover="*primary_700",
        slider_color="*primary_700",
        slider_color_dark="*primary_500",
    )


def _in_words(found):
    text = f"The more orange, the more colors are likely. Sureness: {found.sureness:.2f} of 1."
    if found.sets is not None:
        colors = f"{found.sizes.mean():.0f} colors"
        text += f" On average, {colors} hold the true one with {found.coverage:.0%}."
    if found.is_far:
        text += " **The picture is unlike those that the model knows, so this means little.**"
    return text
