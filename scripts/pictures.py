"""Make the pictures of the docs from the real thing: the report of the demo, the App.

Run by `make pictures`: needs Chromium, a demo that has run (`make demo`), and what the
browser tests saw in the App (`test-out/`).
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]


SHOWN = ("#section-2 .tiles", "#section-2 .legend", "#section-2 .example")
"""What of the masks' chapter is shown: the headline numbers, two pictures."""
APP = {"app-form": "3-form", "app-runs": "10-live", "app-quality": "5-quality"}
APP_SIZE = (1200, 760)
EXAMPLES = 2
GAP = 24


def main() -> None:
    """Take the pictures."""
    report = Path(sys.argv[1]) / "report" / "report.html"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not report.is_file():
        sys.exit("This needs Chromium, and a report: run `make demo` first.")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1060, "height": 900})
        page.goto(report.as_uri())
        parts = [part for name in SHOWN for part in take(page, name)]
        browser.close()
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / "demo.jpg"
    stack(parts).save(path, quality=88)
    print(path)
    copy_from_app()


def copy_from_app() -> None:
    """Make smaller copies of what the browser tests saw."""
    for name, seen in APP.items():
        found = ROOT / "test-out" / f"app-{seen}.png"
        if not found.is_file():
            sys.exit(f"There is no {found}: run tests/test_app_browser.py first.")
        picture = Image.open(found).convert("RGB")
        picture.thumbnail(APP_SIZE)
        path = PICTURES / f"{name}.jpg"
        picture.save(path, quality=85)
        print(path)


def take(page: Page, selector: str) -> list[Image.Image]:
    """Picture the last elements that a selector names."""
    found = page.locator(selector).all()[-EXAMPLES:]
    return [Image.open(io.BytesIO(element.screenshot())) for element in found]


def stack(parts: list[Image.Image]) -> Image.Image:
    """Put pictures below each other on the page's own background."""
    width = max(part.width for part in parts) + 2 * GAP
    height = sum(part.height + GAP for part in parts) + GAP
    sheet = Image.new("RGB", (width, height), parts[0].getpixel((0, 0)))
    top = GAP
    for part in parts:
        sheet.paste(part, (GAP, top))
        top += part.height + GAP
    return sheet


if __name__ == "__main__":
    main()
