"""Answers in words, out of what was seen: captions, counts, presence, differences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .asked import named_labels
from .colours import colour_of
from .sight import Pixels, Sight

CANNOT_TELL = "I cannot tell: I am the fiftyone-gemini emulator, not Gemini."
_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
_COUNT = re.compile(r"\bhow many\b|\bnumber of\b|\bcount\b", re.IGNORECASE)
_PRESENT = re.compile(r"\b(is|are) there\b|\bdo you see\b|\bcontains?\b", re.IGNORECASE)
_LIST = re.compile(
    r"\b(what|which)\b.*\b(objects?|things?|items?|see)\b", re.IGNORECASE
)
_COLOUR = re.compile(r"\bcolou?rs?\b", re.IGNORECASE)
_ALL = re.compile(r"\b(objects?|things?|items?)\b", re.IGNORECASE)
_ONLY_FIRST = re.compile(r"\bonly\b.*\bfirst\b", re.IGNORECASE)
_ONLY_OTHERS = re.compile(r"\bonly\b.*\b(other|second|others)\b", re.IGNORECASE)
_DIFFERS = re.compile(r"\bdiffer|\bchanged?\b", re.IGNORECASE)
_READ = re.compile(r"\b(text|writing|written|say)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture and what was seen in it."""

    pixels: Pixels
    sight: Sight

    @property
    def counts(self) -> Counter[str]:
        """Count the things by label."""
        return Counter(thing.label for thing in self.sight.things)

    @property
    def text(self) -> str:
        """The writing that was seen, one line for each thing that bears any."""
        return "\n".join(t.text for t in self.sight.things if t.text)


def caption(view: View) -> str:
    """Say what is there: "An apple and two cups."."""
    words = listed(view.counts)
    return f"{words[0].upper()}{words[1:]}." if words else "An empty surface."


def listed(counts: Counter[str]) -> str:
    """Put counts in words: `an apple, two cups and a jar`."""
    parts = [_counted(label, counts[label]) for label in sorted(counts)]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _counted(label: str, count: int) -> str:
    if count == 1:
        return f"{'an' if label[:1].lower() in 'aeiou' else 'a'} {label}"
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    plural = "es" if label.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{number} {label}{plural}"


def reply(question: str, views: Sequence[View], choices: Sequence[str]) -> str | None:
    """Answer one question in words; None where none of the choices can be meant."""
    said = _said(question, views, choices)
    if not choices:
        return said
    spelled = {choice.casefold(): choice for choice in choices}
    return spelled.get(said.casefold())


def _said(question: str, views: Sequence[View], choices: Sequence[str]) -> str:
    first, *others = views
    if others:
        return _compared(question, first, others)
    named = named_labels(question, first.sight.labels)
    counts = Counter({k: n for k, n in first.counts.items() if k in named})
    if _COUNT.search(question) and (named or _ALL.search(question)):
        return str((counts if named else first.counts).total())
    if _COLOUR.search(question):
        return _colour(first, named, choices)
    if _PRESENT.search(question) and named:
        return "yes" if counts else "no"
    if _LIST.search(question):
        return listed(first.counts) or "none"
    if _READ.search(question) and first.text:
        return first.text
    return CANNOT_TELL


def _colour(view: View, named: frozenset[str], choices: Sequence[str]) -> str:
    """Name the colour of the largest of the things that are asked about."""
    things = [t for t in view.sight.things if t.label in named or not named]
    if not things:
        return "none"
    largest = max(things, key=lambda thing: thing.box.width * thing.box.height)
    found = colour_of(largest, view.sight.frame, view.pixels, choices)
    return found or CANNOT_TELL


def _compared(question: str, first: View, others: Sequence[View]) -> str:
    """Answer what is only here, only there, or both."""
    most: Counter[str] = Counter()
    for view in others:
        most |= view.counts
    here, there = first.counts - most, most - first.counts
    if _ONLY_FIRST.search(question):
        return listed(here) or "none"
    if _ONLY_OTHERS.search(question):
        return listed(there) or "none"
    if not _DIFFERS.search(question):
        return CANNOT_TELL
    if not here and not there:
        return "Nothing that I see differs."
    gone = f"only the first image shows {listed(here)}" if here else ""
    came = f"only the others show {listed(there)}" if there else ""
    both = " and ".join(part for part in (gone, came) if part)
    return f"{both[0].upper()}{both[1:]}."
