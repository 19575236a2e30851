"""Truth and predictions -> `Anatomy`: what kind of error each error is, and its cost.

After TIDE (Bolya et al., ECCV 2020, https://arxiv.org/abs/2008.08115, and its code
https://github.com/dbolya/tide), for boxes and for masks. Deviations: ties keep COCO's
order, no prediction is cut off beyond 100 an image, and a class that the truth lacks
stays out of the mean, as in COCO's AP.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..values import ImageLabels
from .faults import Anatomy, ErrorKind, Fault, KindCost
from .matching import match_pairs, overlaps
from .mending import Point, gains
from .pairs import Pair, pair_up
from .scores import Match, Scores, Shape

FOREGROUND, BACKGROUND = 0.5, 0.1
"""An IoU from the first on is in place; up to the second, nothing is there."""


@dataclass(frozen=True, slots=True)
class _Image:
    """What was found in one image."""

    points: tuple[Point, ...]
    faults: tuple[Fault, ...]
    objects: Counter[str]
    missed: Counter[str]


def anatomy(
    truth: Sequence[ImageLabels], predicted: Sequence[ImageLabels], scores: Scores
) -> Anatomy:
    """Tell the kind of each error, over all images, and what each kind costs in AP.

    By masks where `scores` has masks, else by boxes; `scores` are those of these very
    labels. The kinds, in the order in which they are looked for, with the IoU of a
    wrong prediction and the true object it overlaps most: `loose box`: 0.1 to 0.5 with
    one of its own class; `wrong class`: at least 0.5 with one of another class;
    `duplicate`: at least 0.5 with one of its class that another prediction has;
    `invented`: at most 0.1 with any; `class and box`, both wrong: all else. `missed`
    is an unmatched object that no loose or misnamed prediction is meant for.

    What a kind costs (dAP) is the AP at IoU 0.5 with these errors mended minus that
    without: a loose or misnamed prediction becomes right when its object is free, the
    most confident one if several are meant for it; all others are taken away, and so
    are missed objects. The costs do not add up to the AP that is lacking.
    """
    shape: Shape = "bbox" if scores.mask_matches is None else "segm"
    pairs = pair_up(truth, predicted, with_masks=shape == "segm")
    matches: dict[str, list[Match]] = defaultdict(list)
    for match in match_pairs(pairs, shape, FOREGROUND):
        matches[match.image_id].append(match)
    images = [_examine(pair, matches[pair.image_id], shape) for pair in pairs]
    ap, costs = gains(
        [point for image in images for point in image.points],
        sum((image.objects for image in images), Counter()),
        sum((image.missed for image in images), Counter()),
    )
    faults = sorted((f for image in images for f in image.faults), key=_rank)
    counts = Counter(fault.kind for fault in faults)
    kinds = tuple(KindCost(kind, counts[kind], costs[kind]) for kind in ErrorKind)
    return Anatomy(shape, FOREGROUND, BACKGROUND, ap, kinds, tuple(faults))


def _rank(fault: Fault) -> tuple[int, float, float]:
    return list(ErrorKind).index(fault.kind), -fault.confidence, -fault.area


def _examine(pair: Pair, matches: Sequence[Match], shape: Shape) -> _Image:
    """Tell what is wrong in one image."""
    wrong = _diagnose(pair, matches, shape)
    taken = {m.truth_index for m in matches if m.kind == "tp"}
    menders = _menders(pair, wrong, taken)
    missed = tuple(
        _missed(pair, match.truth_index)
        for match in matches
        if match.kind == "fn" and match.truth_index is not None
        if match.truth_index not in menders
    )
    return _Image(
        _points(pair, matches, wrong, menders),
        (*wrong.values(), *missed),
        Counter(
            label
            for label, crowd in zip(pair.truth.labels, pair.truth.crowds, strict=True)
            if not crowd
        ),
        Counter(fault.label for fault in missed),
    )


def _diagnose(pair: Pair, matches: Sequence[Match], shape: Shape) -> dict[int, Fault]:
    """Give each wrong prediction its error, by index."""
    said, true = pair.predicted, pair.truth
    rows = [
        m.prediction_index
        for m in matches
        if m.kind == "fp" and m.prediction_index is not None
    ]
    columns = [i for i, crowd in enumerate(true.crowds) if not crowd]
    if not rows:
        return {}
    table = np.zeros((len(rows), 0))
    if columns:
        table = overlaps(said, true, rows, columns, shape)
    names = np.array([true.labels[column] for column in columns], dtype=object)
    found = {}
    for row, ious in zip(rows, table, strict=True):
        kind, column = _kind(ious, names == said.labels[row])
        found[row] = Fault(
            pair.image_id,
            kind,
            row,
            None if column is None else columns[column],
            0.0 if column is None else float(ious[column]),
            said.labels[row],
            said.scores[row],
            said.areas[row],
        )
    return found


def _kind(
    ious: NDArray[np.float64], same: NDArray[np.bool_]
) -> tuple[ErrorKind, int | None]:
    """Name the error of a wrong prediction, and the object it was meant for.

    A wrong prediction with enough overlap on an object of its own class lost it to
    another prediction: were the object free, it would have been right.
    """
    if not len(ious):
        return ErrorKind.INVENTED, None
    own, other = int((ious * same).argmax()), int((ious * ~same).argmax())
    if BACKGROUND <= (ious * same)[own] <= FOREGROUND:
        return ErrorKind.LOOSE, own
    if (ious * ~same)[other] >= FOREGROUND:
        return ErrorKind.WRONG_CLASS, other
    if (ious * same)[own] >= FOREGROUND:
        return ErrorKind.DUPLICATE, own
    nearest = int(ious.argmax())
    if ious[nearest] <= BACKGROUND:
        return ErrorKind.INVENTED, None
    return ErrorKind.BOTH, nearest


def _menders(
    pair: Pair, wrong: dict[int, Fault], taken: set[int | None]
) -> dict[int, int]:
    """Choose, for each free object, the most confident prediction meant for it."""
    chosen: dict[int, int] = {}
    for row in sorted(wrong, key=lambda row: -pair.predicted.scores[row]):
        fault = wrong[row]
        if fault.kind not in {ErrorKind.LOOSE, ErrorKind.WRONG_CLASS}:
            continue
        if fault.truth_index is not None and fault.truth_index not in taken:
            chosen.setdefault(fault.truth_index, row)
    return chosen


def _points(
    pair: Pair,
    matches: Sequence[Match],
    wrong: dict[int, Fault],
    menders: dict[int, int],
) -> tuple[Point, ...]:
    """Place each prediction that counts on the curves, in the listed order."""
    mended = {row: pair.truth.labels[column] for column, row in menders.items()}
    return tuple(
        Point(
            match.label,
            pair.predicted.scores[row],
            wrong[row].kind if row in wrong else None,
            mended.get(row),
        )
        for match in matches
        if match.kind != "ignored" and (row := match.prediction_index) is not None
    )


def _missed(pair: Pair, column: int) -> Fault:
    true = pair.truth
    return Fault(
        pair.image_id,
        ErrorKind.MISSED,
        None,
        column,
        0.0,
        true.labels[column],
        0.0,
        true.areas[column],
    )
