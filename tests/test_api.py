"""The Python interface, and how the panel learns of runs and stops them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone_gemini as fog
import pytest
from fiftyone_gemini import live
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.labels.create import create_dataset
from fiftyone_gemini.live import LiveRun, ask_to_stop, find_live, live_runs
from fiftyone_gemini.settings import Choices, LabelSettings, read_asks
from fiftyone_gemini.values import Ask

FIELD = "gemini"


@pytest.fixture
def scenes(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[fo.Dataset]:
    """Give twelve scenes, and an emulator that takes its time."""
    monkeypatch.setenv("FIFTYONE_GEMINI_JOURNAL", str(tmp_path / "journal.sqlite"))
    knowing = Settings(truth=str(demo / "annotations.json"), latency=0.3)
    with running_emulator(knowing) as running:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running.url)
        made = create_dataset(
            "api-test", read_coco(demo / "annotations.json").images[:12]
        )
        yield made
        made.delete()


@pytest.mark.slow
def test_the_package_is_light_until_it_is_used() -> None:
    """Importing it loads neither FiftyOne nor Google's client, and `report` is callable."""
    code = """
import sys, fiftyone_gemini as fog
assert not {"fiftyone", "google.genai", "numpy"} & set(sys.modules)
import fiftyone_gemini.report.content
assert callable(fog.report) and "label" in dir(fog)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_what_may_be_chosen_is_one_list() -> None:
    """The type of the keywords names just the settings that there are."""
    assert set(Choices.__annotations__) == set(LabelSettings.__dataclass_fields__)


def test_settings_survive_their_record() -> None:
    """What is kept of a run makes the same settings again, and only what was chosen."""
    chosen = LabelSettings(classes=["cup"], task="segment", budget=2, upload="never")
    assert LabelSettings.from_params(chosen.record()) == chosen
    assert set(chosen.record()) == {"classes", "task", "budget", "upload"}


@pytest.mark.parametrize(
    ("line", "ask"),
    [
        ("colour", Ask("colour")),
        ("colour: What colour?", Ask("colour", "What colour?")),
        ("c: Which? [red | blue]", Ask("c", "Which?", ("red", "blue"))),
    ],
)
def test_questions_are_read_from_lines(line: str, ask: Ask) -> None:
    """A name, words after a colon, choices in brackets."""
    assert read_asks([line], "asks") == (ask,)


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"classes": "cup"}, "list of names"),
        ({"in_flight": 0}, "above 0"),
        ({"budget": "much"}, "number"),
        ({"offline": "yes"}, "true or false"),
        ({"upload": "now"}, "one of auto"),
        ({"task": 5}, "text"),
    ],
)
def test_a_wrong_type_ends_in_a_sentence(
    choice: dict[str, object], reason: str
) -> None:
    """The sentence names the setting and what it must be."""
    with pytest.raises(UsageError, match=reason):
        LabelSettings(**choice)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_run_is_labelled_judged_and_reported_in_five_lines(
    scenes: fo.Dataset, tmp_path: Path
) -> None:
    """Plan, label, evaluate, compare and report agree with each other."""
    view = scenes.limit(4)
    plan = fog.plan(view, task="segment")
    run = fog.label(view, task="segment", field=FIELD, progress=False)
    assert plan.requests == sum(run.statuses.values()) == 4
    assert fog.plan(view, look=True, task="segment").requests == 0
    scores = fog.evaluate(view, FIELD)
    assert scores.all.main.counts.tp == view.count("ground_truth.detections")
    fog.label(view, field="boxes", progress=False)
    found = fog.compare(view, [FIELD, "boxes"])
    assert [one.name for one in found.standings] == [FIELD, "boxes"]
    assert fog.report(view, [FIELD, "boxes"], out=tmp_path).html.is_file()
    assert scenes.exists(f"{FIELD}_status").count() == 4


@pytest.mark.slow
def test_any_process_can_stop_a_run_and_it_resumes(scenes: fo.Dataset) -> None:
    """A flag beside the dataset stops it; resumed, only what is left is asked for."""
    ended: list[object] = []
    choices = {"field": FIELD, "in_flight": 1, "progress": False}
    thread = threading.Thread(target=lambda: ended.append(fog.label(scenes, **choices)))
    thread.start()
    end = time.monotonic() + 20
    while not (runs := live_runs(scenes)) and time.monotonic() < end:
        time.sleep(0.05)
    assert runs[0].goes_on
    with pytest.raises(UsageError, match="still at work"):
        fog.resume(scenes, runs[0].key)
    ask_to_stop(scenes, runs[0].key)
    thread.join(30)
    stopped = find_live(scenes, runs[0].key)
    assert stopped is not None
    assert stopped.state == "stopped"
    done = scenes.exists(f"{FIELD}_status").count()
    assert 0 < done < len(scenes)
    again = fog.resume(scenes, runs[0].key, progress=False)
    assert again.from_journal == done
    assert find_live(scenes, runs[0].key).state == "done"


def test_a_run_that_died_is_told_from_one_at_work(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a sign of life for a while, a run counts as lost."""
    run = LiveRun(key="gemini_1_2_3", settings={})
    with live.Watched(dataset, run, threading.Event()):
        assert find_live(dataset, run.key).state == "running"
        monkeypatch.setattr(live, "LOST_SECONDS", -1.0)
        assert find_live(dataset, run.key).state == "lost"
    assert find_live(dataset, "another") is None


@pytest.mark.slow
def test_an_error_is_kept_with_the_run(scenes: fo.Dataset) -> None:
    """A refused key ends the run, and the panel can say why."""
    with pytest.raises(Exception, match=r"(?i)key"):
        fog.label(scenes, instruction="[emulator:fault=badkey]", progress=False)
    (run,) = live_runs(scenes)
    assert run.state == "failed"
    assert "key" in run.error.lower()


def form_of_plan(dataset: fo.Dataset) -> str:
    """Draw the form of `plan`, as text."""
    operator = foo.get_operator("@gemini/autolabel/plan")
    ctx = foo.executor.ExecutionContext({"dataset_name": dataset.name, "params": {}})
    return str(operator.resolve_input(ctx).to_json())


def test_a_missing_package_is_told_in_place_of_the_form(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form names the package, and the command that installs it."""
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    form = form_of_plan(dataset)
    assert "Install hotcoco" in form
    assert "plugins requirements" in form


def test_an_old_fiftyone_is_told_in_place_of_the_form(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form says which FiftyOne is needed."""
    form_of_plan(dataset)
    place = "fiftyone.plugins.orgs.gemini.autolabel.app.refusals"
    monkeypatch.setattr(sys.modules[place], "NEEDED_FIFTYONE", "99.0")
    assert "needs FiftyOne 99.0" in form_of_plan(dataset)


@pytest.mark.slow
def test_labelled_samples_are_shown_as_examples(scenes: fo.Dataset) -> None:
    """Tagged samples go before every question; without any, it is said."""
    with pytest.raises(UsageError, match="cannot be examples"):
        fog.plan(scenes, examples="ground_truth")
    scenes.limit(2).tag_samples("example")
    shown = fog.plan(scenes.skip(2), examples="ground_truth")
    assert (
        shown.likely.prompt_tokens > 2 * fog.plan(scenes.skip(2)).likely.prompt_tokens
    )
    run = fog.label(
        scenes.skip(2).limit(2), examples="ground_truth", field=FIELD, progress=False
    )
    assert len(run.parameters["examples"]) == 2
