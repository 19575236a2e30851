"""The Model Evaluation panel of the real App shows and compares our runs.

Pictures of it are kept in `test-out/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import fiftyone as fo
import pytest
from app_browser import CHROMIUM, RUN_MILLISECONDS, keep, open_page, running_app
from fiftyone_gemini.api import evaluate
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.evaluation import ShapeScores
from fiftyone_gemini.labels.convert import to_fiftyone
from fiftyone_gemini.labels.create import create_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Page

DATASET = "panel-test"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
]


@pytest.fixture
def judged(demo: Path) -> Iterator[tuple[fo.Dataset, list[ShapeScores]]]:
    """Give eight scenes with two evaluated fields: one and two objects are missed."""
    images = read_coco(demo / "annotations.json").images[:8]
    made = create_dataset(DATASET, images)
    scores = []
    for missed, name in ((1, "one"), (2, "two")):
        labels = [to_fiftyone(i.detections[missed:], i.frame) for i in images]
        made.set_values(name, labels)
        scores.append(evaluate(made, name).all.main)
    yield made, scores
    made.delete()


def numbers(page: Page, name: str, columns: int) -> list[float]:
    """Read the numbers of a row of the panel."""
    cells = page.locator("tr", has=page.get_by_text(name, exact=True)).first
    texts = cells.inner_text().split()
    return [float(t) for t in texts if t.replace(".", "").isdigit()][:columns]


def expected(scores: list[ShapeScores]) -> dict[str, list[float]]:
    """Say which numbers the rows of the panel must show, to three digits."""
    found = {
        "mAP": [s.coco.ap for s in scores],
        "mAR": [s.coco.ar100 for s in scores],
        "Recall": [s.counts.recall for s in scores],
        "F1-Score": [s.counts.f1 for s in scores],
    }
    return {
        name: [round(v, 3) for v in values if v is not None]
        for name, values in found.items()
    }


def open_evaluation(page: Page, key: str) -> None:
    """Click an evaluation until it opens: a panel that still loads loses clicks."""
    from playwright.sync_api import TimeoutError as TooLateError

    for _ in range(4):
        page.get_by_text(key, exact=True).last.click()
        with suppress(TooLateError):
            page.get_by_text("mAP", exact=True).wait_for(timeout=RUN_MILLISECONDS / 3)
            return
    pytest.fail(f"the panel did not open {key}")


def test_the_panel_shows_our_numbers_and_compares_them(
    judged: tuple[fo.Dataset, list[ShapeScores]], tmp_path: Path, root: Path
) -> None:
    """Its numbers are ours, for one run and for two; deleting one leaves the other."""
    dataset, scores = judged
    with (
        running_app(DATASET, tmp_path, {}) as url,
        open_page(url, DATASET, tmp_path) as page,
    ):
        page.locator("[data-cy=new-panel-btn]").first.click()
        page.get_by_text("Model Evaluation").first.click()
        open_evaluation(page, "one_eval")
        for name, values in expected(scores[:1]).items():
            assert numbers(page, name, 1) == values, name
        page.get_by_text("Select a comparison").click()
        page.get_by_role("option", name="two_eval").click()
        second = str(expected(scores)["mAP"][1])
        page.get_by_text(second).first.wait_for(timeout=RUN_MILLISECONDS)
        for name, values in expected(scores).items():
            assert numbers(page, name, 2) == values, name
        keep(page, root, "6-comparison")
    dataset.reload()
    dataset.delete_evaluation("one_eval")
    assert dataset.list_evaluations() == ["two_eval"]
    left = [p for p in dataset.get_field_schema(flat=True) if "one_eval" in p]
    assert not left
