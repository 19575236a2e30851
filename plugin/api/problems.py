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
from ..values import Issue, Status
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
    manner = manner_of(dataset, settings)
    asking = Asking.about(settings.question, settings.model, manner)
    (item,) = ViewSource(dataset.select([sample_id])).items()
    try:
        request = asking.request(item)
    except MediaError as error:
        return StoredReply("", Status.MEDIA_ERROR, str(error), ())
    with Journal(journal_path()) as book:
        body = book.find(request_key(request), emulated=emulated)
    if body is None:
        return StoredReply("", None, "The journal holds no reply about it.", ())
    reply = read_body(body)
    parsed = parse(Answered(item, request, reply), asking.task, settings.question)
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
