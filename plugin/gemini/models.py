"""The one table of model facts: what a model accepts, answers, costs, and until when.

Read by `encode` (request shaping), `cost` (prices) and the tasks' prompts (mask shape).
Every row names its source and the day it was read; nothing here is guessed. A price or
a date that was not found is None. Prices are US dollars per million tokens, paid tier,
standard (not batch) mode, prompts under 200,000 tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from ..values import MaskShape

DEFAULT_MODEL = "gemini-3.8-flash"

CHANGELOG = "Gemini API changelog, pricing and deprecation pages (public copies)"
IMAGE_PAGE = "Gemini API, Image understanding page of 2026-09-24"


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost in US dollars, on the days it holds (inclusive).

    `output` covers answers and thoughts. `cached` None: not found; the full input price
    is then counted. `valid_from` / `valid_to` None: no bound known.
    """

    input: float
    output: float
    cached: float | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether the price holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class TokenRule:
    """What media cost in tokens, by `media_resolution`; `""` is when none is asked for.

    `tile`: a picture at a resolution that is not in `picture` is cut into tiles of so many
    tokens. `frame` is one picture of a video, `audio_second` its sound.
    """

    picture: Mapping[str, int]
    frame: Mapping[str, int]
    audio_second: int
    tile: int = 0


GEMINI_3_TOKENS = TokenRule(
    picture={"": 1120, "low": 280, "medium": 560, "high": 1120, "ultra_high": 2240},
    frame={"": 70, "low": 70, "medium": 70, "high": 280, "ultra_high": 280},
    audio_second=25,
)
"""Media resolution page of 2026-09-19: approximate, or the most."""
GEMINI_2_TOKENS = TokenRule(
    picture={"low": 64, "medium": 256},
    frame={"": 258, "low": 66, "medium": 258, "high": 258, "ultra_high": 258},
    audio_second=32,
    tile=258,
)
"""Image understanding page of 2026-09-24 (tiles), Media resolution page of 2026-09-19
(`low`, `medium`), audio and video pages (frames, sound)."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One row of the table; the defaults are those of a model that has no row.

    `thinking` lists the settings a model accepts, the cheapest first: levels (`low`) or
    token budgets (`0`); empty: send none. `sampling`: temperature is accepted.
    `tokens`: what pictures and videos are turned into. `resolution_by_part`: each medium
    may have a resolution of its own.
    `routed_to` answers, at its own price, from the day of `shutdown` on.
    """

    name: str
    mask_shape: MaskShape | None = MaskShape.POLYGON
    thinking: tuple[str, ...] = ()
    sampling: bool = False
    tokens: TokenRule = GEMINI_3_TOKENS
    resolution_by_part: bool = True
    prices: tuple[Price, ...] = ()
    deprecated: date | None = None
    shutdown: date | None = None
    routed_to: str = ""
    source: str = ""
    read_on: date | None = None
    known: bool = True

    def price_on(self, day: date) -> Price | None:
        """Find the price on a day; None when it is unknown or the model is gone."""
        if self.shutdown is not None and day >= self.shutdown:
            return facts(self.routed_to).price_on(day) if self.routed_to else None
        return next((price for price in self.prices if price.holds_on(day)), None)


def facts(model: str) -> ModelFacts:
    """Give the row of a model.

    `models/` and longer resource prefixes and a version such as `-001` are looked
    through. A model without a row gets the defaults: polygon masks, neither thinking nor
    temperature sent, 1120 tokens a picture, price unknown, `known` False.
    """
    name = model.rsplit("/", maxsplit=1)[-1]
    row = _ROWS.get(name) or _ROWS.get(re.sub(r"-\d{3}$", "", name))
    return row if row is not None else ModelFacts(name=name, known=False)


def models_on(day: date) -> tuple[str, ...]:
    """Name the models of the table that are not shut down on a day, the newest first."""
    return tuple(
        row.name for row in _TABLE if row.shutdown is None or day < row.shutdown
    )


_LOW_UP = ("low", "medium", "high")
_MINIMAL_UP = ("minimal", *_LOW_UP)
# Introductory prices end with 2026; the list price follows.
_FLASH_PRICES = (
    Price(0.75, 3.75, 0.075, valid_to=date(2026, 12, 31)),
    Price(1.50, 7.50, 0.15, valid_from=date(2027, 1, 1)),
)
_BASE = ModelFacts(name="", source=CHANGELOG, read_on=date(2026, 11, 22))
_PAGE = replace(_BASE, source=f"{IMAGE_PAGE}; {CHANGELOG}")
_GEMINI_2 = replace(
    _BASE,
    mask_shape=None,
    sampling=True,
    tokens=GEMINI_2_TOKENS,
    resolution_by_part=False,
)
_GEMINI_2_5 = replace(_GEMINI_2, mask_shape=MaskShape.PNG)
_END_OF_2_5 = date(2026, 12, 1)

_TABLE = (
    # Gemini 4
    replace(
        _BASE,
        name="gemini-4-argon",
        thinking=_LOW_UP,
        prices=(
            Price(2.0, 10.0, 0.10, valid_to=date(2026, 11, 30)),
            Price(4.0, 20.0, None, valid_from=date(2026, 12, 1)),
        ),
    ),
    replace(
        _BASE,
        name="gemini-4-hydrogen",
        thinking=(*_LOW_UP, "xhigh"),
        prices=(Price(1.50, 7.50, 0.075),),
    ),
    # Neither price nor thinking levels were found.
    replace(_BASE, name="gemini-4-carbon"),
    # Gemini 3. `minimal` on 3.8: the image page's sample uses it, the model page says
    # it is an error; the lower level that both accept stands here.
    replace(_PAGE, name="gemini-3.8-flash", thinking=_LOW_UP, prices=_FLASH_PRICES),
    replace(
        _PAGE,
        name="gemini-3.7-flash",
        thinking=_LOW_UP,
        prices=_FLASH_PRICES,
        deprecated=date(2026, 10, 8),
    ),
    replace(_PAGE, name="gemini-3.6-flash", thinking=_MINIMAL_UP, prices=_FLASH_PRICES),
    replace(
        _PAGE,
        name="gemini-3.5-flash-lite",
        thinking=_MINIMAL_UP,
        prices=(Price(0.30, 2.50, 0.03),),
    ),
    replace(
        _BASE,
        name="gemini-3.5-flash",
        thinking=_MINIMAL_UP,
        prices=(Price(1.50, 9.0, 0.15),),
        deprecated=date(2026, 10, 8),
    ),
    # Before 3.5 Gemini 3 was documented not to segment.
    replace(
        _BASE,
        name="gemini-3.1-pro-preview",
        mask_shape=None,
        thinking=_LOW_UP,
        prices=(Price(2.0, 12.0, 0.20),),
    ),
    replace(
        _BASE,
        name="gemini-3.1-flash-lite",
        mask_shape=None,
        thinking=_MINIMAL_UP,
        prices=(Price(0.25, 1.50, 0.025),),
    ),
    replace(
        _BASE,
        name="gemini-3-flash-preview",
        mask_shape=None,
        thinking=_MINIMAL_UP,
        prices=(Price(0.50, 3.0, 0.05),),
    ),
    replace(
        _BASE,
        name="gemini-3-pro-preview",
        mask_shape=None,
        thinking=("low", "high"),
        shutdown=date(2026, 3, 9),
    ),
    # Robotics: polygons; price and thinking levels not found.
    replace(_BASE, name="gemini-robotics-er-2-preview"),
    replace(
        _BASE,
        name="gemini-robotics-er-1.6-preview",
        shutdown=date(2026, 8, 31),
    ),
    # Gemini 2: PNG masks from 2.5 on, boxes only before.
    replace(
        _GEMINI_2_5,
        name="gemini-2.5-pro",
        thinking=("128",),
        prices=(Price(1.25, 10.0, 0.125),),
        shutdown=_END_OF_2_5,
        routed_to="gemini-3.8-flash",
    ),
    replace(
        _GEMINI_2_5,
        name="gemini-2.5-flash",
        thinking=("0",),
        prices=(Price(0.30, 2.50, 0.03),),
        shutdown=_END_OF_2_5,
        routed_to="gemini-3.5-flash-lite",
    ),
    replace(
        _GEMINI_2_5,
        name="gemini-2.5-flash-lite",
        thinking=("0",),
        prices=(Price(0.10, 0.40, 0.01),),
        source=f"{CHANGELOG}; input price from memory, not re-read",
    ),
    replace(_GEMINI_2, name="gemini-2.0-flash", shutdown=date(2026, 6, 1)),
    replace(_GEMINI_2, name="gemini-2.0-flash-lite", shutdown=date(2026, 6, 1)),
)
_ROWS = {row.name: row for row in _TABLE}
