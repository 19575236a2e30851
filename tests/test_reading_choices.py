"""What a run counts of its replies, and the rules of reading: from `label` to the files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fiftyone_gemini.asking import PLAIN, Manner
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import CocoSink, FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.runs import read_run
from fiftyone_gemini.evaluation import evaluate
from fiftyone_gemini.parsing.rules import ReadRules
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.report import Section, build_report, write_report
from fiftyone_gemini.values import (
    Frame,
    ImageLabels,
    ObjectCounts,
    Question,
    Run,
    Status,
)
from gemini_server import Say, Server, good, picture, serving
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

MODEL = "gemini-2.5-flash"
FRAME = Frame(64, 48)


def ramp() -> str:
    """Write a mask whose grey levels rise from left to right."""
    file = io.BytesIO()
    grey = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    Image.fromarray(grey).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


GRADED = {"box_2d": [0, 0, 1000, 1000], "mask": ramp(), "label": "sky"}
NAMELESS = {"box_2d": [100, 100, 500, 500]}
TOKENS = {"box_2d": [0, 0, 500, 500], "label": "cup", "mask": "<seg_7><seg_9>"}
TWICE = {"box_2d": [1, 2, 3, 4], "label": "cup"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with one picture."""
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(picture(1))
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve replies with the items that a test puts into `ITEMS`."""
    with serving(lambda _: Say(body=good(json.dumps(ITEMS)))) as serving_one:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", serving_one.url)
        yield serving_one


ITEMS: list[dict[str, object]] = []


def command(*arguments: str) -> str:
    """Label the folder by the command line; give what it printed."""
    model = ("--task", "segment", "--model", MODEL)
    result = CliRunner().invoke(app, ["label", "pictures", *model, *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def labelled(server: Server, folder: Path, rules: ReadRules | None = None) -> Run:
    """Label the folder from Python."""
    manner = PLAIN if rules is None else Manner(reading=rules)
    return label(
        FolderSource(folder / "pictures"),
        CocoSink(folder / "labels.json"),
        Question("segment"),
        model=MODEL,
        endpoint=server.endpoint(),
        journal=folder / "journal.sqlite",
        manner=manner,
    )


def areas() -> list[int]:
    """Give the areas of the masks that were written."""
    (image,) = read_coco(Path("labels.json")).images
    return [d.mask.area for d in image.detections if d.mask is not None]


@pytest.mark.usefixtures("folder")
def test_another_threshold_reads_the_journal_again_for_nothing(server: Server) -> None:
    """The threshold is no part of the question: --offline cuts the masks elsewhere."""
    ITEMS[:] = [GRADED]
    command()
    whole = areas()
    command("--offline", "--mask-threshold", "200")
    assert len(server.seen) == 1
    assert areas()[0] < whole[0]
    run = read_run(Path("labels.json"))
    assert run is not None
    assert run.parameters["mask_threshold"] == 200
    assert run.from_journal == 1
    command("--offline")
    assert areas() == whole


@pytest.mark.usefixtures("folder", "server")
def test_objects_without_a_label_can_be_left_out() -> None:
    """--drop-unlabelled leaves them out, says how many, and the record keeps the choice."""
    ITEMS[:] = [GRADED, NAMELESS]
    assert "objects in the replies" not in command()
    assert "objects in the replies: 2 seen, 1 dropped (1 label_missing)" in command(
        "--offline", "--drop-unlabelled"
    )
    run = read_run(Path("labels.json"))
    assert run is not None
    assert run.parameters["keep_unlabelled"] is False
    assert run.objects.dropped == {"label_missing": 1}
    assert len(read_coco(Path("labels.json")).images[0].detections) == 1


def test_a_threshold_that_no_pixel_passes_is_refused() -> None:
    """255 is refused by the command line before anything is opened."""
    result = CliRunner().invoke(app, ["label", "p", "--mask-threshold", "255"])
    assert result.exit_code == 2
    assert "254" in result.output


def test_a_token_decoder_is_plugged_into_a_run(server: Server, folder: Path) -> None:
    """`label` reads tokens with the decoder of its rules, whose name is recorded."""
    ITEMS[:] = [TOKENS]
    assert labelled(server, folder).objects.issues == {"mask_tokens": 1}
    assert areas() == []

    def decoder(tokens: tuple[int, ...]) -> NDArray[np.uint8]:
        assert tokens == (7, 9)
        return np.full((4, 4), 255, np.uint8)

    run = labelled(server, folder, ReadRules(decoder=decoder))
    assert len(server.seen) == 1
    assert len(areas()) == 1
    assert not run.objects.issues
    assert str(run.parameters["token_decoder"]).endswith("decoder")


def test_the_counts_of_all_replies_go_into_record_and_report(
    server: Server, folder: Path
) -> None:
    """What was seen, dropped and wrong is added up, read back and reported."""
    (folder / "pictures" / "b.png").write_bytes(picture(2))
    ITEMS[:] = [TWICE, TWICE, {"label": "no box"}]
    run = labelled(server, folder)
    assert run.objects == ObjectCounts(
        6,
        0,
        {"duplicate": 2, "box_missing": 2},
        {"mask_missing": 2, "duplicate": 2, "box_missing": 2},
    )
    assert read_run(folder / "labels.json") == run
    images = read_coco(folder / "labels.json").images
    section = Section("run", run, evaluate(images, images), images, images)
    files = write_report(build_report([section]), folder / "report")
    for file in (files.html, files.markdown):
        text = file.read_text().replace("\\", "")
        assert "6 seen, 4 dropped (2 box_missing, 2 duplicate)" in text
        assert "2 box_missing, 2 duplicate, 2 mask_missing" in text
    (section_json,) = json.loads(files.json.read_text())["sections"]
    assert section_json["run"]["objects"]["dropped"]["duplicate"] == 2


def test_a_record_of_an_earlier_version_has_no_counts(
    server: Server, folder: Path
) -> None:
    """A file without counts is read, and says that nothing was counted."""
    ITEMS[:] = [TWICE]
    run = labelled(server, folder)
    document = json.loads((folder / "labels.json").read_text())
    del document["info"]["gemini_run"]["objects"]
    (folder / "labels.json").write_text(json.dumps(document))
    assert read_run(folder / "labels.json") == replace(run, objects=ObjectCounts())


def test_a_reply_cut_before_its_first_object_is_no_answer() -> None:
    """It is left out of the answered images; one that said "nothing" is among them."""
    one = ImageLabels("1", "1.png", FRAME, (), Status.TRUNCATED)
    truth = [ImageLabels(n, f"{n}.png", FRAME) for n in ("1", "2")]
    nothing = ImageLabels("2", "2.png", FRAME, (), Status.EMPTY)
    scores = evaluate(truth, [one, nothing])
    assert (scores.all.images, scores.answered.images) == (2, 1)
    assert scores.statuses == {Status.TRUNCATED: 1, Status.EMPTY: 1}
