"""Verdicts reach FiftyOne's own fields and its native evaluation run."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
import pytest
from fiftyone_gemini.errors import UsageError
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
