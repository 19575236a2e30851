"""What a run costs: before it from documented token rules, after it from usage.

`plan` adds these up to an `Estimate`, called one wherever it is shown; `cost_usd`
multiplies the token counts that Gemini reported. See `docs/cost.md` for sources and limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from ..values import Frame, Request, Usage
from .models import facts
from .prices import TABLE

SMALL_SIDE = 384
TILE_TOKENS = 258
TILE_SIDES = (256, 768)
CHARACTERS_PER_TOKEN = 4
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


def prompt_tokens(request: Request) -> int:
    """Estimate the input tokens of one request: its pictures and its words."""
    pictures = sum(image_tokens(request.model, m.sent) for m in request.all_media)
    words = [part for part in request.parts() if isinstance(part, str)]
    return pictures + text_tokens("".join([request.system, *words]))


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text: one for four characters (Gemini's Tokens page)."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def image_tokens(model: str, frame: Frame) -> int:
    """Count the tokens of one picture by the documented rule of its model.

    Gemini 3 and 4: a flat number (Media resolution page, 2026-09-19). Gemini 2 (Image
    understanding page, 2026-09-24): 258 when both sides are at most 384, else 258 for
    each tile whose side is two thirds of the shorter side, kept within 256..768.
    """
    flat = facts(model).image_tokens
    if flat is not None:
        return flat
    if max(frame.width, frame.height) <= SMALL_SIDE:
        return TILE_TOKENS
    low, high = TILE_SIDES
    side = min(high, max(low, math.floor(min(frame.width, frame.height) / 1.5)))
    tiles = math.ceil(frame.width / side) * math.ceil(frame.height / side)
    return TILE_TOKENS * tiles
