"""Pictures by URL: fetched within limits, never from a private network unless allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone_gemini.asking import Asking, Manner
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.errors import MediaError
from fiftyone_gemini.labels.samples import ViewSource
from fiftyone_gemini.media import fetch as fetching
from fiftyone_gemini.media.image import load_image, read_frame
from fiftyone_gemini.values import Box, Frame, ImageLabels, Item, Question
from PIL import Image

Answer = Callable[[BaseHTTPRequestHandler], None]


def png(width: int = 8, height: int = 6) -> bytes:
    """Give a picture."""
    file = BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return file.getvalue()


def send(
    handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str
) -> None:
    """Answer a request."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if "Content-Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve on loopback; give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Forget what was fetched before."""
    fetching._kept.cache_clear()


def test_a_picture_by_url_is_sent_as_it_is() -> None:
    """Its bytes pass through; a region and the size come from the same download."""
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(handler, png())

    with serving(answer) as url:
        media = load_image(f"{url}/a?key=1", private=True)
        part = load_image(f"{url}/a?key=1", region=Box(2, 2, 4, 3), private=True)
        frame = read_frame(f"{url}/a?key=1", private=True)
    assert (media.data, media.mime_type) == (png(), "image/png")
    assert (part.frame, part.whole, frame) == (Frame(4, 3), Frame(8, 6), Frame(8, 6))
    assert set(asked) == {"/a?key=1"}
    assert len(asked) <= 2  # two where a minute has just ended


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]",
     "0.0.0.0", "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]"],
)  # fmt: skip
def test_private_addresses_are_refused(host: str) -> None:
    """What is not on the public internet is refused before anything is sent to it."""
    for scheme in ("http", "https"):
        with pytest.raises(MediaError, match="not on the public internet"):
            load_image(f"{scheme}://{host}/latest/meta-data")


def test_redirects_are_followed_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect leads on, but not to a private address, another scheme or in circles."""
    places = {
        "/a": "/b",
        "/inside": "http://169.254.169.254/",
        "/file": "file:///etc/x",
    }

    def answer(handler: BaseHTTPRequestHandler) -> None:
        moved = places.get(handler.path)
        if handler.path == "/b":
            send(handler, png())
        else:
            send(handler, b"", 302, Location=moved or handler.path)

    monkeypatch.setattr(fetching, "_is_public", lambda a: a.startswith("127."))
    with serving(answer) as url:
        assert load_image(f"{url}/a").frame == Frame(8, 6)
        with pytest.raises(MediaError, match=r"169\.254\.169\.254, which is not on"):
            load_image(f"{url}/inside")
        with pytest.raises(MediaError, match="only http and https"):
            load_image(f"{url}/file")
        with pytest.raises(MediaError, match="redirects more than 5 times"):
            load_image(f"{url}/circle")


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for a long time."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(lambda h: send(h, b"", 404), r"HTTP 404", id="missing"),
        pytest.param(lambda h: send(h, b"<html>"), "not a picture", id="html"),
        pytest.param(lambda h: send(h, b""), "not a picture", id="empty"),
        pytest.param(lambda h: send(h, b"x" * 3000), "larger than", id="large"),
        pytest.param(lambda h: send(h, png()[:50]), "damaged", id="cut"),
        pytest.param(
            lambda h: send(h, png()[:50], **{"Content-Length": "99"}),
            "IncompleteRead",
            id="broken-off",
        ),
        pytest.param(slowly, "did not arrive", id="slow"),
    ],
)
def test_what_cannot_be_fetched_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, words: str
) -> None:
    """Each failure is a media error that names the place without its secrets."""
    monkeypatch.setattr(fetching, "MAX_BYTES", 2000)
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.5)
    with serving(answer) as url, pytest.raises(MediaError, match=words) as raised:
        load_image(f"{url}/p.png?signature=SECRET", private=True)
    assert "/p.png" in str(raised.value)
    assert "SECRET" not in str(raised.value)


def test_nobody_listens_is_a_sentence() -> None:
    """A host that is not there costs one picture."""
    with pytest.raises(MediaError, match="cannot be fetched"):
        load_image("http://127.0.0.1:1/a.png", private=True)
    with pytest.raises(MediaError, match="cannot be fetched"):
        load_image("http://nowhere.invalid/a.png")
    with pytest.raises(MediaError, match=r"only http and https|cannot be fetched"):
        load_image("http://")


def test_urls_reach_the_request(dataset: fo.Dataset, tmp_path: Path) -> None:
    """A URL in a field of the samples, or in a COCO file, is what is asked about."""
    with serving(lambda handler: send(handler, png())) as url:
        dataset.set_values("url", [f"{url}/{n}.png" for n in range(4)])
        items = list(ViewSource(dataset, media_field="url").items())
        asking = Asking.about(
            Question("detect"), "gemini-3.8-flash", Manner(private_urls=True)
        )
        assert asking.request(items[3]).media.data == png()
    refusing = Asking.about(Question("detect"), "gemini-3.8-flash")
    with pytest.raises(MediaError, match="--private-urls"):
        refusing.request(Item("1", f"{url}/0.png"))
    images = [ImageLabels("1", f"{url}/0.png", Frame(8, 6))]
    write_coco(tmp_path / "a.json", images)
    assert read_coco(tmp_path / "a.json").images[0].path == f"{url}/0.png"
