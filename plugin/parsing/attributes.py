"""Read what else was asked about an object: texts by name, or one of the choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..values import Ask, Issue, JsonValue
from .classes import spelled
from .rules import ReadRules
from .words import text_of

MAX_ATTRIBUTE = 2000
"""Characters kept of an attribute."""


def read_attributes(
    item: Mapping[str, JsonValue],
    asks: Sequence[Ask],
    path: str,
    issues: list[Issue],
    rules: ReadRules,
) -> dict[str, JsonValue]:
    """Read the attributes that were asked for; one without a value is left out."""
    if not asks:
        return {}
    members = {key.casefold(): value for key, value in item.items()}
    found: dict[str, JsonValue] = {}
    for ask in asks:
        here = f"{path}.{ask.name}".lstrip(".")
        said = text_of(members.get(ask.name.casefold()))
        if not said:
            issues.append(Issue(here, "attribute_missing", "there is no value"))
            continue
        if len(said) > MAX_ATTRIBUTE:
            message = f"{len(said)} characters; the first {MAX_ATTRIBUTE} were kept"
            issues.append(Issue(here, "attribute_long", message))
        kept: str | None = said[:MAX_ATTRIBUTE]
        if ask.choices:
            keep = rules.keep_unlisted
            kept = spelled(said, ask.choices, here, issues, keep=keep)
        if kept is not None:
            found[ask.name] = kept
    return found
