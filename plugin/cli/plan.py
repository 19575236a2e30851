"""`fiftyone-gemini plan`: what `label` would ask for, cost and take; asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ..asking import Asking, Manner
from ..errors import MissingKeyError, UsageError
from ..gemini.counting import count_tokens
from ..gemini.endpoint import Endpoint
from ..gemini.journal import Journal
from ..gemini.models import DEFAULT_MODEL, Price, facts
from ..gemini.plan import Plan
from ..gemini.pool import Limits
from ..gemini.prices import Prices
from ..pipeline import NO_BATCHES, Source, medium_of
from ..planning import SOME, Stored, plan_run, stored_in
from ..shards.manifest import write_manifest
from . import options
from .beside import with_examples
from .films import Film
from .groups import grouped
from .label import find_source
from .show import console, dollars, duration, table

BATCH_TIME = "Gemini aims at 24 hours for a batch; most are done sooner"
Batch = Annotated[bool, typer.Option("--batch", help="Foresee `label --batch`.")]
Look = Annotated[
    bool,
    typer.Option("--look", help="Count what is in the journal; reads every picture."),
]
Count = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Have Gemini count the tokens of so many pictures (free; sends them).",
    ),
]

Shards = Annotated[
    int | None,
    typer.Option("--shards", min=1, help="Write a manifest of so many shards."),
]
Out = Annotated[
    str,
    typer.Option("--out", help="The manifest to write (with --shards), or its URL."),
]


@grouped
def plan_labelling(
    pictures: options.Pictures = None,
    *,
    words: options.Words,
    model: options.Model = DEFAULT_MODEL,
    dataset: options.Dataset = "",
    beside: options.Beside,
    journal: options.JournalFile = options.JOURNAL,
    look: Look = False,
    count: Count = None,
    pace: options.Pace,
    prices: options.PriceFile = None,
    how: options.How,
    film: Film,
    where: options.Where,
    batch: Batch = False,
    shards: Shards = None,
    out: Out = "manifest.jsonl",
) -> None:
    """Say what `label` with the same options would ask for, cost and take; free."""
    limits = pace.limits(costs := options.chosen_prices(prices))
    endpoint = where.endpoint() if count else _endpoint(where)
    question, manner = film.put(words.question, how.manner.at(endpoint))
    source, _ = find_source(pictures, dataset, beside, question)
    manner = with_examples(manner, dataset, question, beside)
    asking = Asking.about(question, model, manner, medium_of(source))
    with _looking(journal, endpoint, look=look) as stored:
        plan = plan_run(
            source,
            asking.question,
            model=model,
            limits=limits,
            manner=asking.manner,
            prices=_prices(costs, manner) if batch else costs,
            stored=stored,
            count=partial(count_tokens, endpoint=endpoint) if count else None,
            count_some=count or SOME,
        )
    show_plan(plan, limits, costs.path, batch=batch)
    _write(out, source, asking, shards, dataset)


def _prices(prices: Prices, manner: Manner) -> Prices:
    """Give the prices of batches; raises `UsageError` for what they do not ask."""
    if manner.chunk > 1:
        raise UsageError(NO_BATCHES)
    return prices.for_batches()


def _write(
    out: str, source: Source, asking: Asking, shards: int | None, dataset: str
) -> None:
    """Write the manifest, if there is to be one, and say what to do with it."""
    if shards is None:
        return
    origin = f"dataset {dataset}" if dataset else ""
    manifest = write_manifest(out, source, asking, shards=shards, origin=origin)
    console.print(
        f"  manifest: {out}, {manifest.items} items in {shards} shards. On each machine:\n"
        f"    fiftyone-gemini work {out} --shard 1/{shards} --out replies\n"
        f"  and when all are done: fiftyone-gemini merge {out} --from replies"
    )


@contextmanager
def _looking(
    journal: Path, endpoint: Endpoint, *, look: bool
) -> Iterator[Stored | None]:
    """Open the journal to look into; one that does not exist holds nothing."""
    if not look:
        if journal.exists():
            console.print(f"At most: what {journal} holds is counted too (see --look).")
        yield None
    elif not journal.exists():
        yield lambda _: False
    else:
        with Journal(journal) as book:
            yield stored_in(book, emulated=endpoint.kind == "emulator")


def _endpoint(where: options.Where) -> Endpoint:
    """Find whom `label` would ask; without any key that would be the Gemini API."""
    try:
        return where.endpoint()
    except MissingKeyError:
        return where.endpoint(api_key="none")


def show_plan(
    plan: Plan, limits: Limits, price_file: str, *, batch: bool = False
) -> None:
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
    console.print(f"  {_source_words(plan)}")
    half = ", in a batch: half the standard price" if batch and plan.price else ""
    console.print(f"  price: {_price_words(plan, price_file)}{half}")
    online = f"{duration(plan.seconds)} or more, {_limit_words(limits)}"
    console.print(f"  time: {BATCH_TIME if batch else online}")


def _source_words(plan: Plan) -> str:
    """Say what was measured and what is assumed."""
    if plan.counted:
        how = f"mean of {plan.counted} requests counted by Gemini (without the schema)"
    else:
        how = "estimated by the documented rules (docs/tokens.md)"
    return f"tokens in: {how}; tokens out: assumed"


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
