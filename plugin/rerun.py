"""Asking again where an earlier reply was no good: which replies count as that.

Beside `pipeline`: `label(..., reuse=Reuse(failing(question, FAILED)))` asks again for exactly those.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from .errors import UsageError
from .gemini.envelope import read_body
from .parsing.rules import DEFAULT_RULES, ReadRules
from .reading import judge
from .tasks import Task, find_task
from .values import Frame, Media, Question, Status

FAILED = frozenset({Status.BLOCKED, Status.TRUNCATED, Status.MALFORMED})
"""What a stored reply may come to that is no whole answer."""
STORED = FAILED | {Status.OK, Status.EMPTY}
"""What a stored reply may come to at all."""
_SIZES = (Frame(100, 100), Frame(8192, 8192))
"""Stand in for the size of the picture, which is not stored. It decides a status only
where a reply is in pixels: one that can be read in a large picture is not asked again."""


def failing(
    question: Question,
    statuses: Collection[Status],
    rules: ReadRules = DEFAULT_RULES,
) -> Callable[[bytes], bool]:
    """Make a test of bodies: whether the reply to a question comes to one of these.

    Raises `UsageError` for a task that does not exist.
    """
    reader = find_task(question.task, rules)
    return lambda body: status_of(body, reader, question) in statuses


def status_of(body: bytes, task: Task, question: Question) -> Status:
    """Say what the body of a reply comes to when a task reads it."""
    reply = read_body(body)
    if reply.failure is not None:
        return reply.failure
    for frame in _SIZES:
        media = Media(b"", "", frame, frame)
        status, _ = judge(reply, task.read(reply.text, question, media))
        if status is not Status.MALFORMED:
            break
    return status


def read_statuses(text: str) -> frozenset[Status]:
    """Read `failed`, or statuses with commas between.

    Raises `UsageError` for a word that is no status of a stored reply.
    """
    found: set[Status] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word == "failed":
            found |= FAILED
        elif word in STORED:
            found.add(Status(word))
        else:
            known = ", ".join(["failed", *sorted(STORED)])
            raise UsageError(
                f"{word!r} cannot be asked for again; there are: {known}. "
                "What never got a reply is asked for by every run."
            )
    return frozenset(found)
