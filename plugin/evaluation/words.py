"""Which words are the same name: case, spaces, underscores, hyphens and plurals aside.

Two words are alike when they are equal or one may be the plural of the other. Nothing is
stemmed, so a wrong guess (`bu` for `bus`) can only meet a class that is called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

IRREGULAR = {
    "calves": "calf",
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "scarves": "scarf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}


def plain(name: str) -> str:
    """Fold case, and make one space of each run of spaces, underscores and hyphens."""
    return re.sub(r"[\s_\-]+", " ", name).strip().casefold()


def singulars(name: str) -> set[str]:
    """Give all that a plain name may be the plural of, by its last word."""
    front, _, word = name.rpartition(" ")
    found = {f"{front} {guess}".lstrip() for guess in _guesses(word) if guess}
    return found - {name}


def alike(name: str, classes: Iterable[str]) -> str | None:
    """Find the one class that a name is, but for case, spacing or number.

    None when there is none, or when two fit equally well.
    """
    said = plain(name)
    by_plain = [(plain(label), label) for label in classes]
    same = [label for text, label in by_plain if text == said]
    if not same:
        near = singulars(said)
        same = [t for p, t in by_plain if p in near or said in singulars(p)]
    return same[0] if len(same) == 1 else None


def closest(name: str, classes: Iterable[str], at_least: float) -> str | None:
    """Find the class spelled most like a name: difflib's ratio of the plain names.

    The ratio is 2 x equal letters / all letters, from 0 to 1. None when no class
    reaches `at_least`, or when two are equally close.
    """
    said = plain(name)
    ratios = [(_ratio(said, plain(label)), label) for label in classes]
    best = max((ratio for ratio, _ in ratios), default=0.0)
    found = [label for ratio, label in ratios if ratio == best]
    return found[0] if best >= at_least and len(found) == 1 else None


def _ratio(a: str, b: str) -> float:
    first, second = sorted((a, b))  # the ratio depends on their order
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _guesses(word: str) -> Iterator[str]:
    if word in IRREGULAR:
        yield IRREGULAR[word]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        yield word[:-1]
