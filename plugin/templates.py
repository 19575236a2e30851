"""Words with `{names}` in them, filled from each sample: beside `asking`.

Only `{name}` and `{name.of.part}` are names; the braces of JSON are left alone. A doubled
brace stands for itself: `{{name}}` is sent as `{name}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, Self, TypeVar, runtime_checkable

from .errors import MediaError, UsageError
from .values import Ask, Item, Question

S = TypeVar("S")
_NAME = re.compile(r"\{\{(\w[\w.]*)\}\}|\{([A-Za-z_]\w*(?:\.\w+)*)\}")


def names_in(question: Question) -> tuple[str, ...]:
    """List the names that the user's words hold, each once, in order."""
    found = (m[2] for text in _texts(question) for m in _NAME.finditer(text) if m[2])
    return tuple(dict.fromkeys(found))


def filled(question: Question, item: Item) -> Question:
    """Put the words of an item in the place of their names.

    Raises `MediaError`, so that nothing is paid for, where an item has no such word.
    """

    def fill(text: str) -> str:
        return _NAME.sub(lambda m: _word(m, item.words, item), text)

    return replace(
        question,
        instruction=fill(question.instruction),
        system=fill(question.system),
        asks=tuple(replace(ask, text=fill(ask.text)) for ask in question.asks),
        attributes=tuple(replace(a, text=fill(a.text)) for a in question.attributes),
    )


@runtime_checkable
class Telling(Protocol):
    """A source whose samples have words to put into a prompt."""

    def telling(self, names: Sequence[str]) -> Self:
        """Give the same items with these words; raises `UsageError` for unknown ones."""
        ...


def told(source: S, names: Sequence[str]) -> S:
    """Let the items of a source bring along the words that a question needs."""
    if not names:
        return source
    if not isinstance(source, Telling):
        raise UsageError(
            f"The prompt names {{{names[0]}}}, and a folder has no such words: use a "
            f"FiftyOne dataset. To send the braces themselves, write {{{{{names[0]}}}}}."
        )
    return source.telling(names)


def _texts(question: Question) -> Iterator[str]:
    """Give all the words that users write, but names and classes."""
    yield question.instruction
    yield question.system
    asks: tuple[Ask, ...] = (*question.asks, *question.attributes)
    yield from (ask.text for ask in asks)


def _word(found: re.Match[str], words: Mapping[str, str], item: Item) -> str:
    if found[1]:
        return f"{{{found[1]}}}"
    if not words.get(found[2]):
        raise MediaError(
            f"{item.path} was not asked about: its sample has no value in "
            f"{found[2]!r}, which the prompt needs."
        )
    return words[found[2]]
