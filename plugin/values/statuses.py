"""How the question about one item ended."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """How one item ended; exactly one of these, never blurred."""

    OK = "ok"
    EMPTY = "empty"
    """Gemini answered that there is nothing to label."""
    BLOCKED = "blocked"
    TRUNCATED = "truncated"
    """The reply was cut; what stands before the cut was kept."""
    MALFORMED = "malformed"
    MEDIA_ERROR = "media_error"
    API_ERROR = "api_error"
    SKIPPED = "skipped"

    def answers(self, kept: int) -> bool:
        """Whether Gemini answered, be it with nothing; `kept` values were read.

        A reply that was cut before its first whole object says nothing of the picture.
        """
        whole = self in {Status.OK, Status.EMPTY}
        return whole or (self is Status.TRUNCATED and kept > 0)
