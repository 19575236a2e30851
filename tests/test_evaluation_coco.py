"""The official numbers are those of pycocotools, bit for bit."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import random_case, reference
from fiftyone_gemini.evaluation import CocoNumbers, Engine, Shape, evaluate
from fiftyone_gemini.evaluation.coco_eval import CocoDict, evaluate_pairs, run_engine
from fiftyone_gemini.evaluation.pairs import pair_up
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels
from pycocotools import mask as coco_mask

ENGINES: tuple[Engine, ...] = ("hotcoco", "pycocotools")
# As published with the COCO API: val2014_fake_eval_res.txt.
PUBLISHED: dict[Shape, tuple[float, ...]] = {
    "bbox": (
        *(0.505, 0.697, 0.573, 0.586, 0.519, 0.501),
        *(0.387, 0.594, 0.595, 0.640, 0.566, 0.564),
    ),
    "segm": (
        *(0.320, 0.562, 0.299, 0.387, 0.310, 0.327),
        *(0.268, 0.415, 0.417, 0.469, 0.377, 0.381),
    ),
}
NOT_BY_SIZE = (0, 1, 2, 6, 7, 8)


def fake100(shared: Path, shape: Shape) -> tuple[CocoDict, list[CocoDict]]:
    """Read the example of the COCO API: truth, results."""
    folder = shared / "cocoapi_fake100"
    results = folder / f"instances_val2014_fake{shape}100_results.json"
    truth = folder / "instances_val2014_100.json"
    return json.loads(truth.read_text()), json.loads(results.read_text())


def whole_document(truth: CocoDict, results: list[CocoDict]) -> CocoDict:
    """Complete results as loadRes does: by the box if there is one, else the mask."""
    for number, result in enumerate(results, start=1):
        if "bbox" in result:
            _, _, width, height = result["bbox"]
            result["area"] = width * height
        else:
            result["area"] = int(coco_mask.area(result["segmentation"]))
            result["bbox"] = coco_mask.toBbox(result["segmentation"]).tolist()
        result |= {"id": number, "iscrowd": 0}
    return {**truth, "annotations": results}


def as_labels(truth: CocoDict, annotations: list[CocoDict]) -> list[ImageLabels]:
    """Turn boxes of a COCO document into values."""
    names = {c["id"]: c["name"] for c in truth["categories"]}
    by_image: dict[int, list[Detection]] = {i["id"]: [] for i in truth["images"]}
    for a in annotations:
        found = Detection(
            names[a["category_id"]],
            Box(*a["bbox"]),
            confidence=a.get("score"),
            is_crowd=bool(a.get("iscrowd")),
            area=a.get("area"),
        )
        by_image[a["image_id"]].append(found)
    return [
        ImageLabels(
            str(image["id"]),
            image["file_name"],
            Frame(image["width"], image["height"]),
            tuple(by_image[image["id"]]),
        )
        for image in truth["images"]
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", PUBLISHED)
def test_the_24_published_numbers(shared: Path, shape: Shape, engine: Engine) -> None:
    """The COCO API's own example scores what its authors published."""
    truth, results = fake100(shared, shape)
    arrays = run_engine(truth, whole_document(truth, results), shape, engine)
    assert np.round(astuple(arrays.numbers()), 3).tolist() == list(PUBLISHED[shape])


def test_published_box_numbers_from_values(shared: Path) -> None:
    """The same example, read as values, scores the same through `evaluate`."""
    truth, results = fake100(shared, "bbox")
    labels = as_labels(truth, truth["annotations"])
    scores = evaluate(labels, as_labels(truth, results))
    published = list(PUBLISHED["bbox"])
    assert np.round(astuple(scores.all.boxes.coco), 3).tolist() == published
    assert scores.engine == "hotcoco"
    assert scores.confidence == "self"


@pytest.mark.parametrize(
    "hundred", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 10))]
)
def test_arrays_equal_pycocotools_on_a_thousand_random_cases(hundred: int) -> None:
    """Ties, crowds, failures, 100 and more predictions: every array is the same."""
    for seed in range(hundred * 100, hundred * 100 + 100):
        truth, predicted = random_case(seed)
        labels = sorted({d.label for i in (*truth, *predicted) for d in i.detections})
        pairs = pair_up(truth, predicted, with_masks=True)
        for shape in PUBLISHED:
            run = reference(truth, predicted, shape)
            for engine in ENGINES if seed % 5 == 0 else ENGINES[:1]:
                arrays = evaluate_pairs(pairs, labels, shape, engine)
                for name in ("precision", "recall", "scores"):
                    same = np.array_equal(getattr(arrays, name), run.eval[name])
                    assert same, (seed, shape, engine, name)
                numbers = [-1 if n is None else n for n in astuple(arrays.numbers())]
                assert numbers == list(run.stats), (seed, shape, engine)


def test_engines_agree_on_whole_scores() -> None:
    """Every value of the result is the same whichever engine computed it."""
    truth, predicted = random_case(3)
    fast, slow = (evaluate(truth, predicted, engine=e) for e in ENGINES)
    assert fast.all == slow.all
    assert fast.answered == slow.answered
    assert (fast.engine, slow.engine) == ENGINES


def test_the_reference_stands_in_for_a_missing_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where hotcoco cannot be imported, pycocotools computes, and the result says so."""
    truth, predicted = random_case(3)
    fast = evaluate(truth, predicted)
    monkeypatch.setitem(sys.modules, "hotcoco", None)
    scores = evaluate(truth, predicted)
    assert scores.engine == "pycocotools"
    assert scores.all == fast.all


def test_ties_between_images_follow_the_ids_of_the_file() -> None:
    """Without confidence, images rank by their number, not by the order given."""
    truth, predicted = random_case(0)
    turned = evaluate(truth[::-1], predicted[::-1])
    assert turned.all.boxes.coco == evaluate(truth, predicted).all.boxes.coco


def test_nothing_to_measure_is_none_not_zero() -> None:
    """Without any truth there is no AP, no recall: undefined is None."""
    empty = ImageLabels("1", "a.jpg", Frame(10, 10))
    for engine in ENGINES:
        scores = evaluate([empty], [empty], engine=engine)
        assert scores.all.boxes.coco == CocoNumbers(*[None] * 12)
        counts = scores.all.boxes.counts
        assert (counts.precision, counts.recall, counts.f1) == (None, None, None)
        assert scores.all.masks is None
        assert evaluate([], [], engine=engine).all.images == 0
