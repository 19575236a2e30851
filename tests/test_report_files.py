"""The three files of a report: what they say, and that no text in them can do harm."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.report import ReportFiles, Section, build_report, write_report
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Mask,
    Question,
    Run,
    Status,
    Usage,
)
from PIL import Image

FRAME = Frame(64, 48)
NASTY = "<script>alert(1)</script>"
START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
RUN = Run(
    name="run-1",
    question=Question("detect", ("cat", "dog")),
    model="gemini-3.8-flash",
    endpoint="gemini",
    prompt="Find every cat.\nAnswer as JSON.",
    parameters={"temperature": 0.5},
    started=START,
    finished=START + timedelta(seconds=40),
    models_answered={"gemini-3.8-flash-001": 2},
    statuses={Status.OK: 2, Status.BLOCKED: 1},
    usage=Usage(prompt=1200, output=300, thoughts=50),
    code_version="1.2.3",
)


def square(label: str, x: int, *, mask: bool = False) -> Detection:
    """Make an object of 10 x 10 pixels."""
    crop = Mask(x, 5, np.ones((10, 10), bool)) if mask else None
    return Detection(label, Box(x, 5, 10, 10), crop)


def picture(folder: Path, name: str) -> str:
    """Make a grey picture file."""
    path = folder / name
    Image.new("RGB", (FRAME.width, FRAME.height), (90, 90, 90)).save(path)
    return str(path)


def image(
    image_id: str, path: str, *detections: Detection, status: Status = Status.OK
) -> ImageLabels:
    """Make the labels of one image."""
    return ImageLabels(image_id, path, FRAME, detections, status)


def section(folder: Path, *, run: Run | None = RUN, label: str = "cat") -> Section:
    """Make three images: one right, one half right, one blocked."""
    paths = [picture(folder, f"{n}.jpg") for n in (1, 2, 3)]
    truth = [
        image("1", paths[0], square(label, 0)),
        image("2", paths[1], square(label, 0), square("dog", 30)),
        image("3", paths[2], square("dog", 10)),
    ]
    said = [
        image("1", "", square(label, 0)),
        image("2", "", square(label, 0), square("owl", 30)),
        image("3", "", status=Status.BLOCKED),
    ]
    return Section("Boxes", run, evaluate(truth, said), truth, said)


def write(folder: Path, *sections: Section, **words: object) -> tuple[str, str, dict]:
    """Write a report and read its three files."""
    files = write_report(build_report(sections, **words), folder / "report")
    assert isinstance(files, ReportFiles)
    assert files.html.name == "report.html"
    return (
        files.html.read_text(),
        files.markdown.read_text(),
        json.loads(files.json.read_text()),
    )


class Outline(HTMLParser):
    """Collects the tags, the addresses and the visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and its addresses."""
        self.tags.append(tag)
        self.addresses += [v or "" for name, v in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def test_the_page_says_what_was_asked_of_whom_and_what_came(tmp_path: Path) -> None:
    """Model, answering model, time, tokens, statuses, prompt and notes are there."""
    page, markdown, data = write(
        tmp_path, section(tmp_path), title="My report", notes=["make demo"]
    )
    text = Outline(page).text
    for words in (
        *("My report", "gemini-3.8-flash", "gemini-3.8-flash-001 (2)", "1 blocked"),
        *("2026-11-22 09:30 UTC, for 40.0 seconds", "Find every cat.", "make demo"),
        *("1,200 in, 300 out, 50 thinking", "temperature = 0.5", "1.2.3"),
        "2 of 3 predictions are right",
    ):
        assert words in text
        assert words in markdown
    assert data["title"] == "My report"
    assert data["sections"][0]["run"]["model"] == "gemini-3.8-flash"


def test_every_headline_comes_twice_when_images_failed(tmp_path: Path) -> None:
    """Recall is 2 of 4 over all images, and 2 of 3 over those answered."""
    page, markdown, data = write(tmp_path, section(tmp_path))
    assert "answered only: 0.667" in Outline(page).text
    assert "| **Recall** | 0.500 [0.15, 0.85] | 0.667 |" in markdown
    scores = data["sections"][0]["scores"]
    assert scores["all"]["boxes"]["counts"]["recall"] == 0.5
    assert scores["answered"]["boxes"]["counts"]["recall"] == 2 / 3
    assert scores["statuses"] == {"ok": 2, "blocked": 1}


def test_json_numbers_are_those_of_the_scores(tmp_path: Path) -> None:
    """The JSON twin keeps full precision, and null where nothing is defined."""
    shown = section(tmp_path)
    _, _, data = write(tmp_path, shown)
    boxes = data["sections"][0]["scores"]["all"]["boxes"]
    assert boxes["coco"]["ap"] == shown.scores.all.boxes.coco.ap
    assert boxes["coco"]["ap_large"] is None
    assert [row["label"] for row in boxes["classes"]] == ["cat", "dog", "owl"]


def test_an_undefined_number_is_a_dash(tmp_path: Path) -> None:
    """AP of a class that the truth lacks is not shown as 0."""
    _, markdown, _ = write(tmp_path, section(tmp_path))
    row = next(line for line in markdown.splitlines() if line.startswith("| owl"))
    assert row.endswith("| 0.000 | – | 0.000 | – | – | – |")  # noqa: RUF001


def test_a_price_that_is_unknown_is_called_unknown(tmp_path: Path) -> None:
    """None is unknown, a price is given with the price of a right object."""
    page, _, data = write(tmp_path, section(tmp_path))
    assert "Costunknown" in Outline(page).text.replace("\n", "")
    assert data["sections"][0]["run"]["cost_usd"] is None
    priced = section(tmp_path, run=replace(RUN, cost_usd=0.5))
    page, _, _ = write(tmp_path, priced)
    assert "$0.5000" in page
    assert "$0.250000" in page


def test_answers_of_the_emulator_are_never_taken_for_gemini(tmp_path: Path) -> None:
    """A banner says so in all three files; without emulator there is none."""
    words = "Answers came from the offline emulator, not from Gemini"
    emulated = section(tmp_path, run=replace(RUN, endpoint="emulator"))
    page, markdown, data = write(tmp_path, emulated)
    assert words in page
    assert words in markdown
    assert data["sections"][0]["banner"] == words
    assert not any(words in str(file) for file in write(tmp_path, section(tmp_path)))


def test_missing_confidence_is_explained(tmp_path: Path) -> None:
    """AP without confidence is a matter of ties, and the report says so."""
    page, markdown, _ = write(tmp_path, section(tmp_path, run=None))
    assert "No prediction carries a confidence." in page
    assert "No prediction carries a confidence." in markdown
    assert "was not recorded" in page


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """A label, a file name, a prompt or a title cannot become markup."""
    hostile = section(tmp_path, label=NASTY)
    name = "<img src=x onerror=alert(1)>.jpg"
    moved = [replace(i, path=f"{tmp_path}/{name}") for i in hostile.truth]
    run = replace(RUN, prompt=f"```\n{NASTY}", model=NASTY, parameters={NASTY: NASTY})
    hostile = replace(hostile, truth=moved, run=run, title=f"../../{NASTY}|x")
    page, markdown, data = write(tmp_path, hostile, title=NASTY, notes=[NASTY])
    outline = Outline(page)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert NASTY in outline.text
    assert name in outline.text
    outside_fences = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", markdown)
    assert "<script" not in outside_fences
    assert "<img" not in outside_fences
    assert "````text\n```\n<script>" in markdown
    assert data["sections"][0]["scores"]["classes"][0] == NASTY
    assert sorted(p.name for p in (tmp_path / "report").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
    ]


def test_half_a_character_in_a_label_does_not_stop_the_report(tmp_path: Path) -> None:
    """A lone surrogate, which a reply may contain, is written as a question mark."""
    page, markdown, data = write(tmp_path, section(tmp_path, label="cat \ud800"))
    assert "cat ?" in page
    assert "cat ?" in markdown
    assert "cat ?" in data["sections"][0]["scores"]["classes"]


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    """All addresses are data in the page or places in it; there is no script."""
    page, _, _ = write(tmp_path, section(tmp_path), section(tmp_path))
    outline = Outline(page)
    starts = {re.split("[;-]", address)[0] for address in outline.addresses}
    assert starts == {"data:image/jpeg", "#section"}
    assert "script" not in outline.tags
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page


def test_several_sections_stand_in_one_report(tmp_path: Path) -> None:
    """Detection and segmentation of the same scenes share a page, with a way there."""
    boxes = section(tmp_path)
    path = picture(tmp_path, "m.jpg")
    truth = [image("1", path, square("cat", 0, mask=True))]
    masks = Section("Masks", RUN, evaluate(truth, truth), truth, truth)
    page, markdown, data = write(tmp_path, boxes, masks)
    assert [s["title"] for s in data["sections"]] == ["Boxes", "Masks"]
    assert [s["scores"]["compared_by"] for s in data["sections"]] == ["boxes", "masks"]
    assert "#section-2" in Outline(page).addresses
    assert "| Number | boxes | masks | What it means |" in markdown


def test_an_empty_report_is_still_a_report(tmp_path: Path) -> None:
    """No section, or a section without images: the files are written all the same."""
    nothing = Section("Nothing", None, evaluate([], []), [], [])
    page, _, data = write(tmp_path, nothing)
    assert "There are no images." in page
    assert data["sections"][0]["worst_images"] == []
    assert write(tmp_path)[2]["sections"] == []


@pytest.mark.browser
def test_the_page_fits_a_phone_and_runs_nothing(tmp_path: Path) -> None:
    """In a browser the page is as wide as the window, and the console is quiet."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no system Chromium")
    hostile = replace(section(tmp_path, label=NASTY * 5), title=NASTY)
    files = write_report(build_report([hostile]), tmp_path / "report")
    heard: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"]
        )
        for width in (390, 1280):
            tab = browser.new_page(viewport={"width": width, "height": 800})
            tab.on("dialog", lambda dialog: heard.append(dialog.message))
            tab.on("console", lambda message: heard.append(message.text))
            tab.goto(files.html.as_uri())
            wide = tab.evaluate("document.documentElement.scrollWidth")
            assert wide == width
        browser.close()
    assert heard == []


def shown_rows(tab: Any) -> list[str]:
    """Give the names of the classes as they stand on the page, from above."""
    rows = tab.locator(".sorted tbody tr").all()
    found = sorted((row.bounding_box()["y"], row.inner_text()) for row in rows)
    return [re.split(r"\s", text)[0] for _, text in found]


@pytest.mark.browser
def test_the_classes_are_sorted_by_any_column(tmp_path: Path) -> None:
    """A click sorts, without a script; on paper the worst class comes first."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no system Chromium")
    path = picture(tmp_path, "a.jpg")
    truth = [image("1", path, square("owl", 0), square("cat", 40), square("cat", 80))]
    said = [image("1", path, square("owl", 0), square("cat", 40), square("dog", 80))]
    found = Section("Birds", None, evaluate(truth, said), truth, said)
    files = write_report(build_report([found]), tmp_path / "report")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        tab.goto(files.html.as_uri())
        assert shown_rows(tab) == ["dog", "cat", "owl"]
        for column, ways in (
            ("Class", (["cat", "dog", "owl"], ["owl", "dog", "cat"])),
            ("Objects", (["dog", "owl", "cat"], ["cat", "owl", "dog"])),
            ("AP", (["dog", "cat", "owl"], ["owl", "cat", "dog"])),
        ):
            for way, expected in zip(("smallest", "largest"), ways, strict=True):
                tab.get_by_title(f"{column}: {way} first", exact=True).click()
                assert shown_rows(tab) == expected, (column, way)
        tab.emulate_media(media="print")
        assert shown_rows(tab) == ["dog", "cat", "owl"]
        assert not tab.locator(".order").first.is_visible()
        browser.close()
