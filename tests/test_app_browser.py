"""A person labels three samples in the real App, in a real browser.

Pictures of what they see are kept in `test-out/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import fiftyone as fo
import pytest
from app_browser import CHROMIUM, RUN_MILLISECONDS, keep, open_page, running_app
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.labels.create import create_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

DATASET = "browser-test"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]
TRIES = 5


@pytest.fixture
def scenes(demo: Path) -> Iterator[fo.Dataset]:
    """Give a dataset of eight demo scenes, without labels."""
    images = read_coco(demo / "annotations.json").images[:8]
    made = create_dataset(DATASET, images)
    made.delete_sample_field("ground_truth")
    yield made
    made.delete()


@pytest.fixture
def page(scenes: fo.Dataset, demo: Path, tmp_path: Path) -> Iterator[Page]:
    """Give a page with the samples, of an App whose Gemini is the emulator."""
    knowing = Settings(truth=str(demo / "annotations.json"), latency=2)
    with running_emulator(knowing) as emulator:
        environment = {
            "GOOGLE_GEMINI_BASE_URL": emulator.url,
            "FIFTYONE_GEMINI_JOURNAL": str(tmp_path / "journal.sqlite"),
        }
        with (
            running_app(scenes.name, tmp_path, environment) as url,
            open_page(url, scenes.name, tmp_path) as shown,
        ):
            yield shown


def select(page: Page, count: int) -> None:
    """Tick the first samples of the grid, one after the other."""
    counter = page.locator("[data-cy=selection-count-container]")
    page.wait_for_timeout(1000)  # the grid moves while pictures load
    for number in range(1, count + 1):
        for _ in range(TRIES):
            tick(page, number - 1)
            if appears(counter.get_by_text(str(number))):
                break
        else:
            pytest.fail(f"sample {number} cannot be selected")


def tick(page: Page, index: int) -> None:
    """Click the tick box of a tile, which shows when the mouse is over the tile."""
    box = page.locator("[data-cy=looker]").nth(index).bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + 19, box["y"] + 19)


def appears(locator: Locator) -> bool:
    """Tell whether something is seen within a few seconds."""
    from playwright.sync_api import TimeoutError as TooLate

    try:
        locator.wait_for(timeout=5000)
    except TooLate:
        locator.page.keyboard.press("Escape")  # a sample may have opened instead
        return False
    return True


def test_three_samples_get_boxes_and_masks(
    page: Page, scenes: fo.Dataset, root: Path
) -> None:
    """Three ticked samples are labelled through the form; the others are left alone."""
    select(page, 3)
    page.locator("img[src*='icon.svg']").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Boxes and masks").click()
    dialog.get_by_text("3 requests").wait_for(timeout=RUN_MILLISECONDS)
    keep(page, root, "1-form")
    dialog.get_by_role("button", name="Label", exact=True).click()
    dialog.get_by_text("about 3 samples").wait_for(timeout=RUN_MILLISECONDS)
    page.wait_for_timeout(400)
    keep(page, root, "2-progress")
    dialog.get_by_text("Saved in the field").wait_for(timeout=RUN_MILLISECONDS)
    page.wait_for_timeout(500)
    keep(page, root, "3-result")
    page.get_by_role("button", name="Done").or_(
        page.get_by_role("button", name="Close")
    ).first.click()
    page.wait_for_timeout(3000)
    keep(page, root, "4-labels")
    page.get_by_title("Click to expand").first.click(force=True)
    page.wait_for_selector("[data-cy=modal]", timeout=RUN_MILLISECONDS)
    page.wait_for_timeout(3000)
    keep(page, root, "5-sample")
    scenes.reload()
    answered = scenes.exists("gemini_status")
    assert len(answered) == 3
    assert set(answered.values("gemini_status")) == {"ok"}
    assert all(m.any() for m in answered.values("gemini.detections.mask", unwind=True))
