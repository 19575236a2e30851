"""Make the pictures of the README from the real thing: the report of the demo.

Run by `make pictures`: needs Chromium and a demo that has run (`make demo`).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]


def main() -> None:
    """Take the pictures."""
    report = Path(sys.argv[1]) / "report" / "report.html"
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "google-chrome"))), None
    )
    if chromium is None or not report.is_file():
        sys.exit("This needs Chromium, and a report: run `make demo` first.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(report.as_uri())
        take(page, "demo.png")
        browser.close()


def take(page: Page, name: str) -> None:
    """Keep what the first screen of the masks' chapter shows."""
    path = PICTURES / name
    page.screenshot(path=path)
    print(path)


if __name__ == "__main__":
    main()
