"""The options that `label` and `plan` share, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..gemini.budget import Budget as Allowed
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices, read_prices
from ..values import Question

JOURNAL = Path("fiftyone-gemini-journal.sqlite")

Pictures = Annotated[
    str | None,
    typer.Argument(
        help="A folder of pictures (or its URL, gs://...), or a COCO file that names them."
    ),
]
Task = Annotated[str, typer.Option(help="What to ask: detect or segment.")]
Classes = Annotated[
    str, typer.Option(help="Names with commas between; empty: name everything.")
]
Instruction = Annotated[
    str, typer.Option(help="Words of your own, added to the prompt.")
]
Confidence = Annotated[
    bool, typer.Option("--confidence", help="Ask the model to score each object.")
]
Model = Annotated[str, typer.Option(help="The model to ask.")]
Dataset = Annotated[str, typer.Option(help="A FiftyOne dataset, instead of PICTURES.")]
Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Stop before this run costs more US dollars."),
]
Field = Annotated[str, typer.Option(help="The label field to write (with --dataset).")]
JournalFile = Annotated[
    Path, typer.Option(help="The record of replies; the same file resumes a run.")
]
InFlight = Annotated[
    int, typer.Option(min=1, help="How many requests may be under way at once.")
]
MaxSide = Annotated[
    int | None, typer.Option(min=64, help="Shrink pictures to this many pixels.")
]
RequestsPerMinute = Annotated[
    int | None, typer.Option("--rpm", min=1, help="Requests in any minute, at most.")
]
TokensPerMinute = Annotated[
    int | None,
    typer.Option(
        "--tpm", min=1, help="Input tokens in any minute, at most (foreseen)."
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option("--log", help="Add a line of JSON to this file for each item."),
]
PriceFile = Annotated[
    Path | None,
    typer.Option("--prices", help="Prices of your own (YAML or JSON; docs/cost.md)."),
]


def read_question(
    task: str, classes: str, instruction: str, *, confidence: bool
) -> Question:
    """Put the options that say what is asked into a question."""
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    return Question(task, names, instruction, confidence)


def read_limits(
    in_flight: int,
    rpm: int | None,
    tpm: int | None,
    budget: float | None,
    prices: Prices,
) -> Limits:
    """Put the options that say how hard to ask, and how much to pay, into limits."""
    return Limits(
        in_flight=in_flight,
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        budget=None if budget is None else Allowed(budget, prices),
    )


def chosen_prices(file: Path | None) -> Prices:
    """Read the prices of the user's file, if there is one; raises `FormatError`."""
    return TABLE if file is None else read_prices(file)
