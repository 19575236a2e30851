"""Summaries of evaluations, kept beside the dataset so that the panel need not judge again."""

from __future__ import annotations

import fiftyone as fo
from fiftyone.operators.store import ExecutionStore
from pydantic import TypeAdapter, ValidationError

from .report.summary import Summary

STORE = "gemini.autolabel.summaries"
KEPT_SECONDS = 180 * 24 * 3600


def save_summary(samples: fo.SampleCollection, summary: Summary) -> None:
    """Keep a summary under the key of its evaluation, for half a year."""
    text = TypeAdapter(Summary).dump_json(summary).decode()
    _store(samples).set(summary.key, text, ttl=KEPT_SECONDS)


def load_summary(samples: fo.SampleCollection, key: str) -> Summary | None:
    """Give the summary of an evaluation; None where there is none that can be read."""
    text = _store(samples).get(key)
    if not isinstance(text, str):
        return None
    try:
        return TypeAdapter(Summary).validate_json(text)
    except ValidationError:  # of another version: it is made again by evaluating
        return None


def summary_keys(samples: fo.SampleCollection) -> tuple[str, ...]:
    """Name the evaluations that have a summary and were not deleted since."""
    there = samples.list_evaluations()
    kept = set(_store(samples).list_keys())
    return tuple(key for key in there if key in kept)


def _store(samples: fo.SampleCollection) -> ExecutionStore:
    dataset = samples._root_dataset  # noqa: SLF001 - no public twin
    return ExecutionStore.create(STORE, dataset._doc.id)  # noqa: SLF001 - as FiftyOne
