"""Mend one damaged JSON object, and never more than one.

Repair libraries are not safe on whole replies: they close cut numbers, drop lists and
swallow prose. On one object with both its braces they are, once every number and every
string of the result is checked to stand whole in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import orjson

from ..values import JsonValue

MAX_REPAIRS = 200
"""Repairs tried in one reply: a wholly broken one must not cost seconds."""
_MAX_CHARACTERS = 100_000
_MAX_COLONS = 40
"""An item has a handful of keys; the repair library slows down with their square."""
# A quote that neither opens nor closes a string where it stands: `"14" tv"`.
_INNER_QUOTE = re.compile(r'((?:[\[{,:]\s*|\\))?"(?!\s*[,:}\]])')
_PYTHON = re.compile(r"'((?:[^'\\]|\\.)*)'|\"(?:[^\"\\]|\\.)*\"|\b[A-Z]\w+", re.DOTALL)
_WORDS = {"None": "null", "True": "true", "False": "false"}
# A single quote that opens or closes a string.
_OUTER_QUOTE = re.compile(r"(?<=[\[{,:])'|(?<=[\[{,:] )'|'(?=\s*[,:}\]])")
_NUMBER = re.compile(r"(?<![\w.+-])[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")


def repair_item(text: str) -> dict[str, JsonValue] | None:
    """Read a damaged `{...}`; None when nothing trustworthy comes out."""
    if len(text) > _MAX_CHARACTERS or text.count(":") > _MAX_COLONS:
        return None
    text = text.replace("\\_", "_")
    strict = next(filter(None, map(_strict, _forms(text))), None)
    value = strict or _guess(text)
    if not isinstance(value, dict):
        return None
    try:
        written = {float(number) for number in _NUMBER.findall(text)}
        return value if _numbers(value) <= written else None
    except (OverflowError, RecursionError, ValueError):
        return None


def _forms(text: str) -> Iterator[str]:
    """Write an object as the JSON that may have been meant."""
    yield text
    if re.match(r"\{\s*“", text):
        text = text.replace("“", '"').replace("”", '"')
    if re.match(r"\{\s*'", text):
        yield _PYTHON.sub(_as_json, text)
        text = re.sub(r'(?<!\\)"', '\\"', text)
        text = _OUTER_QUOTE.sub('"', text).replace("\\'", "'")
    yield _INNER_QUOTE.sub(lambda m: m[0] if m[1] else '\\"', text)


def _as_json(token: re.Match[str]) -> str:
    """Write a word or a string of Python as JSON."""
    if token[1] is None:
        return _WORDS.get(token[0], token[0])
    inner = token[1].replace("\\'", "'").replace('"', '\\"')
    return f'"{inner}"'


def _strict(text: str) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value


def _guess(text: str) -> JsonValue:
    import json_repair

    try:
        value = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError, IndexError):
        return None
    if not isinstance(value, dict):
        return None
    return {k: inner for k, inner in value.items() if _is_written(inner, text)}


def _is_written(value: JsonValue, text: str) -> bool:
    """Say whether a string stands in the text, not cut inside of a word."""
    if not isinstance(value, str):
        return True
    forms = (
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    )
    return any(
        re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text)
        for form in dict.fromkeys(forms)
    )


def _numbers(value: JsonValue) -> set[float]:
    """Collect every number inside a JSON value."""
    if isinstance(value, bool | str) or value is None:
        return set()
    if isinstance(value, int | float):
        return {float(value)}
    inner = value.values() if isinstance(value, dict) else value
    return set[float]().union(*map(_numbers, inner))
