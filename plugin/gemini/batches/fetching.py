"""The results of an ended job into the journal: by key, verified, once.

A result file goes to disk first. A reply is kept together with the note that it came, so
a kill in the middle costs nothing: fetching again goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from ..failures import CallError, happened
from .ledger import Batch, Ledger
from .packing import folder_of
from .results import Job, Result, read_inline, read_line
from .service import Service

Tell = Callable[[str], None]
_GONE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_WHY = {
    "SUCCEEDED": "its result was missing",
    "PARTIALLY_SUCCEEDED": "it was left out",
    "FAILED": "the batch failed",
    "CANCELLED": "the batch was cancelled before",
    "EXPIRED": "the batch expired before",
}


def fetch(batch: Batch, job: Job, service: Service, ledger: Ledger, tell: Tell) -> None:
    """Fetch what an ended job has and end its batch; else it is tried again later."""
    out = folder_of(ledger) / f"{batch.name}.results.jsonl"
    why = _WHY.get(job.state, "it was left out")
    try:
        results = _results(job, service, out)
    except CallError as error:
        if error.cause.code not in _GONE:
            tell(f"The results of {batch.name} did not come: {happened(error.cause)}")
            return
        results = iter(())
        why = "the results are gone, Gemini keeps them for 48 hours"
    odd = _take(results, batch, ledger)
    _clean_up(batch, service, out, keep=odd.unreadable + odd.strange > 0)
    reason = f" ({job.error})" if job.error else ""
    ended = ledger.end(
        replace(batch, state=job.state, note=f"{why}{reason}"),
        f"No answer came from the batch {batch.name}: {why}{reason}.",
    )
    counts = ledger.counts(ended)
    tell(
        f"The batch {batch.name} ended: {job.state.lower().replace('_', ' ')}{reason}, "
        f"{counts.answered} of {counts.all} requests answered."
    )
    for sentence in odd.sentences(out):
        tell(sentence)


@dataclass(slots=True)
class _Odd:
    """What is wrong with the results of a batch as a whole."""

    seen: set[str] = field(default_factory=set)
    unreadable: int = 0
    strange: int = 0
    """Results of requests that are not in the batch."""
    repeated: int = 0

    def sentences(self, out: Path) -> Iterator[str]:
        """Say what is wrong."""
        kept = f"; see {out}" if out.exists() else ""
        if self.unreadable:
            yield f"{self.unreadable} results could not be read{kept}."
        if self.strange:
            yield f"{self.strange} results belong to no request of the batch{kept}."
        if self.repeated:
            yield f"{self.repeated} results came more than once; replies count."


def _results(job: Job, service: Service, out: Path) -> Iterator[Result | None]:
    """Give the results, downloaded to disk first where they are a file."""
    if job.inline:
        return read_inline(job.inline)
    if not job.file:
        return iter(())
    out.parent.mkdir(exist_ok=True)
    service.download(job.file, out)
    return _lines(out)


def _lines(path: Path) -> Iterator[Result | None]:
    """Read a file of results, line by line."""
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield read_line(line)


def _take(results: Iterator[Result | None], batch: Batch, ledger: Ledger) -> _Odd:
    """Keep the replies, and the reasons where there is none."""
    odd = _Odd()
    for result in results:
        if result is None:
            odd.unreadable += 1
        elif not ledger.has(batch, result.key):
            odd.strange += 1
        else:
            odd.repeated += result.key in odd.seen
            odd.seen.add(result.key)
            _note(result, batch, ledger)
    return odd


def _note(result: Result, batch: Batch, ledger: Ledger) -> None:
    """Keep one result."""
    if result.body:
        ledger.keep(batch, result.key, result.body)
    else:
        why = f"Gemini refused it in the batch {batch.name} ({result.error})."
        ledger.fail(batch, result.key, why)


def _clean_up(batch: Batch, service: Service, out: Path, *, keep: bool) -> None:
    """Delete what is needed no longer, here and at Gemini, if that can be done."""
    if batch.file:
        with suppress(CallError):
            service.delete_file(batch.file)
    if not keep:
        out.unlink(missing_ok=True)
