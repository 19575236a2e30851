"""The budget of a run: a request is let in only when its dearest answer can be paid.

`engine` lends what a request may cost at most before it is sent, and gives back the
rest when the reply says what it did cost. So the sum is never exceeded, however many
requests are open; near its end fewer are open at one time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ..errors import UsageError
from ..values import Frame, Reply, Request, Usage
from .encode import MAX_OUTPUT_TOKENS
from .prices import TABLE, Prices
from .tokens import image_tokens, prompt_tokens

SLACK = 1.25
"""The input is foreseen by a rule; this much more is held ready for it."""
_ORDINARY = Frame(1024, 1024)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may cost in US dollars, by which prices, on which day."""

    usd: float
    prices: Prices = TABLE
    day: date = field(default_factory=lambda: datetime.now(UTC).date())

    def check(self, model: str) -> None:
        """Raise `UsageError` when this budget cannot be kept, or pays for no answer."""
        if not self.usd > 0:
            raise UsageError(f"The budget must be more than 0, not {self.usd}.")
        if self.prices.on(model, self.day) is None:
            raise UsageError(
                f"The price of {model} is unknown, so a budget cannot be kept. Give its "
                "price in a file (--prices), or leave the budget out."
            )
        picture = image_tokens(model, _ORDINARY)
        usage = Usage(prompt=round(SLACK * picture), output=MAX_OUTPUT_TOKENS)
        most = self.prices.cost(model, usage, self.day) or 0.0
        if most > self.usd:
            raise UsageError(
                f"One answer of {model} may cost up to ${most:.3f}, more than the budget "
                f"of ${self.usd:.3f}: nothing could be asked."
            )

    def most(self, request: Request) -> float:
        """Say what one request may cost at most."""
        output = request.parameters.max_output_tokens or MAX_OUTPUT_TOKENS
        usage = Usage(prompt=round(SLACK * prompt_tokens(request)), output=output)
        cost = self.prices.cost(request.model, usage, self.day)
        assert cost is not None  # `check` was called
        return cost


class BudgetReachedError(Exception):
    """No further request can be paid; never leaves `gemini`."""


class Purse:
    """The money of one run; belongs to one loop."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spent = 0.0
        self._lent = 0.0
        self._change = asyncio.Condition()

    async def lend(self, request: Request) -> float:
        """Hold ready what a request may cost; wait for open ones to give back.

        Raises `BudgetReachedError` when nothing is left to wait for.
        """
        most = self._budget.most(request)
        async with self._change:
            while self._spent + self._lent + most > self._budget.usd:
                if not self._lent:
                    raise BudgetReachedError
                await self._change.wait()
            self._lent += most
        return most

    async def settle(self, lent: float, request: Request, reply: Reply | None) -> None:
        """Give back what was lent, and pay the reply, if there is one.

        A reply without a known price is taken to have cost all that was lent.
        """
        cost: float | None = 0.0
        if reply is not None:
            cost = self._budget.prices.cost_of_reply(
                request.model, reply.model_version, reply.usage, self._budget.day
            )
        async with self._change:
            # Sums of floats leave dust; without open loans it must be nothing.
            self._lent = max(0.0, round(self._lent - lent, 12))
            self._spent += lent if cost is None else cost
            self._change.notify_all()
