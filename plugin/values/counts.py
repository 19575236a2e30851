"""What became of the objects in replies: counted for each reply, added up for a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """How many objects the replies named, and how many of these were lost.

    `seen` are those that were kept and the `dropped`, these by the code of the issue
    that says why; `repaired` were mended first. `issues` are counted by their codes,
    those of objects that were kept as well.
    """

    seen: int = 0
    repaired: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: ObjectCounts) -> ObjectCounts:
        """Add up what became of the objects of several replies."""
        return ObjectCounts(
            self.seen + other.seen,
            self.repaired + other.repaired,
            dict(Counter(self.dropped) + Counter(other.dropped)),
            dict(Counter(self.issues) + Counter(other.issues)),
        )

    @property
    def lost(self) -> int:
        """Count the objects that were dropped."""
        return sum(self.dropped.values())

    def __str__(self) -> str:
        """Write `120 seen, 2 repaired, 5 dropped (3 duplicate, 2 cut)`."""
        parts = [f"{self.seen:,} seen"]
        parts += [f"{self.repaired:,} repaired"] if self.repaired else []
        if self.lost:
            parts.append(f"{self.lost:,} dropped ({by_code(self.dropped)})")
        return ", ".join(parts)


def by_code(counts: Mapping[str, int]) -> str:
    """Write counts by code, the most frequent first: `3 duplicate, 2 cut`."""
    order = sorted(counts, key=lambda code: (-counts[code], code))
    return ", ".join(f"{counts[code]:,} {code}" for code in order)
