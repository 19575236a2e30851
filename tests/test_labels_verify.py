"""A second look at labelled boxes: what is denied goes, what is loose is tightened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.gemini.endpoint import endpoint_from_environment
from fiftyone_gemini.gemini.pool import Limits
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.labels.regions import RegionSource
from fiftyone_gemini.labels.verify import VerifySink
from fiftyone_gemini.pipeline import label
from fiftyone_gemini.tasks import TASKS, verifying
from fiftyone_gemini.values import Frame, Media, Run, Status
from gemini_server import Say, good, serving
from typer.testing import CliRunner

MODEL = "gemini-3.8-flash"
LOOSE = [0.25, 0.25, 0.5, 0.5]


@pytest.fixture
def boxed(dataset: fo.Dataset) -> fo.Dataset:
    """Give one sample with a cup, a jar and a masked pan, and one with no boxes."""
    first, second = dataset.limit(2)
    boxes = [
        fo.Detection(label=name, bounding_box=LOOSE, id=None)
        for name in ("cup", "jar", "pan")
    ]
    boxes[2].mask = np.ones((24, 32), bool)
    first["boxes"] = fo.Detections(detections=boxes)
    second["boxes"] = fo.Detections()
    first.save()
    second.save()
    return dataset


def say(verdict: str, box: list[int] | None = None) -> Say:
    """Say whether a label is right."""
    told = {"right": verdict} | ({"box_2d": box} if box else {})
    return Say(body=good(json.dumps(told)))


def verify(dataset: fo.Dataset, folder: Path, says: dict[str, Say]) -> Run:
    """Verify all boxes, each answered by its label."""

    def answer(number: int) -> Say:
        text = json.dumps(server.seen[number].body)
        return next(said for name, said in says.items() if f'\\"{name}\\"' in text)

    with serving(answer) as server:
        return label(
            RegionSource(dataset, "boxes", margin=0),
            VerifySink(dataset, "boxes", "sure"),
            verifying(),
            model=MODEL,
            endpoint=server.endpoint(),
            journal=folder / "journal.sqlite",
            limits=Limits(attempts=1),
        )


def test_denied_boxes_go_and_loose_ones_are_tightened(
    boxed: fo.Dataset, tmp_path: Path
) -> None:
    """The new field has what was confirmed, in the picture's frame; the old one all."""
    tight = [250, 250, 750, 750]  # of the cut-out: the middle half of the box
    says = {"cup": say("yes", tight), "jar": say("no"), "pan": say("yes", tight)}
    run = verify(boxed, tmp_path, says)
    assert run.statuses == {Status.OK: 2, Status.EMPTY: 1}
    boxed.reload()
    first, second = boxed.limit(2)
    assert [d.label for d in first.sure.detections] == ["cup", "pan"]
    cup, pan = first.sure.detections
    assert cup.bounding_box == pytest.approx([0.375, 0.375, 0.25, 0.25])
    assert pan.bounding_box == LOOSE  # its mask fills this box
    assert pan.mask.shape == (24, 32)
    assert second.sure.detections == []
    kept = first.boxes.detections
    assert [d.bounding_box for d in kept] == [LOOSE] * 3
    assert [d["sure"] for d in kept] == ["yes", "no", "yes"]
    assert {d.id for d in kept}.isdisjoint(d.id for d in first.sure.detections)
    assert boxed.get_field("sure").info["made_by"] == "fiftyone-gemini"
    assert boxed.list_runs() == [run.name]


def test_what_got_no_verdict_stays(boxed: fo.Dataset, tmp_path: Path) -> None:
    """A blocked question, or a yes without a box, changes nothing and says so."""
    blocked = Say(body=b'{"promptFeedback": {"blockReason": "SAFETY"}}')
    verify(boxed, tmp_path, {"cup": blocked, "jar": say("yes"), "pan": say("no")})
    boxed.reload()
    first = boxed.first()
    assert [d.label for d in first.sure.detections] == ["cup", "jar"]
    assert [d.bounding_box for d in first.sure.detections] == [LOOSE] * 2
    statuses = [d["sure_status"] for d in first.boxes.detections]
    assert statuses == ["blocked", "malformed", "empty"]
    assert first.boxes.detections[0]["sure_error"]


def test_the_form_offers_no_second_look(dataset: fo.Dataset) -> None:
    """The form asks about whole samples, and this task about boxes."""
    from fiftyone_gemini.app.task_words import offered_tasks

    offered = offered_tasks(dataset)
    assert "detect" in offered
    assert "verify" not in offered


def test_a_field_is_never_verified_into_labels_of_others(boxed: fo.Dataset) -> None:
    """Neither the field itself nor one that was not written here is a target."""
    with pytest.raises(UsageError, match="into another field"):
        VerifySink(boxed, "boxes", "boxes")
    boxed.add_sample_field(
        "truth", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    with pytest.raises(UsageError, match="not written by Gemini"):
        VerifySink(boxed, "boxes", "truth")


@pytest.mark.parametrize(
    ("text", "kept", "codes"),
    [
        ('{"right": "yes", "box_2d": [0, 0, 500, 500]}', 1, []),
        ('{"right": "Yes", "box_2d": [500, 500, 0, 0]}', 1, ["box_order"] * 2),
        ('{"right": "no", "box_2d": [0, 0, 500, 500]}', 0, []),
        ('{"right": "maybe"}', 0, ["class_unlisted"]),
        ("I cannot tell.", 0, ["plain_text", "class_unlisted"]),
    ],
)
def test_verdicts_are_read(text: str, kept: int, codes: list[str]) -> None:
    """Only a clear yes with a box keeps an object, only a clear no is empty."""
    frame = Frame(40, 40)
    found = TASKS["verify"].read(text, verifying(), Media(b"", "", frame, frame))
    assert len(found.values) == kept
    assert [issue.code for issue in found.issues] == codes
    assert (found.items_seen == 0) is ('"no"' in text)


@pytest.fixture
def scene(demo: Path, tmp_path: Path) -> Iterator[fo.Dataset]:
    """Give a scene with its true boxes made loose, and one label made wrong."""
    truth = read_coco(demo / "annotations.json")
    dataset = create_dataset("verified-scene", truth.images[:1])
    sample = dataset.first()
    for found in sample.ground_truth.detections:
        found.mask = None
    sample.ground_truth.detections[0].label = "zebra"
    sample.save()
    yield dataset
    dataset.delete()


@pytest.mark.slow
def test_the_command_verifies(
    scene: fo.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command verifies a field; its estimate counts the boxes; doing it again is free."""
    monkeypatch.chdir(tmp_path)
    command = ["label", "--dataset", scene.name, "--task", "verify"]
    command += ["--regions", "ground_truth", "--field", "verified", "--margin", "0.6"]
    with running_emulator(Settings()) as emulator:
        assert endpoint_from_environment({}, base_url=emulator.url)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator.url)
        first = CliRunner().invoke(app, command)
        again = CliRunner().invoke(app, command)
    count = scene.count("ground_truth.detections")
    assert first.exit_code == again.exit_code == 0, first.output
    assert f"{count} requests" in first.output
    assert "0 requests" in again.output
    scene.reload()
    labels = scene.distinct("verified.detections.label")
    assert labels
    assert "zebra" not in labels
