"""Labels of other kinds on the command line: from files to tables, pages and verdicts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.files import read_label_file
from fiftyone_gemini.coco.lines import write_lines
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.errors import FormatError, GeminiLabelError
from fiftyone_gemini.values import (
    Answer,
    Box,
    Box3d,
    Detection,
    Frame,
    Item,
    Parsed,
    Point,
    Question,
    Run,
    Sighting,
    Span,
    Status,
    Tag,
    Trajectory,
    Usage,
    Value,
)
from typer.testing import CliRunner

FRAME = Frame(100, 50)
EVIL = "<script>alert(1)</script>"
RUN = Run(
    name="classify",
    question=Question("classify"),
    model="gemini-3.8-flash",
    endpoint="gemini",
    prompt="What is it?",
    parameters={},
    started=datetime(2026, 11, 1, tzinfo=UTC),
    finished=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=9),
    usage=Usage(100, 20),
    cost_usd=0.02,
)


def run(*arguments: object) -> str:
    """Run a command and give what it prints."""
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def lines(
    path: Path, *items: tuple[Value, ...] | None, made_by: Run | None = None
) -> Path:
    """Write items as `label` writes them; None: it was blocked."""
    parsed = [
        Parsed(
            Item(str(n), f"{n}.jpg"),
            Status.BLOCKED if values is None else Status.OK,
            FRAME,
            values or (),
        )
        for n, values in enumerate(items, start=1)
    ]
    write_lines(path, parsed, made_by)
    return path


def tags(*labels: str | None) -> list[tuple[Value, ...] | None]:
    """Give one tag for each item."""
    return [None if label is None else (Tag(label),) for label in labels]


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Every kind of value comes back the same, with the record of the run."""
    values: tuple[Value, ...] = (
        Tag("cat", 0.5, "agreement of 2 asks"),
        Answer("red", "colour"),
        Point("a", 1.5, 2.5, 0.7),
        Span("jump", 1.0, 2.5, "over the fence"),
        Trajectory("way", ((1.0, 2.0), (3.0, 4.0))),
        Box3d("car", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (7.0, 8.0, 9.0)),
        Sighting(2.5, Detection("dog", Box(1.0, 2.0, 3.0, 4.0), confidence=0.25)),
    )
    found = read_label_file(lines(tmp_path / "a.jsonl", values, None, made_by=RUN))
    assert found.images[0].values == values
    assert found.images[0].frame == FRAME
    assert found.images[1].status is Status.BLOCKED
    assert found.run == RUN


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"values": []}', "neither `sample_id` nor `file`"),
        ('{"sample_id": "1", "values": [{"label": 3}]}', "label: a string"),
        ('{"sample_id": "1", "values": [], "status": "fine"}', "no status"),
        ('{"sample_id": "1", "values": [{"label": "a", "x": 1}]}', r"y: a number"),
        ('{"sample_id": "1", "values": [{"seconds": 1}]}', "detection: an object"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    """Line and entry stand in the sentence."""
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"sample_id": "0", "values": []}}\n{line}\n')
    with pytest.raises(FormatError, match=f"line 2.*{sentence}"):
        read_label_file(path)


def test_tags_are_judged_and_reported(tmp_path: Path) -> None:
    """Table, page, Markdown and JSON have both numbers, the confusion and the worst."""
    truth = lines(tmp_path / "truth.jsonl", *tags("cat", "cat", "bus", EVIL))
    said = lines(tmp_path / "said.json", *tags("cat", "bus", "bus", None), made_by=RUN)
    output = run("evaluate", truth, said)
    assert "Accuracy" in output
    assert "0.500" in output
    assert "0.667" in output
    assert "3 ok, 1 blocked" in output
    run("report", truth, said, "--out", tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Confusion" in page
    assert "1 of 4 items got no answer" in page
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "The picture file is not there." in page
    assert "$0.010000" in page
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    [kind] = data["kinds"]
    assert kind["numbers"]["Accuracy"]["all"] == 0.5
    assert kind["numbers"]["Accuracy"]["answered"] == pytest.approx(2 / 3)
    assert kind["statuses"] == {"ok": 3, "blocked": 1}
    markdown = (tmp_path / "report" / "report.md").read_text()
    assert "| **Accuracy** | 0.500" in markdown
    assert "<script>" not in markdown


def test_names_are_matched_where_asked(tmp_path: Path) -> None:
    """Nothing is renamed by itself, and the output hints at --fold."""
    truth = lines(tmp_path / "truth.jsonl", *tags("cat", "dog"))
    said = lines(tmp_path / "said.jsonl", *tags("Cats", "dog"))
    assert "use --fold" in run("evaluate", truth, said)
    assert "1.000" in run("evaluate", truth, said, "--fold")


def test_points_are_judged_by_the_objects_of_a_coco_file(tmp_path: Path) -> None:
    """The truth may be a COCO file: right is inside of an object of the label."""
    box = Detection("cat", Box(0, 0, 20, 20))
    image = replace(read_label_file(lines(tmp_path / "x", ())).images[0], values=(box,))
    write_coco(tmp_path / "truth.json", [image])
    said = lines(tmp_path / "said.jsonl", (Point("cat", 5, 5), Point("cat", 60, 5)))
    output = run("evaluate", tmp_path / "truth.json", said)
    assert "Inside rate" in output
    assert "points" in output


def test_moments_of_a_video_are_judged_as_objects(tmp_path: Path) -> None:
    """Sightings get the numbers of objects, one picture for each true moment."""
    cat = Detection("cat", Box(0, 0, 20, 20))
    truth = lines(tmp_path / "truth.jsonl", (Sighting(1.0, cat), Sighting(2.0, cat)))
    said = lines(tmp_path / "said.jsonl", (Sighting(1.1, cat), Sighting(9.0, cat)))
    output = run("evaluate", truth, said)
    assert "1 sightings are near no moment" in output
    assert "2 true objects" in output


def test_runs_of_one_kind_are_compared(tmp_path: Path) -> None:
    """Differences, cost of a right item, and a page with a chapter for each run."""
    truth = lines(tmp_path / "truth.jsonl", *tags(*["cat"] * 40))
    good = lines(tmp_path / "good.jsonl", *tags(*["cat"] * 40), made_by=RUN)
    bad = lines(tmp_path / "bad.jsonl", *tags(*["cat", "dog"] * 20), made_by=RUN)
    output = run("compare", truth, good, bad, "--out", tmp_path / "report")
    assert "bad against good: worse in Accuracy" in output
    assert "per right item $0.000500" in output
    data = json.loads((tmp_path / "report" / "report.json").read_text())
    found = data["kind_comparison"]["against_first"]["bad"]["Accuracy"]
    assert found["difference"] == -0.5
    assert found["verdict"] == "worse"
    assert len(data["kinds"]) == 2


def test_options_for_objects_are_refused(tmp_path: Path) -> None:
    """An option that other kinds make no use of is an error, not ignored."""
    truth = lines(tmp_path / "truth.jsonl", *tags("cat"))
    words = ["evaluate", str(truth), str(truth), "--target-precision", "0.8"]
    with pytest.raises(GeminiLabelError, match="for objects"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    with pytest.raises(GeminiLabelError, match="--dataset"):
        CliRunner().invoke(app, [*words[:3], "--save-as", "a"], catch_exceptions=False)


def test_asks_are_merged_on_the_command_line(tmp_path: Path) -> None:
    """The files of further asks are found; scores and their source are kept."""
    truth = lines(tmp_path / "x", (), ())
    images = read_label_file(truth).images
    cat, dog = Detection("cat", Box(0, 0, 9, 9)), Detection("dog", Box(30, 0, 9, 9))
    for name, values in (("a", (cat, dog)), ("a_ask2", (cat,)), ("a_ask3", (cat,))):
        some = [replace(image, values=values) for image in images]
        write_coco(tmp_path / f"{name}.json", some)
    output = run("agree", tmp_path / "a.json", "--out", tmp_path / "agreed.json")
    assert "4 labels of 2 items, agreement of 3 asks" in output
    found = read_coco(tmp_path / "agreed.json").images[0].detections
    assert [(d.label, round(d.confidence or 0, 3)) for d in found] == [
        ("cat", 1),
        ("dog", 0.333),
    ]
    write_coco(tmp_path / "truth.json", [replace(i, values=(cat,)) for i in images])
    output = run("evaluate", tmp_path / "truth.json", tmp_path / "agreed.json")
    assert "Confidence: agreement of 3 asks." in output


def test_tags_of_several_asks_are_merged(tmp_path: Path) -> None:
    """Lines are merged into lines: the tag of the majority."""
    files = [
        lines(tmp_path / f"{n}.jsonl", (Tag(label),), made_by=RUN)
        for n, label in enumerate(("cat", "cat", "dog"))
    ]
    run("agree", *files, "--out", tmp_path / "agreed.jsonl")
    found = read_label_file(tmp_path / "agreed.jsonl")
    assert found.images[0].values == (Tag("cat", 2 / 3, "agreement of 3 asks"),)
    assert found.run is not None
    assert "agreement of 3 asks" in found.run.notes[-1]
