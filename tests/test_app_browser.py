"""A person labels, watches, judges and reports in the real App, in a real browser.

Pictures of what they see are kept in `test-out/`.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote
from urllib.request import urlopen

import fiftyone as fo
import numpy as np
import pytest
from app_browser import CHROMIUM, RUN_MILLISECONDS, keep, open_page, running_app
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.summaries import load_summary
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SCENES, MANY, TICKED = "browser-test", "browser-many", "browser-ticked"
SAMPLES = 500
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]
TRIES = 5


@pytest.fixture(scope="module")
def scenes(demo: Path) -> Iterator[fo.Dataset]:
    """Give a dataset of eight demo scenes with their truth."""
    made = create_dataset(SCENES, read_coco(demo / "annotations.json").images[:8])
    yield made
    made.delete()


@pytest.fixture(scope="module")
def ticked(demo: Path) -> Iterator[fo.Dataset]:
    """Give a dataset of eight demo scenes of which some are going to be ticked."""
    made = create_dataset(TICKED, read_coco(demo / "annotations.json").images[:8])
    yield made
    made.delete()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    """Give a dataset of 500 small pictures, each another one."""
    folder = tmp_path_factory.mktemp("many")
    made = fo.Dataset(MANY, persistent=True, overwrite=True)
    rng = np.random.default_rng(0)
    for number in range(SAMPLES):
        path = folder / f"{number:03}.png"
        pixels = rng.integers(0, 255, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 48)).save(path)
        made.add_sample(fo.Sample(str(path)))
    yield made
    made.delete()


@pytest.fixture(scope="module")
def emulator(demo: Path) -> Iterator[str]:
    """Give the address of an emulator that knows the truth and takes its time."""
    knowing = Settings(truth=str(demo / "annotations.json"), latency=0.5)
    with running_emulator(knowing) as running:
        yield running.url


@pytest.fixture(scope="module")
def app_url(
    scenes: fo.Dataset, emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of an App server whose Gemini is the emulator."""
    folder = tmp_path_factory.mktemp("app")
    environ = {
        "GOOGLE_GEMINI_BASE_URL": emulator,
        "FIFTYONE_GEMINI_JOURNAL": str(folder / "journal.sqlite"),
    }
    with running_app(scenes.name, folder, environ) as url:
        yield url


def dialog_of(page: Page) -> Locator:
    """Give the form that is open."""
    return page.get_by_role("dialog")


def press(where: Page | Locator, name: str) -> None:
    """Press a button."""
    where.get_by_role("button", name=name, exact=True).first.click(
        timeout=RUN_MILLISECONDS
    )


def see(where: Page | Locator, text: str) -> None:
    """Wait until a text is there."""
    where.get_by_text(text).first.wait_for(timeout=RUN_MILLISECONDS)


def choose(dialog: Locator, now: str, wanted: str) -> None:
    """Choose something in a list of a form that shows what is chosen now."""
    dialog.get_by_role("combobox").filter(has_text=now).first.click()
    dialog.page.get_by_role("option", name=wanted).first.click()


def switch(dialog: Locator, label: str) -> None:
    """Turn a switch of a form."""
    text = dialog.get_by_text(label, exact=True).first
    text.locator("xpath=preceding::input[@type='checkbox'][1]").click()


def close(page: Page) -> None:
    """Close what an operator shows at its end."""
    done = page.get_by_role("button", name="Done")
    done.or_(page.get_by_role("button", name="Close")).first.click()
    page.wait_for_timeout(500)


def open_form(page: Page) -> Locator:
    """Open the form by its name, as the list of operators does it in any layout."""
    page.keyboard.press("Backquote")
    page.wait_for_timeout(700)
    page.keyboard.type("Label with Gemini")
    page.wait_for_timeout(700)
    page.keyboard.press("Enter")
    dialog_of(page).get_by_text("requests").first.wait_for(timeout=RUN_MILLISECONDS)
    return dialog_of(page)


def open_panel(page: Page, tab: str) -> None:
    """Open the panel, if it is not, and turn to a tab."""
    tabs = page.get_by_role("tab", name=tab)
    if not tabs.count():
        page.locator("[data-cy=new-panel-btn]").first.click()
        page.get_by_text("Gemini", exact=True).first.click()
    tabs.click(timeout=RUN_MILLISECONDS)
    page.wait_for_timeout(1500)


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


def test_a_person_labels_judges_and_reports(
    app_url: str, scenes: fo.Dataset, tmp_path: Path, root: Path
) -> None:
    """The estimate follows the form; eight samples are labelled, judged, shown, reported."""
    with open_page(app_url, SCENES, tmp_path) as page:
        dialog = open_form(page)
        choose(dialog, "Boxes", "Boxes and masks")
        switch(dialog, "Ask for a confidence")
        see(dialog, "8 requests")
        switch(dialog, "Try 3 samples first")
        see(dialog, "3 requests")
        keep(page, root, "3-form")
        switch(dialog, "Try 3 samples first")
        see(dialog, "8 requests")
        press(dialog, "Label")
        see(dialog, "Saved in the field")
        close(page)
        page.wait_for_timeout(2500)
        keep(page, root, "4-labels")
        open_panel(page, "Quality")
        press(page, "Evaluate")
        press(dialog_of(page), "Evaluate")
        see(dialog_of(page), "Images judged")
        close(page)
        see(page, "8 images, compared by masks")
        keep(page, root, "5-quality")
        assert shown_by_a_bar(page, root) == expected_of_a_bar(scenes)
        report_opens(page, root)
        open_panel(page, "Trust")
        see(page, "can be accepted unseen")
        keep(page, root, "8-trust")
        page.reload()
        see(page, "can be accepted unseen")


def shown_by_a_bar(page: Page, root: Path) -> int:
    """Click the longest bar of the chart, and count the samples that are shown then."""
    bar = page.locator(".plotly .barlayer .trace").first.locator(".point path").last
    box = bar.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    see(page, "samples are shown")
    page.wait_for_timeout(2000)
    keep(page, root, "6-filtered")
    text = page.locator("[data-cy=entry-counts]").first.inner_text()
    return int(text.split()[0])


def expected_of_a_bar(scenes: fo.Dataset) -> int:
    """Count the samples with right objects of the class whose bar is at the top."""
    scenes.reload()
    summary = load_summary(scenes, "gemini_eval")
    assert summary is not None
    top = max(summary.classes, key=lambda row: (-(row.f1 or 0), row.label))
    is_class = fo.ViewField("label") == top.label
    is_right = fo.ViewField("gemini_eval") == "tp"
    return scenes.filter_labels("gemini", is_class & is_right).count()


def report_opens(page: Page, root: Path) -> None:
    """Write the report from the panel, and open it."""
    press(page, "Report")
    press(dialog_of(page), "Write the report")
    link = dialog_of(page).get_by_role("link", name="Open the report")
    address = link.get_attribute("href", timeout=RUN_MILLISECONDS)
    close(page)
    assert address
    numbers = json.loads(
        Path(unquote(address.split("=")[1])).with_suffix(".json").read_text()
    )
    assert (
        numbers["sections"][0]["scores"]["all"]["images"] == 8
    )  # not what was clicked
    other = page.context.new_page()
    other.goto(f"{page.url.split('/datasets')[0]}{address}")
    other.get_by_text("Headline numbers").or_(
        other.get_by_text("What can be accepted unseen")
    ).first.wait_for(timeout=RUN_MILLISECONDS)
    keep(other, root, "7-report")
    other.close()


def test_a_slow_run_is_watched_stopped_and_resumed(
    app_url: str, many: fo.Dataset, emulator: str, tmp_path: Path, root: Path
) -> None:
    """It goes on when its dialog is closed; stopped and resumed, nothing is paid twice."""
    before = paid(emulator)
    with open_page(app_url, MANY, tmp_path) as page:
        dialog = open_form(page)
        see(dialog, f"{SAMPLES} requests")
        press(dialog, "Label")
        see(dialog, f"of {SAMPLES} samples")
        keep(page, root, "9-progress")
        see(dialog, "It goes on without this window")
        close(page)
        see(page, "at work")
        print_latency(app_url)
        keep(page, root, "10-live")
        press(page, "Stop")
        see(page, "stopped early")
        keep(page, root, "11-stopped")
        done = len(many.exists("gemini_status"))
        assert 0 < done < SAMPLES
        press(page, "Resume")
        press(dialog_of(page), "Resume")
        over = dialog_of(page).get_by_text("Saved in the field")
        goes_on = dialog_of(page).get_by_text("It goes on without this window")
        over.or_(goes_on).first.wait_for(timeout=RUN_MILLISECONDS)
        close(page)
        see(page, "from the journal")
        see(page, ": done")
        keep(page, root, "12-resumed")
    many.reload()
    assert len(many.exists("gemini_status")) == SAMPLES
    assert paid(emulator) - before == SAMPLES


def paid(emulator: str) -> int:
    """Count the answers that a model gave."""
    with urlopen(f"{emulator}/emulator/log", timeout=10) as answer:
        entries = json.loads(answer.read())
    return sum(entry["paid"] for entry in entries)


def print_latency(url: str) -> None:
    """Print how fast the App answers while a run is at work; no time is asserted."""
    times = []
    for _ in range(20):
        start = time.perf_counter()
        urlopen(f"{url}/fiftyone", timeout=30).read()
        times.append(1000 * (time.perf_counter() - start))
        time.sleep(0.1)
    median, most = statistics.median(times), max(times)
    print(f"\nApp answers during a run: median {median:.0f} ms, slowest {most:.0f} ms")


def test_a_storm_of_refusals_ends_in_a_sentence(
    app_url: str, many: fo.Dataset, tmp_path: Path, root: Path
) -> None:
    """A quota of the day that is used up stops the run at once, and the form says so."""
    with open_page(app_url, MANY, tmp_path) as page:
        dialog = open_form(page)
        words = dialog.get_by_label("In your own words").or_(dialog.locator("textarea"))
        words.first.fill("[emulator:fault=429day]")
        page.wait_for_timeout(1500)
        press(dialog, "Label")
        see(dialog, "Stopped")
        keep(page, root, "13-storm")
        assert "quota" in dialog.inner_text().lower()


def test_three_ticked_samples_get_boxes_and_masks(
    app_url: str, ticked: fo.Dataset, tmp_path: Path, root: Path
) -> None:
    """Three ticked samples are labelled through the form; the others are left alone."""
    with open_page(app_url, TICKED, tmp_path) as page:
        select(page, 3)
        dialog = open_form(page)
        choose(dialog, "Boxes", "Boxes and masks")
        see(dialog, "3 requests")
        press(dialog, "Label")
        see(dialog, "Saved in the field")
        page.wait_for_timeout(500)
        keep(page, root, "1-ticked")
        close(page)
        page.wait_for_timeout(3000)
        page.get_by_title("Click to expand").first.click(force=True)
        page.wait_for_selector("[data-cy=modal]", timeout=RUN_MILLISECONDS)
        page.wait_for_timeout(3000)
        keep(page, root, "2-sample")
    ticked.reload()
    answered = ticked.exists("gemini_status")
    assert len(answered) == 3
    assert set(answered.values("gemini_status")) == {"ok"}
    assert all(m.any() for m in answered.values("gemini.detections.mask", unwind=True))


def test_a_missing_key_is_told_in_the_form(
    scenes: fo.Dataset, tmp_path: Path, root: Path
) -> None:
    """Without a key the form says which variable to set, and is otherwise whole."""
    with (
        running_app(SCENES, tmp_path, {}) as url,
        open_page(url, SCENES, tmp_path) as page,
    ):
        page.locator("img[src*='icon.svg']").first.click()
        see(dialog_of(page), "GEMINI_API_KEY")
        keep(page, root, "14-no-key")
        assert dialog_of(page).get_by_text("Save in the field").count()
