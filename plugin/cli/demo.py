"""`fiftyone-gemini demo`: the whole line, offline, on the demo scenes.

Scenes with exact truth -> FiftyOne -> requests by the real SDK over HTTP -> labels ->
COCO -> official metrics -> a report. Everything it makes is in one folder, with a
database of its own, so no dataset of the user is touched.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..coco.folder import FolderSource
from ..coco.read import CocoDataset, read_coco
from ..coco.write import write_coco
from ..doctor.mongo import private_mongod
from ..doctor.plugin import link_plugin
from ..doctor.private import PrivateMongo
from ..emulator import Settings, running_emulator
from ..gemini.endpoint import Endpoint, endpoint_from_environment
from ..gemini.models import DEFAULT_MODEL
from ..planning import plan_run
from ..report import Section, build_report, write_report
from ..values import ImageLabels, Question, Run
from .job import Job
from .judge import Pair
from .show import console, show_estimate, show_headline, show_run

DATASET = "gemini-demo"
TRUTH = "ground_truth"
FIELDS = {"detect": "gemini_boxes", "segment": "gemini_masks"}
"""Task and the field its labels go to."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the demo keeps what it makes."""

    path: Path

    @property
    def database(self) -> Path:
        """The folder of the demo's own MongoDB."""
        return self.path / "db"

    @property
    def plugins(self) -> Path:
        """The folder in which the demo's FiftyOne finds the plugin."""
        return self.path / "plugins"

    @property
    def journal(self) -> Path:
        """The record of replies."""
        return self.path / "journal.sqlite"

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.path / "report"

    def coco(self, name: str) -> Path:
        """Name the COCO file of one set of labels."""
        return self.path / "coco" / f"{name}.json"


def run_demo(
    *,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path(
        "demo-out"
    ),
    gemini: Annotated[
        bool, typer.Option("--gemini", help="Ask Google's Gemini: needs a key, costs.")
    ] = False,
    model: Annotated[str, typer.Option(help="The model to ask.")] = DEFAULT_MODEL,
    app: Annotated[
        bool, typer.Option("--app", help="Open the result in the FiftyOne App.")
    ] = False,
) -> None:
    """Label the demo scenes, judge and export the labels, and write a report.

    Needs no key and no network: the answers come from the offline emulator.
    """
    folder = DemoFolder(out.resolve())
    folder.path.mkdir(parents=True, exist_ok=True)
    with private_mongod(folder.database) as mongo, answering(gemini) as endpoint:
        set_up_fiftyone(folder, mongo)
        if app:
            open_app(endpoint)
            return
        truth = read_coco(demo_set() / "annotations.json")
        console.print(f"{len(truth.images)} scenes with exact truth, from {demo_set()}")
        if gemini:
            announce_cost(truth, model)
        label_and_judge(folder, endpoint, model, truth)


def set_up_fiftyone(folder: DemoFolder, mongo: PrivateMongo) -> None:
    """Let FiftyOne use the demo's own database and plugins; before it is imported."""
    link_plugin(folder.plugins)
    os.environ |= mongo.environment | {
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_PLUGINS_DIR": str(folder.plugins),
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }


@contextmanager
def answering(gemini: bool) -> Iterator[Endpoint]:
    """Give the endpoint that answers: Google's, or an emulator started for it."""
    if gemini:
        yield endpoint_from_environment(os.environ)
        return
    with running_emulator(Settings()) as emulator:
        yield endpoint_from_environment({}, base_url=emulator.url)


def questions(truth: CocoDataset) -> dict[str, Question]:
    """Give the question of each task: the objects of all classes of the truth."""
    classes = tuple(category.name for category in truth.categories)
    return {task: Question(task, classes) for task in FIELDS}


def announce_cost(truth: CocoDataset, model: str) -> None:
    """Say what Gemini will cost, and ask whether to go on where someone can answer."""
    for task, question in questions(truth).items():
        console.print(f"{task}: ", end="")
        plan = plan_run(FolderSource(truth), question, model=model)
        show_estimate(plan.likely, model)
    if sys.stdin.isatty():
        typer.confirm("Go on?", abort=True)


def label_and_judge(
    folder: DemoFolder, endpoint: Endpoint, model: str, truth: CocoDataset
) -> None:
    """Label the scenes by both tasks, then judge, export and report."""
    from ..labels.create import create_dataset, show_first
    from .datasets import open_dataset

    create_dataset(DATASET, truth.images, TRUTH)
    runs = {}
    for task, question in questions(truth).items():
        runs[FIELDS[task]] = label_demo(folder, endpoint, model, question)
        show_run(runs[FIELDS[task]])
    show_first(open_dataset(DATASET), FIELDS["segment"])
    judge_demo(folder, runs, truth)


def label_demo(
    folder: DemoFolder, endpoint: Endpoint, model: str, question: Question
) -> Run:
    """Label the demo dataset by one task, into the field of that task."""
    from ..labels.samples import ViewSource
    from ..labels.write import FieldSink
    from .datasets import open_dataset

    dataset, field = open_dataset(DATASET), FIELDS[question.task]
    sink = FieldSink(dataset, field, run_key=field)
    job = Job(ViewSource(dataset), sink, question, model, folder.journal)
    return job.run(endpoint)


def judge_demo(folder: DemoFolder, runs: dict[str, Run], truth: CocoDataset) -> None:
    """Judge, export and report the labels of both runs, and say where all is."""
    true_labels = read_field(TRUTH)
    sections = []
    for field, run in runs.items():
        pair = Pair(f"{run.question.task} ({field})", true_labels, read_field(field))
        scores = pair.scores(0.5)
        show_headline(pair.title, scores)
        sections.append(Section(pair.title, run, scores, pair.truth, pair.predicted))
        write_coco(folder.coco(field), pair.predicted, truth.categories)
    write_coco(folder.coco(TRUTH), true_labels, truth.categories)
    report = build_report(sections, title="The demo scenes, labelled")
    files = write_report(report, folder.report)
    console.print(f"\nreport:  {files.html}")
    console.print(f"COCO:    {folder.coco('*')}")
    console.print(f"journal: {folder.journal}")
    console.print("Open it in the FiftyOne App: make app (or: demo --app)")


def read_field(field: str) -> list[ImageLabels]:
    """Read a field of the demo dataset, under the image ids of the COCO file."""
    from ..labels.read import read_labels
    from .datasets import open_dataset

    return read_labels(open_dataset(DATASET), field, id_field="coco_id")


def open_app(endpoint: Endpoint) -> None:
    """Open the App on the demo dataset and wait until it is closed."""
    if endpoint.kind == "emulator":
        os.environ["GOOGLE_GEMINI_BASE_URL"] = endpoint.base_url
    import fiftyone as fo

    from .datasets import open_dataset

    session = fo.launch_app(open_dataset(DATASET), address="127.0.0.1")
    console.print(f"The App is at {session.url} (Ctrl-C ends it)")
    sys.stdout.flush()
    session.wait(-1)


def demo_set() -> Path:
    """Find the demo set: in the installed package, or in the repository beside it."""
    package = Path(__file__).resolve().parents[1]
    for base in (package, package.parent):
        folder = base / "datasets" / "demo"
        if (folder / "annotations.json").is_file():
            return folder
    from ..errors import SetupError

    raise SetupError("The demo set (datasets/demo) is missing: install it anew.")
