"""Texts: answers to questions, captions, read text (OCR). Several truths are alternatives.

Character and word error rates count edits by RapidFuzz, as jiwer does. ANLS is that of
Biten and others, ICCV 2019 (https://arxiv.org/abs/1905.13648), with its threshold 0.5.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from ...values import Answer, Value
from ..intervals import FloatArray
from .numbers import (
    ItemVerdict,
    Judgement,
    Measure,
    Sheet,
    defined,
    ratio_of_sums,
)
from .pairs import ItemPair

ANLS_FLOOR = 0.5
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class TextScore:
    """One text against its truth; edits and lengths are of the nearest alternative."""

    exact: bool
    same: bool
    """Equal but for case, punctuation, articles and spaces."""
    anls: float
    character_edits: int
    characters: int
    word_edits: int
    words: int


def judge_texts(pairs: Sequence[ItemPair]) -> Judgement:
    """Compare texts name by name; a name that was not answered is an empty text."""
    found = [dict(_scores(pair)) for pair in pairs]
    rows = [list(scores.values()) for scores in found]
    return Judgement(
        _measures(rows),
        tuple(_by_name(found)),
        tuple(_verdict(*both) for both in zip(pairs, rows, strict=True)),
        (
            (
                "Texts are compared by their letters, not by their meaning: a caption in "
                "other words counts as wrong."
            ),
        ),
    )


def compare_texts(said: str, truths: Sequence[str]) -> TextScore:
    """Compare a text with the alternatives of its truth, the best of them counting."""
    said = said.strip()
    true = [truth.strip() for truth in truths]
    near = min(true, key=lambda text: _error_rate(said, text))
    return TextScore(
        said in true,
        plain(said) in map(plain, true),
        max(_anls(said, text) for text in true),
        Levenshtein.distance(said, near),
        len(near),
        Levenshtein.distance(said.split(), near.split()),
        len(near.split()),
    )


def plain(text: str) -> str:
    """Fold case, drop punctuation and English articles, make spaces one.

    The normalisation of SQuAD's official script, after Unicode's NFKC.
    """
    folded = unicodedata.normalize("NFKC", text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", folded).split())


def texts_of(values: Sequence[Value]) -> dict[str, list[str]]:
    """Sort the texts among values by their names."""
    found: dict[str, list[str]] = defaultdict(list)
    for value in values:
        if isinstance(value, Answer):
            found[value.name].append(value.text)
    return found


def _scores(pair: ItemPair) -> Iterator[tuple[str, TextScore]]:
    said = texts_of(pair.said)
    for name, truths in texts_of(pair.true).items():
        yield name, compare_texts(next(iter(said.get(name, [])), ""), truths)


def _error_rate(said: str, true: str) -> float:
    return Levenshtein.distance(said, true) / max(1, len(true))


def _anls(said: str, true: str) -> float:
    alike = Levenshtein.normalized_similarity(said.lower(), true.lower())
    return alike if alike >= ANLS_FLOOR else 0.0


def _measures(rows: Sequence[Sequence[TextScore]]) -> tuple[Measure, ...]:
    def total(attribute: str) -> FloatArray:
        """Sum an attribute over the texts of each item."""
        sums = [sum(float(getattr(s, attribute)) for s in row) for row in rows]
        return np.array(sums, np.float64)

    texts = np.array([len(row) for row in rows], np.float64)
    return (
        Measure(
            "Normalised match",
            "share equal but for case, punctuation, articles and spaces",
            ratio_of_sums(total("same"), texts),
        ),
        Measure(
            "Exact match",
            "share equal to the letter",
            ratio_of_sums(total("exact"), texts),
        ),
        Measure(
            "ANLS",
            "likeness of the letters, 0 below a half, averaged",
            ratio_of_sums(total("anls"), texts),
        ),
        Measure(
            "Character error rate",
            "letters to edit for each letter of the truth; lower is better",
            ratio_of_sums(total("character_edits"), total("characters")),
            "low",
        ),
        Measure(
            "Word error rate",
            "words to edit for each word of the truth; lower is better",
            ratio_of_sums(total("word_edits"), total("words")),
            "low",
        ),
    )


def _by_name(found: Sequence[dict[str, TextScore]]) -> Iterator[Sheet]:
    """List the questions by their names, where there are several."""
    names = sorted({name for scores in found for name in scores})
    if len(names) < 2:  # noqa: PLR2004
        return
    rows = [_name_row(name, [s[name] for s in found if name in s]) for name in names]
    yield Sheet(
        "Questions",
        ("Question", "Texts", "Normalised match", "Exact match", "ANLS", "CER", "WER"),
        tuple(rows),
        "CER and WER: character and word error rate, lower is better.",
    )


def _name_row(
    name: str, scores: Sequence[TextScore]
) -> tuple[str | int | float | None, ...]:
    once = np.ones((1, len(scores)))
    measures = _measures([[score] for score in scores])
    return (
        name or "(the text)",
        len(scores),
        *(defined(float(measure.of(once)[0])) for measure in measures),
    )


def _verdict(pair: ItemPair, scores: Sequence[TextScore]) -> ItemVerdict:
    return ItemVerdict(
        pair.truth.image_id,
        pair.truth.path,
        pair.status,
        sum(1.0 if s.same else s.anls for s in scores) / len(scores),
        _written(pair.true),
        _written(pair.said),
    )


def _written(values: Sequence[Value]) -> str:
    """Write the texts of one side in a line: alternatives with a bar between."""
    return "; ".join(
        f"{name}: {' | '.join(texts)}" if name else " | ".join(texts)
        for name, texts in texts_of(values).items()
    )
