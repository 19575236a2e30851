"""The names that users give to what they ask: they become names of fields."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UsageError
from ..values import Ask

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_TAKEN = frozenset(
    {
        *("id", "label", "bounding_box", "mask", "mask_path", "confidence", "index"),
        *("tags", "attributes", "iscrowd", "area", "box_2d", "status", "error", "text"),
        *("instance", "point", "score"),
    }
)


def check_names(asks: Sequence[Ask], what: str) -> tuple[str, ...]:
    """Give the names; raises `UsageError` for one that cannot be kept, or twice."""
    names = tuple(ask.name for ask in asks)
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be the name of a {what}: use letters, digits and _, "
                "with a letter at the front."
            )
        if name.casefold() in _TAKEN:
            raise UsageError(f"{name!r} cannot be the name of a {what}: it is taken.")
    if len({name.casefold() for name in names}) < len(names):
        raise UsageError(f"Two of the {what}s have the same name: {', '.join(names)}.")
    return names
