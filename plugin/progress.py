"""Counting while a run goes on: statuses, tokens, cost; and the record at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from .gemini.depot import NOTHING, Traffic
from .gemini.pool import Answered, Limits
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


@dataclass(frozen=True, slots=True)
class ItemDone:
    """One item as it ended: what was asked, what came back, what was read in it.

    `cost_usd` is 0 for a reply that was there already, None when the price is unknown.
    """

    answered: Answered
    parsed: Parsed
    cost_usd: float | None


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

    def add(self, parsed: Parsed) -> float | None:
        """Count one item; give what it cost now, None when its price is unknown."""
        self.statuses[parsed.status] += 1
        self.objects += parsed.objects
        if parsed.model_version:
            self.models[parsed.model_version] += 1
        if parsed.from_journal:
            self.from_journal += 1
            return 0.0
        return self.pay(parsed.usage, parsed.model_version, batched=parsed.batched)

    def pay(
        self, usage: Usage, model_version: str, *, batched: bool = False
    ) -> float | None:
        """Add tokens and price of one reply; one unknown price makes the sum unknown."""
        self.usage += usage
        if usage != Usage():
            name = model_version or self.model
            self.by_model[name] = self.by_model.get(name, Usage()) + usage
        price = self.price(usage, model_version, batched=batched)
        unknown = price is None or self.cost_usd is None
        self.cost_usd = None if unknown else (self.cost_usd or 0.0) + (price or 0.0)
        return price

    def price_of(self, parsed: Parsed) -> float | None:
        """Price the reply to one item; None when its price is unknown."""
        return self.price(parsed.usage, parsed.model_version, batched=parsed.batched)

    def price(
        self, usage: Usage, model_version: str, *, batched: bool = False
    ) -> float | None:
        """Price one reply; None when its price is unknown."""
        if self.free or usage == Usage():
            return 0.0
        prices = self.prices.for_batches() if batched else self.prices
        return prices.cost_of_reply(
            self.model, model_version, usage, self.started.date()
        )

    def rest_of(self, limits: Limits) -> Limits:
        """Take what was paid already off the budget; all of it where that is unknown."""
        if limits.budget is None:
            return limits
        spent = limits.budget.usd if self.cost_usd is None else self.cost_usd
        usd = max(0.0, limits.budget.usd - spent)
        return replace(limits, budget=replace(limits.budget, usd=usd))

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
