"""The record of a run: the same in the COCO file, in FiftyOne and in an export; no key."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fiftyone_gemini.asking import Manner
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.records import run_record
from fiftyone_gemini.values import Question, Run, Status
from fiftyone_gemini.version import __version__
from typer.testing import CliRunner

if TYPE_CHECKING:
    import fiftyone as fo

KEY = "AIzaSyTopSecretKey-0123456789abcdefghijk"
MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> tuple[Run, Path]:
    """Label two scenes and a broken picture, with a key; give the run and its folder."""
    folder = tmp_path_factory.mktemp("labelled")
    pictures = folder / "pictures"
    pictures.mkdir()
    for path in sorted((demo / "data").glob("*.jpg"))[:2]:
        (pictures / path.name).write_bytes(path.read_bytes())
    (pictures / "broken.jpg").write_bytes(b"no picture")
    environment = {"GEMINI_API_KEY": KEY}
    with running_emulator(Settings()) as emulator:
        endpoint = endpoint_from_environment(environment, base_url=emulator.url)
        run = label(
            FolderSource(pictures),
            CocoSink(folder / "labels.json"),
            Question("detect", ("cup", "laptop"), "Only whole ones."),
            model=MODEL,
            endpoint=endpoint,
            journal=folder / "journal.sqlite",
            manner=Manner(max_side=300),
        )
    return run, folder


def test_the_coco_file_says_all_about_its_run(labelled: tuple[Run, Path]) -> None:
    """Models, prompt, schema, parameters, version, times, usage, statuses, journal."""
    run, folder = labelled
    info = json.loads((folder / "labels.json").read_text())["info"]
    record = info["gemini_run"]
    assert record == json.loads(json.dumps(run_record(run)))
    assert info["date_created"] == record["started"]
    assert record["model"] == MODEL
    assert sum(record["models_answered"].values()) == 2
    assert record["endpoint"] == "emulator"
    assert "Only whole ones." in record["prompt"]
    assert record["question"]["classes"] == ["cup", "laptop"]
    assert record["parameters"]["schema"]["type"] == "array"
    assert record["parameters"]["max_side"] == 300
    assert record["code_version"] == __version__
    assert datetime.fromisoformat(record["started"]) <= datetime.fromisoformat(
        record["finished"]
    )
    assert record["usage"]["prompt"] == run.usage.prompt > 0
    (answered,) = record["models_answered"]
    assert record["usage_by_model"] == {answered: record["usage"]}
    assert record["statuses"][Status.MEDIA_ERROR] == 1
    assert sum(record["statuses"].values()) == 3
    assert record["journal"] == str(folder / "journal.sqlite")


def test_each_picture_says_what_its_reply_took(
    labelled: tuple[Run, Path], dataset: fo.Dataset
) -> None:
    """Tokens and dollars stand at each image, and at each sample; a failed one has none."""
    from fiftyone_gemini.labels.write import FieldSink
    from fiftyone_gemini.values import Item, Parsed, Usage

    run, folder = labelled
    images = json.loads((folder / "labels.json").read_text())["images"]
    spent = [image["gemini_usage"] for image in images if "gemini_usage" in image]
    assert sum(usage["prompt"] for usage in spent) == run.usage.prompt
    assert len(spent) == 2
    assert {image.get("gemini_cost_usd") for image in images} == {None, 0.0}
    sink = FieldSink(dataset, "gemini")
    first = dataset.first()
    usage = Usage(prompt=100, output=20, thoughts=3)
    item = Item(first.id, first.filepath)
    sink.write(Parsed(item, Status.BLOCKED, usage=usage, cost_usd=0.25))
    sink.write(Parsed(item, Status.API_ERROR))
    assert dataset.first().gemini_tokens == 123
    assert dataset.first().gemini_cost_usd == 0.25
    assert dataset.last().gemini_tokens is None


def test_no_file_of_a_run_holds_the_key(labelled: tuple[Run, Path]) -> None:
    """Neither the labels nor the journal nor its export know the key."""
    run, folder = labelled
    out = folder / "replies.jsonl"
    arguments = ["journal", "export", str(folder / "journal.sqlite"), str(out)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {"labels.json", "journal.sqlite", "replies.jsonl"} <= {f.name for f in files}
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in repr(run)


def test_fiftyone_keeps_the_same_record_and_exports_it(
    labelled: tuple[Run, Path], dataset: fo.Dataset, tmp_path: Path
) -> None:
    """The registered run reads back as the record, and goes into the exported file."""
    from fiftyone_gemini.labels.runs import record_of_field
    from fiftyone_gemini.labels.write import FieldSink
    from fiftyone_gemini.values import Frame, Item, Parsed

    run, _ = labelled
    sink = FieldSink(dataset, "gemini")
    first = dataset.first()
    sink.write(Parsed(Item(first.id, first.filepath), Status.EMPTY, Frame(64, 48)))
    sink.finish(run)
    plain = json.loads(json.dumps(run_record(run)))
    assert record_of_field(dataset, "gemini") == plain
    assert record_of_field(dataset.limit(1), "gemini") == plain
    out = tmp_path / "labels.json"
    command = ["export", str(out), "--dataset", dataset.name, "--field", "gemini"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.exception
    assert json.loads(out.read_text())["info"]["gemini_run"] == plain


def test_a_field_that_no_run_wrote_has_no_record(dataset: fo.Dataset) -> None:
    """Other fields, unknown ones, and deleted records give None."""
    from fiftyone_gemini.labels.runs import record_of_field

    assert record_of_field(dataset, "filepath") is None
    assert record_of_field(dataset, "unknown") is None
