"""Prices: those of the model table, or before them those of a file of the user.

The file is YAML or JSON: US dollars per million tokens for each model, one price or a
list of prices with the days they hold. `docs/cost.md` shows one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import yaml

from ..errors import FormatError
from ..values import Usage
from .models import BATCH_FACTOR, Price, facts

MILLION = 1_000_000
_AMOUNTS = ("input", "output", "cached")
_DAYS = ("valid_from", "valid_to")
_EXAMPLE = "{input: 0.75, output: 3.75, cached: 0.075, valid_to: 2026-12-31}"


@dataclass(frozen=True, slots=True)
class Prices:
    """What models cost; `path` is the file of the user, empty when there is none.

    All prices are multiplied by `factor` (see `for_batches`).
    """

    rows: Mapping[str, tuple[Price, ...]] = field(default_factory=dict)
    path: str = ""
    factor: float = 1.0

    def for_batches(self) -> Prices:
        """Give the prices of the same requests in batches."""
        return replace(self, factor=BATCH_FACTOR)

    def on(self, model: str, day: date) -> Price | None:
        """Find the price of a model on a day; None when it is unknown.

        A model that the user's file names is priced by the file alone.
        """
        own = self.rows.get(model.rsplit("/", maxsplit=1)[-1])
        if own is None:
            price = facts(model).price_on(day)
        else:
            price = next((price for price in own if price.holds_on(day)), None)
        return None if price is None else price.times(self.factor)

    def cost(self, model: str, usage: Usage, day: date) -> float | None:
        """Price the tokens that a model reported; None when its price is unknown."""
        price = self.on(model, day)
        if price is None:
            return None
        cached = price.input if price.cached is None else price.cached
        return (
            (usage.prompt - usage.cached) * price.input
            + usage.cached * cached
            + (usage.output + usage.thoughts) * price.output
        ) / MILLION

    def cost_of_reply(
        self, asked: str, answered: str, usage: Usage, day: date
    ) -> float | None:
        """Price a reply by the model that answered, where its price is known.

        A version without a price that is but a longer name of the model asked
        (`gemini-3.8-flash-09-2026`) costs what the model asked costs.
        """
        cost = self.cost(answered or asked, usage, day)
        asked = asked.rsplit("/", maxsplit=1)[-1]
        if cost is None and answered.startswith(f"{asked}-"):
            return self.cost(asked, usage, day)
        return cost


TABLE = Prices()
"""The prices of the model table alone."""


def read_prices(path: Path) -> Prices:
    """Read a file of prices; raise `FormatError` saying what is wrong and where."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"The prices {path} cannot be read: {reason}") from error
    if not isinstance(document, dict) or not document:
        raise FormatError(f"{path} names no model; write `model: {_EXAMPLE}`.")
    rows = {
        str(model): tuple(
            _price(entry, f"{path}: {model}")
            for entry in (given if isinstance(given, list) else [given])
        )
        for model, given in document.items()
    }
    return Prices(rows, str(path))


def _price(entry: object, where: str) -> Price:
    """Read one price; raise `FormatError`."""
    if not isinstance(entry, dict):
        raise FormatError(f"{where}: a price is written like {_EXAMPLE}.")
    if strange := [str(key) for key in entry if key not in {*_AMOUNTS, *_DAYS}]:
        allowed = ", ".join((*_AMOUNTS, *_DAYS))
        raise FormatError(f"{where}: {strange[0]!r} is none of {allowed}.")
    amounts = {
        name: _amount(entry[name], f"{where}: {name}")
        for name in _AMOUNTS
        if name in entry
    }
    if missing := {"input", "output"} - amounts.keys():
        raise FormatError(f"{where}: {' and '.join(sorted(missing))} missing.")
    days = {name: _day(entry.get(name), f"{where}: {name}") for name in _DAYS}
    return Price(
        amounts["input"],
        amounts["output"],
        amounts.get("cached"),
        days["valid_from"],
        days["valid_to"],
    )


def _amount(value: object, where: str) -> float:
    """Read dollars per million tokens; raise `FormatError`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"{where} must be a number, not {value!r}.")
    if not 0 <= value < MILLION:  # also refuses what is not a number
        raise FormatError(f"{where} must be dollars per million tokens, not {value}.")
    return float(value)


def _day(value: object, where: str) -> date | None:
    """Read a day: YAML gives a date, JSON a text; raise `FormatError`."""
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise FormatError(f"{where} must be a day like 2026-12-31, not {value!r}.")
    return day
