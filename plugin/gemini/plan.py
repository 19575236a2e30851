"""What a run will take, said before it: requests, tokens, a range of prices, time.

Everything here is an estimate by documented rules and stated assumptions
(`docs/cost.md`), but for the price table and what is in the journal already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ..values import Usage
from .cost import OUTPUT_TOKENS, Estimate
from .encode import MAX_OUTPUT_TOKENS
from .limits import Limits
from .models import Price
from .prices import Prices

FEW_TOKENS = OUTPUT_TOKENS // 3
"""An answer with few objects; like `OUTPUT_TOKENS`, an assumption of ours."""
MANY_TOKENS = OUTPUT_TOKENS * 3
ANSWER_SECONDS = 5.0
"""Assumed from a request to its answer, where no limit by the minute is tighter."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run foreseen: with few, an ordinary number of, and many objects in a picture.

    `most` is reached when every answer runs into its output limit. `requests` leaves out
    those that are `in_journal`, which is None when nobody looked. `counted` requests had
    their input tokens counted by Gemini, and stand for all; 0: by the documented rules.
    `price` is the one that holds on `day`; None: unknown. `seconds` is the least time at
    the limits.
    """

    model: str
    day: date
    requests: int
    in_journal: int | None
    few: Estimate
    likely: Estimate
    many: Estimate
    most: Estimate
    price: Price | None
    seconds: float
    counted: int = 0


def foresee(
    model: str,
    tokens_each: Sequence[int],
    requests: int,
    *,
    day: date,
    prices: Prices,
    limits: Limits,
    in_journal: int | None = None,
    output_limit: int | None = None,
    counted: bool = False,
    answers_each: float = 1.0,
) -> Plan:
    """Foresee a run; `tokens_each` are the input tokens of some requests, at least one.

    `counted`: by Gemini, not by the rules. A reply holds `answers_each`, on average. `output_limit`: None is that of `encode`.
    """
    prompt = round(requests * sum(tokens_each) / len(tokens_each))
    limit = output_limit or MAX_OUTPUT_TOKENS

    def with_output(tokens: int) -> Estimate:
        usage = Usage(
            prompt=prompt, output=round(requests * min(tokens * answers_each, limit))
        )
        usd = prices.cost(model, usage, day)
        return Estimate(requests, usage.prompt, usage.output, usd)

    return Plan(
        model=model,
        day=day,
        requests=requests,
        in_journal=in_journal,
        few=with_output(FEW_TOKENS),
        likely=with_output(OUTPUT_TOKENS),
        many=with_output(MANY_TOKENS),
        most=with_output(limit),
        price=prices.on(model, day),
        seconds=_least_seconds(requests, prompt, limits),
        counted=len(tokens_each) if counted else 0,
    )


def _least_seconds(requests: int, tokens: int, limits: Limits) -> float:
    """Take the tightest of the limits: places, requests a minute, tokens a minute."""
    seconds = requests * ANSWER_SECONDS / limits.in_flight
    for count, limit in (
        (requests, limits.requests_per_minute),
        (tokens, limits.tokens_per_minute),
    ):
        if limit is not None:
            # The first window is filled at once; the last answer must still come.
            windows = max(0, -(-count // limit) - 1)
            held = windows * limits.rate_window_seconds + ANSWER_SECONDS
            seconds = max(seconds, held)
    return seconds
