"""`fiftyone-gemini plan`: what `label` would ask for, cost and take; asks nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..asking import Asking, Manner
from ..errors import MissingKeyError
from ..gemini.endpoint import endpoint_from_environment
from ..gemini.journal import Journal
from ..gemini.models import DEFAULT_MODEL, Price, facts
from ..gemini.plan import Plan
from ..gemini.pool import Limits
from ..gemini.prices import Prices
from ..pipeline import Source
from ..planning import Stored, plan_run, stored_in
from ..shards.manifest import write_manifest
from . import options
from .label import find_source
from .show import console, dollars, duration, table

Look = Annotated[
    bool,
    typer.Option("--look", help="Count what is in the journal; reads every picture."),
]

Shards = Annotated[
    int | None,
    typer.Option("--shards", min=1, help="Write a manifest of so many shards."),
]
Out = Annotated[
    str,
    typer.Option("--out", help="The manifest to write (with --shards), or its URL."),
]


def plan_labelling(
    pictures: options.Pictures = None,
    *,
    task: options.Task = "detect",
    classes: options.Classes = "",
    instruction: options.Instruction = "",
    confidence: options.Confidence = False,
    model: options.Model = DEFAULT_MODEL,
    dataset: options.Dataset = "",
    journal: options.JournalFile = options.JOURNAL,
    look: Look = False,
    in_flight: options.InFlight = 16,
    rpm: options.RequestsPerMinute = None,
    tpm: options.TokensPerMinute = None,
    prices: options.PriceFile = None,
    max_side: options.MaxSide = None,
    shards: Shards = None,
    out: Out = "manifest.jsonl",
) -> None:
    """Say what `label` with the same options would ask for, cost and take.

    With --shards, the run is also written down in a manifest, for `work` on any number of
    machines. Nothing is sent and no key is needed. All numbers are estimates (docs/cost.md).
    """
    costs = options.chosen_prices(prices)
    limits = options.read_limits(in_flight, rpm, tpm, None, costs)
    question = options.read_question(task, classes, instruction, confidence=confidence)
    asking = Asking.about(question, model, Manner(max_side=max_side))
    source, _ = find_source(pictures, dataset)
    with _looking(journal if look else None) as stored:
        show_plan(_foresee(source, asking, limits, costs, stored), limits, costs.path)
    if shards is not None:
        _write(out, source, asking, shards, f"dataset {dataset}" if dataset else "")


def _foresee(
    source: Source,
    asking: Asking,
    limits: Limits,
    prices: Prices,
    stored: Stored | None,
) -> Plan:
    """Foresee the run."""
    return plan_run(
        source,
        asking.question,
        model=asking.model,
        limits=limits,
        manner=asking.manner,
        prices=prices,
        stored=stored,
    )


def _write(out: str, source: Source, asking: Asking, shards: int, origin: str) -> None:
    """Write the manifest, and say what to do with it."""
    manifest = write_manifest(out, source, asking, shards=shards, origin=origin)
    console.print(
        f"  manifest: {out}, {manifest.items} items in {shards} shards. On each machine:\n"
        f"    fiftyone-gemini work {out} --shard 1/{shards} --out replies\n"
        f"  and when all are done: fiftyone-gemini merge {out} --from replies"
    )


@contextmanager
def _looking(journal: Path | None) -> Iterator[Stored | None]:
    """Open the journal to look into; one that does not exist holds nothing."""
    if journal is None:
        yield None
    elif not journal.exists():
        yield lambda _: False
    else:
        with Journal(journal) as book:
            yield stored_in(book, emulated=_asks_emulator())


def _asks_emulator() -> bool:
    """Tell whether `label` would ask the emulator, whose replies are kept apart."""
    try:
        return endpoint_from_environment(os.environ).kind == "emulator"
    except MissingKeyError:
        return False


def show_plan(plan: Plan, limits: Limits, price_file: str) -> None:
    """Print a plan: requests, a table of tokens and prices, the price used, time."""
    known = f", {plan.in_journal} are in the journal already"
    console.print(
        f"{plan.requests} requests to {plan.model}"
        + ("" if plan.in_journal is None else known)
    )
    rows = table("if each picture shows", "tokens in", "tokens out", "price")
    for words, estimate in (
        ("few objects", plan.few),
        ("about ten", plan.likely),
        ("many", plan.many),
        ("more than fit into an answer", plan.most),
    ):
        tokens = (f"{estimate.prompt_tokens:,}", f"{estimate.output_tokens:,}")
        rows.add_row(words, *tokens, dollars(estimate.usd))
    console.print(rows)
    console.print(f"  price: {_price_words(plan, price_file)}")
    console.print(f"  time: {duration(plan.seconds)} or more, {_limit_words(limits)}")


def _price_words(plan: Plan, price_file: str) -> str:
    """Say which price was used, on which day, until when it holds, and its source."""
    price = plan.price
    if price is None:
        return f"unknown for {plan.model} on {plan.day}; give it in a file (--prices)"
    row = facts(plan.model)
    source = price_file or f"{row.source}, read on {row.read_on}"
    amounts = f"${price.input:g} in, ${price.output:g} out per million tokens"
    return f"{amounts} on {plan.day}{_until(price)} ({source})"


def _until(price: Price) -> str:
    """Say until when a price holds."""
    return f", until {price.valid_to}" if price.valid_to else ""


def _limit_words(limits: Limits) -> str:
    """Say under which limits."""
    words = [f"{limits.in_flight} at a time"]
    if limits.requests_per_minute is not None:
        words.append(f"{limits.requests_per_minute:,} requests a minute")
    if limits.tokens_per_minute is not None:
        words.append(f"{limits.tokens_per_minute:,} tokens a minute")
    return ", ".join(words)
