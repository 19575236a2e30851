"""Verdicts reach FiftyOne's own fields and its native evaluation run."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
import numpy as np
import pytest
from bson import json_util
from fiftyone_gemini.api import evaluate
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import CocoCurves
from fiftyone_gemini.labels.bulk import ObjectValues, write_values
from fiftyone_gemini.labels.evaluations import check_eval_key, write_evaluation
from fiftyone_gemini.labels.read import read_labels


@dataclass(frozen=True)
class Said:
    """A verdict as `evaluation` gives it."""

    image_id: str
    prediction_index: int | None
    truth_index: int | None
    iou: float
    kind: str


CURVES = CocoCurves(
    np.full((10, 1, 101), 0.25), np.full((10, 1), 0.75), np.full((10, 1, 101), 0.5)
)


@pytest.fixture
def judged(dataset: fo.Dataset) -> fo.Dataset:
    """Give a dataset with truth and predictions that were judged under the key `ev`."""
    boxes = [[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.3, 0.3]]
    for number, sample in enumerate(dataset):
        both = [fo.Detection(label="cup", bounding_box=box) for box in boxes]
        sample["truth"] = fo.Detections(detections=both)
        if number < 2:
            same = [d.copy() for d in both[: number + 1]]
            sample["gemini"] = fo.Detections(detections=same)
        sample.save()
    first, second, third, fourth = dataset.values("id")
    write_evaluation(
        dataset,
        read_labels(dataset, "gemini"),
        read_labels(dataset, "truth"),
        [
            Said(first, 0, 0, 0.9, "tp"),
            Said(first, None, 1, 0, "fn"),
            Said(second, 0, None, 0, "fp"),
            Said(second, 1, 1, 0.7, "ignored"),
            Said(second, None, 0, 0, "fn"),
            *(
                Said(image, None, n, 0, "fn")
                for image in (third, fourth)
                for n in (0, 1)
            ),
        ],
        predicted_field="gemini",
        truth_field="truth",
        eval_key="ev",
        iou=0.5,
        use_masks=False,
        classes=["cup"],
        curves=CURVES,
    )
    return dataset


def test_objects_carry_their_verdicts(judged: fo.Dataset) -> None:
    """Both sides of a match name each other; the rest is invented or missed."""
    said = judged.values("gemini.detections.ev")
    assert said == [["tp"], ["fp", "ignored"], None, None]
    assert judged.values("truth.detections.ev")[:2] == [["tp", "fn"], ["fn", None]]
    first = judged.first()
    assert first.gemini.detections[0].ev_id == first.truth.detections[0].id
    assert first.gemini.detections[0].ev_iou == 0.9
    assert judged.values("ev_tp") == [1, 0, 0, 0]
    assert judged.values("ev_fp") == [0, 1, 0, 0]
    assert judged.values("ev_fn") == [1, 1, 2, 2]


def test_fiftyone_opens_the_evaluation(judged: fo.Dataset) -> None:
    """FiftyOne's own results give precision and recall of the verdicts."""
    results = judged.load_evaluation_results("ev", cache=False)
    metrics = results.metrics()
    assert metrics["precision"] == pytest.approx(1 / 2)
    assert metrics["recall"] == pytest.approx(1 / 7)
    assert judged.get_evaluation_info("ev").config.gt_field == "truth"


def test_fiftyone_deletes_the_evaluation(judged: fo.Dataset) -> None:
    """Deleting by FiftyOne's own means leaves no field behind."""
    judged.delete_evaluation("ev")
    assert not judged.has_field("ev_tp")
    assert "ev" not in judged.first().gemini.detections[0].field_names


def test_a_key_is_checked(judged: fo.Dataset) -> None:
    """A key of an evaluation may be used again; that of another field may not."""
    check_eval_key(judged, "ev")
    for key, reason in (("1st", "letters"), ("truth", "overwrite"), ("", "letters")):
        with pytest.raises(UsageError, match=reason):
            check_eval_key(judged, key)


@pytest.fixture
def labelled(dataset: fo.Dataset) -> fo.Dataset:
    """Give a dataset with awkward truth and predictions: ties, crowds, no confidence."""
    rng = np.random.default_rng(3)
    for sample in dataset:
        true = [_object(rng, iscrowd=bool(rng.random() < 0.2)) for _ in range(6)]
        said = [_near(rng, d) for d in true if rng.random() < 0.8]
        said += [_object(rng) for _ in range(3)]
        sample["truth"] = fo.Detections(detections=true)
        sample["gemini"] = fo.Detections(detections=said)
        sample.save()
    return dataset


def _object(rng: np.random.Generator, **attributes: bool) -> fo.Detection:
    width, height = rng.uniform(0.1, 0.5, 2)
    x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    return fo.Detection(
        label=str(rng.choice(["cup", "pen", "book"])),
        bounding_box=[x, y, width, height],
        **attributes,
    )


def _near(rng: np.random.Generator, true: fo.Detection) -> fo.Detection:
    x, y, width, height = true.bounding_box
    box = [x + rng.normal(0, 0.02), y, width, height]
    return fo.Detection(label=true.label, bounding_box=box)


def test_fiftyone_shows_our_map(labelled: fo.Dataset) -> None:
    """A reloaded run has the mAP, mAR and AP of each class that `evaluate` gave."""
    scores = evaluate(labelled, "gemini", "truth", key="ev")
    results = labelled.load_evaluation_results("ev", cache=False)
    # The same numbers, added up in another order.
    assert results.mAP() == pytest.approx(scores.all.boxes.coco.ap, abs=1e-14)
    assert results.mAR() == pytest.approx(scores.all.boxes.coco.ar100, abs=1e-14)
    assert 0 < results.mAP() < 1
    for judged in scores.all.boxes.classes:
        assert results.mAP([judged.label]) == pytest.approx(judged.ap, abs=1e-14)
    curves = scores.all.boxes.curves
    assert np.array_equal(results.precision, curves.precision)
    assert np.array_equal(results.recall_sweep, curves.recall)
    assert np.array_equal(results.thresholds, curves.scores)
    results.plot_pr_curves(classes=["cup"], iou_thresh=0.5)
    assert results.metrics()["fscore"] == pytest.approx(scores.all.boxes.counts.f1)


def test_two_runs_stand_side_by_side(labelled: fo.Dataset) -> None:
    """Each of two runs keeps its own fields and numbers; one goes, the other stays."""
    for key, iou in (("loose", 0.3), ("strict", 0.9)):
        evaluate(labelled, "gemini", "truth", key=key, iou=iou)
    loose, strict = (
        labelled.load_evaluation_results(key, cache=False)
        for key in ("loose", "strict")
    )
    assert loose.mAP() == strict.mAP()
    assert labelled.sum("loose_tp") > labelled.sum("strict_tp")
    labelled.delete_evaluation("loose")
    assert labelled.list_evaluations() == ["strict"]
    left = str(labelled._sample_collection.find_one())
    assert "loose" not in left
    assert "strict_tp" in left


def test_samples_in_memory_see_the_verdicts(labelled: fo.Dataset) -> None:
    """A sample that someone holds is not stale, and counts as modified."""
    held = labelled.first()
    before = held.last_modified_at
    evaluate(labelled, "gemini", "truth", key="ev")
    kinds = [d["ev"] for d in held["gemini"].detections]
    assert kinds.count("tp") == held["ev_tp"] > 0
    assert kinds.count("fp") == held["ev_fp"] > 0
    assert held.last_modified_at > before


@pytest.mark.parametrize("kind", ["dataset", "filtered", "reordered"])
def test_values_land_on_their_own_objects(labelled: fo.Dataset, kind: str) -> None:
    """Also in views whose objects or samples stand elsewhere than in the database."""
    view: fo.SampleCollection = {
        "dataset": lambda: labelled,
        "filtered": lambda: labelled.filter_labels(
            "gemini", fo.ViewField("label") == "cup"
        ),
        "reordered": lambda: labelled.sort_by("id", reverse=True).skip(1),
    }[kind]()
    labelled.add_sample_field("gemini.detections.copy", fo.StringField)
    labelled.add_sample_field("number", fo.IntField)
    ids = view.values("gemini.detections.id")
    numbers = list(range(len(view)))
    write_values(
        view, [ObjectValues("gemini", ids, {"copy": ids})], {"number": numbers}
    )
    assert view.values("gemini.detections.copy") == ids
    assert view.values("number") == numbers
    stored = zip(
        labelled.values("gemini.detections.copy"),
        labelled.values("gemini.detections.id"),
        strict=True,
    )
    pairs = [pair for sample in stored for pair in zip(*sample, strict=True)]
    assert all(copy in {None, own} for copy, own in pairs)
    assert sum(copy is not None for copy, _ in pairs) == sum(map(len, ids))


def test_without_what_is_private_the_same_is_written(
    labelled: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FiftyOne whose private names are gone still gets every value."""
    ids = labelled.values("gemini.detections.id")
    labelled.add_sample_field("gemini.detections.copy", fo.StringField)
    monkeypatch.setattr(fo, "Sample", object)
    write_values(labelled, [ObjectValues("gemini", ids, {"copy": ids})], {})
    assert labelled.values("gemini.detections.copy") == ids


def test_samples_without_truth_are_not_judged(labelled: fo.Dataset) -> None:
    """Where nobody said what is there, nothing is invented; the run has the rest."""
    last = labelled.last()
    last["truth"] = None
    last.save()
    scores = evaluate(labelled, "gemini", "truth", key="ev")
    assert scores.all.images == len(labelled) - 1
    counts = labelled.values("ev_fp")
    assert counts[-1] is None
    assert None not in counts[:-1]
    results = labelled.load_evaluation_results("ev", cache=False)
    assert results.metrics()["recall"] == pytest.approx(scores.all.main.counts.recall)
    labelled.delete_evaluation("ev")
    assert not labelled.has_field("ev_fp")


def test_results_are_stored_as_fiftyone_stores_them(labelled: fo.Dataset) -> None:
    """What is kept of a run reads, number by number, as what FiftyOne would keep."""
    evaluate(labelled, "gemini", "truth", key="ev")
    results = labelled.load_evaluation_results("ev")
    method, document = results.backend, labelled._doc.evaluations["ev"]
    document.results.seek(0)
    ours = json_util.loads(document.results.read())
    meta = document.results_meta
    method.save_run_results(labelled, "ev", results)
    theirs = labelled._doc.evaluations["ev"]
    theirs.results.seek(0)
    assert ours == json_util.loads(theirs.results.read())
    assert meta == theirs.results_meta


def test_nothing_to_judge_is_a_run_too(dataset: fo.Dataset) -> None:
    """Two fields without any object make a run without mAP that loads and goes."""
    for name in ("truth", "gemini"):
        empty = [fo.Detections() for _ in dataset]
        dataset.set_values(name, empty)
    assert evaluate(dataset, "gemini", "truth", key="ev").all.boxes.coco.ap is None
    results = dataset.load_evaluation_results("ev", cache=False)
    assert not results.config.compute_mAP
    assert results.classes.tolist() == []
    assert dataset.values("ev_fn") == [0] * 4
    dataset.delete_evaluation("ev")
    assert not dataset.has_field("ev_fn")
