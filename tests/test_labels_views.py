"""Kinds of errors reach the objects of a dataset, and a saved view for each."""

from __future__ import annotations

import fiftyone as fo
import pytest
from fiftyone_gemini import api
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import anatomy, evaluate
from fiftyone_gemini.labels.read import read_labels
from fiftyone_gemini.labels.views import delete_error_views, save_error_views


def thing(label: str, x: float, confidence: float | None = None) -> fo.Detection:
    """Make an object of a quarter of the height."""
    box = [x, 0.1, 0.2, 0.25]
    return fo.Detection(label=label, bounding_box=box, confidence=confidence)


@pytest.fixture
def scenes(dataset: fo.Dataset) -> fo.Dataset:
    """Give four samples: a wrong class, an invented one, two misnamed, one missed."""
    truth = [[("cup", 0.1)], [("cup", 0.1)], [("cup", 0.1), ("cup", 0.6)], [("dog", 0)]]
    said = [
        [("dog", 0.1, 0.3)],
        [("cup", 0.1, 0.9), ("owl", 0.7, 0.8)],
        [("dog", 0.1, 0.2), ("dog", 0.6, 0.9)],
        [],
    ]
    for sample, true, seen in zip(dataset, truth, said, strict=True):
        sample["truth"] = fo.Detections(detections=[thing(*t) for t in true])
        sample["gemini"] = fo.Detections(detections=[thing(*s) for s in seen])
        sample.save()
    return dataset


def save(view: fo.SampleCollection) -> tuple[str, ...]:
    """Evaluate a view and save its errors under the key `ev`."""
    truth, said = read_labels(view, "truth"), read_labels(view, "gemini")
    faults = anatomy(truth, said, evaluate(truth, said)).faults
    fields = {"predicted_field": "gemini", "truth_field": "truth"}
    return save_error_views(view, said, truth, faults, **fields, eval_key="ev")


def test_objects_carry_their_kind(scenes: fo.Dataset) -> None:
    """Wrong predictions and missed objects are told what they are; right ones not."""
    save(scenes)
    assert scenes.values("gemini.detections.ev_error") == [
        ["wrong class"],
        [None, "invented"],
        ["wrong class", "wrong class"],
        [],
    ]
    assert scenes.values("gemini.detections.ev_error_rank")[2] == [3, 1]
    assert scenes.values("truth.detections.ev_error") == [
        *([None], [None], [None, None], ["missed"])
    ]


def test_each_kind_has_a_view_the_worst_first(scenes: fo.Dataset) -> None:
    """A view shows its kind alone; the most confident mistake stands in front."""
    names = save(scenes)
    assert sorted(names) == ["ev: invented", "ev: missed", "ev: wrong class"]
    assert sorted(scenes.list_saved_views()) == sorted(names)
    view = scenes.load_saved_view("ev: wrong class")
    first, _, third, fourth = scenes.values("id")
    assert view.values("id") == [third, first]
    assert view.count("gemini.detections") == 3
    missed = scenes.load_saved_view("ev: missed")
    assert missed.values("id") == [fourth]
    assert missed.values("truth.detections.label") == [["dog"]]


def test_saving_again_replaces_what_was_there(scenes: fo.Dataset) -> None:
    """Errors that are mended are gone from objects and views, also beyond the view."""
    save(scenes)
    for sample in scenes:
        sample["gemini"] = sample["truth"].copy()
        sample.save()
    assert save(scenes.limit(2)) == ()
    assert scenes.list_saved_views() == []
    assert set(scenes.values("truth.detections.ev_error", unwind=True)) == {None}


def test_all_can_be_deleted(scenes: fo.Dataset) -> None:
    """Views and attributes of a key go, and nothing else."""
    scenes.save_view("mine", scenes.limit(1))
    save(scenes)
    delete_error_views(scenes, "ev")
    assert scenes.list_saved_views() == ["mine"]
    assert not scenes.has_field("gemini.detections.ev_error")
    assert scenes.count("gemini.detections") == 5


def test_the_operator_saves_views_when_asked(scenes: fo.Dataset) -> None:
    """Beside the native run stand the views; evaluated again without, they go."""
    api.evaluate(scenes, "gemini", "truth", key="ev", error_views=True)
    assert scenes.list_evaluations() == ["ev"]
    assert "ev: wrong class" in scenes.list_saved_views()
    assert scenes.values("gemini.detections.ev")[1] == ["tp", "fp"]
    api.evaluate(scenes, "gemini", "truth", key="ev")
    assert scenes.list_saved_views() == []
    assert not scenes.has_field("gemini.detections.ev_error")


def test_a_field_that_holds_no_detections_is_refused(scenes: fo.Dataset) -> None:
    """Nothing is written where there are no objects."""
    with pytest.raises(UsageError, match="no field"):
        save_error_views(
            scenes, [], [], [], predicted_field="x", truth_field="truth", eval_key="ev"
        )
