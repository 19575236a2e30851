"""What went wrong with single samples: the stored reply, and what a reader says of it."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ..asking import Asking
from ..coco.runs import parse_run
from ..environment import journal_path
from ..errors import MediaError, UsageError
from ..gemini.envelope import read_body
from ..gemini.journal import Journal, request_key
from ..gemini.pool import Answered
from ..labels.runs import record_of_field
from ..labels.samples import ViewSource
from ..live import find_live
from ..reading import parse
from ..settings import LabelSettings
from ..templates import told
from ..values import Issue, Item, Request, Status
from .labelling import manner_of


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The newest reply about a sample; `raw` is "" where the journal holds none."""

    raw: str
    status: Status | None
    error: str
    issues: tuple[Issue, ...]


def stored_reply(dataset: fo.Dataset, field: str, sample_id: str) -> StoredReply:
    """Find the reply about a sample of the run that wrote a field, and read it again.

    Raises `UsageError` for a field whose run is not known any more.
    """
    settings, emulated = _settings_of(dataset, field)
    manner, source = (
        manner_of(dataset, settings),
        ViewSource(dataset.select([sample_id])),
    )
    asking = Asking.about(settings.question, settings.model, manner, source.medium)
    with Journal(journal_path()) as book:
        for piece in asking.pieces(told(source, asking.names).items()):
            try:
                request = asking.request(piece)
            except MediaError as error:
                return StoredReply("", Status.MEDIA_ERROR, str(error), ())
            body = book.find(request_key(request), emulated=emulated)
            if body is not None:
                return _read(piece, request, body, asking)
    return StoredReply("", None, "The journal holds no reply about it.", ())


def _read(item: Item, request: Request, body: bytes, asking: Asking) -> StoredReply:
    """Read a stored reply as a run would; of several parts it is the first."""
    reply = read_body(body)
    parsed = parse(Answered(item, request, reply), asking.task, asking.question)
    raw = reply.text or body.decode("utf-8", "replace")
    return StoredReply(raw, parsed.status, parsed.error, parsed.issues)


def _settings_of(dataset: fo.Dataset, field: str) -> tuple[LabelSettings, bool]:
    record = record_of_field(dataset, field)
    run = parse_run(record) if record else None
    live = find_live(dataset, run.name) if run else None
    if run is None or live is None:
        raise UsageError(
            f"How {field!r} was asked for is not known any more (it is kept for 30 "
            "days), so that its replies cannot be found."
        )
    return LabelSettings.from_params(live.settings), run.endpoint == "emulator"
