"""Batches at work: requests in a file -> results in a file, in the background."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import anyio

from ..values import JsonValue
from .batch_lines import (
    Dialect,
    Result,
    line_at,
    line_starts,
    read_line,
    shuffled,
)
from .failures import INTERNAL, GoogleError
from .fields import Fields
from .log import RequestLog, Trace, stamp
from .media import Library
from .models import EmulatedModel
from .pictures import HELP
from .service import Question, Service


class JobState(StrEnum):
    """Where a batch stands; the last four are ends."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"

    @property
    def over(self) -> bool:
        """Whether nothing happens any more."""
        return self not in {JobState.PENDING, JobState.RUNNING}


_ENDS: dict[JobState, dict[str, JsonValue]] = {
    JobState.FAILED: {"code": 13, "message": INTERNAL + HELP},
    JobState.EXPIRED: {"code": 4, "message": "The batch expired before it was done."},
    JobState.CANCELLED: {"code": 1, "message": "The batch was cancelled."},
}


def _now() -> datetime:
    """Give the present time."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Job:
    """One batch: what it shall do, and how far it is.

    `source` and `result` are files of lines; the result is whole when it has SUCCEEDED.
    """

    name: str
    model: EmulatedModel
    display_name: str
    source: Path
    result: Path
    dialect: Dialect
    library: Library
    told: Fields
    """Where its input came from and its output goes, as the client wrote it."""
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    state: JobState = JobState.PENDING
    created: datetime = field(default_factory=_now)
    updated: datetime = field(default_factory=_now)
    ended: datetime | None = None

    def enter(self, state: JobState) -> None:
        """Note where the batch stands now."""
        self.state = state
        self.updated = _now()
        if state.over:
            self.ended = self.updated

    @property
    def problem(self) -> dict[str, JsonValue] | None:
        """Why it has no results, as a google.rpc.Status."""
        return _ENDS.get(self.state)


@dataclass(slots=True)
class Runner:
    """Works through batches, each in a task of its own on the event loop."""

    service: Service
    log: RequestLog
    folder: Path
    _made: int = 0
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def new_file(self) -> Path:
        """Name a file for the lines of a batch."""
        return self.folder / f"lines-{secrets.token_hex(8)}.jsonl"

    async def start(self, job: Job, on_success: Callable[[Job], None]) -> None:
        """Count the requests of a batch and begin with it."""
        starts = await anyio.to_thread.run_sync(line_starts, job.source)
        job.total = len(starts)
        fates = self.service.settings.batch_fates
        fate = fates[self._made] if self._made < len(fates) else "succeeded"
        self._made += 1
        work = self._run(job, starts, JobState(fate.upper()), on_success)
        self._tasks[job.name] = asyncio.create_task(work)

    def cancel(self, job: Job) -> None:
        """Stop a batch; one that is over stays as it is."""
        if not job.state.over:
            self._tasks.pop(job.name).cancel()
            job.enter(JobState.CANCELLED)

    def delete(self, job: Job) -> None:
        """Stop a batch and delete its lines."""
        self.cancel(job)
        self._tasks.pop(job.name, None)
        job.source.unlink(missing_ok=True)

    async def _run(
        self,
        job: Job,
        starts: list[int],
        fate: JobState,
        on_success: Callable[[Job], None],
    ) -> None:
        """Go through the states of a batch to the end that it is to have."""
        settings = self.service.settings
        await anyio.sleep(settings.batch_pending_seconds)
        job.enter(JobState.RUNNING)
        rest = asyncio.create_task(asyncio.sleep(settings.batch_seconds))
        try:
            if fate is JobState.SUCCEEDED:
                await self._answer_all(job, starts)
            await rest
            if fate is JobState.SUCCEEDED:
                on_success(job)
            job.enter(fate)
        except OSError:
            job.enter(JobState.FAILED)
        finally:
            rest.cancel()

    async def _answer_all(self, job: Job, starts: list[int]) -> None:
        """Answer each line, and write the results; raise OSError."""
        order = starts
        if job.dialect.shuffled:
            order = shuffled(starts, self.service.settings.seed)
        job.result.parent.mkdir(parents=True, exist_ok=True)
        async with await anyio.open_file(job.result, "w") as file:
            for start in order:
                text = await anyio.to_thread.run_sync(line_at, job.source, start)
                line, result = await self._answer(job, text)
                await file.write(json.dumps(job.dialect.write(line, result)) + "\n")
                job.updated = _now()

    async def _answer(self, job: Job, text: bytes) -> tuple[Fields, Result]:
        """Answer one line, and note it in the log."""
        trace = Trace(came=stamp(), batch=job.name)
        line: Fields = {}
        status = 200
        result: Result
        try:
            line, body = read_line(text)
            job.dialect.check(line)
            question = Question(body, job.model, job.library)
            result = await self.service.answer(question, trace)
            job.succeeded += 1
        except GoogleError as failure:
            result, status = failure, failure.code
            job.failed += 1
        path = f"/{job.name}"
        self.log.add(
            trace, path=path, status=status, model=job.model.name, method="BATCH"
        )
        return line, result
