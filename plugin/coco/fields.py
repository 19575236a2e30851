"""Typed getters for untrusted JSON; errors tell the place in the file."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import FormatError
from ..values import JsonValue

JsonObject = Mapping[str, JsonValue]


def get_object(value: JsonValue, where: str) -> JsonObject:
    """Take a JSON object, or raise FormatError."""
    if not isinstance(value, dict):
        raise FormatError(f"{where}: an object was expected")
    return value


def get_list(parent: JsonObject, key: str, where: str) -> list[JsonValue]:
    """Take a list from under a key, or raise FormatError."""
    value = _get(parent, key, where)
    if not isinstance(value, list):
        raise FormatError(f"{_join(where, key)}: a list was expected")
    return value


def get_text(parent: JsonObject, key: str, where: str) -> str:
    """Take a string from under a key, or raise FormatError."""
    value = _get(parent, key, where)
    if not isinstance(value, str):
        raise FormatError(f"{_join(where, key)}: a string was expected")
    return value


def get_whole(parent: JsonObject, key: str, where: str) -> int:
    """Take a whole number, 0 or more, from under a key, or raise FormatError."""
    value = _get(parent, key, where)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FormatError(f"{_join(where, key)}: a whole number was expected")
    return value


def get_number(value: JsonValue, where: str) -> float:
    """Take a finite number, or raise FormatError."""
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormatError(f"{where}: a number was expected")
    return float(value)


def _get(parent: JsonObject, key: str, where: str) -> JsonValue:
    if key not in parent:
        raise FormatError(f"{_join(where, key)}: missing")
    return parent[key]


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
