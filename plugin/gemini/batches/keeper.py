"""Looks after batches: submits what is written, asks how it is, fetches what came.

Whatever stage a batch was left in, by a kill or by another program, the next step is
taken from what the ledger and Gemini say. One process at a time is at a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

from ...errors import FatalApiError
from ..endpoint import Endpoint
from ..failures import RETRYABLE, CallError, Cause, advise, happened
from ..journal import Journal
from .fetching import fetch
from .ledger import Batch, Stage
from .packing import Sizes, file_of, read_lines
from .service import Service

GRACE_SECONDS = 60.0
"""A batch that Gemini does not list so long after its submission never arrived."""
_GONE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


def place_of(endpoint: Endpoint) -> str:
    """Name where batches are sent; the key does not count."""
    parts = (endpoint.kind, endpoint.base_url, endpoint.project, endpoint.location)
    return " ".join(part for part in parts if part)


class Keeper:
    """Looks after the batches of one journal at one endpoint.

    `tell` is told in a sentence what became of a batch.
    """

    def __init__(
        self,
        service: Service,
        journal: Journal,
        endpoint: Endpoint,
        tell: Callable[[str], None],
        *,
        sizes: Sizes,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._service = service
        self._journal = journal
        self._ledger = journal.batches
        self._place = place_of(endpoint)
        self._emulated = endpoint.kind == "emulator"
        self._tell = tell
        self._sizes = sizes
        self._grace = grace_seconds
        self._said: dict[str, str] = {}
        self._lost: set[str] = set()

    def look(self) -> None:
        """Take the next step of every batch."""
        for batch in self.unfinished():
            self.step(batch)

    def can_end(self, batch: Batch) -> bool:
        """Tell whether more can be learned about a batch from here."""
        return batch.place == self._place and batch.name not in self._lost

    def unfinished(self) -> list[Batch]:
        """Give the batches that have not ended, here or elsewhere."""
        return self._ledger.unfinished(emulated=self._emulated)

    def step(self, batch: Batch) -> None:
        """Take the next step of a batch, unless another process does.

        Raises `FatalApiError` when Gemini refuses to be asked.
        """
        if batch.place != self._place:
            self._say(
                batch, f"The batch {batch.name} is at another endpoint: {batch.place}."
            )
            return
        with self._alone(batch) as now:
            if now is not None:
                self._step(now)

    @contextmanager
    def _alone(self, batch: Batch) -> Iterator[Batch | None]:
        """Keep other processes off a batch; None: it is gone, or one is at it."""
        lock = f"batch {batch.name}"
        if not self._journal.claim(lock, emulated=self._emulated):
            yield None
            return
        try:
            yield self._ledger.find(batch.name)
        finally:
            self._journal.release(lock, emulated=self._emulated)

    def cancel(self, batch: Batch) -> None:
        """Have a batch cancelled, wherever it stands; its results can be fetched."""
        with self._alone(batch) as now:
            if now is None:
                self._tell(f"Another process is at the batch {batch.name}.")
            elif now.stage in {Stage.WRITING, Stage.WRITTEN}:
                self._drop(now)
                self._tell(f"The batch {now.name} was not submitted; it was dropped.")
            elif now.stage is Stage.OPEN:
                self._cancel(now)
            else:
                self._tell(f"The batch {now.name} is {now.stage}: nothing to cancel.")

    def _cancel(self, batch: Batch) -> None:
        """Have a job cancelled."""
        try:
            self._service.cancel(batch.job)
        except CallError as error:
            raise FatalApiError(
                f"{happened(error.cause)} The batch {batch.name} was not cancelled."
            ) from None
        self._tell(
            f"Gemini was asked to cancel the batch {batch.name}; what it has answered "
            "is paid for, and is fetched when it has ended."
        )

    def _say(self, batch: Batch, sentence: str) -> None:
        """Tell something about a batch, unless it was the last thing told."""
        if self._said.get(batch.name) != sentence:
            self._said[batch.name] = sentence
            self._tell(sentence)

    def _step(self, batch: Batch) -> None:
        """Take the next step."""
        if batch.stage is Stage.WRITING:
            self._drop(batch)  # by a run that was killed; nothing of it was sent
        elif batch.stage is Stage.WRITTEN:
            self._submit(batch)
        elif batch.stage is Stage.SUBMITTING:
            self._search(batch)
        elif batch.stage is Stage.OPEN:
            file_of(self._ledger, batch).unlink(missing_ok=True)  # after a kill
            self._ask(batch)

    def _drop(self, batch: Batch) -> None:
        """Forget a batch that was not submitted."""
        file_of(self._ledger, batch).unlink(missing_ok=True)
        self._ledger.discard(batch)

    def _submit(self, batch: Batch) -> None:
        """Upload and submit a batch; what Gemini refuses for good is dropped."""
        if not file_of(self._ledger, batch).exists():
            self._drop(batch)
            self._say(
                batch, f"The file of the batch {batch.name} is gone; it was dropped."
            )
            return
        try:
            inline = self._fits_inline(batch)
            if not (inline or batch.file):
                file = self._service.upload(file_of(self._ledger, batch), batch.name)
                batch = self._ledger.save(replace(batch, file=file))
        except CallError as error:
            raise FatalApiError(
                f"{happened(error.cause)} The batch {batch.name} is written and was not "
                "submitted; the same command goes on with it."
            ) from None
        batch = self._ledger.save(replace(batch, stage=Stage.SUBMITTING))
        try:
            self._create(batch, inline=inline)
        except CallError as error:
            self._refused(batch, error.cause)

    def _create(self, batch: Batch, *, inline: bool) -> None:
        """Submit a batch, and note what Gemini calls it."""
        if inline:
            lines = read_lines(file_of(self._ledger, batch))
            job = self._service.submit_inline(batch.model, batch.name, lines)
        else:
            job = self._service.submit(batch.model, batch.name, batch.file)
        count = self._ledger.counts(batch).all
        self._opened(batch, job.name)
        self._say(
            batch,
            f"Submitted the batch {batch.name} ({job.name}): {count} requests to "
            f"{batch.model}.",
        )

    def _opened(self, batch: Batch, job: str) -> None:
        """Note that Gemini has a batch; its file is needed no longer."""
        self._ledger.save(replace(batch, stage=Stage.OPEN, job=job, state="PENDING"))
        file_of(self._ledger, batch).unlink(missing_ok=True)

    def _fits_inline(self, batch: Batch) -> bool:
        """Tell whether a batch needs no file of its own at Gemini."""
        size = file_of(self._ledger, batch).stat().st_size
        count = self._ledger.counts(batch).all
        return size <= self._sizes.inline_bytes and count <= self._sizes.inline_requests

    def _refused(self, batch: Batch, cause: Cause) -> None:
        """Do what follows from a submission that failed, or may have."""
        if cause.code == HTTPStatus.TOO_MANY_REQUESTS:
            self._ledger.save(replace(batch, stage=Stage.WRITTEN))
            self._say(
                batch,
                f"{happened(cause)} The batch {batch.name} waits to be submitted; the "
                "same command does so later.",
            )
        elif cause.code in RETRYABLE:
            self._say(
                batch, f"{happened(cause)} It is not known whether it was submitted."
            )
            self._search(batch)
        elif batch.file and cause.code in _GONE and "file" in cause.message.lower():
            self._ledger.save(replace(batch, stage=Stage.WRITTEN, file=""))
            self._say(batch, f"The uploaded file of the batch {batch.name} is gone.")
        else:
            self._drop(batch)
            raise FatalApiError(advise(cause, batch.model))

    def _search(self, batch: Batch) -> None:
        """Find out whether a batch has reached Gemini, by its name."""
        try:
            jobs = self._service.find(batch.name)
        except CallError as error:
            self._say(
                batch, f"{happened(error.cause)} {batch.name} was not looked for."
            )
            return
        if jobs:
            self._opened(batch, jobs[0])
            self._say(batch, f"The batch {batch.name} was found at Gemini: {jobs[0]}.")
        elif batch.age_seconds > self._grace:
            self._say(batch, f"The batch {batch.name} never reached Gemini.")
            self._submit(self._ledger.save(replace(batch, stage=Stage.WRITTEN)))
        else:
            self._say(
                batch,
                f"Gemini does not list the batch {batch.name} (yet); run the same "
                f"command again in {self._grace:.0f} seconds.",
            )

    def _ask(self, batch: Batch) -> None:
        """Ask how a job is, and fetch its results when it has ended."""
        try:
            job = self._service.get(batch.job)
        except CallError as error:
            self._unknown(batch, error.cause)
            return
        if job.ended:
            fetch(
                batch,
                job,
                self._service,
                self._ledger,
                lambda sentence: self._say(batch, sentence),
            )
        elif job.state and job.state != batch.state:
            self._ledger.save(replace(batch, state=job.state))
            through = f", {job.done} of {job.total} done" if job.total else ""
            self._say(batch, f"The batch {batch.name} is {job.state.lower()}{through}.")

    def _unknown(self, batch: Batch, cause: Cause) -> None:
        """Say that a job could not be asked for; it stays open."""
        if cause.code == HTTPStatus.UNAUTHORIZED:
            raise FatalApiError(advise(cause, batch.model))
        sentence = f"The batch {batch.name} could not be asked for: {happened(cause)}"
        if cause.code in _GONE:
            self._lost.add(batch.name)
            sentence += (
                " If it was submitted by a key of another project, use that one. Else "
                f"it is gone: `fiftyone-gemini batches forget {batch.name}` lets its "
                "requests be asked anew."
            )
        self._say(batch, sentence)
