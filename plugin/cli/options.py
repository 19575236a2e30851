"""The options that `label` and `plan` share, and what is made of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

import typer

from ..asking import Manner
from ..errors import UsageError
from ..gemini.budget import Budget as Allowed
from ..gemini.endpoint import TIMEOUT_SECONDS, Endpoint, endpoint_from_environment
from ..gemini.pool import Limits
from ..gemini.prices import TABLE, Prices, read_prices
from ..gemini.upload_rule import Upload
from ..settings import read_asks
from ..tasks import TASKS, verifying
from ..values import Parameters, Question
from .names import read_names

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

    task: Annotated[str, typer.Option(help=f"What to ask: {', '.join(TASKS)}.")] = (
        "detect"
    )
    classes: Annotated[
        str, typer.Option(help="Names with commas between; empty: name everything.")
    ] = ""
    instruction: Annotated[
        str,
        typer.Option(
            help="Words of your own, added to the prompt; with --dataset, {field} is the "
            "value of a field of the sample."
        ),
    ] = ""
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Ask the model to score each object.")
    ] = False
    attribute: Annotated[
        list[str],
        typer.Option(
            help="To be told of each object: 'colour', 'state: is it broken', with the "
            "only answers allowed in brackets: 'state [whole|broken]'. Repeatable."
        ),
    ] = field(default_factory=list)
    ask: Annotated[
        list[str],
        typer.Option(
            help="A question of the task vqa or compare: 'name: question', "
            "'name: question [yes|no]'. Repeatable."
        ),
    ] = field(default_factory=list)
    system: Annotated[str, typer.Option(help="The system instruction.")] = ""
    fov: Annotated[
        float | None,
        typer.Option(help="Field of view in degrees by which box3d is drawn."),
    ] = None

    @property
    def question(self) -> Question:
        """The question that the options make."""
        words = self.instruction
        if self.task == "verify":
            words = verifying(words).instruction
        return Question(
            self.task,
            read_names(self.classes),
            words,
            self.confidence,
            attributes=read_asks(self.attribute, "--attribute"),
            asks=read_asks(self.ask, "--ask"),
            system=self.system,
            fov_degrees=self.fov,
        )


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
    times: Annotated[
        int, typer.Option(min=1, help="Ask everything so many times over.")
    ] = 1
    tile: Annotated[
        int | None,
        typer.Option(min=64, help="Ask about large pictures in tiles of this side."),
    ] = None
    chunk: Annotated[
        int,
        typer.Option(
            min=1, help="Ask about so many pictures in one request (classify, tag ...)."
        ),
    ] = 1
    private_urls: Annotated[
        bool,
        typer.Option("--private-urls", help="Fetch URLs from private networks too."),
    ] = False

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
            times=self.times,
            tile=self.tile,
            chunk=self.chunk,
            private_urls=self.private_urls,
            upload=self.upload,
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """What a dataset has beside its pictures: all of it needs --dataset."""

    others: Annotated[
        str,
        typer.Option(
            help="Fields, or slices of groups, with the other pictures to compare with."
        ),
    ] = ""
    group_slice: Annotated[
        str,
        typer.Option("--slice", help="The slice of a grouped dataset to ask about."),
    ] = ""
    media_field: Annotated[
        str, typer.Option(help="The field with the path or URL of each picture.")
    ] = "filepath"
    regions: Annotated[
        str,
        typer.Option(
            help="A field of boxes: ask about each box alone; answers stay with it."
        ),
    ] = ""
    margin: Annotated[
        float, typer.Option(min=0, help="Context around a box, as a share of it.")
    ] = 0.2
    examples: Annotated[
        str,
        typer.Option(
            help="A field with labels to show as examples, of those tagged so:"
        ),
    ] = ""
    examples_tag: Annotated[
        str, typer.Option(help="The sample tag of the good examples.")
    ] = "example"
    counterexamples_tag: Annotated[
        str, typer.Option(help="The sample tag of the examples of what to avoid.")
    ] = ""

    def check(self, dataset: str, task: str = "") -> None:
        """Refuse what would be ignored without a dataset, or beside --regions."""
        if task == "verify" and not self.regions:
            raise UsageError("verify looks at labelled boxes again: --regions FIELD.")
        plain = Beside()
        names = [f.name for f in fields(self)]
        chosen = [n for n in names if getattr(self, n) != getattr(plain, n)]
        if chosen and not dataset:
            raise UsageError(f"--{chosen[0].replace('_', '-')} needs --dataset.")
        if self.regions and (self.others or self.media_field != "filepath"):
            raise UsageError("--regions asks about boxes of the samples' own pictures.")
        if "margin" in chosen and not self.regions:
            raise UsageError("--margin needs --regions.")
        tags = {"examples_tag", "counterexamples_tag"} & set(chosen)
        if tags and not self.examples:
            raise UsageError("The tags of examples need --examples FIELD.")


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
