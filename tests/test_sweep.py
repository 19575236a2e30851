"""`sweep`: grids read strictly, runs resumed, a budget over all cells, one comparison."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.cli import app
from fiftyone_gemini.coco.folder import FolderSource
from fiftyone_gemini.coco.read import read_coco
from fiftyone_gemini.coco.runs import read_run
from fiftyone_gemini.coco.write import write_coco
from fiftyone_gemini.emulator import Settings, running_emulator
from fiftyone_gemini.errors import FormatError, UsageError
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.sweep import Sweep, read_grid, run_sweep
from fiftyone_gemini.values import Ask, Status
from typer.testing import CliRunner

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sweep.md"
GRID = """
truth: truth.json
task: detect
grid:
  model: [gemini-3.8-flash, gemini-2.5-flash]
"""


@pytest.fixture
def desk(tmp_path: Path, demo: Path) -> Path:
    """Give a folder with three pictures and their truth."""
    images = read_coco(demo / "annotations.json").images[:3]
    (tmp_path / "data").mkdir()
    for image in images:
        shutil.copy(image.path, tmp_path / "data")
    write_coco(tmp_path / "truth.json", images)
    return tmp_path


@pytest.fixture(scope="module")
def emulator(demo: Path) -> Iterator[str]:
    """Give the address of an emulator that answers from the truth, spoiled."""
    truth = str(demo / "annotations.json")
    with running_emulator(Settings(truth=truth, noise=0.4)) as running:
        yield running.url


def grid(desk: Path, text: str) -> Path:
    """Write a grid."""
    path = desk / "grid.yaml"
    path.write_text(text)
    return path


def calls(url: str) -> int:
    """Count the calls an emulator had."""
    with urllib.request.urlopen(f"{url}/emulator/log") as answer:
        found = json.load(answer)
    return len(found["calls"] if isinstance(found, dict) else found)


def sweep_of(desk: Path, url: str) -> Sweep:
    """Sweep over the pictures of the desk as if it cost money."""
    return Sweep(
        FolderSource(read_coco(desk / "truth.json")),
        desk / "out",
        desk / "out" / "journal.sqlite",
        Endpoint("gemini", "k", url),
    )


@pytest.mark.slow
def test_the_grid_of_the_page_runs_and_resumes(desk: Path, emulator: str) -> None:
    """The documented YAML makes eight runs and a report; again, it asks nothing."""
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    path, out = grid(desk, found[1]), desk / "sweep"
    env = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": emulator}
    command = ["sweep", str(path), "--out", str(out)]
    first = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    files = sorted(file.name for file in out.glob("*.json"))
    assert len(files) == 8
    assert files[0] == "01-gemini-3.8-flash-instruction-1-max-side-default.json"
    data = json.loads((out / "report" / "report.json").read_text())
    runs = data["comparison"]["runs"]
    assert [run["name"] for run in runs][:2] == [
        "gemini-3.8-flash, instruction 1, max_side default",
        "gemini-3.8-flash, instruction 1, max_side 768",
    ]
    assert all(run["tokens_in"] for run in runs[:1])
    asked = calls(emulator)
    again = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert again.output.count("was finished before") == 8
    assert calls(emulator) == asked


def test_a_budget_that_pays_for_nothing_is_refused(desk: Path, emulator: str) -> None:
    """Nothing is asked when not even one answer can be paid."""
    found = replace(read_grid(grid(desk, GRID)), budget_usd=0.0001)
    with pytest.raises(UsageError, match="nothing could be asked"):
        list(run_sweep(found, sweep_of(desk, emulator)))


@pytest.mark.slow
def test_a_spent_budget_leaves_cells_out(desk: Path, emulator: str) -> None:
    """A cell that cannot be paid is named, and nothing is asked for it."""
    found = read_grid(grid(desk, GRID))
    sweep = sweep_of(desk, emulator)
    first, _ = run_sweep(found, sweep)
    assert first.run is not None
    for file in sweep.folder.glob("02*"):
        file.unlink()
    record = json.loads(first.path.read_text())
    record["info"]["gemini_run"]["cost_usd"] = 4.9999
    first.path.write_text(json.dumps(record))
    _, second = run_sweep(replace(found, budget_usd=5.0), sweep)
    assert "budget of the grid" in second.problem
    assert not second.complete


@pytest.mark.slow
def test_a_cell_goes_on_where_it_stopped(desk: Path, emulator: str) -> None:
    """Two goes at a cell cost and count like one; nothing is paid twice."""
    found = read_grid(grid(desk, GRID))
    whole = sweep_of(desk, emulator)
    part = replace(
        whole, source=FolderSource.of(read_coco(desk / "truth.json").images[:2])
    )
    before, _ = run_sweep(found, part)
    assert before.run is not None
    record = json.loads(before.path.read_text())
    record["info"]["gemini_run"]["statuses"][Status.SKIPPED.value] = 1
    before.path.write_text(json.dumps(record))
    after, _ = run_sweep(found, whole)
    other = replace(whole, folder=desk / "b", journal=desk / "b" / "journal.sqlite")
    once, _ = run_sweep(found, other)
    assert after.run is not None
    assert once.run is not None
    assert after.run.usage == once.run.usage
    assert after.run.cost_usd == pytest.approx(once.run.cost_usd)
    assert after.run.from_journal == 0
    assert after.run.statuses == once.run.statuses
    assert read_run(after.path) == after.run


def test_a_changed_grid_does_not_overwrite(desk: Path, emulator: str) -> None:
    """A file of another question is left alone, and the sentence says what to do."""
    sweep = sweep_of(desk, emulator)
    list(run_sweep(read_grid(grid(desk, GRID)), sweep))
    changed = read_grid(grid(desk, GRID.replace("detect", "segment")))
    with pytest.raises(UsageError, match="Use another folder"):
        list(run_sweep(changed, sweep))


def test_a_model_that_is_gone_does_not_cost_the_others(
    desk: Path, emulator: str
) -> None:
    """One cell fails as a whole, the next one is run."""
    text = GRID.replace("gemini-3.8-flash", "gemini-0-none")
    first, second = run_sweep(read_grid(grid(desk, text)), sweep_of(desk, emulator))
    assert first.problem or (
        first.run is not None and set(first.run.statuses) == {Status.API_ERROR}
    )
    assert second.complete


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GRID + "modl: x", "modl is unknown. Did you mean 'model'?"),
        (GRID + "task: [detect]", "task must be the name of a task"),
        (GRID.replace("detect", "dance"), "there is no task 'dance'"),
        (GRID + "  max_side: [12]", "grid.max_side[0] must be a whole number from 64"),
        (GRID + "  max_side: 800", "grid.max_side must be a list"),
        (GRID + "  max_side: []", "grid.max_side must be a list"),
        (GRID + "  confidence: [1]", "grid.confidence[0] must be true or false"),
        (GRID + "  instruction: [a, a]", "grid.instruction names 'a' twice"),
        (GRID + "  task: [segment]", "'task' stands under grid and beside it"),
        (GRID.replace("task: detect", "") + "  task: [detect, tag]", "different kinds"),
        (GRID + "budget: 0", "budget must be a number above 0"),
        (GRID + "budget: much", "budget must be a number above 0"),
        (GRID + "iou: 3", "iou must be a number from 0.05 to 0.95"),
        (GRID + "dataset: mine", "name either `truth`"),
        (GRID.replace("truth: truth.json", ""), "name either `truth`"),
        (GRID.replace(", gemini-2.5-flash", ""), "the grid has 1 cell;"),
        (GRID.replace("model", "max_side").replace("[gemini", "[64, 99] #"), "`model`"),
        ("truth: a.json", "there is no 'grid'"),
        ("[", "this is not YAML"),
        ("- a", "the file must be a mapping"),
        ("", "the file must be a mapping"),
    ],
)
def test_a_wrong_grid_is_said_in_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """Every mistake names its place before anything is asked."""
    with pytest.raises(FormatError) as caught:
        read_grid(grid(tmp_path, text))
    assert sentence in str(caught.value)


@pytest.mark.slow
def test_a_grid_of_classes_has_numbers_of_its_own(desk: Path, emulator: str) -> None:
    """Tasks that COCO cannot hold leave JSON Lines, and are compared by accuracy."""
    lines = [
        json.dumps(
            {"sample_id": p.stem, "file": f"data/{p.name}", "values": [{"label": c}]}
        )
        for p, c in zip(sorted((desk / "data").iterdir()), "aba", strict=True)
    ]
    (desk / "truth.jsonl").write_text("\n".join(lines))
    text = GRID.replace("detect", "classify").replace("truth.json", "truth.jsonl")
    path, out = grid(desk, text + "classes: [cup, book]\n"), desk / "sweep"
    env = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": emulator}
    command = ["sweep", str(path), "--out", str(out)]
    first = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "Accuracy" in first.output
    data = json.loads((out / "report" / "report.json").read_text())
    assert data["kind_comparison"]["kind"] == "tag"
    assert [kind["items"] for kind in data["kinds"]] == [3, 3]
    again = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert again.output.count("was finished before") == 2


@pytest.mark.slow
def test_asking_several_times_is_a_cell_like_others(desk: Path, emulator: str) -> None:
    """The asks are merged for the comparison, and a finished cell is not asked again."""
    text = GRID.replace("model: [gemini-3.8-flash, gemini-2.5-flash]", "times: [1, 3]")
    path = grid(desk, text + "model: gemini-3.8-flash\nattributes: [colour]\n")
    env = {"GEMINI_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": emulator}
    command = ["sweep", str(path), "--out", str(desk / "sweep")]
    before = calls(emulator)
    first = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert calls(emulator) - before == 9
    page = (desk / "sweep" / "report" / "report.html").read_text()
    assert "agreement of 3 asks" in page
    again = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert again.output.count("was finished before") == 2


def test_questions_stand_in_a_grid(tmp_path: Path) -> None:
    """What `label` is told by --ask and --system has its entries."""
    text = "truth: t.jsonl\ntask: vqa\nmodel: gemini-3.8-flash\nsystem: Be brief.\n"
    asks = 'grid: {asks: [["day: Is it day? [yes|no]"], ["day: Day? [yes|no]"]]}'
    first, second = read_grid(grid(tmp_path, text + asks)).cells
    assert first.question.asks[0] == Ask("day", "Is it day?", ("yes", "no"))
    assert (first.name, second.name) == ("asks 1", "asks 2")
    assert first.question.system == "Be brief."


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The path stands in the sentence."""
    with pytest.raises(FormatError, match=r"none\.yaml"):
        read_grid(tmp_path / "none.yaml")
