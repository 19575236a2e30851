"""What a run costs: before it from tokens that are foreseen, after it from usage.

`plan` adds these up to an `Estimate`, called one wherever it is shown; `cost_usd`
multiplies the token counts that Gemini reported. See `docs/cost.md` for sources and limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..values import Usage
from .prices import TABLE

OUTPUT_TOKENS = 1500
"""Assumed for one answer: about ten objects with masks, and thinking at its lowest."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, roughly; `usd` is None when the price is unknown."""

    requests: int
    prompt_tokens: int
    output_tokens: int
    usd: float | None


def cost_usd(model: str, usage: Usage, day: date) -> float | None:
    """Price tokens by the model table; None when the price is unknown."""
    return TABLE.cost(model, usage, day)
