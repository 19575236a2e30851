"""How each label that a model wrote was understood: values of `ontology`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MOST_SAID = 30
"""Names that remarks spell out; all are in `Names.uses`."""


class How(StrEnum):
    """By which way a label found its class."""

    EXACT = "exact"
    FOLDED = "folded"
    """But for case, spacing or plural."""
    SYNONYM = "synonym"
    PARENT = "parent"
    """By climbing from a narrower name to a wider one."""
    FUZZY = "fuzzy"
    UNMATCHED = "unmatched"
    """It found none, and is kept as it is."""


@dataclass(frozen=True, slots=True)
class NameUse:
    """One label as it was said: how often, and the class it means (None: unmatched)."""

    said: str
    meant: str | None
    how: How
    count: int


@dataclass(frozen=True, slots=True)
class Names:
    """All labels that were said, the most frequent first.

    `applied` is False when nothing was renamed, and this only says what folding case,
    spacing and plurals would do.
    """

    uses: tuple[NameUse, ...]
    applied: bool

    def by(self, *ways: How) -> tuple[NameUse, ...]:
        """Give the labels that were understood in these ways."""
        return tuple(use for use in self.uses if use.how in ways)

    def count(self, how: How) -> int:
        """Count the objects whose label was understood in one way."""
        return sum(use.count for use in self.by(how))

    def remarks(self) -> Iterator[str]:
        """Say in words what was renamed, what could be, and what fits no class."""
        counts = ", ".join(f"{self.count(how)} {how}" for how in How if self.by(how))
        if self.applied:
            yield f"Labels were matched to the classes of the truth: {counts}."
        else:
            near = self.by(How.FOLDED)
            yield from (
                f"{_predictions(use.count)} named {use.said!r}, which the truth calls "
                f"{use.meant!r}: use --fold to count them as the same."
                for use in near[:MOST_SAID]
            )
            if len(near) > MOST_SAID:
                yield f"{len(near) - MOST_SAID} more names differ only in spelling."
        strangers = self.by(How.UNMATCHED)
        if strangers:
            said = [f"{use.said!r} ({use.count})" for use in strangers[:MOST_SAID]]
            more = len(strangers) - len(said)
            listed = ", ".join([*said, f"{more} more names"] if more else said)
            count = _predictions(self.count(How.UNMATCHED))
            yield f"{count} named as no class of the truth: {listed}."


def _predictions(count: int) -> str:
    return f"{count} prediction" if count == 1 else f"{count} predictions"
