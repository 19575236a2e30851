"""From a reply to what its item came to: the second arrow of `pipeline.py`.

The task reads the text; here its reading becomes a status, labels in their place, and
counts of what was kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from .gemini.answered import Picked
from .gemini.journal import request_key
from .gemini.pool import Answered
from .tasks import Task, reading_of
from .values import (
    Item,
    Media,
    ObjectCounts,
    Parsed,
    Question,
    Reading,
    Reply,
    Status,
    moved,
)

EXCERPT = 160


def parse(answered: Answered, task: Task, question: Question) -> Parsed:
    """Read one reply; whatever is wrong with it becomes status, error and issues."""
    request, picked = answered.request, answered.picked
    if picked is None and request is not None:
        picked = Picked(request.media, request_key(request))
    return read_reply(
        answered.item,
        answered.reply,
        task,
        question,
        media=None if picked is None else picked.media,
        key="" if picked is None else picked.key,
    )


def read_reply(
    item: Item,
    reply: Reply,
    task: Task,
    question: Question,
    *,
    media: Media | None,
    key: str,
) -> Parsed:
    """Read a reply without its request: `media` needs no content, `key` names it.

    What was read in a part of a picture is given where it is in the whole.
    """
    parsed = Parsed(
        item=item,
        status=reply.failure or Status.MEDIA_ERROR,
        frame=None if media is None else media.whole or media.frame,
        footage=None if media is None else media.footage,
        error=reply.error,
        usage=reply.usage,
        model_version=reply.model_version,
        request_key=key,
        from_journal=reply.from_journal,
        batched=reply.batched,
    )
    if media is None or reply.failure is not None:
        return parsed
    reading = reading_of(task, reply.text, question, media)
    status, error = judge(reply, reading)
    values = tuple(moved(value, *media.at_xy_px) for value in reading.values)
    return replace(
        parsed,
        status=status,
        values=values,
        issues=reading.issues,
        error=error,
        objects=_counted(reading),
    )


def _counted(reading: Reading) -> ObjectCounts:
    """Count what became of the objects of one reply."""
    issues = Counter(issue.code for issue in reading.issues)
    return ObjectCounts(reading.items_seen, reading.repaired, reading.dropped, issues)


def judge(reply: Reply, reading: Reading) -> tuple[Status, str]:
    """Decide the status of a reply that has text, and why where it failed."""
    excerpt = " ".join(reply.text[:EXCERPT].split())
    if reply.cut or reading.cut:
        kept = len(reading.values)
        return Status.TRUNCATED, f"The reply was cut; {kept} whole labels were kept."
    if not reading.readable:
        return Status.MALFORMED, f"The reply holds no JSON answer: {excerpt!r}"
    if reading.values:
        return Status.OK, ""
    if reading.items_seen == 0:
        return Status.EMPTY, ""
    reasons = "; ".join(f"{i.path}: {i.message}" for i in reading.issues[:3])
    return Status.MALFORMED, f"Nothing of the reply could be kept: {reasons}"
