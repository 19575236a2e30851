"""Requests into batches and batches to Gemini, within sizes and budget.

`answers` offers the requests that no reply is known to; `packing` writes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...values import Reply, Request
from ..budget import Budget
from ..endpoint import Endpoint
from ..journal import Journal
from ..limits import Limits
from .keeper import Keeper, place_of
from .ledger import new_name
from .packing import Package, Sizes, line_of
from .service import Service


@dataclass(slots=True)
class Dispatch:
    """Takes requests for batches of one run; each full batch is submitted at once.

    `held_back` counts, by the reason, what was not taken since it was last cleared.
    """

    endpoint: Endpoint
    journal: Journal
    limits: Limits
    sizes: Sizes
    service: Service
    keeper: Keeper
    held_back: Counter[str] = field(default_factory=Counter)
    _package: Package | None = None
    _spent: float = 0.0

    @property
    def emulated(self) -> bool:
        """Whether the emulator is asked, whose replies are kept apart."""
        return self.endpoint.kind == "emulator"

    @property
    def _budget(self) -> Budget | None:
        """What may be paid for batches; the emulator costs nothing."""
        budget = None if self.emulated else self.limits.budget
        if budget is None:
            return None
        return replace(budget, prices=budget.prices.for_batches())

    def offer(self, key: str, request: Request) -> None:
        """Put a request into the batch that is being written, unless it is asked."""
        if not self.journal.claim(key, emulated=self.emulated):
            self.held_back["another run asks for them now"] += 1
            return
        try:
            asked = self.journal.batches.is_open(key, emulated=self.emulated)
            answered = self.journal.find(key, emulated=self.emulated) is not None
            if not asked and not answered:
                self._pack(key, request)
        finally:
            self.journal.release(key, emulated=self.emulated)

    def _pack(self, key: str, request: Request) -> None:
        """Write a request into a batch; one that is full is submitted first."""
        usd = 0.0 if self._budget is None else self._budget.most(request)
        if self._budget is not None and self._bound() + usd > self._budget.usd:
            self.held_back[f"the budget of ${self._budget.usd:.2f} allows no more"] += 1
            return
        line = line_of(key, self.service.word(request))
        if self._package is None or not self._package.has_room(line):
            self.send()
            self._package = self._begin(request.model)
        if self.journal.batches.hold(self._package.batch, key):
            self._package.add(line, usd)

    def _bound(self) -> float:
        """Say what is paid in this run, and may yet be for what is open."""
        open_most = sum(batch.most_usd for batch in self.keeper.unfinished())
        return self._spent + open_most + (self._package.usd if self._package else 0.0)

    def _begin(self, model: str) -> Package:
        """Begin a batch that no other process takes for one left behind."""
        ledger, name = self.journal.batches, new_name()
        self.journal.claim(f"batch {name}", emulated=self.emulated)
        place = place_of(self.endpoint)
        batch = ledger.begin(name, model, place, emulated=self.emulated)
        return Package(ledger, batch, self.sizes)

    def send(self) -> None:
        """Submit the batch that is being written."""
        if self._package is None:
            return
        package, self._package = self._package, None
        self.keeper.step(package.close())

    def drop(self) -> None:
        """Drop the batch that is being written; nothing of it is paid."""
        if self._package is not None:
            self._package.drop()
            self._package = None

    def count(self, request: Request, reply: Reply) -> None:
        """Count what a reply of a batch has cost; without a price, the most it may."""
        if self._budget is None:
            return
        cost = self._budget.prices.cost_of_reply(
            request.model, reply.model_version, reply.usage, self._budget.day
        )
        self._spent += self._budget.most(request) if cost is None else cost

    def limits_left(self) -> Limits:
        """Give the limits for what is asked online, after what the batches cost."""
        budget = self.limits.budget
        if budget is None:
            return self.limits
        left = replace(budget, usd=budget.usd - self._bound())
        return replace(self.limits, budget=left)

    def conclude(self, tell: Callable[[str], None]) -> None:
        """Say why requests are without a batch, and what was uploaded for the others."""
        for why, count in self.held_back.items():
            tell(f"{count} requests were not submitted: {why}.")
        for sentence in self.service.traffic.words():
            tell(sentence)
