"""Options in which users write names."""

from __future__ import annotations


def read_names(text: str) -> tuple[str, ...]:
    """Read names with commas between."""
    return tuple(name for part in text.split(",") if (name := part.strip()))
