"""The options of `label` about batches, and the printing of what happens to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

import typer

from ..errors import UsageError
from ..gemini.batches.answers import Batching
from ..values import Run
from .show import console

LEFT = (
    "{} are not answered yet. The same command fetches what is done and submits what is "
    "missing, at any time within 48 hours; nothing is paid twice."
)


@dataclass(frozen=True, slots=True)
class ByBatch:
    """Whether batches ask, and what becomes of what they leave."""

    batch: Annotated[
        bool,
        typer.Option(
            "--batch", help="Ask by the Batch API: half the price, within a day."
        ),
    ] = False
    wait: Annotated[
        bool, typer.Option("--wait", help="With --batch: wait until all have ended.")
    ] = False
    then: Annotated[
        str,
        typer.Option(
            help="What a batch did not answer: `online` asks it at once; else the next "
            "run does, in a batch."
        ),
    ] = ""

    def batching(self, told: Told, *, offline: bool) -> Batching | None:
        """Make of the options how batches ask; None: they do not."""
        if self.then not in {"", "online"}:
            raise UsageError(f"--then {self.then} is unknown; write `--then online`.")
        if not self.batch and (self.wait or self.then):
            raise UsageError("--wait and --then go with --batch.")
        if self.batch and offline:
            raise UsageError("--batch asks and --offline asks nobody: choose one.")
        if not self.batch:
            return None
        return Batching(wait=self.wait, then_online=bool(self.then), tell=told)


@dataclass(slots=True)
class Told:
    """Prints what is told while a run goes on, so that its end need not repeat it."""

    sentences: set[str] = field(default_factory=set)

    def __call__(self, sentence: str) -> None:
        """Print a sentence."""
        self.sentences.add(sentence)
        console.print(sentence)

    def taken_from(self, run: Run) -> Run:
        """Leave out the notes that were printed already."""
        rest = [note for note in run.notes if note not in self.sentences]
        return replace(run, notes=tuple(rest))
