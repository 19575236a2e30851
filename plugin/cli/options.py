"""The options that `label` and `plan` share, and what is made of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..asking import Manner
from ..gemini.budget import Budget as Allowed
from ..gemini.endpoint import TIMEOUT_SECONDS, Endpoint, endpoint_from_environment
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices, read_prices
from ..gemini.upload_rule import Upload
from ..values import Parameters, Question

JOURNAL = Path("fiftyone-gemini-journal.sqlite")

Pictures = Annotated[
    str | None,
    typer.Argument(
        help="A folder of pictures (or its URL, gs://...), or a COCO file that names them."
    ),
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
LogFile = Annotated[
    Path | None,
    typer.Option("--log", help="Add a line of JSON to this file for each item."),
]
PriceFile = Annotated[
    Path | None,
    typer.Option("--prices", help="Prices of your own (YAML or JSON; docs/cost.md)."),
]


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked."""

    task: Annotated[str, typer.Option(help="What to ask: detect or segment.")] = (
        "detect"
    )
    classes: Annotated[
        str, typer.Option(help="Names with commas between; empty: name everything.")
    ] = ""
    instruction: Annotated[
        str, typer.Option(help="Words of your own, added to the prompt.")
    ] = ""
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Ask the model to score each object.")
    ] = False

    @property
    def question(self) -> Question:
        """The question that the options make."""
        names = (name.strip() for name in self.classes.split(","))
        classes = tuple(name for name in names if name)
        return Question(self.task, classes, self.instruction, self.confidence)


@dataclass(frozen=True, slots=True)
class How:
    """How it is asked, beside its words; what is left out is left to the model table."""

    max_side: Annotated[
        int | None, typer.Option(min=64, help="Shrink pictures to this many pixels.")
    ] = None
    media_resolution: Annotated[
        str | None,
        typer.Option(help="How closely to look: low, medium, high or ultra_high."),
    ] = None
    thinking: Annotated[
        str | None,
        typer.Option(
            help="minimal, low, medium, high or xhigh (Gemini 3 and 4), a number of "
            "tokens (2.5), or default: say nothing. Without it: the least accepted."
        ),
    ] = None
    temperature: Annotated[
        float | None, typer.Option(help="0 to 2; only Gemini 2 takes one.")
    ] = None
    max_output_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="The most tokens of an answer, thoughts included."),
    ] = None
    upload: Annotated[
        Upload,
        typer.Option(help="Which pictures to upload once instead of sending along."),
    ] = Upload.AUTO

    @property
    def manner(self) -> Manner:
        """The manner that the options make."""
        return Manner(
            Parameters(
                self.temperature,
                self.thinking,
                self.max_output_tokens,
                self.media_resolution,
            ),
            self.max_side,
            upload=self.upload,
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard it is asked."""

    in_flight: Annotated[
        int, typer.Option(min=1, help="How many requests may be under way at once.")
    ] = 16
    rpm: Annotated[
        int | None,
        typer.Option("--rpm", min=1, help="Requests in any minute, at most."),
    ] = None
    tpm: Annotated[
        int | None,
        typer.Option(
            "--tpm", min=1, help="Input tokens in any minute, at most (foreseen)."
        ),
    ] = None

    def limits(self, prices: Prices, budget: float | None = None) -> Limits:
        """Make limits of the options and of what may be paid."""
        return Limits(
            in_flight=self.in_flight,
            requests_per_minute=self.rpm,
            tokens_per_minute=self.tpm,
            budget=None if budget is None else Allowed(budget, prices),
        )


@dataclass(frozen=True, slots=True)
class Where:
    """How Gemini is reached; what is left out is left to the environment."""

    base_url: Annotated[
        str, typer.Option(help="Another server, such as the emulator or a gateway.")
    ] = ""
    api_version: Annotated[
        str, typer.Option(help="v1, v1beta or v1alpha; without it the SDK chooses.")
    ] = ""
    timeout: Annotated[float, typer.Option(help="Seconds that one try may take.")] = (
        TIMEOUT_SECONDS
    )

    def endpoint(self, *, api_key: str = "") -> Endpoint:
        """Find who is asked; raises `MissingKeyError`."""
        return endpoint_from_environment(
            os.environ,
            api_key=api_key,
            base_url=self.base_url,
            api_version=self.api_version,
            timeout_seconds=self.timeout,
        )


def chosen_prices(file: Path | None) -> Prices:
    """Read the prices of the user's file, if there is one; raises `FormatError`."""
    return TABLE if file is None else read_prices(file)
