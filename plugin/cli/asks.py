"""Options in which users write what they ask: `name: question [choice|choice]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import UsageError
from ..values import Ask

_ASK = re.compile(r"\s*(\w+)\s*(?::\s*(.*?))?\s*(?:\[([^\[\]]*)\])?\s*", re.DOTALL)


def read_asks(texts: Sequence[str], option: str) -> tuple[Ask, ...]:
    """Read `name`, `name: words`, each with `[a|b]` behind it; raises `UsageError`."""
    return tuple(_read_ask(text, option) for text in texts)


def _read_ask(text: str, option: str) -> Ask:
    found = _ASK.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text!r} cannot be read; write {option} 'name: question', with the only "
            "answers allowed in brackets if there are any: 'light: Is it day? [day|night]'."
        )
    choices = (choice.strip() for choice in (found[3] or "").split("|"))
    return Ask(found[1], found[2] or "", tuple(c for c in choices if c))


def read_names(text: str) -> tuple[str, ...]:
    """Read names with commas between."""
    return tuple(name for part in text.split(",") if (name := part.strip()))
