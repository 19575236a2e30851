"""How hard to ask: the bounds that `pool`, `rate` and `retry` keep."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError
from .budget import Budget


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a run.

    `in_flight`: requests open at one time. `attempts`: tries for one request.
    `backoff_seconds`: the first wait after a failure; it doubles with each further one
    up to `longest_wait_seconds`. When Gemini itself asks for a longer wait than that, the
    run stops; so it does when `failures_in_a_row` requests failed for good, by a server
    or a connection, and none was answered between them.

    `requests_per_minute` and `tokens_per_minute` (input tokens, as foreseen) hold in
    every window of `rate_window_seconds`; None: no bound of ours. `budget` bounds what is
    paid for answers. `processing_seconds`: how long an uploaded file may take to be ready.
    """

    in_flight: int = 16
    attempts: int = 5
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 120.0
    failures_in_a_row: int = 20
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    rate_window_seconds: float = 60.0
    budget: Budget | None = None
    processing_seconds: float = 600.0

    def __post_init__(self) -> None:
        """Refuse bounds under which nothing can be asked."""
        counts = {
            "in_flight": self.in_flight,
            "attempts": self.attempts,
            "failures_in_a_row": self.failures_in_a_row,
            "requests_per_minute": self.requests_per_minute,
            "tokens_per_minute": self.tokens_per_minute,
        }
        small = [name for name, n in counts.items() if n is not None and n < 1]
        if small:
            raise UsageError(f"{' and '.join(small)} must be at least 1.")
        if self.backoff_seconds < 0 or self.longest_wait_seconds < 0:
            raise UsageError("Waiting times cannot be negative.")
        if self.rate_window_seconds <= 0:
            raise UsageError("The window of the rate limits must be longer than 0.")

    @property
    def look_ahead(self) -> int:
        """How many items are held at one time: loaded, open, or not yet taken."""
        return 2 * self.in_flight
