"""Texts judged by their letters: jiwer and the published formulas are the oracles."""

from __future__ import annotations

import re
import string

import jiwer
import pytest
from fiftyone_gemini.evaluation.kinds import judge_kind
from fiftyone_gemini.evaluation.kinds.texts import compare_texts, plain
from fiftyone_gemini.values import Answer, Frame, ImageLabels, Status
from hypothesis import given
from hypothesis import strategies as st

FRAME = Frame(64, 48)
TEXT = st.text("abc DE.", min_size=1, max_size=20).filter(lambda t: t.strip())


def texts(*said: str | tuple[str, ...] | None, name: str = "") -> list[ImageLabels]:
    """Make an item for each text (or alternatives); None: the request failed."""
    return [
        ImageLabels(
            str(n),
            f"{n}.jpg",
            FRAME,
            tuple(
                Answer(text, name)
                for text in ((some,) if isinstance(some, str) else some or ())
            ),
            Status.API_ERROR if some is None else Status.OK,
        )
        for n, some in enumerate(said)
    ]


def squad(text: str) -> str:
    """Normalise as SQuAD's official script does."""
    text = text.lower()
    text = "".join(c for c in text if c not in set(string.punctuation))
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_error_rates_equal_jiwer(rows: list[tuple[str, str]]) -> None:
    """Character and word error rates are jiwer's, pooled over items."""
    true, said = ([t.strip() for t in side] for side in zip(*rows, strict=True))
    scores = judge_kind(texts(*true), texts(*said))
    assert scores.number("Character error rate").all == pytest.approx(
        jiwer.cer(true, said)
    )
    assert scores.number("Word error rate").all == pytest.approx(jiwer.wer(true, said))


@given(TEXT)
def test_normalisation_is_squads(text: str) -> None:
    """Case, punctuation, articles and spaces do not matter."""
    assert plain(text) == squad(text)


@pytest.mark.parametrize(
    ("said", "true", "anls"),
    [
        ("hello", "hello", 1.0),
        ("HELLO", "hello", 1.0),
        ("hallo", "hello", 0.8),
        ("xyz", "hello", 0.0),
        ("ab", "abcd", 0.5),
        ("a", "abcd", 0.0),
    ],
)
def test_anls_is_that_of_the_paper(said: str, true: str, anls: float) -> None:
    """Likeness is 1 - edits / longer length, and 0 under a half."""
    assert compare_texts(said, [true]).anls == pytest.approx(anls)


def test_the_best_alternative_counts() -> None:
    """Several true texts of one name are alternatives."""
    scores = judge_kind(
        texts(("two", "2"), ("red", "dark red")), texts("2", "Dark Red.")
    )
    assert scores.number("Normalised match").all == 1
    assert scores.number("Exact match").all == 0.5


def test_failures_count_as_empty_texts() -> None:
    """A failed item has every letter wrong over all, and is out of the answered."""
    scores = judge_kind(texts("abcd", "abcd"), texts("abcd", None))
    rate = scores.number("Character error rate")
    assert (rate.all, rate.answered, rate.better) == (0.5, 0, "low")
    assert scores.number("ANLS").all == 0.5


def test_questions_are_told_apart_by_their_names() -> None:
    """Texts are compared with the truth of the same name; each name has its row."""
    truth = [
        ImageLabels("1", "", FRAME, (Answer("red", "colour"), Answer("4", "doors"))),
        ImageLabels("2", "", FRAME, (Answer("blue", "colour"),)),
    ]
    said = [
        ImageLabels("1", "", FRAME, (Answer("4", "doors"), Answer("Red", "colour"))),
        ImageLabels("2", "", FRAME, (Answer("blue", "doors"),)),
    ]
    scores = judge_kind(truth, said)
    assert scores.number("Normalised match").all == pytest.approx(2 / 3)
    assert [row[:3] for row in scores.sheets[0].rows] == [
        ("colour", 2, 0.5),
        ("doors", 1, 1.0),
    ]
    assert [v.score for v in scores.verdicts] == [1.0, 0.0]
