"""Each error has one kind, each kind a cost; runs that agree cast doubt on the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from evaluation_cases import random_case
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.evaluation import Anatomy, ErrorKind, anatomy, evaluate, suspects
from fiftyone_gemini.evaluation.pairs import Pair, pair_up
from fiftyone_gemini.values import Box, Detection, Frame, ImageLabels, Mask, Status
from pycocotools import mask as coco_mask

FRAME = Frame(200, 100)


def labels(*detections: Detection, image_id: str = "1") -> ImageLabels:
    """Make the labels of one image."""
    return ImageLabels(image_id, "", FRAME, detections)


def thing(label: str, x: float, **more: object) -> Detection:
    """Make an object of 10 x 10 pixels at the top."""
    return Detection(label, Box(x, 0, 10, 10), **more)


def judged(truth: list[ImageLabels], said: list[ImageLabels]) -> Anatomy:
    """Evaluate, then tell the kinds."""
    return anatomy(truth, said, evaluate(truth, said))


def gain(found: Anatomy, kind: ErrorKind) -> tuple[int, float]:
    """Give how often a kind occurs, and what it costs."""
    (cost,) = (cost for cost in found.kinds if cost.kind is kind)
    return cost.count, cost.ap_gain


def test_a_loose_box_is_meant_for_its_object() -> None:
    """Half beside the cat: IoU 50/150; mended, the AP goes from 0 to 1."""
    found = judged([labels(thing("cat", 0))], [labels(thing("cat", 5))])
    assert found.ap == 0
    assert gain(found, ErrorKind.LOOSE) == (1, 1)
    assert gain(found, ErrorKind.MISSED) == (0, 0)
    (fault,) = found.faults
    assert (fault.prediction_index, fault.truth_index) == (0, 0)
    assert fault.iou == pytest.approx(1 / 3)


def test_a_wrong_class_is_meant_for_its_object() -> None:
    """A dog called cat is one error, not one invented and one missed."""
    found = judged([labels(thing("dog", 0))], [labels(thing("cat", 1))])
    assert [f.kind for f in found.faults] == [ErrorKind.WRONG_CLASS]
    assert gain(found, ErrorKind.WRONG_CLASS) == (1, 1)
    assert gain(found, ErrorKind.INVENTED) == (0, 0)


def test_a_duplicate_costs_what_taking_it_away_gains() -> None:
    """Two boxes on the first of two cats: P at full recall is 2/3 until it goes."""
    truth = [labels(thing("cat", 0), thing("cat", 50))]
    said = [labels(thing("cat", 0), thing("cat", 1), thing("cat", 50))]
    found = judged(truth, said)
    # recalls 0 to 0.5 (51 of 101) at precision 1, the rest at 2/3
    assert found.ap == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert gain(found, ErrorKind.DUPLICATE)[0] == 1
    assert gain(found, ErrorKind.DUPLICATE)[1] == pytest.approx(50 / 3 / 101)
    assert found.of(ErrorKind.DUPLICATE)[0].truth_index == 0


def test_on_nothing_is_invented_and_unseen_is_missed() -> None:
    """One of two cats found, one invented before it: each costs its own."""
    truth = [labels(thing("cat", 0), thing("cat", 50))]
    said = [labels(thing("cat", 150), thing("cat", 0))]
    found = judged(truth, said)
    assert found.ap == pytest.approx(51 / 2 / 101)
    assert gain(found, ErrorKind.INVENTED) == (1, pytest.approx(51 / 2 / 101))
    # one object, found second: precision 1/2 at every recall
    assert gain(found, ErrorKind.MISSED) == (1, pytest.approx(1 / 2 - 51 / 2 / 101))
    assert found.of(ErrorKind.MISSED)[0].truth_index == 1


def test_misnamed_and_loose_is_both() -> None:
    """An owl a third on the cat could be mended by neither alone."""
    found = judged([labels(thing("cat", 0))], [labels(thing("owl", 5))])
    kinds = [f.kind for f in found.faults]
    assert kinds == [ErrorKind.BOTH, ErrorKind.MISSED]


def test_the_most_confident_prediction_gets_the_object() -> None:
    """Two loose boxes for one cat: mending makes one right and takes the other away."""
    said = [labels(thing("cat", 5, confidence=0.3), thing("cat", 6, confidence=0.9))]
    found = judged([labels(thing("cat", 0))], said)
    assert gain(found, ErrorKind.LOOSE) == (2, 1)
    assert [f.confidence for f in found.of(ErrorKind.LOOSE)] == [0.9, 0.3]


def test_an_image_without_answer_is_all_missed() -> None:
    """The objects of a failed image cost what they cost; crowds are no objects."""
    blocked = replace(labels(), status=Status.BLOCKED)
    crowd = thing("cat", 90, is_crowd=True)
    found = judged([labels(thing("cat", 0), crowd)], [blocked])
    assert gain(found, ErrorKind.MISSED) == (1, 1)


def test_nothing_costs_nothing_where_there_is_no_truth() -> None:
    """Without a true object no AP is defined, and the errors are still named."""
    found = judged([labels()], [labels(thing("cat", 0))])
    assert found.ap is None
    assert gain(found, ErrorKind.INVENTED) == (1, None)


def test_missed_objects_stand_largest_first() -> None:
    """The worst of what was missed is the largest."""
    big = Detection("cat", Box(50, 0, 40, 40))
    found = judged([labels(thing("cat", 0), big)], [labels()])
    assert [f.area for f in found.faults] == [1600, 100]


def test_masks_decide_where_there_are_masks() -> None:
    """Two thirds of the same box: in place as a box, loose as a mask."""
    full, part = np.ones((10, 10), bool), np.zeros((10, 10), bool)
    part[:4] = True
    truth = [labels(thing("cat", 0, mask=Mask(0, 0, full)))]
    found = judged(truth, [labels(thing("cat", 0, mask=Mask(0, 0, part)))])
    assert found.shape == "segm"
    assert [(f.kind, f.iou) for f in found.faults] == [(ErrorKind.LOOSE, 0.4)]


@pytest.mark.parametrize("start", [1, 30, 60, 90])
def test_kinds_and_costs_are_those_of_a_plain_reading_of_tide(start: int) -> None:
    """Counts and costs equal a slow second implementation; the AP is COCO's AP50."""
    for seed in range(start, start + 24):
        truth, said = random_case(seed)
        scores = evaluate(truth, said)
        found = anatomy(truth, said, scores)
        pairs = pair_up(truth, said, with_masks=found.shape == "segm")
        ap, counts, costs = tide(pairs)
        assert {c.kind: c.count for c in found.kinds} == counts, seed
        assert found.ap == pytest.approx(ap), seed
        if seed % 25:  # COCO counts 100 predictions of an image and class
            assert found.ap == pytest.approx(scores.all.main.coco.ap50), seed
        for cost in found.kinds:
            assert cost.ap_gain == pytest.approx(costs[cost.kind]), (seed, cost.kind)


def tide(pairs: list[Pair]) -> tuple[float | None, dict, dict]:
    """Do all of TIDE again, one object and one IoU at a time."""
    rows, objects, missed = [], Counter(), Counter()
    counts = dict.fromkeys(ErrorKind, 0)
    for pair in pairs:
        said, true = pair.predicted, pair.truth
        free = [j for j, crowd in enumerate(true.crowds) if not crowd]
        objects.update(true.labels[j] for j in free)
        order = sorted(range(len(said.labels)), key=lambda i: -said.scores[i])
        owner, wrong = {}, []
        for i in order:
            best = [
                j for j in free if j not in owner and true.labels[j] == said.labels[i]
            ]
            best = [j for j in best if iou(pair, i, j) >= 0.5]
            crowds = [j for j, c in enumerate(true.crowds) if c]
            if best:
                owner[max(best, key=lambda j: (iou(pair, i, j), j))] = i
            elif not any(
                true.labels[j] == said.labels[i] and iou(pair, i, j) >= 0.5
                for j in crowds
            ):
                wrong.append(i)
        chosen, kind_of = {}, {}
        for i in wrong:
            kind, target = kind_of_one(pair, i, free)
            kind_of[i] = kind
            counts[kind] += 1
            if target is not None and target not in owner:
                chosen.setdefault(target, i)
        lost = [j for j in free if j not in owner and j not in chosen]
        missed.update(true.labels[j] for j in lost)
        counts[ErrorKind.MISSED] += len(lost)
        mended = {i: true.labels[j] for j, i in chosen.items()}
        for i in range(len(said.labels)):
            if i in kind_of or i in owner.values():
                score = said.scores[i]
                rows.append((said.labels[i], score, kind_of.get(i), mended.get(i)))
    ap = mean_ap(rows, objects, None)
    if ap is None:
        return None, counts, dict.fromkeys(ErrorKind)
    costs = {}
    for kind in ErrorKind:
        left = Counter(objects)
        if kind is ErrorKind.MISSED:
            left.subtract(missed)
        after = mean_ap(rows, left, kind)
        costs[kind] = max(0.0, (1.0 if after is None else after) - ap)
    return ap, counts, costs


def kind_of_one(pair: Pair, i: int, free: list[int]) -> tuple[ErrorKind, int | None]:
    """Name the error of one prediction, and the object it was meant for."""
    names, name = pair.truth.labels, pair.predicted.labels[i]
    own = {j: iou(pair, i, j) for j in free if names[j] == name}
    other = {j: iou(pair, i, j) for j in free if names[j] != name}
    a, b = max(own.values(), default=0), max(other.values(), default=0)
    if 0.1 <= a <= 0.5:
        return ErrorKind.LOOSE, min(j for j in own if own[j] == a)
    if b >= 0.5:
        return ErrorKind.WRONG_CLASS, min(j for j in other if other[j] == b)
    if a > 0.5:
        return ErrorKind.DUPLICATE, None
    return ErrorKind.INVENTED if max(a, b) <= 0.1 else ErrorKind.BOTH, None


def mean_ap(rows: list, objects: Counter, kind: ErrorKind | None) -> float | None:
    """Average the area under the curve of each class of the truth."""
    found = []
    for label, count in objects.items():
        points = [
            (score, why is None or why is kind)
            for said, score, why, mended in rows
            if (mended if why is kind and why is not None else said) == label
        ]
        if not count and not points:
            continue
        points.sort(key=lambda point: -point[0])
        hits, curve = 0, []
        for n, (_, right) in enumerate(points, start=1):
            hits += right
            curve.append((hits / count if count else 0, hits / n))
        best = [
            max((p for r, p in curve if r >= recall), default=0.0)
            for recall in np.linspace(0, 1, 101)
        ]
        found.append(sum(best) / 101 if count else 0.0)
    return sum(found) / len(found) if found else None


def iou(pair: Pair, i: int, j: int) -> float:
    """Compute one IoU by pycocotools."""
    said, true = pair.predicted, pair.truth
    if said.masks is not None:
        sides = [said.masks[i]], [true.masks[j]]
    else:
        sides = said.boxes_xywh_px[[i]], true.boxes_xywh_px[[j]]
    return float(coco_mask.iou(*sides, [true.crowds[j]])[0, 0])


def test_what_runs_agree_on_and_the_truth_lacks_is_suspect() -> None:
    """Three runs see an owl where nothing is; one of them has it a little aside."""
    truth = [labels(thing("cat", 0)), labels(image_id="2")]
    runs = [
        [labels(thing("cat", 0), thing("owl", 50))],
        [labels(thing("owl", 51, confidence=0.5), thing("owl", 54, confidence=0.4))],
        [labels(thing("owl", 50)), labels(thing("owl", 9), image_id="2")],
    ]
    (found,) = suspects(truth, runs)
    assert (found.image_id, found.label, found.box) == ("1", "owl", Box(50, 0, 10, 10))
    assert found.members == ((0, 1), (1, 0), (2, 0))
    assert found.agreement == pytest.approx((9 / 11 + 1) / 2)
    assert suspects(truth, runs, min_runs=3) == (found,)


def test_what_the_truth_has_in_any_form_is_not_suspect() -> None:
    """Another name, a crowd, a loose box, two names: nothing the truth lacks for sure."""
    truth = [labels(thing("cat", 0), thing("owl", 50, is_crowd=True), thing("owl", 90))]
    for said in (thing("dog", 0), thing("owl", 50), thing("owl", 96)):
        assert suspects(truth, [[labels(said)]] * 2) == ()
    apart = [[labels(thing("dog", 150))], [labels(thing("fox", 150))]]
    assert suspects(truth, apart) == ()


def test_the_surest_suspects_stand_first() -> None:
    """More runs go before fewer, then closer agreement."""
    runs = [
        [labels(thing("a", 0), thing("b", 50), thing("c", 100))],
        [labels(thing("a", 2), thing("b", 51), thing("c", 102))],
        [labels(thing("c", 100))],
    ]
    found = suspects([labels()], runs)
    assert [s.label for s in found] == ["c", "b", "a"]


def test_one_run_agrees_with_nobody() -> None:
    """Agreement needs two runs, and as many as are asked for."""
    for runs, least in (([[]], 2), ([[], []], 3), ([[], []], 1)):
        with pytest.raises(UsageError, match="needs at least 2"):
            suspects([labels()], runs, min_runs=least)
