"""Classes of whole pictures, judged: scikit-learn is the oracle of every number."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation.kinds import KindScores, judge_kind
from fiftyone_gemini.values import Frame, ImageLabels, Kind, Status, Tag
from sklearn import metrics

CLASSES = ("bus", "car", "cat", "owl")
FRAME = Frame(64, 48)


def tagged(
    *labels: tuple[str, ...] | None, confidence: float | None = None
) -> list[ImageLabels]:
    """Make an item for each tuple of labels; None: it was blocked."""
    return [
        ImageLabels(
            str(n),
            f"{n}.jpg",
            FRAME,
            tuple(Tag(label, confidence) for label in some or ()),
            Status.BLOCKED if some is None else Status.OK,
        )
        for n, some in enumerate(labels)
    ]


def value(scores: KindScores, name: str) -> float:
    """Give a number over all items."""
    found = scores.number(name).all
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(12))
def test_single_labels_equal_scikit_learn(seed: int) -> None:
    """Accuracy, macro F1 over the true classes, balanced accuracy, the confusion."""
    rng = np.random.default_rng(seed)
    true = [str(x) for x in rng.choice(CLASSES[: 2 + seed % 3], 60)]
    said = [t if rng.random() < 0.6 else str(rng.choice(CLASSES)) for t in true]
    scores = judge_kind(
        tagged(*((t,) for t in true)), tagged(*((s,) for s in said)), kind=Kind.TAG
    )
    labels = sorted(set(true))
    assert value(scores, "Accuracy") == pytest.approx(
        metrics.accuracy_score(true, said)
    )
    assert value(scores, "Macro F1") == pytest.approx(
        metrics.f1_score(true, said, labels=labels, average="macro", zero_division=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that the truth lacks
        balanced = metrics.balanced_accuracy_score(true, said)
    assert value(scores, "Balanced accuracy") == pytest.approx(balanced)
    confusion = next(s for s in scores.sheets if s.title == "Confusion")
    columns = list(confusion.columns[1:])
    expected = metrics.confusion_matrix(true, said, labels=columns)
    for row in confusion.rows:
        assert list(row[1:]) == expected[columns.index(row[0])].tolist()


@pytest.mark.parametrize("seed", range(12))
def test_several_labels_equal_scikit_learn(seed: int) -> None:
    """Micro and macro F1, precision, recall, Jaccard and exact match by samples."""
    rng = np.random.default_rng(seed)
    true = rng.random((50, 4)) < 0.4
    said = true ^ (rng.random((50, 4)) < 0.2)
    sides = [
        tagged(*(tuple(np.array(CLASSES)[row].tolist()) for row in side))
        for side in (true, said)
    ]
    scores = judge_kind(*sides, kind=Kind.TAGS)
    for name, expected in {
        "Micro F1": metrics.f1_score(true, said, average="micro"),
        "Macro F1": metrics.f1_score(true, said, average="macro"),
        "Precision": metrics.precision_score(true, said, average="micro"),
        "Recall": metrics.recall_score(true, said, average="micro"),
        "Jaccard": metrics.jaccard_score(
            true, said, average="samples", zero_division=1
        ),
        "Exact match": metrics.accuracy_score(true, said),
    }.items():
        assert value(scores, name) == pytest.approx(expected), name
    per_class = metrics.precision_recall_fscore_support(true, said)
    for row in scores.sheets[0].rows:
        place = CLASSES.index(str(row[0]))
        assert row[5:] == pytest.approx([part[place] for part in per_class[:3]])


def test_failures_count_twice() -> None:
    """A blocked item is wrong over all items, and left out over the answered ones."""
    truth = tagged(("cat",), ("cat",), ("bus",), ("bus",))
    scores = judge_kind(truth, tagged(("cat",), ("bus",), ("bus",), None))
    accuracy = scores.number("Accuracy")
    assert (accuracy.all, accuracy.answered) == (0.5, pytest.approx(2 / 3))
    assert scores.statuses == {Status.OK: 3, Status.BLOCKED: 1}
    assert (scores.items, scores.answered) == (4, 3)
    assert [v.score for v in scores.verdicts] == [1, 0, 1, 0]
    confusion = scores.sheets[1]
    assert confusion.columns == ("True class", "bus", "cat", "(nothing)")
    assert confusion.rows == (("bus", 1, 0, 1), ("cat", 1, 1, 0))


def test_what_was_never_asked_is_skipped_and_strangers_are_counted() -> None:
    """An item without prediction is skipped; one without truth is left out."""
    truth = [*tagged(("cat",), ("bus",)), ImageLabels("7", "", FRAME)]
    said = [*tagged(("cat",)), ImageLabels("9", "", FRAME, (Tag("cat"),))]
    scores = judge_kind(truth, said)
    assert scores.statuses == {Status.OK: 1, Status.SKIPPED: 1}
    assert (scores.unknown_items, scores.unlabelled) == (1, 1)


def test_an_item_that_comes_twice_is_an_error() -> None:
    """Two predictions of one item cannot be judged."""
    with pytest.raises(UsageError, match="comes twice"):
        judge_kind(tagged(("cat",)), tagged(("cat",)) * 2)
    with pytest.raises(UsageError, match="no label"):
        judge_kind([], [])


def test_intervals_come_from_items_drawn_with_replacement() -> None:
    """The range of the accuracy is near that of the binomial distribution."""
    rng = np.random.default_rng(1)
    said = [("cat",) if rng.random() < 0.8 else ("bus",) for _ in range(300)]
    scores = judge_kind(tagged(*[("cat",)] * 300), tagged(*said))
    accuracy = scores.number("Accuracy")
    assert accuracy.all is not None
    assert accuracy.interval is not None
    half = 1.96 * (accuracy.all * (1 - accuracy.all) / 300) ** 0.5
    assert accuracy.interval.low == pytest.approx(accuracy.all - half, abs=0.01)
    assert accuracy.interval.high == pytest.approx(accuracy.all + half, abs=0.01)


def test_drawn_numbers_are_those_of_items_that_stand_twice() -> None:
    """Weights of a drawing give what copying the items would give."""
    rng = np.random.default_rng(4)
    true = [(str(x),) for x in rng.choice(CLASSES, 20)]
    said = [t if rng.random() < 0.5 else ("owl",) for t in true]
    scores = judge_kind(tagged(*true), tagged(*said), kind=Kind.TAG)
    drawn = np.bincount(rng.integers(0, 20, 20), minlength=20)
    rows = np.repeat(np.arange(20), drawn)
    again = judge_kind(
        tagged(*(true[i] for i in rows)),
        tagged(*(said[i] for i in rows)),
        kind=Kind.TAG,
    )
    for measure in scores.measures:
        got = measure.of(drawn[None].astype(float))[0]
        assert got == pytest.approx(value(again, measure.name)), measure.name


def test_confidences_are_held_against_the_share_right() -> None:
    """Where every tag has a confidence, the calibration error is said."""
    truth = tagged(*[("cat",)] * 4)
    said = tagged(("cat",), ("cat",), ("cat",), ("bus",), confidence=0.75)
    assert "calibration error 0.000" in judge_kind(truth, said).remarks[0]
    assert not judge_kind(truth, tagged(*[("cat",)] * 4)).remarks


def test_many_classes_are_listed_as_mix_ups() -> None:
    """Above twenty classes the most frequent mix-ups stand in place of the matrix."""
    true = [(f"class {n}",) for n in range(30)] * 2
    said = [("class 0",), *true[1:]]
    said[31] = said[1] = ("class 5",)
    confusion = judge_kind(tagged(*true), tagged(*said), kind=Kind.TAG).sheets[1]
    assert confusion.rows == (("class 1", "class 5", 2),)
