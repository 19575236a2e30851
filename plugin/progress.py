"""Counting while a run goes on: statuses, tokens, cost; and the record at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .gemini.depot import NOTHING, Traffic
from .gemini.prices import TABLE, Prices
from .values import ObjectCounts, Parsed, Status, Usage


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `cost_usd` is None when a price is unknown.

    `budget_usd` is None when the run has none.
    """

    done: int
    total: int
    statuses: Mapping[Status, int]
    usage: Usage
    cost_usd: float | None
    seconds: float
    from_journal: int
    budget_usd: float | None = None

    @property
    def rate(self) -> float:
        """Items per second so far."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds to go at the rate so far; None before the first item is done."""
        return (self.total - self.done) / self.rate if self.rate else None


@dataclass(slots=True)
class Tally:
    """Adds up the items of one run as they end.

    Only replies that were asked for now are paid for: usage and cost leave out those
    that stood in the journal.
    """

    total: int
    model: str
    free: bool = False
    """Nothing is billed: the answers come from the emulator."""
    prices: Prices = TABLE
    budget_usd: float | None = None
    statuses: Counter[Status] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    by_model: dict[str, Usage] = field(default_factory=dict)
    cost_usd: float | None = 0.0
    from_journal: int = 0
    notes: list[str] = field(default_factory=list)
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    traffic: Traffic = NOTHING
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)

    def add(self, parsed: Parsed) -> None:
        """Count one item."""
        self.statuses[parsed.status] += 1
        self.objects += parsed.objects
        if parsed.model_version:
            self.models[parsed.model_version] += 1
        if parsed.from_journal:
            self.from_journal += 1
            return
        self.usage += parsed.usage
        if parsed.usage != Usage():
            name = parsed.model_version or self.model
            self.by_model[name] = self.by_model.get(name, Usage()) + parsed.usage
        price = self.price(parsed)
        if price is None or self.cost_usd is None:
            self.cost_usd = None  # one unknown price makes the sum unknown
        else:
            self.cost_usd += price

    def price(self, parsed: Parsed) -> float | None:
        """Price the reply to one item; None when its price is unknown."""
        if self.free or parsed.usage == Usage():
            return 0.0
        prices = self.prices.for_batches() if parsed.batched else self.prices
        return prices.cost_of_reply(
            self.model, parsed.model_version, parsed.usage, self.started.date()
        )

    @property
    def left(self) -> int:
        """Count the items that were not reached."""
        return max(0, self.total - self.statuses.total())

    def skip_rest(self) -> None:
        """Count all items that were not reached as skipped."""
        if self.left:
            self.statuses[Status.SKIPPED] += self.left

    def progress(self) -> Progress:
        """Say how far the run is."""
        return Progress(
            done=self.statuses.total(),
            total=self.total,
            statuses=dict(self.statuses),
            usage=self.usage,
            cost_usd=self.cost_usd,
            seconds=time.monotonic() - self.clock,
            from_journal=self.from_journal,
            budget_usd=self.budget_usd,
        )
