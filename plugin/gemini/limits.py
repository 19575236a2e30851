"""How hard to ask: the bounds that `pool` and `retry` keep."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run.

    `in_flight`: requests open at one time. `attempts`: tries for one request.
    `backoff_seconds`: the first wait after a failure; it doubles with each further one
    up to `longest_wait_seconds`. When Gemini itself asks for a longer wait than that, the
    run stops.
    """

    in_flight: int = 16
    attempts: int = 5
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 120.0

    def __post_init__(self) -> None:
        """Refuse bounds under which nothing can be asked."""
        if self.in_flight < 1 or self.attempts < 1:
            raise UsageError("in_flight and attempts must be at least 1.")
        if self.backoff_seconds < 0 or self.longest_wait_seconds < 0:
            raise UsageError("Waiting times cannot be negative.")

    @property
    def look_ahead(self) -> int:
        """How many items are held at one time: loaded, open, or not yet taken."""
        return 2 * self.in_flight
