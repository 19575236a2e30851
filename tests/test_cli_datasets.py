"""`evaluate`, `report` and `compare` on the fields of a FiftyOne dataset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.labels.read import read_labels
from fiftyone_gemini.labels.suspects import VIEW, delete_suspects_view
from fiftyone_gemini.labels.write import FieldSink
from fiftyone_gemini.values import (
    Box,
    Detection,
    Frame,
    ImageLabels,
    Question,
    Run,
    Usage,
)
from typer.testing import CliRunner

FRAME = Frame(100, 50)
CUP = Detection("cup", Box(5, 5, 20, 20))
OWL = Detection("owl", Box(60, 10, 20, 20))
NEAR = Detection("owl", Box(61, 10, 20, 20))
NAME = "cli-datasets"


def run(*arguments: str) -> str:
    """Run a command and give what it prints, in one line."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture
def judged() -> Iterator[fo.Dataset]:
    """Give 40 samples with truth and two without; runs `a` and `b` see an owl more."""
    images = [ImageLabels(str(n), f"/no/{n}.jpg", FRAME, (CUP,)) for n in range(42)]
    made = create_dataset(NAME, images)
    for name, owl in (("a", OWL), ("b", NEAR)):
        made.add_sample_field(
            name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
        for n, sample in enumerate(made):
            found = (CUP, owl) if n < 3 else (CUP,)
            sample[name] = fo.Detections(
                detections=[
                    fo.Detection(
                        label=d.label, bounding_box=list(d.box.xywh_rel(FRAME))
                    )
                    for d in found
                ]
            )
            if n >= 40:
                sample["ground_truth"] = None
            sample.save()
    yield made
    made.delete()


def test_fields_are_compared_by_name(judged: fo.Dataset, tmp_path: Path) -> None:
    """Two fields against each other, unlabelled samples left out, with a report."""
    out = tmp_path / "out"
    text = run(
        *("compare", "--dataset", NAME, "--field", "a", "--field", "b"),
        *("--out", str(out)),
    )
    assert "2 samples without anything in 'ground_truth' were left out" in text
    assert "3 objects that runs agree on and the truth lacks" in text
    assert "against a" in text
    assert str(out / "report.html") in text
    report = json.loads((out / "report.json").read_text())
    assert [s["scores"]["all"]["images"] for s in report["sections"]] == [40, 40]
    assert not judged.list_saved_views()


def test_suspects_become_a_view(judged: fo.Dataset) -> None:
    """The objects that both see are shown alone, the sure ones first; once."""
    for _ in range(2):
        text = run(
            *("compare", "--dataset", NAME, "--field", "a", "--field", "b"),
            "--suspects",
        )
        assert "0.jpg owl 2 of 2 0.905 60, 10, 20, 20" in text
        assert f"saved view: {VIEW}" in text
    judged.reload()
    shown = judged.load_saved_view(VIEW)
    assert len(shown) == 3
    assert shown.values("suspect_rank") == [1, 2, 3]
    for name in ("a", "b"):
        assert shown.distinct(f"{name}.detections.label") == ["owl"]
    delete_suspects_view(judged)
    assert not judged.list_saved_views()
    assert not judged.has_field("a.detections.suspect_rank")


def test_a_report_of_a_field_names_its_run(judged: fo.Dataset, tmp_path: Path) -> None:
    """The record of the labelling run is found by the field."""
    sink = FieldSink(judged, "c")
    sink.finish(
        Run(
            *("run one", Question("detect", ("cup",)), "gemini-x", "emulator", "Find."),
            parameters={},
            started=datetime(2026, 11, 1, tzinfo=UTC),
            finished=datetime(2026, 11, 1, 1, tzinfo=UTC),
            usage=Usage(5, 6),
        )
    )
    field = judged.get_field("a")
    field.info = {"made_by": "fiftyone-gemini", "run": "run_one"}
    field.save()
    options = ("--dataset", NAME, "--field", "a", "--out", str(tmp_path / "out"))
    run("report", *options)
    page = (tmp_path / "out" / "report.md").read_text()
    assert "gemini-x" in page
    assert "owl" in page


def test_a_blank_truth_may_mean_nothing_there(judged: fo.Dataset) -> None:
    """Asked for, samples without truth count as empty: what is seen there is wrong."""
    options = ("evaluate", "--dataset", NAME, "--field", "a")
    assert "cup 1.000 1.000 1.000 40 0 0" in run(*options)
    whole = run(*options, "--blank-is-empty")
    assert "cup" in whole
    assert " 40 2 0" in whole
    assert "left out" not in whole


def test_sources_do_not_mix(judged: fo.Dataset) -> None:
    """Files together with a dataset, or neither, are refused."""
    for arguments in (["compare"], ["compare", "t.json", "--dataset", NAME]):
        result = CliRunner().invoke(app, arguments)
        assert isinstance(result.exception, UsageError)


def test_a_reader_who_stops_early_still_gets_the_report(
    judged: fo.Dataset, tmp_path: Path
) -> None:
    """With standard output closed, the report is whole and nothing is printed."""
    files = []
    for name in ("ground_truth", "a", "b"):
        path = tmp_path / f"{name}.json"
        view = judged.limit(40)
        write_coco(path, read_labels(view, name, id_field="coco_id"))
        files.append(str(path))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "fiftyone_gemini", "compare", *files, "--out", "out"],
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr.decode()
    assert (tmp_path / "out" / "report.html").read_text().endswith("</html>")


def test_fields_of_tags_are_compared(judged: fo.Dataset) -> None:
    """`compare --dataset` sees the kind of the fields; a mixture is refused."""
    names = {"weather": "cat", "good": "cat", "bad": "dog"}
    for name, label in names.items():
        tags = [fo.Classification(label=label) for _ in range(len(judged))]
        judged.set_values(name, tags, dynamic=True)
    words = (
        "compare",
        "--dataset",
        NAME,
        "--truth-field",
        "weather",
        "--field",
        "good",
    )
    output = run(*words, "--field", "bad")
    assert "bad against good: worse in Accuracy" in output
    for more in (("--field", "a"), ("--field", "bad", "--suspects")):
        with pytest.raises(UsageError):
            CliRunner().invoke(app, [*words, *more], catch_exceptions=False)
