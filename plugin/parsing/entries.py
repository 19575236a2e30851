"""Read a reply about several pictures: one entry for each, told apart by its number.

Nothing is ever taken by its place in the list: an entry without a number is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

import orjson

from ..values import JsonValue

IMAGE = "image"
"""The key that holds the number of a picture."""
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(
    r"\s*(?:image|img|picture)?\s*#?\s*(\d{1,6})\s*:?\s*", re.IGNORECASE
)
_DEPTH = 4
_DECODER = JSONDecoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reply says of one picture; `number` is None where it does not say which."""

    number: int | None
    members: Mapping[str, JsonValue]

    @property
    def text(self) -> str:
        """Write it as the reply to a question about that picture alone."""
        return orjson.dumps(dict(self.members)).decode()


def read_entries(text: str) -> tuple[Entry, ...]:
    """Find every whole entry, in order; never raises, in time linear in the text."""
    fences = _FENCE.findall(text)
    for candidate in (text, *(fences if len(fences) == 1 else ())):
        try:
            value: JsonValue = orjson.loads(candidate.strip())
        except orjson.JSONDecodeError:
            continue
        return tuple(_inside(value, _DEPTH))
    return tuple(entry for value in _objects(text) for entry in _inside(value, _DEPTH))


def _inside(value: JsonValue, depth: int) -> Iterator[Entry]:
    """Give the entries of a list, of lists in an object, or the object itself."""
    if isinstance(value, dict) and IMAGE in value:
        rest = {key: said for key, said in value.items() if key != IMAGE}
        yield Entry(_number(value[IMAGE]), rest)
    elif isinstance(value, list | dict) and depth:
        for inner in value if isinstance(value, list) else value.values():
            yield from _inside(inner, depth - 1)


def _number(value: JsonValue) -> int | None:
    """Read `3`, `"3"` or `"Image 3:"`."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    found = _NUMBER.fullmatch(str(value))
    return int(found[1]) if found else None


def _objects(text: str) -> Iterator[JsonValue]:
    """Give the whole objects of a damaged or cut text, the outermost first."""
    budget = 4 * len(text) + 1000
    found = text.find("{")
    while found >= 0 and budget > 0:
        try:
            value, end = _DECODER.raw_decode(text, found)
        except JSONDecodeError as error:
            budget -= error.pos - found
            end = found + 1
        except (ValueError, RecursionError):
            return
        else:
            yield value
        found = text.find("{", end)
