"""Every operator of the App over its HTTP routes and from Python, with good and bad input.

The App's part is played by its own routes, Gemini's by the emulator answering from the
truth of the demo scenes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.server.app import app
from fiftyone_gemini import api
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.live import find_live, live_runs
from starlette.testclient import TestClient

pytestmark = pytest.mark.slow
HOME = "@gemini/autolabel"
BLOCKED = "scene_0004.jpg"
MALFORMED = "scene_0003.jpg"
ALL, JUDGING = 12, 8


@pytest.fixture(scope="module")
def emulator(demo: Path) -> Iterator[str]:
    """Give the address of an emulator that knows the truth, and spoils two scenes."""
    settings = Settings(
        truth=str(demo / "annotations.json"),
        faults=f"blocked@{BLOCKED},malformed@{MALFORMED}",
    )
    with running_emulator(settings) as running:
        yield running.url


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Give a monkeypatch for all tests of this file."""
    with pytest.MonkeyPatch.context() as made:
        yield made


@pytest.fixture(scope="module")
def scenes(
    demo: Path,
    emulator: str,
    tmp_path_factory: pytest.TempPathFactory,
    patch: pytest.MonkeyPatch,
) -> Iterator[fo.Dataset]:
    """Give twelve labelled and judged scenes; the last four have no truth."""
    journal = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    patch.setenv("GOOGLE_GEMINI_BASE_URL", emulator)
    patch.setenv("FIFTYONE_GEMINI_JOURNAL", str(journal))
    made = create_dataset("app-test", read_coco(demo / "annotations.json").images[:ALL])
    for sample in made.skip(JUDGING):
        sample["ground_truth"] = None
        sample.save()
    api.label(made, task="segment", confidence=True, progress=False)
    api.label(made, field="other", progress=False)
    api.evaluate(made, "gemini", error_views=True)
    yield made
    made.delete()


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Give what stands for the App's pages: a client of its HTTP routes."""
    return TestClient(app)


def request_of(dataset: fo.Dataset | None, name: str, **params: Any) -> dict[str, Any]:
    """Build what the App posts for an operator when no sample is selected."""
    return {
        "dataset_name": None if dataset is None else dataset.name,
        "operator_uri": f"{HOME}/{name}",
        "params": params,
        "selected": [],
        "view": [],
        "filters": {},
        "extended": None,
        "current_sample": None,
    }


def form(client: TestClient, request: dict[str, Any]) -> dict[str, Any]:
    """Give the inputs of an operator's form by name."""
    url = "/operators/resolve-type"
    answer = client.post(url, json={**request, "target": "inputs"}).json()
    return answer["type"]["properties"]


def execute(client: TestClient, request: dict[str, Any]) -> dict[str, Any]:
    """Run an operator as the App does; give its whole answer."""
    return client.post("/operators/execute", json=request).json()


def stream(client: TestClient, request: dict[str, Any]) -> str:
    """Run a generator operator as the App does; give its messages as text."""
    url = "/operators/execute/generator"
    with client.stream("POST", url, json=request) as lines:
        return "".join(lines.iter_lines())


def python(dataset: fo.Dataset, name: str, **params: Any) -> Any:
    """Run an operator from Python; give its result."""
    context = {"dataset": dataset}
    return foo.execute_operator(f"{HOME}/{name}", context, params=params).result


FIELDS = {"predicted_field": "gemini", "truth_field": "ground_truth"}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("label_samples", {"task": "guess"}, "task"),
    ("label_samples", {"classes": "cup"}, "classes"),
    ("label_samples", {"classes": [5]}, "classes"),
    ("label_samples", {"task": "vqa", "asks": ["?"]}, "cannot be read"),
    ("label_samples", {"task": "vqa"}, "question"),
    ("label_samples", {"task": "caption", "classes": ["cup"]}, "no use of classes"),
    ("label_samples", {"field": "ground_truth"}, "not written by Gemini"),
    ("label_samples", {"field": "1 2"}, "cannot be the name"),
    ("label_samples", {"field": "filepath"}, "reserved"),
    ("label_samples", {"budget": -1}, "budget|greater|less"),
    ("label_samples", {"retry": "failed", "offline": True}, "choose one"),
    ("label_samples", {"retry": "sometimes"}, "cannot be asked for again"),
    ("plan", {"task": "guess"}, "task"),
    ("plan", {"in_flight": 1.5}, "whole number"),
    ("evaluate", {**FIELDS, "eval_key": "coco_id"}, "overwrite"),
    (
        "evaluate",
        {**FIELDS, "predicted_field": "none", "eval_key": "ev"},
        "predicted_field",
    ),
    ("evaluate", {**FIELDS, "truth_field": "gemini", "eval_key": "ev"}, "themselves"),
    ("compare_runs", {"truth_field": "ground_truth", "fields": ["gemini"]}, "two"),
    ("compare_runs", {"truth_field": "gemini", "fields": ["gemini", "other"]}, "truth"),
    (
        "open_report",
        {"truth_field": "ground_truth", "fields": []},
        "(?i)at least|required",
    ),
    (
        "open_report",
        {"truth_field": "ground_truth", "fields": ["gemini"], "folder": "here"},
        "whole path",
    ),
    ("review", {"action": "bless", "field": "gemini"}, "bless|action"),
    (
        "review",
        {"action": "accept", "field": "none", "truth_field": "gt"},
        "field",
    ),
    (
        "review",
        {
            "action": "accept",
            "field": "gemini",
            "truth_field": "ground_truth",
            "target": 2.0,
        },
        "target|less|between",
    ),
    ("review", {"action": "reject", "field": "gemini"}, "Select the labels"),
    ("review", {"action": "count", "field": "other"}, "not opened for review"),
    ("review", {"action": "undo", "key": "nothing"}, "key"),
    ("resume_run", {"run": "no_such_run"}, "run"),
    ("manage_runs", {"action": "rename", "run": "x", "new_name": "y"}, "run"),
    ("manage_runs", {"action": "delete", "run": "x"}, "run"),
    ("manage_runs", {"action": "explode"}, "explode|action"),
    ("export_coco", {"field": "gemini", "path": "here.json"}, "whole path"),
    ("export_coco", {"field": "gemini", "path": "/nowhere/x.json"}, "no folder"),
    ("import_coco", {"path": "/nowhere/x.json", "field": "new"}, "no file"),
    ("import_coco", {"path": "/etc/hostname", "field": "gemini"}, "field of this name"),
]


@pytest.mark.parametrize(
    ("name", "params", "reason"),
    BAD,
    ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(BAD)],
)
def test_bad_input_ends_in_a_sentence(
    client: TestClient,
    scenes: fo.Dataset,
    name: str,
    params: dict[str, Any],
    reason: str,
) -> None:
    """The form is drawn whole, and Python raises an error that says what is wrong."""
    assert form(client, request_of(scenes, name, **params))
    before = kept_by(scenes)
    with pytest.raises(foo.executor.ExecutionError, match=reason):
        python(scenes, name, **params)
    scenes.reload()
    assert kept_by(scenes) == before


def kept_by(dataset: fo.Dataset) -> tuple[list[str], ...]:
    """Name all that an operator could have made."""
    fields = sorted(dataset.get_field_schema(flat=True))
    return fields, dataset.list_runs(), dataset.list_evaluations()


NAMES = (
    *("label_samples", "plan", "resume_run", "manage_runs", "evaluate"),
    *("compare_runs", "open_report", "review", "export_coco", "import_coco"),
)


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_introduces_itself(
    client: TestClient, dataset: fo.Dataset, name: str
) -> None:
    """It has a description, an icon and a risk, and a form for a dataset without labels."""
    config = foo.get_operator(f"{HOME}/{name}").config
    assert config.description.endswith(".")
    assert config.icon
    assert str(config.risk_level) != "RiskLevel.DANGEROUS"
    assert form(client, request_of(dataset, name))
    assert "Open a dataset" in json.dumps(form(client, request_of(None, name)))


def test_planning_says_tokens_prices_and_what_is_in_the_journal(
    client: TestClient, scenes: fo.Dataset
) -> None:
    """The operator plans as a run would ask; with the journal, nothing is left to ask."""
    params = {"task": "segment", "confidence": True}
    planned = execute(client, request_of(scenes, "plan", **params))["result"]
    assert planned["requests"] == ALL
    assert planned["usd"] > 0
    assert planned["lines"][0]["case"] == "few objects"
    looked = python(scenes, "plan", **params, look=True)
    assert (looked["requests"], looked["in_journal"]) == (0, ALL)
    first = python(scenes, "plan", **params, try_first=True)
    assert first["requests"] == 3


def test_comparing_gives_verdicts_and_tables(
    client: TestClient, scenes: fo.Dataset
) -> None:
    """The App and Python get the same verdicts."""
    params = {"truth_field": "ground_truth", "fields": ["gemini", "other"]}
    shown = execute(client, request_of(scenes, "compare_runs", **params))["result"]
    assert "other against gemini" in shown["verdicts"][0]
    assert shown["blocks"][0]["rows"]
    assert python(scenes, "compare_runs", **params)["numbers"] == shown["numbers"]


def test_a_report_is_written_and_linked(
    client: TestClient, scenes: fo.Dataset, tmp_path: Path
) -> None:
    """The report is three files, and the App serves the page that is linked."""
    params = {"truth_field": "ground_truth", "fields": ["gemini"]}
    wrote = python(scenes, "open_report", **params, folder=str(tmp_path))
    page = client.get("/media", params={"filepath": wrote["html"]})
    assert page.headers["content-type"].startswith("text/html")
    assert "Headline" in page.text or "F1" in page.text


def test_labels_are_accepted_and_taken_back(scenes: fo.Dataset) -> None:
    """What passes goes into blank truth, is excluded elsewhere, and undo removes it."""
    params = {"field": "gemini", "truth_field": "ground_truth", "target": 0.5}
    truth = scenes.count("ground_truth.detections")
    done = python(scenes, "review", action="accept", **params)
    assert done["promoted"] > 0
    scenes.reload()
    assert scenes.count("ground_truth.detections") == truth + done["promoted"]
    strict = {
        "targets": dict.fromkeys(scenes.distinct("gemini.detections.label"), 0.99)
    }
    undone = python(scenes, "review", action="undo", key="gemini_accepted")
    assert undone["removed"] == done["promoted"]
    none = python(scenes, "review", action="accept", **params, **strict)
    assert none["promoted"] == 0
    python(scenes, "review", action="undo", key="gemini_accepted")
    scenes.reload()
    assert scenes.count("ground_truth.detections") == truth


def test_corrections_are_told_from_untouched_labels(scenes: fo.Dataset) -> None:
    """A changed name, a new and a removed box are counted, and a view shows them."""
    noted = python(scenes, "review", action="annotate", field="other")["noted"]
    assert noted == scenes.count("other.detections")
    assert "other" in scenes.active_label_schemas
    schema = scenes.label_schemas["other"]
    assert "cup" in schema["classes"]
    assert "review_seal" not in {one["name"] for one in schema["attributes"]}
    scenes.reload()
    sample = scenes.match(fo.ViewField("other.detections").length() > 2).first()
    sample["other"].detections[0].label = "zebra"
    del sample["other"].detections[1]
    sample["other"].detections.append(
        fo.Detection(label="cup", bounding_box=[0, 0, 0.1, 0.1])
    )
    sample.save()
    counted = python(scenes, "review", action="count", field="other")
    assert (counted["changed"], counted["added"], counted["removed"]) == (1, 1, 1)
    assert counted["untouched"] == noted - 2
    assert scenes.load_saved_view("other: corrected").count() == 1


def test_rejected_labels_are_not_promoted(scenes: fo.Dataset) -> None:
    """Selected labels are tagged; promotion copies the others of the samples."""
    view = scenes.skip(JUDGING).limit(1)
    ids = view.values("gemini.detections.id", unwind=True)
    rejected = python(scenes, "review", action="reject", field="gemini", labels=ids[:1])
    assert rejected["rejected"] == 1
    params = {"action": "promote", "field": "gemini", "truth_field": "ground_truth"}
    context = {"dataset": scenes, "selected": view.values("id")}
    done = foo.execute_operator(f"{HOME}/review", context, params=params).result
    assert done["promoted"] == len(ids) - 1
    python(scenes, "review", action="undo", key="gemini_accepted")


def test_coco_goes_out_and_comes_in_again(scenes: fo.Dataset, tmp_path: Path) -> None:
    """An exported field comes back into a new one, object by object, with its record."""
    path = tmp_path / "labels.json"
    python(scenes, "export_coco", field="gemini", path=str(path))
    done = python(scenes, "import_coco", path=str(path), field="again")
    scenes.reload()
    assert (done["unknown"], done["by"]) == (0, "coco_id")
    assert done["objects"] == scenes.count("gemini.detections")
    came, went = (scenes.values(f"{f}.detections.label") for f in ("again", "gemini"))
    assert [names or [] for names in came] == [names or [] for names in went]
    paths = [f"{f}.detections.bounding_box" for f in ("again", "gemini")]
    came, went = (np.array(scenes.values(path, unwind=True)) for path in paths)
    assert came == pytest.approx(went, abs=1e-6)
    assert "again_imported" in scenes.list_runs()
    python(scenes, "manage_runs", action="delete", run="again_imported", labels=True)
    scenes.reload()
    assert not scenes.has_field("again")


def test_runs_are_listed_renamed_read_again_and_deleted(scenes: fo.Dataset) -> None:
    """A run keeps its fields under a new name, costs nothing read again, and goes whole."""
    run = api.label(scenes, field="short", progress=False)
    (row,) = [r for r in python(scenes, "manage_runs")["runs"] if r["run"] == run.name]
    assert row["field"] == "short"
    again = python(scenes, "manage_runs", action="reparse", run=run.name)["run"]
    assert again["from_journal"] == ALL
    python(scenes, "manage_runs", action="rename", run=run.name, new_name="mine")
    scenes.reload()
    assert scenes.get_field("short").info["run"] == "mine"
    gone = python(scenes, "manage_runs", action="delete", run="mine", labels=True)
    assert {"short", "short_status", "short_error"} <= set(gone["fields"])
    scenes.reload()
    assert not [name for name in scenes.get_field_schema() if name.startswith("short")]


def test_a_run_resumes_where_it_was(client: TestClient, scenes: fo.Dataset) -> None:
    """Resumed in the App or from Python, replies that are there are not asked for."""
    run = api.label(scenes, field="parts", progress=False)
    shown = stream(client, request_of(scenes, "resume_run", run=run.name))
    assert "Saved in the field" in shown
    again = python(scenes, "resume_run", run=run.name, retry_failed=True)
    assert again["from_journal"] == ALL - 2
    assert scenes.list_runs().count(run.name) == 1
    found = find_live(scenes, run.name)
    assert found is not None
    assert found.state == "done"
    assert run.name in {live.key for live in live_runs(scenes)}


def panel(client: TestClient, dataset: fo.Dataset, method: str, **params: Any) -> str:
    """Let something happen in the panel; give what the App is told, as text."""
    request = request_of(dataset, "gemini")
    request["params"] = {
        "panel_id": "p1",
        "__method__": method,
        "state": {},
        "panel_state": params.pop("panel_state", {}),
        "event_args": {},
        **params,
    }
    answer = execute(client, request)
    assert not answer.get("error"), answer
    return json.dumps(answer["executor"]["requests"])


def test_the_panel_shows_runs_problems_quality_trust(
    client: TestClient, scenes: fo.Dataset
) -> None:
    """Each tab draws what there is; what was chosen is still chosen when it is reloaded."""
    runs = panel(client, scenes, "on_load")
    assert "segment" in runs
    problems = panel(client, scenes, "choose_tab", value="Problems")
    assert "1 blocked" in problems
    shown = panel(client, scenes, "show_problem", status="malformed", field="gemini")
    assert MALFORMED in shown
    rows = [{"id": scenes.skip(2).first().id, "name": MALFORMED}]
    state = {"problem_rows": rows}
    reply = panel(client, scenes, "show_reply", row=0, panel_state=state)
    assert "malformed" in reply
    quality = panel(client, scenes, "choose_tab", value="Quality")
    assert "With 95 % interval" in quality
    assert "Precision over recall" in quality
    trust = panel(client, scenes, "choose_tab", value="Trust")
    assert "precision above 0.95" in trust
    moved = panel(client, scenes, "choose_target", value=0.6)
    assert "precision above 0.6" in moved
    panel(client, scenes, "choose_target_class", value="bottle")
    own = panel(client, scenes, "choose_target", value=0.9)
    assert "0.9 " in own
    panel(client, scenes, "choose_tab", value="Compare")
    assert "other against gemini" in panel(client, scenes, "compare")
    assert "other against gemini" in panel(client, scenes, "on_load")


def test_a_bar_filters_the_grid(client: TestClient, scenes: fo.Dataset) -> None:
    """Clicking the missed part of a class sets a view of the truth that was missed."""
    told = panel(client, scenes, "click_class", y="bottle", trace="missed")
    assert "set_view" in told
    assert "ground_truth" in told


def test_the_panel_turns_errors_into_messages(
    client: TestClient, scenes: fo.Dataset
) -> None:
    """A view that is gone, and a reply that is not listed, end in a message."""
    gone = panel(client, scenes, "click_kind", view="gemini_eval: nothing")
    assert "no saved view" in gone
    assert "not listed" in panel(client, scenes, "show_reply", row=9)


def test_outputs_are_drawn_of_results(client: TestClient, scenes: fo.Dataset) -> None:
    """What the App shows at the end links to the report, and has the tables' rows."""
    results = {"html": "/tmp/a b.html"}
    request = request_of(scenes, "open_report") | {"target": "outputs"}
    answer = client.post(
        "/operators/resolve-type", json={**request, "results": results}
    )
    assert "/media?filepath=/tmp/a%20b.html" in json.dumps(answer.json())


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("plan", {"task": "segment"}),
        ("evaluate", {**FIELDS, "eval_key": "later_eval"}),
        (
            "compare_runs",
            {"truth_field": "ground_truth", "fields": ["gemini", "other"]},
        ),
        ("manage_runs", {}),
    ],
)
def test_every_way_to_run_gives_the_same(
    client: TestClient, scenes: fo.Dataset, name: str, params: dict[str, Any]
) -> None:
    """The App, Python, a coroutine and a worker get the same result."""
    uri, context = f"{HOME}/{name}", {"dataset": scenes}

    async def awaited() -> Any:
        return (await foo.execute_operator(uri, context, params=params)).result

    shown = execute(client, request_of(scenes, name, **params))["result"]
    assert python(scenes, name, **params) == shown
    assert asyncio.run(awaited()) == shown
    scheduled = foo.execute_operator(
        uri, context, params=params, request_delegation=True
    )
    service = DelegatedOperationService()
    service.execute_operation(service.get(scheduled.result["id"]), log=False)
    done = service.get(scheduled.result["id"])
    assert done.result.result == shown
    service.delete_operation(done.id)


def test_deleting_answers_leaves_other_labels_alone(scenes: fo.Dataset) -> None:
    """The answers of questions go; a field of somebody else with the run's name stays."""
    asks = ["colour: What colour is it?"]
    run = api.label(
        scenes.limit(1), task="vqa", asks=asks, field="asked", progress=False
    )
    scenes.add_sample_field("asked", fo.StringField)
    python(scenes, "manage_runs", action="delete", run=run.name, labels=True)
    scenes.reload()
    left = [name for name in scenes.get_field_schema() if name.startswith("asked")]
    assert left == ["asked"]
    scenes.delete_sample_field("asked")
