"""Errors of naming and errors of seeing are told apart."""

from __future__ import annotations

import pytest
from evaluation_cases import random_case
from fiftyone_gemini.evaluation import Ontology, evaluate, judge
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels


def labels(*objects: tuple[str, float]) -> list[ImageLabels]:
    """Make one image with objects of 10 x 10 pixels, each a name and its left edge."""
    found = tuple(Detection(name, Box(x, 0, 10, 10)) for name, x in objects)
    return [ImageLabels("1", "", Frame(100, 20), found)]


def test_a_wrong_name_costs_nothing_when_all_names_are_one() -> None:
    """A dog called cat: no F1 by name, F1 = 1 and AP = 1 by any name."""
    scores = judge(labels(("dog", 0)), labels(("cat", 0))).scores
    assert scores.all.main.counts.f1 == 0
    assert scores.any_class.main.counts.f1 == 1
    assert scores.any_class.main.coco.ap == pytest.approx(1)


def test_what_was_not_seen_costs_the_same_by_any_name() -> None:
    """One of two cats missed: recall 1/2 with and without names."""
    scores = judge(labels(("cat", 0), ("cat", 50)), labels(("cat", 0))).scores
    assert scores.all.main.counts.recall == 1 / 2
    assert scores.any_class.main.counts.recall == 1 / 2


def test_names_are_matched_only_when_asked() -> None:
    """`Cats` is no `cat`, but it is told that it could be; folded, it is right."""
    truth, said = labels(("cat", 0)), labels(("Cats", 0))
    plain = judge(truth, said)
    assert plain.scores.all.main.counts.tp == 0
    assert not plain.scores.names.applied
    assert plain.predicted == tuple(said)
    folded = judge(truth, said, ontology=Ontology())
    assert folded.scores.all.main.counts.tp == 1
    assert folded.predicted[0].detections[0].label == "cat"
    assert folded.scores.names.applied


def test_classes_without_a_true_object_can_be_named() -> None:
    """A class of the dataset counts as known also when the truth shows none of it."""
    truth, said = labels(("cat", 0)), labels(("Dogs", 50))
    judged = judge(truth, said, ontology=Ontology(), classes=["cat", "dog"])
    assert judged.predicted[0].detections[0].label == "dog"


def test_the_other_numbers_are_those_of_evaluate() -> None:
    """Judging adds numbers and changes none, by boxes and by masks."""
    for seed in range(1, 12):
        truth, predicted = random_case(seed)
        judged = judge(truth, predicted).scores
        plain = evaluate(truth, predicted)
        assert (judged.all, judged.answered) == (plain.all, plain.answered)
        assert judged.matches == plain.matches
        counts = judged.any_class.main.counts
        said = sum(m.prediction_index is not None for m in plain.main_matches)
        assert counts.tp + counts.fp <= said
        assert (judged.any_class.masks is None) == (plain.all.masks is None)
