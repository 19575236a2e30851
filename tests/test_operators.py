"""The operators as the App, Python and a delegated worker call them.

The App's part is played by its own HTTP routes, Gemini's by the emulator answering from
the truth of the demo scenes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.server.app import app
from fiftyone_gemini.app.background import with_progress
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.progress import Progress
from fiftyone_gemini.settings import LabelSettings
from fiftyone_gemini.values import Usage
from pycocotools.coco import COCO
from starlette.testclient import TestClient

LABEL = "@gemini/autolabel/label_samples"
EVALUATE = "@gemini/autolabel/evaluate"
EXPORT = "@gemini/autolabel/export_coco"
BLOCKED = "scene_0004.jpg"
MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def emulator(demo: Path) -> Iterator[str]:
    """Give the address of an emulator that knows the truth and blocks one scene."""
    truth = str(demo / "annotations.json")
    settings = Settings(truth=truth, faults=f"blocked@{BLOCKED}")
    with running_emulator(settings) as running:
        yield running.url


@pytest.fixture
def scenes(
    demo: Path, emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[fo.Dataset]:
    """Give a dataset of the first four scenes; the fourth one is going to be blocked."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator)
    monkeypatch.setenv("FIFTYONE_GEMINI_JOURNAL", str(tmp_path / "journal.sqlite"))
    images = read_coco(demo / "annotations.json").images[:4]
    made = create_dataset("operators-test", images)
    yield made
    made.delete()


@pytest.fixture
def no_key(scenes: fo.Dataset, monkeypatch: pytest.MonkeyPatch) -> fo.Dataset:
    """Give the scenes where nothing says how to reach Gemini."""
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL")
    return scenes


@pytest.fixture(scope="module")
def browser() -> TestClient:
    """Give what stands for the App's pages: a client of its HTTP routes."""
    return TestClient(app)


def request_of(dataset: fo.Dataset, uri: str, **params: Any) -> dict[str, Any]:
    """Build what the App posts for an operator when no sample is selected."""
    return {
        "dataset_name": dataset.name,
        "operator_uri": uri,
        "params": params,
        "selected": [],
        "view": [],
        "filters": {},
        "extended": None,
        "current_sample": None,
    }


def form_of(browser: TestClient, request: dict[str, Any]) -> dict[str, Any]:
    """Give the inputs of an operator's form by name."""
    answer = browser.post(
        "/operators/resolve-type", json={**request, "target": "inputs"}
    )
    return answer.json()["type"]["properties"]


def stream_of(browser: TestClient, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a generator operator; give the messages that the App gets."""
    url = "/operators/execute/generator"
    with browser.stream("POST", url, json=request) as lines:
        return [json.loads(line) for line in lines.iter_lines() if line]


def shown_by(messages: list[dict[str, Any]]) -> str:
    """Give the page that ends a stream, as text."""
    (last,) = [m for m in messages if "show_output" in json.dumps(m)]
    return json.dumps(last)


def progress_at(done: int) -> Progress:
    """Make the progress of a run of three."""
    return Progress(done, 3, {}, Usage(), 0.0, 1.0, 0)


def test_the_form_offers_what_can_be_asked(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """The form suggests the dataset's classes and says who answers, at what cost."""
    form = form_of(browser, request_of(scenes, LABEL))
    assert {"detect", "segment", "caption", "vqa"} <= set(
        form["task"]["type"]["values"]
    )
    suggested = {c["value"] for c in form["classes"]["view"]["choices"]}
    assert "banana" in suggested
    assert MODEL in {c["value"] for c in form["model"]["view"]["choices"]}
    notice = json.dumps(form["costs"])
    assert "not Gemini" in notice
    assert "4 requests" in notice
    assert "free of charge" in notice


def test_the_estimate_follows_the_form(
    browser: TestClient, no_key: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key, the form warns of the bill: a price, or that it is unknown."""
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    selected = {"selected": no_key.values("id")[:1]}
    known = form_of(browser, request_of(no_key, LABEL) | selected)
    assert "1 request," in json.dumps(known["costs"])
    assert "$" in json.dumps(known["costs"])
    unknown = form_of(browser, request_of(no_key, LABEL, model="gemini-99"))
    assert "price unknown" in json.dumps(unknown["costs"])
    assert "billed" in json.dumps(unknown["costs"])


def test_a_missing_key_is_told_in_the_form_and_when_run(
    browser: TestClient, no_key: fo.Dataset
) -> None:
    """Without a key the form, the App and Python all say which variable to set."""
    request = request_of(no_key, LABEL)
    assert "GEMINI_API_KEY" in json.dumps(form_of(browser, request)["no_key"])
    assert "GEMINI_API_KEY" in shown_by(stream_of(browser, request))
    with pytest.raises(foo.executor.ExecutionError, match="GEMINI_API_KEY"):
        foo.execute_operator(LABEL, {"dataset": no_key}, params={})
    assert not no_key.has_field("gemini")


def test_a_foreign_field_is_refused_everywhere(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """The form marks a field that would lose labels, and a run with it is refused."""
    request = request_of(scenes, LABEL, field="ground_truth")
    asked = form_of(browser, request)["field"]
    assert asked["invalid"]
    assert "not written by Gemini" in asked["error_message"]
    with pytest.raises(foo.executor.ExecutionError, match="not written by Gemini"):
        foo.execute_operator(LABEL, {"dataset": scenes}, params=request["params"])


def test_the_app_sees_progress_and_a_result(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """In the App a run yields progress, reloads the dataset and shows a table."""
    request = request_of(scenes, LABEL, classes=["banana", "cup"])
    messages = stream_of(browser, request)
    text = json.dumps(messages)
    assert "set_progress" in text
    assert "reload_dataset" in text
    shown = shown_by(messages)
    assert "3 ok, 1 blocked" in shown
    assert "gemini_error says why" in shown
    assert set(scenes.distinct("gemini.detections.label")) <= {"banana", "cup"}


@pytest.mark.parametrize("target", [None, "SELECTED_SAMPLES"])
def test_only_selected_samples_are_asked_about(
    browser: TestClient, scenes: fo.Dataset, target: str | None
) -> None:
    """A selection is never widened, whether or not the form named it."""
    chosen = scenes.values("id")[1:3]
    params = {"view_target": target} if target else {}
    request = request_of(scenes, LABEL, **params) | {"selected": chosen}
    stream_of(browser, request)
    assert scenes.exists("gemini_status").values("id") == chosen
    context = {"dataset": scenes, "selected": chosen[:1]}
    params = {"field": "other", **params}
    foo.execute_operator(LABEL, context, params=params)
    assert scenes.exists("other_status").values("id") == chosen[:1]


def test_python_gets_the_record_of_the_run(scenes: fo.Dataset) -> None:
    """From Python an operator returns what the run came to, and labels are there."""
    params = {"task": "segment", "field": "masks"}
    ran = foo.execute_operator(LABEL, {"dataset": scenes}, params=params).result
    assert ran["statuses"] == {"ok": 3, "blocked": 1}
    assert ran["endpoint"] == "emulator"
    assert scenes.list_runs() == [ran["name"]]
    truth = scenes.limit(3).count("ground_truth.detections")
    assert scenes.count("masks.detections") == truth
    masks = scenes.limit(3).values("masks.detections.mask", unwind=True)
    assert all(mask.any() for mask in masks)
    assert "refused" in scenes.last().masks_error


def test_an_operator_can_be_called_like_a_function(scenes: fo.Dataset) -> None:
    """Calling the operator labels a view; its second run is answered by the journal."""
    operator = foo.get_operator(LABEL)
    first = operator(scenes.limit(2), classes=["cup"], field="cups")
    second = operator(scenes.limit(2), classes=["cup"], field="cups")
    assert (first["from_journal"], second["from_journal"]) == (0, 2)
    assert scenes.exists("cups_status").count() == 2
    with pytest.raises(TypeError):
        operator(scenes, colour="red")


def test_a_run_can_be_delegated(scenes: fo.Dataset) -> None:
    """A scheduled run labels when a worker takes it, and keeps its record."""
    scheduled = foo.get_operator(LABEL)(scenes, field="later", delegate=True)
    service = DelegatedOperationService()
    service.execute_operation(service.get(scheduled["id"]), log=False)
    done = service.get(scheduled["id"])
    assert str(done.run_state) == "completed"
    assert done.result.result["statuses"] == {"ok": 3, "blocked": 1}
    assert scenes.count("later.detections") > 0
    service.delete_operation(done.id)


def test_bad_wishes_are_refused_in_words(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """An unknown task, an empty view and one text for classes end in a sentence."""
    with pytest.raises(foo.executor.ExecutionError, match="task"):
        foo.execute_operator(LABEL, {"dataset": scenes}, params={"task": "guess"})
    empty = request_of(scenes, LABEL)
    empty["view"] = scenes.match({"filepath": "nothing"})._serialize()
    assert "nothing to label" in json.dumps(form_of(browser, empty)["trouble"])
    assert "nothing to label" in shown_by(stream_of(browser, empty))
    with pytest.raises(UsageError, match="list of names"):
        LabelSettings(classes="cup")


def test_a_refused_key_ends_a_run_with_a_sentence(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """When Gemini refuses the key, the App shows why, and Python raises it."""
    params = {"instruction": "[emulator:fault=badkey]"}
    shown = shown_by(stream_of(browser, request_of(scenes, LABEL, **params)))
    assert "Stopped" in shown
    assert "key" in shown.lower()
    with pytest.raises(foo.executor.ExecutionError, match=r"(?i)key"):
        foo.execute_operator(LABEL, {"dataset": scenes}, params=params)


def test_forms_say_what_is_missing(browser: TestClient, dataset: fo.Dataset) -> None:
    """Without a dataset, or without labels, a form says so instead of failing."""
    nowhere = request_of(dataset, LABEL) | {"dataset_name": None}
    for uri in (LABEL, EVALUATE, EXPORT):
        form = form_of(browser, nowhere | {"operator_uri": uri})
        assert "Open a dataset" in json.dumps(form)
    for uri in (EVALUATE, EXPORT):
        form = form_of(browser, request_of(dataset, uri))
        assert "no field of Detections" in json.dumps(form)


def test_evaluation_shows_and_keeps_the_numbers(
    browser: TestClient, scenes: fo.Dataset
) -> None:
    """Boxes from the truth score as they should, and FiftyOne opens the evaluation."""
    assert foo.get_operator(LABEL)(scenes)["statuses"] == {"ok": 3, "blocked": 1}
    form = form_of(browser, request_of(scenes, EVALUATE))
    assert form["predicted_field"]["default"] == "gemini"
    assert form["truth_field"]["default"] == "ground_truth"
    wishes = {
        "predicted_field": "gemini",
        "truth_field": "ground_truth",
        "eval_key": "judged",
    }
    answer = browser.post(
        "/operators/execute", json=request_of(scenes, EVALUATE, **wishes)
    ).json()
    assert answer["error"] is None
    boxes = answer["result"]["boxes"]
    assert boxes["Precision"] == 1.0
    assert boxes["Missed"] == scenes.skip(3).count("ground_truth.detections")
    assert answer["result"]["masks"] is None
    scenes.reload()
    native = scenes.load_evaluation_results("judged").metrics()
    assert native["precision"] == pytest.approx(boxes["Precision"])
    assert native["recall"] == pytest.approx(boxes["Recall"])
    assert sum(scenes.values("judged_fn")) == boxes["Missed"]


def test_labels_are_not_judged_by_themselves(scenes: fo.Dataset) -> None:
    """The same field twice, and a key that is taken, end in a sentence."""
    evaluate = foo.get_operator(EVALUATE)
    same = {"predicted_field": "ground_truth", "truth_field": "ground_truth"}
    with pytest.raises(Exception, match="by themselves"):
        evaluate(scenes, **same, eval_key="ev")
    with pytest.raises(foo.executor.ExecutionError, match="overwrite"):
        foo.execute_operator(
            EVALUATE, {"dataset": scenes}, params={**same, "eval_key": "coco_id"}
        )


def test_export_writes_a_file_that_coco_reads(
    scenes: fo.Dataset, demo: Path, tmp_path: Path
) -> None:
    """The exported truth is the truth: ids, pixels and areas as in its own file."""
    path = tmp_path / "out.json"
    wishes = {"field": "ground_truth", "path": str(path)}
    wrote = foo.execute_operator(EXPORT, {"dataset": scenes}, params=wishes).result
    out, truth = COCO(str(path)), COCO(str(demo / "annotations.json"))
    ids = sorted(out.getImgIds())
    expected = truth.loadAnns(truth.getAnnIds(imgIds=ids))
    found = out.loadAnns(out.getAnnIds(imgIds=ids))
    assert wrote["image_ids"] == "coco_id"
    assert (wrote["images"], wrote["objects"]) == (4, len(expected))
    assert wrote["masks"] == len(expected)
    assert [a["bbox"] for a in found] == [a["bbox"] for a in expected]
    for one, other in zip(found, expected, strict=True):
        assert (out.annToMask(one) == truth.annToMask(other)).all()


def test_export_replaces_no_file_unasked(
    browser: TestClient, scenes: fo.Dataset, tmp_path: Path
) -> None:
    """A file that exists, a missing folder and another ending are refused in words."""
    path = tmp_path / "out.json"
    path.write_text("{}")
    export = foo.get_operator(EXPORT)
    for wrong, reason in (
        (path, "exists already"),
        (tmp_path / "no" / "out.json", "no folder"),
        (tmp_path / "out.txt", "something.json"),
    ):
        form = form_of(browser, request_of(scenes, EXPORT, path=str(wrong)))
        assert reason in form["path"]["error_message"]
        with pytest.raises(Exception, match=reason):
            export(scenes, field="ground_truth", path=str(wrong))
    assert export(scenes, field="ground_truth", path=str(path), overwrite=True)
    form = form_of(browser, request_of(scenes, EXPORT, path="out.json"))
    assert "whole path" in form["path"]["error_message"]


def test_closing_the_page_leaves_a_run_alone() -> None:
    """A closed generator does not end the work: the panel still shows and stops it."""
    go_on, ended = threading.Event(), threading.Event()

    def work(report: Any) -> Any:
        report(progress_at(1))
        go_on.wait(10)
        ended.set()

    running = with_progress(work)
    assert next(running).done == 1
    running.close()
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(10)


def test_an_error_of_the_work_is_raised_where_it_is_awaited() -> None:
    """What goes wrong in the thread is not lost."""

    def work(report: Any) -> Any:
        raise UsageError("No.")

    with pytest.raises(UsageError, match="No"):
        list(with_progress(work))
