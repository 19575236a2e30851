"""Quotas really held: requests and tokens within any window, and requests of the day."""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .failures import Quota, over_quota, requests_quota
from .settings import Settings


@dataclass(slots=True)
class Window:
    """What a model answered within the last window: times and tokens of prompts."""

    taken: deque[tuple[float, int]] = field(default_factory=deque)
    tokens: int = 0

    def forget(self, before: float) -> None:
        """Let go of what lies before a moment."""
        while self.taken and self.taken[0][0] <= before:
            self.tokens -= self.taken.popleft()[1]

    def take(self, now: float, tokens: int) -> None:
        """Count one more request."""
        self.taken.append((now, tokens))
        self.tokens += tokens

    def frees(self, *, requests: int, tokens: int) -> float:
        """Tell the time of the entry with whose end so much less is taken."""
        for count, (moment, size) in enumerate(self.taken, 1):
            tokens -= size
            if count >= requests and tokens <= 0:
                return moment
        return self.taken[-1][0] if self.taken else 0.0


@dataclass(slots=True)
class Limiter:
    """Lets requests of each model through, or refuses them with a 429.

    Refused requests count for nothing. Lives on the event loop alone.
    """

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    _windows: defaultdict[str, Window] = field(
        default_factory=lambda: defaultdict(Window)
    )
    _today: Counter[str] = field(default_factory=Counter)

    def admit(self, model: str, tokens: int) -> None:
        """Count a request with a prompt of so many tokens; raise GoogleError (429)."""
        limits, now = self.settings, self.clock()
        window = self._windows[model]
        window.forget(now - limits.rate_window)
        if limits.rpd and self._today[model] >= limits.rpd:
            quota = requests_quota(model, limits.rpd, daily=True)
            raise over_quota(quota, limits.rate_window)
        if limits.rpm and len(window.taken) >= limits.rpm:
            extra = len(window.taken) + 1 - limits.rpm
            quota = requests_quota(model, limits.rpm, daily=False)
            raise over_quota(
                quota, self._wait(window.frees(requests=extra, tokens=0), now)
            )
        if limits.tpm and window.tokens + tokens > limits.tpm:
            extra = window.tokens + tokens - limits.tpm
            never = tokens > limits.tpm
            moment = now if never else window.frees(requests=0, tokens=extra)
            raise over_quota(_tokens_quota(model, limits.tpm), self._wait(moment, now))
        window.take(now, tokens)
        self._today[model] += 1

    def _wait(self, moment: float, now: float) -> float:
        """Tell how long after now an entry of the window ends, rounded up."""
        left = moment + self.settings.rate_window - now
        return max(0.001, round(left + 0.0005, 3))


def _tokens_quota(model: str, value: int) -> Quota:
    """Name the quota of tokens of the minute."""
    metric = "generate_content_paid_tier_input_token_count"
    name = "GenerateContentPaidTierInputTokensPerModelPerMinute"
    return Quota(metric, name, value, model)
