"""The real FiftyOne App on a port of its own, and a Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-dev-shm-usage"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]
START_SECONDS = 90
RUN_MILLISECONDS = 60_000


@contextmanager
def running_app(
    dataset: str, folder: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """Give the address of an App server that shows a dataset."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(str(Path(sys.executable).with_name("fiftyone")), "app", "debug", dataset),
        *("--headless", "-p", str(port), "-A", "127.0.0.1"),
    ]
    with (folder / "app.log").open("w") as log:
        server = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/fiftyone", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the App server ended before it could answer"
        try:
            urlopen(url, timeout=5).read()
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


@contextmanager
def open_page(url: str, dataset: str, folder: Path) -> Iterator[Page]:
    """Give a page of Chromium that shows the samples of a dataset."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1500, "height": 950},
        )
        shown = browser.new_page()
        shown.goto(f"{url}/datasets/{dataset}")
        shown.wait_for_selector("[data-cy=looker]", timeout=RUN_MILLISECONDS)
        dismiss = shown.get_by_text("Dismiss", exact=True)
        if dismiss.count():
            dismiss.first.click()
        yield shown
        browser.close()


def keep(page: Page, root: Path, name: str) -> None:
    """Keep a picture of the page in `test-out/`."""
    folder = root / "test-out"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"app-{name}.png")
