"""Frozen values as lines of JSON, and back: every value of a line is checked."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from ..errors import FormatError

T = TypeVar("T")
_EXCERPT = 200


def to_line(value: object) -> bytes:
    """Write a value as one line of JSON, with its newline; defaults are left out.

    Raises `FormatError` for text that no file of text can hold.
    """
    adapter = _adapter(cast("Hashable", type(value)))
    try:
        return adapter.dump_json(value, exclude_defaults=True) + b"\n"
    except PydanticSerializationError as error:
        raise FormatError(
            "This cannot be written down; is a file name no Unicode? "
            f"{ascii(value)[:_EXCERPT]}"
        ) from error


def from_line(kind: type[T], line: bytes, where: str) -> T:
    """Read a value from a line of JSON; raises `FormatError` with the place in it."""
    try:
        return cast("T", _adapter(cast("Hashable", kind)).validate_json(line))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg']}" if place else first["msg"]
        raise FormatError(f"{where} is not as it should be ({said}).") from None


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("type[Any]", kind))
