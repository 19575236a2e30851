"""The entries of a YAML mapping, each checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ..errors import FormatError


@dataclass(frozen=True, slots=True)
class Choice:
    """What an entry may be, as a test and in words."""

    fits: Callable[[object], bool]
    words: str


class Entries:
    """The entries of one mapping of a file; `place` is where it stands in it."""

    def __init__(self, path: Path, values: object, place: str = "") -> None:
        self.path = path
        self.place = place
        if not isinstance(values, dict) or not all(is_name(key) for key in values):
            raise FormatError(
                f"{path}: {place or 'the file'} must be a mapping of names to values."
            )
        self.values: Mapping[str, object] = values

    def __contains__(self, key: str) -> bool:
        """Tell whether there is an entry."""
        return key in self.values

    def where(self, key: str) -> str:
        """Say where an entry stands."""
        return f"{self.path}: {self.place + '.' if self.place else ''}{key}"

    def mapping(self, key: str) -> object:
        """Give an entry that must be there."""
        if key not in self:
            raise FormatError(
                f"{self.path}: there is no {key!r}, which says what varies."
            )
        return self.values[key]

    def text(self, key: str) -> str:
        """Give a text; "" where there is none."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise FormatError(f"{self.where(key)} must be a text, not {value!r}.")
        return value

    def number(
        self, key: str, least: float, most: float = math.inf, *, above: bool = False
    ) -> float | None:
        """Give a number in a range; None where there is none."""
        value = self.values.get(key)
        if value is None:
            return None
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not least <= float(str(value)) <= most or (above and not value):
            bounds = f"above {least:g}" if above else f"from {least:g} to {most:g}"
            raise FormatError(
                f"{self.where(key)} must be a number {bounds}, not {value!r}."
            )
        return float(str(value))

    def choice(self, key: str, choice: Choice) -> object:
        """Give one value, of the kind that is allowed."""
        value = self.values[key]
        if not choice.fits(value):
            raise FormatError(
                f"{self.where(key)} must be {choice.words}, not {value!r}."
            )
        return value

    def choices(self, key: str, choice: Choice) -> list[object]:
        """Give a list of different values, each of the kind that is allowed."""
        values = self.values[key]
        if not isinstance(values, list) or not values:
            raise FormatError(f"{self.where(key)} must be a list of values to try.")
        for place, value in enumerate(values):
            if not choice.fits(value):
                raise FormatError(
                    f"{self.where(key)}[{place}] must be {choice.words}, not {value!r}."
                )
            if value in values[:place]:
                raise FormatError(f"{self.where(key)} names {value!r} twice.")
        return values


def check_keys(entries: Entries, known: Iterable[str]) -> None:
    """Raise FormatError for an entry that means nothing, and say what was meant."""
    known = list(known)
    for key in entries.values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise FormatError(
                f"{entries.where(key)} is unknown.{meant} Known are: {', '.join(known)}."
            )


def is_name(value: object) -> bool:
    """Tell whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def is_names(value: object) -> bool:
    """Tell whether a value is a list of names."""
    return isinstance(value, list) and all(map(is_name, value))


def is_text(value: object) -> bool:
    """Tell whether a value is a text."""
    return isinstance(value, str)


def is_text_or_none(value: object) -> bool:
    """Tell whether a value is a text that says something, or null."""
    return value is None or is_name(value)


def is_truth(value: object) -> bool:
    """Tell whether a value is true or false."""
    return isinstance(value, bool)


def is_count(least: int) -> Callable[[object], bool]:
    """Make the test for a whole number from `least` up, or null."""
    return lambda value: (
        value is None
        or (isinstance(value, int) and not isinstance(value, bool) and value >= least)
    )


def is_number(value: object) -> bool:
    """Tell whether a value is a temperature, or null."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (right and 0 <= float(str(value)) <= 2)  # noqa: PLR2004


def is_thinking(value: object) -> bool:
    """Tell whether a value is a level of thinking, a number of tokens, or null."""
    return is_text_or_none(value) or is_count(0)(value)
