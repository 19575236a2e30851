"""A member of a JSON answer as words."""

from __future__ import annotations

from ..values import JsonValue


def text_of(value: JsonValue) -> str | None:
    """Put a member in words; None for one that is missing or an object."""
    if isinstance(value, list):
        parts = [text_of(entry) for entry in value]
        return ", ".join(part for part in parts if part)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        # A lone surrogate cannot be stored or sent anywhere.
        return value.strip().encode("utf-8", "replace").decode("utf-8")
    return None
