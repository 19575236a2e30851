"""`compare`, from three models asked over HTTP to the table and the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.runs import read_run
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import FormatError
from fiftyone_gemini.records import coco_info, run_record
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Question,
    Run,
    Status,
    Usage,
)
from typer.testing import CliRunner

QUESTION = {"task": "detect", "instruction": ""}
MODELS = ("gemini-3.8-flash", "gemini-3.6-flash", "gemini-3.5-flash-lite")


@pytest.fixture(scope="module")
def emulator_url() -> Iterator[str]:
    """Give the address of an emulator that looks at the pixels."""
    with running_emulator(Settings()) as emulator:
        yield emulator.url


def run(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run a command and give what it prints."""
    result = CliRunner().invoke(app, arguments, env=env, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def simple(path: Path, place: int, info: dict | None = None) -> str:
    """Write a COCO file of 40 images with a cat each."""
    cat = Detection("cat", Box(place, 0, 9, 9))
    images = [
        ImageLabels(str(n), f"{n}.jpg", Frame(60, 20), (cat,)) for n in range(1, 41)
    ]
    write_coco(path, images, info=info)
    return str(path)


@pytest.mark.slow
def test_three_models_from_pictures_to_a_verdict(
    tmp_path: Path, demo: Path, emulator_url: str
) -> None:
    """Label the demo three times, compare: table, sentences, page, Markdown, JSON."""
    truth = str(demo / "annotations.json")
    env = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": emulator_url}
    journal, files = str(tmp_path / "journal.sqlite"), []
    for model in MODELS:
        files.append(str(tmp_path / f"{model}.json"))
        options = ("--task", "segment", "--model", model, "--journal", journal)
        run("label", truth, *options, "--out", files[-1], env=env)
    output = run("compare", truth, *files, "--out", str(tmp_path / "report"))
    assert "gemini-3.5-flash-lite against gemini-3.8-flash: worse in" in output
    assert "within noise" in output
    assert "none (emulator)" in output
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.index("<h2>Comparison</h2>") < page.index('id="section-1"')
    assert page.count("Answers came from the offline emulator") == 3
    assert page.count("What goes wrong") == 3
    assert "## Comparison" in (tmp_path / "report" / "report.md").read_text()
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    found = data["comparison"]
    assert [entry["model"] for entry in found["runs"]] == list(MODELS)
    assert all(entry["tokens_out"] > 0 for entry in found["runs"])
    assert all(entry["seconds"] > 0 for entry in found["runs"])
    lite = found["against_first"]["gemini-3.5-flash-lite"]
    assert lite["COCO AP"]["high"] < 0
    assert lite["COCO AP"]["verdict"] == "worse"


def test_files_without_a_record_are_compared_all_the_same(tmp_path: Path) -> None:
    """Labels of unknown origin have numbers, and their effort is not recorded."""
    truth = simple(tmp_path / "truth.json", 0)
    same = simple(tmp_path / "<b>good.json", 0)
    other = simple(tmp_path / "bad.json", 30)
    out = str(tmp_path / "report")
    output = run("compare", truth, same, other, "--out", out)
    assert "bad against <b>good: worse in F1 and Precision and Recall" in output
    assert "not recorded" in output
    page = (tmp_path / "report" / "report.html").read_text()
    assert "&lt;b&gt;good" in page
    assert "<b>good" not in page


def test_files_of_one_name_keep_their_folders(tmp_path: Path) -> None:
    """Two `labels.json` are told apart by their paths."""
    truth = simple(tmp_path / "truth.json", 0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    files = [simple(tmp_path / name / "labels.json", 0) for name in ("a", "b")]
    output = run("compare", truth, *files)
    assert f"{files[1]} against {files[0]}: every difference is within noise" in output


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"question": 1}, "info.gemini_run.name"),
        ({"question": QUESTION, "name": "n", "model": "m", "endpoint": 3}, "endpoint"),
    ],
)
def test_a_broken_record_is_named(tmp_path: Path, record: dict, place: str) -> None:
    """What is wrong in a record is told with its place."""
    path = Path(simple(tmp_path / "x.json", 0, {"gemini_run": record}))
    with pytest.raises(FormatError, match=place):
        read_run(path)


def test_a_record_of_another_kind_is_none(tmp_path: Path) -> None:
    """A COCO file of someone else has no run."""
    assert read_run(Path(simple(tmp_path / "x.json", 0))) is None
    other = simple(tmp_path / "y.json", 0, {"gemini_run": "mine"})
    assert read_run(Path(other)) is None


def test_a_record_comes_back_as_it_went(tmp_path: Path) -> None:
    """Every field of a run survives the COCO file."""
    start = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    made = Run(
        name="r",
        question=Question("detect", ("cat",), "Look well.", confidence=True),
        model="m",
        endpoint="gemini",
        prompt="Find cats.",
        parameters={"max_side": 640, "schema": {"type": "object"}},
        started=start,
        finished=start + timedelta(seconds=3),
        models_answered={"m-001": 2},
        statuses={Status.OK: 2, Status.BLOCKED: 1},
        usage=Usage(10, 20, 30, 4),
        from_journal=1,
        cost_usd=0.25,
        journal="journal.sqlite",
        code_version="1.0",
        notes=("resized",),
    )
    path = Path(simple(tmp_path / "x.json", 0, coco_info(run_record(made))))
    assert read_run(path) == made
