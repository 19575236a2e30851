"""`fiftyone-gemini label`: label a folder, a COCO file or a FiftyOne dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from ..coco.folder import FolderSource, UrlSource
from ..coco.read import read_coco
from ..coco.write import Category
from ..errors import UsageError
from ..gemini.models import DEFAULT_MODEL
from ..gemini.stored import Reuse
from ..parsing.rules import DEFAULT_RULES, MAX_THRESHOLD, ReadRules
from ..pipeline import Source
from ..rerun import failing, read_statuses
from ..storage import local_path
from ..sweep import sink_for
from ..values import Question
from . import options
from .beside import open_sink, open_source, with_examples
from .by_batch import ByBatch, Told
from .films import Film, open_folder
from .groups import grouped
from .job import Job, carry_out

NOTHING_BESIDE = options.Beside()
ANY = Question("detect")


Out = Annotated[
    Path,
    typer.Option(
        help="The file to write, for a folder or COCO file: COCO, or JSON Lines for what "
        "is no box."
    ),
]


@dataclass(frozen=True, slots=True)
class Rereading:
    """Which stored replies are good enough, and how replies are read."""

    retry: Annotated[
        str,
        typer.Option(
            help="Ask again where the stored reply was one of these (commas between): "
            "failed, or blocked, truncated, malformed, empty, ok."
        ),
    ] = ""
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Read the journal's replies again; ask and pay for nothing.",
        ),
    ] = False
    mask_threshold: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_THRESHOLD,
            help="A pixel of a grey mask is the object's when it is over this level.",
        ),
    ] = DEFAULT_RULES.threshold
    drop_unlabelled: Annotated[
        bool,
        typer.Option("--drop-unlabelled", help="Leave out objects that have no label."),
    ] = False

    @property
    def rules(self) -> ReadRules:
        """The rules that the options make."""
        return ReadRules(self.mask_threshold, keep_unlabelled=not self.drop_unlabelled)

    def reuse(self, question: Question) -> Reuse:
        """Choose what becomes of the replies in the journal."""
        if not self.retry:
            return Reuse(nothing_else=self.offline)
        if self.offline:
            raise UsageError(
                "--retry asks again and --offline asks nobody: choose one."
            )
        return Reuse(failing(question, read_statuses(self.retry), self.rules))


@grouped
def label_pictures(
    pictures: options.Pictures = None,
    *,
    words: options.Words,
    model: options.Model = DEFAULT_MODEL,
    out: Out = Path("labels.json"),
    dataset: options.Dataset = "",
    field: options.Field = "gemini",
    beside: options.Beside,
    journal: options.JournalFile = options.JOURNAL,
    pace: options.Pace,
    budget: options.Budget = None,
    prices: options.PriceFile = None,
    how: options.How,
    film: Film,
    where: options.Where,
    rereading: Rereading,
    by_batch: ByBatch,
    log: options.LogFile = None,
) -> None:
    """Label pictures or videos (GEMINI_API_KEY); run it again to go on."""
    costs = options.chosen_prices(prices)
    limits = pace.limits(costs, budget)
    told = Told()
    batching = by_batch.batching(told, offline=rereading.offline)
    # Offline nothing is sent, so that any key does.
    endpoint = where.endpoint(api_key="unused" if rereading.offline else "")
    how_read = replace(how.manner.at(endpoint), reading=rereading.rules)
    question, manner = film.put(words.question, how_read)
    source, categories = find_source(pictures, dataset, beside, question)
    manner = with_examples(manner, dataset, question, beside)
    reuse = rereading.reuse(question)
    if rereading.offline and not journal.exists():
        raise UsageError(f"--offline reads {journal}, which is not there.")
    sink = sink_for(question, out, categories)
    if dataset:
        sink = open_sink(dataset, field, question, manner.times, beside)
    how_far = (limits, manner, reuse, costs, batching, log)
    job = Job(source, sink, question, model, journal, *how_far)
    carry_out(job, endpoint, f"{dataset}.{field}" if dataset else out, told)


def find_source(
    pictures: str | None,
    dataset: str,
    beside: options.Beside = NOTHING_BESIDE,
    question: Question = ANY,
) -> tuple[Source, Sequence[Category] | None]:
    """Choose where samples come from; a COCO file brings its categories along."""
    if bool(dataset) == (pictures is not None):
        raise UsageError("Name either a folder or COCO file, or --dataset.")
    beside.check(dataset, question.task)
    if pictures is not None:
        path = local_path(pictures)
        if path is None:
            return UrlSource(pictures), None
        if path.suffix == ".json":
            coco = read_coco(path)
            return FolderSource(coco), coco.categories
        return open_folder(path, question), None
    return open_source(dataset, beside), None
