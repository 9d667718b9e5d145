"""The page in headless Chromium, with real clicks."""

import gc
import io
import shutil
import socket
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from colorkit.__main__ import main
from colorkit.page import server as room

# Gradio and its server run in threads of this process, whose warnings are not ours.
pytestmark = pytest.mark.filterwarnings("ignore")
# Chromium as root, without requests of its own.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
connected = set()  # addresses that this process connected to


def note_connections(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        connected.add(arguments[1][0])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(bins, regression):
    pytest.importorskip("gradio", reason="the page needs gradio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MEGABYTES", 1)
        sys.addaudithook(note_connections)
        page = room.launch(bins, regression, port=free_port())
        yield page
        page.close(verbose=False)
    gc.collect()  # here, where it is no error that Gradio leaves event loops open


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except api.Error:
            pytest.skip("browser tests need Chromium: playwright install chromium")
        yield browser
        browser.close()


class Visitor:
    """A person in front of the page, in a browser without the memory of others."""

    def __init__(self, browser, address):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page, self.hosts = self.context.new_page(), set()
        self.page.set_default_timeout(10_000)
        self.page.on("request", lambda x: self.hosts.add(x.url.split("/")[2]))
        self.page.goto(address)
        self.page.wait_for_selector("#drop")

    def drop(self, *paths, into="#drop input[type=file]"):
        self.page.set_input_files(into, [str(path) for path in paths])

    def open(self, tab):
        self.page.get_by_role("tab", name=tab).click()

    def seen(self, selector, *, other_than=None):
        """Wait until a picture is shown, other than an earlier one, and return it and its URL."""
        old = other_than[1] if other_than else None
        url = self.page.wait_for_function(
            """([selector, old]) => {
                const image = [...document.querySelectorAll(selector)].at(-1);
                return image?.complete && image.naturalWidth && image.src !== old && image.src;
            }""",
            arg=[f"{selector} img", old],
        ).json_value()
        return self.read(url), url

    def read(self, url):
        return np.asarray(Image.open(io.BytesIO(self.context.request.get(url).body()))).astype(int)

    def told(self, text):
        return self.page.get_by_text(text).first.wait_for()


@pytest.fixture
def visit(server, browser):
    """Return a function that opens the page in another browser."""
    visitors = []

    def visit(*paths):
        visitor = Visitor(browser, server.local_url)
        visitors.append(visitor)
        if paths:
            visitor.drop(*paths)
            visitor.seen("#compare")
        return visitor

    yield visit
    for visitor in visitors:
        visitor.context.close()
        assert visitor.hosts <= {server.local_url.split("/")[2], ""}  # "" is of blobs


@pytest.fixture
def visitor(visit, photograph):
    return visit(photograph)


def colorfulness(image):
    return np.ptp(image, axis=-1).mean()


def test_sliders_move_the_result(visitor):
    first = visitor.seen("#compare")
    assert first[0].shape == (90, 120, 3)
    visitor.page.locator("#saturation input[type=range]").press("Home")
    gray = visitor.seen("#compare", other_than=first)
    assert colorfulness(gray[0]) < 2 < colorfulness(first[0])
    visitor.page.locator("#saturation input[type=range]").press("End")
    visitor.page.locator("#temperature input[type=range]").press("Home")
    vivid = visitor.seen("#compare", other_than=gray)
    assert colorfulness(vivid[0]) > colorfulness(first[0])


def test_click_on_the_picture_gives_a_hint_that_can_be_taken_back(visitor):
    visitor.open("Hints")
    first = visitor.seen("#canvas")
    visitor.page.click("#color .dialog-button")
    field = visitor.page.locator("#color input[type=text]")
    field.fill("#2040ff")
    field.press("Enter")
    visitor.page.locator("#advice").click()  # closes the picker
    box = visitor.page.locator("#canvas img").bounding_box()
    visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    hinted = visitor.seen("#canvas", other_than=first)
    red, _, blue = np.moveaxis(hinted[0] - first[0], -1, 0)
    assert blue[40:50, 55:65].mean() > red[40:50, 55:65].mean() + 30
    visitor.page.locator("#reach input[type=range]").press("Home")
    near = visitor.seen("#canvas", other_than=hinted)
    assert np.abs(near[0][:10] - first[0][:10]).mean() < 1
    visitor.page.click("#undo")
    np.testing.assert_array_equal(visitor.seen("#canvas", other_than=near)[0], first[0])


def test_chosen_variant_is_shown(visitor):
    first = visitor.seen("#compare")
    visitor.open("Variants")
    last = visitor.seen("#variants")
    buttons = visitor.page.locator("#variants .thumbnail-item")
    assert buttons.count() == 5
    buttons.last.click()
    visitor.open("Compare")
    np.testing.assert_array_equal(visitor.seen("#compare", other_than=first)[0], last[0])


def test_doubt_is_shown_and_a_regression_says_which_models_know_it(visitor):
    visitor.open("Doubt")
    assert visitor.seen("#doubt")[0].shape == (90, 120, 3)
    visitor.told("Sureness: 0.")
    visitor.page.get_by_label("regression").check()
    visitor.told("no doubt. Models that do: bins.")
    visitor.open("Variants")
    visitor.told("no variants")


def test_download_has_full_size_and_metadata(visitor, tmp_path):
    with visitor.page.expect_download() as download:
        visitor.page.click("#download")
    assert download.value.suggested_filename == "rose-colored.jpg"
    with Image.open(download.value.path()) as image:
        assert image.size == (120, 90) and image.getexif()[0x010E] == "a rose"


def test_several_pictures_are_chosen_and_downloaded_together(visitor, photograph, tmp_path):
    first = visitor.seen("#compare")
    other = Image.open(photograph).transpose(Image.Transpose.ROTATE_90)
    other.save(tmp_path / "tulip.png")
    visitor.drop(tmp_path / "tulip.png", into="[data-testid='Add pictures-upload-button']")
    tulip = visitor.seen("#compare", other_than=first)
    assert tulip[0].shape == (120, 90, 3)
    visitor.page.locator("#strip .thumbnail-item").first.click()
    assert visitor.seen("#compare", other_than=tulip)[0].shape == (90, 120, 3)
    with visitor.page.expect_download() as download:
        visitor.page.click("#together")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["rose-colored.jpg", "tulip-colored.png"]


def test_bad_files_are_explained_and_good_ones_colored(visit, photograph, tmp_path):
    (tmp_path / "broken<b>.jpg").write_text("no picture")
    Image.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    (tmp_path / "heavy.jpg").write_bytes(bytes(2**20 + 1))
    visitor = visit()
    visitor.drop(tmp_path / "heavy.jpg")
    visitor.told("exceed the maximum allowed size")
    visitor.drop(tmp_path / "broken<b>.jpg", tmp_path / "huge.png", photograph)
    visitor.told("is not an image that can be read")
    visitor.told("huge.png has more than 64 megapixels")
    assert visitor.seen("#compare")[0].shape == (90, 120, 3)


def test_upload_that_was_cut_off_is_deleted(visit, server):
    visitor = visit()
    with socket.create_connection(("127.0.0.1", server.server_port)) as upload:
        upload.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: "
            b'form-data; name="files"; filename="a.jpg"\r\n\r\n' + bytes(100_000)
        )
        assert_soon(lambda: any(path.stat().st_size for path in files(server)))
    visitor.context.close()
    assert_soon(lambda: not files(server))


def files(server):
    return [path for path in Path(room._folder()).rglob("*") if path.is_file()]


def assert_soon(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def test_visitors_do_not_see_each_other_and_are_forgotten(visit, photograph, server, tmp_path):
    one, other = visit(photograph), visit()
    other.page.wait_for_selector("#drop")
    assert other.page.locator("#compare img").count() == 0
    Image.open(photograph).resize((60, 60)).save(tmp_path / "mine.png")
    other.drop(tmp_path / "mine.png")
    assert other.seen("#compare")[0].shape == (60, 60, 3)
    one.page.locator("#saturation input[type=range]").press("Home")
    assert one.seen("#compare")[0].shape == (90, 120, 3)
    assert other.page.locator("#saturation input[type=range]").input_value() == "1"
    one.open("Variants")
    one.context.close()  # in the middle of work
    other.open("Doubt")
    assert other.seen("#doubt")[0].shape == (60, 60, 3)
    other.context.close()
    assert_soon(lambda: not files(server))


def test_nothing_but_this_computer_is_contacted(visitor):
    assert connected and connected <= {"127.0.0.1", "::1"}


def test_busy_port_is_an_error(capsys):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    message = capsys.readouterr().err
    assert f"`port` {port}" in message and "--port" in message
    assert main(["serve", "--port", "70000"]) == 2
    assert "from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["999.1.1.1", "192.0.2.1"])
def test_host_that_is_not_this_computer_is_an_error(capsys, host):
    assert main(["serve", "--host", host]) == 2
    assert (
        f"`host` must be an address of this computer, such as 127.0.0.1, or 0.0.0.0 for all of "
        f"them. Received: '{host}'" in capsys.readouterr().err
    )


def test_any_unknown_model_is_an_error_at_the_start(capsys):
    assert main(["serve", "--model", "cifar10", "nothing", "--port", str(free_port())]) == 2
    assert "Received: 'nothing'" in capsys.readouterr().err


def test_command_prints_the_address_and_stops_when_interrupted(monkeypatch, capsys):
    class Page:
        local_url = "http://127.0.0.1:8000/"

        def close(self, verbose):
            print("closed")

    class Interrupted:
        def wait(self):
            raise KeyboardInterrupt

    def launch(*models, **settings):
        given.update(settings, models=models)
        return Page()

    given = {}
    monkeypatch.setattr("colorkit.page.launch", launch)
    monkeypatch.setattr("colorkit.commands.serve.threading", SimpleNamespace(Event=Interrupted))
    assert main(["serve", "--model", "flowers", "--host", "0.0.0.0", "--port", "8000"]) == 0
    assert given == {"models": ("flowers",), "host": "0.0.0.0", "port": 8000}
    out = capsys.readouterr().out
    assert "http://127.0.0.1:8000/" in out and out.endswith("closed\n")


def test_page_without_gradio_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ImportError, match="pip install gradio"):
        room.build()


@pytest.mark.parametrize("color", ["#2040ff", "rgba(32, 64.2, 255, 1)"])
def test_hint_has_the_color_of_the_picker(color):
    given = []
    room._hint(SimpleNamespace(hint=lambda *hint: given.append(hint)), (1, 2), color)
    assert given == [((1, 2), "#2040ff")]
