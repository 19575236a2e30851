"""The record of a run as plain JSON: one form for FiftyOne, COCO files and the App."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .values import JsonValue, Parsed, Run, Usage


def run_record(run: Run) -> dict[str, JsonValue]:
    """Turn the record of a run into what MongoDB and JSON can hold.

    Its keys are the fields of `Run`; times are ISO 8601. It holds no key.
    """
    return {field.name: plain(getattr(run, field.name)) for field in fields(run)}


def spent(parsed: Parsed) -> dict[str, JsonValue]:
    """Say what the reply to an item took: tokens, and dollars; empty without a reply.

    It may have been paid in an earlier run; None dollars: the price is unknown.
    """
    if parsed.usage == Usage():
        return {}
    return {"gemini_usage": plain(parsed.usage), "gemini_cost_usd": parsed.cost_usd}


def add_up(base: Run, runs: Sequence[Run]) -> Run:
    """Put what several runs took into the record of one: tokens, cost, seconds of work.

    The time is counted from the start of the first; a cost is unknown when one is.
    """
    costs = [run.cost_usd for run in runs]
    spans = [run.finished - run.started for run in runs if run.finished is not None]
    finished = runs[0].started + sum(spans, timedelta())
    return replace(
        base,
        started=runs[0].started,
        finished=finished if len(spans) == len(runs) else None,
        usage=sum((run.usage for run in runs), Usage()),
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        from_journal=sum(run.from_journal for run in runs),
    )


def coco_info(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Put the record of the run that made the labels into the `info` of a COCO file."""
    return {"date_created": record["started"], "gemini_run": dict(record)}


def plain(value: object) -> JsonValue:
    """Turn a value of the vocabulary into JSON; masks have no place in it."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    assert is_dataclass(value), type(value)
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
