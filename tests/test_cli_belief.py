"""Intervals, trust and curves where people see them: in the terminal and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from typer.testing import CliRunner

NASTY = "<script>alert(1)</script>"


def files(
    folder: Path, confidences: list[float | None], label: str = "cat"
) -> list[str]:
    """Write truth and labels of 300 images: 280 right, the wrong ones less sure."""
    truth, said = [], []
    for number in range(300):
        wrong, confidence = number >= 280, confidences[number % len(confidences)]
        if wrong and confidence is not None:
            confidence = 0.25
        box, frame = Box(0, 0, 9, 9), Frame(60, 20)
        found = Detection(label, Box(40, 0, 9, 9) if wrong else box, None, confidence)
        truth.append(
            ImageLabels(str(number), f"{number}.jpg", frame, (Detection(label, box),))
        )
        said.append(ImageLabels(str(number), f"{number}.jpg", frame, (found,)))
    for name, images in (("truth", truth), ("labels", said)):
        write_coco(folder / f"{name}.json", images)
    return [str(folder / "truth.json"), str(folder / "labels.json")]


def run(*arguments: str) -> str:
    """Run a command and give what it prints."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_evaluate_says_how_sure_it_is(tmp_path: Path) -> None:
    """Headline numbers stand beside their intervals, classes beside their rules."""
    pair = files(tmp_path, [None])
    output = run("evaluate", *pair)
    assert "0.933 [0.90, 0.96]" in output
    assert "only 280 of 300 right" in output
    assert "0 of 300 predictions" in output
    output = run("evaluate", *pair, "--target-precision", "0.9")
    assert "accept all" in output
    assert "300 of 300 predictions (100 %)" in output


def test_a_confidence_makes_a_threshold(tmp_path: Path) -> None:
    """The sure ones pass, those at 0.25 are left for review."""
    output = run("evaluate", *files(tmp_path, [0.8, 0.9]))
    assert "accept from confidence 0.8" in output
    assert "280 of 300 predictions (93 %)" in output


@pytest.mark.parametrize(("confidences", "charts"), [([0.8, 0.9], 2), ([None], 0)])
def test_the_report_draws_what_there_is(
    tmp_path: Path, confidences: list[float | None], charts: int
) -> None:
    """Curves and calibration with confidence; without it a sentence says why not."""
    pair = files(tmp_path, confidences, NASTY)
    run("report", *pair, "--out", str(tmp_path / "out"), "--target-precision", "0.9")
    page = (tmp_path / "out" / "report.html").read_text()
    words = (tmp_path / "out" / "report.md").read_text()
    assert page.count('<figure class="chart">') == charts
    assert ("No prediction carries a confidence, so" in page) == (not charts)
    assert NASTY not in page + words
    assert "[0.90, 0.96]" in page
    assert "0.933 [0.90, 0.96]" in words
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    section = data["sections"][0]
    assert section["trust"]["target"] == 0.9
    assert section["trust"]["classes"][0]["rule"]["accepted"] >= 280
    assert section["intervals"]["f1"]["low"] < 280 / 300
    assert (section["confidence"]["calibration"] is not None) == bool(charts)
