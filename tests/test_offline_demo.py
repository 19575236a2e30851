"""The newcomer's first command, run for real: `fiftyone-gemini demo` and its App."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from fiftyone_gemini.emulator import Settings, running_emulator
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

pytestmark = pytest.mark.slow

DEMO = [sys.executable, "-m", "fiftyone_gemini", "demo", "--out"]


@dataclass(frozen=True)
class DemoRun:
    """What one run of the demo left."""

    folder: Path
    printed: str
    seconds: float


def run_demo(folder: Path) -> DemoRun:
    """Run the demo in a process of its own, as a newcomer without a key does."""
    start = time.monotonic()
    done = subprocess.run(
        [*DEMO, str(folder)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return DemoRun(folder, done.stdout, time.monotonic() - start)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Run the demo once for all tests of this file."""
    return run_demo(tmp_path_factory.mktemp("demo"))


def test_the_demo_says_who_answered_and_where_everything_is(first: DemoRun) -> None:
    """The output names the emulator as such, and every file it names exists."""
    assert "not from Gemini" in first.printed
    for word in ("report:", "journal:"):
        path = re.search(rf"{word}\s+(\S+)", first.printed.replace("\n", " "))
        assert path is not None
    assert (first.folder / "report" / "report.html").is_file()
    assert (first.folder / "journal.sqlite").is_file()


@pytest.mark.parametrize(
    ("field", "kind", "row"),
    [
        pytest.param("gemini_boxes", "bbox", "boxes", id="detect"),
        pytest.param("gemini_masks", "segm", "masks", id="segment"),
    ],
)
def test_the_exported_coco_scores_what_the_demo_printed(
    first: DemoRun, field: str, kind: str, row: str
) -> None:
    """The COCO files score the same in pycocotools as in the printed table."""
    section = first.printed.split(f"({field})", 1)[1]
    printed = re.search(rf"^\s*{row}((?:\s+[\d.]+){{6}})\s*$", section, re.MULTILINE)
    assert printed is not None
    truth = COCO(str(first.folder / "coco" / "ground_truth.json"))
    labels = json.loads((first.folder / "coco" / f"{field}.json").read_text())
    judge = COCOeval(truth, truth.loadRes(labels["annotations"]), kind)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert [float(x) for x in printed[1].split()[:3]] == [
        round(float(x), 3) for x in judge.stats[:3]
    ]


def test_the_report_is_one_file_that_names_the_emulator(first: DemoRun) -> None:
    """The report needs no other file and no network, and says it is not Gemini's."""
    html = (first.folder / "report" / "report.html").read_text()
    assert "not from Gemini" in html
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)


def test_a_second_demo_pays_for_nothing(first: DemoRun) -> None:
    """Run again on the same folder, the demo finds all replies in the journal."""
    again = run_demo(first.folder)
    assert again.printed.count("24 replies were in the journal already") == 2


def test_the_app_opens_on_the_labelled_demo(first: DemoRun) -> None:
    """`demo --app` serves the App on the demo dataset until it is ended."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [*DEMO, str(first.folder), "--app"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FIFTYONE_DEFAULT_APP_PORT": port},
    )
    try:
        assert f"127.0.0.1:{port}" in wait_for_line(process, "The App is at")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/fiftyone") as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.wait(60)


def test_asking_gemini_without_a_key_is_one_sentence(tmp_path: Path) -> None:
    """`demo --gemini` without a key says how to get one, and exits with 1."""
    done = subprocess.run(
        [*DEMO, str(tmp_path), "--gemini"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*GEMINI_API_KEY.*\n", done.stderr)


def test_asking_gemini_says_the_cost_first(tmp_path: Path) -> None:
    """`demo --gemini` states tokens and price before the first request."""
    with running_emulator(Settings(faults="badkey:1")) as emulator:
        done = subprocess.run(
            [*DEMO, str(tmp_path), "--gemini"],
            env={**os.environ, "GOOGLE_GEMINI_BASE_URL": emulator.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert re.search(r"detect: Estimate: 24 requests .*\$0\.\d+", done.stdout)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")


def wait_for_line(process: subprocess.Popen[str], start: str) -> str:
    """Read a process's output up to a line that starts with this."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    pytest.fail(f"the process ended without saying {start!r}")
