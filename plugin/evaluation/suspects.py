"""Several runs against one truth: objects they agree on that the truth lacks.

When models, prompts or resolutions that were asked apart see the same thing in the same
place, and the truth has nothing there, the truth is possibly what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Box, Detection, ImageLabels
from .anatomy import BACKGROUND, FOREGROUND
from .matching import overlaps
from .pairs import Objects, by_id, pair_up

FEWEST = 2
"""One run agrees with nobody."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """An object that runs agree on and the truth lacks.

    `members` are the agreeing predictions, as (run, index in the image's detections);
    `box` is that of the most confident; `agreement` the mean IoU of the others with it.
    """

    image_id: str
    label: str
    box: Box
    members: tuple[tuple[int, int], ...]
    agreement: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """A prediction on nothing: of which run, and where it stands in its image."""

    run: int
    index: int
    detection: Detection


def suspects(
    truth: Sequence[ImageLabels],
    runs: Sequence[Sequence[ImageLabels]],
    *,
    min_runs: int = 2,
) -> tuple[Suspect, ...]:
    """Find what at least `min_runs` runs see, and the truth lacks, the surest first.

    Seen on nothing: IoU at most 0.1 with every true object of any class, and not inside
    a crowd. Agreed on: same label, box IoU at least 0.5 with the most confident of
    them, one prediction a run; a run's further boxes there are left out. By boxes, also where there are masks. Raises UsageError
    for fewer than two runs, and what `evaluate` raises.
    """
    if not FEWEST <= min_runs <= len(runs):
        raise UsageError(
            f"Agreement of {min_runs} runs needs at least 2, and as many runs; there "
            f"are {len(runs)}."
        )
    on_nothing = [list(_on_nothing(truth, run, n)) for n, run in enumerate(runs)]
    found = [
        suspect
        for image, *seen in zip(truth, *on_nothing, strict=True)
        for suspect in _agreed(image.image_id, [s for run in seen for s in run])
        if len(suspect.members) >= min_runs
    ]
    found.sort(key=lambda suspect: (-len(suspect.members), -suspect.agreement))
    return tuple(found)


def _on_nothing(
    truth: Sequence[ImageLabels], run: Sequence[ImageLabels], number: int
) -> Iterator[list[_Seen]]:
    """Give, for each image of the truth, what one run sees where nothing is."""
    said = by_id(run, "predictions")
    pairs = {p.image_id: p for p in pair_up(truth, run, with_masks=False)}
    for image in truth:
        pair = pairs[image.image_id]
        table = _ious(pair.predicted, pair.truth)
        crowds = np.array(pair.truth.crowds, dtype=bool)
        limits = np.where(crowds, FOREGROUND, BACKGROUND)
        free: NDArray[np.bool_] = np.all(table <= limits, axis=1)
        labels = said.get(image.image_id)
        detections = labels.detections if labels else ()
        yield [_Seen(number, n, d) for n, d in enumerate(detections) if free[n]]


def _ious(predicted: Objects, truth: Objects) -> NDArray[np.float64]:
    rows, columns = range(len(predicted.labels)), range(len(truth.labels))
    if not rows or not columns:
        return np.zeros((len(rows), len(columns)))
    return overlaps(predicted, truth, rows, columns, "bbox")


def _agreed(image_id: str, seen: Sequence[_Seen]) -> Iterator[Suspect]:
    """Gather predictions around the most confident one that is left, again and again."""
    left = sorted(seen, key=lambda s: -_confidence(s))
    while left:
        first = left.pop(0)
        same = [one for one in left if _same(first, one)]
        left = [one for one in left if one not in same]
        same.sort(key=lambda one: -_overlap(first, one))
        nearest: dict[int, _Seen] = {}
        for one in same:
            if one.run != first.run:
                nearest.setdefault(one.run, one)
        ious = [_overlap(first, one) for one in nearest.values()]
        yield Suspect(
            image_id,
            first.detection.label,
            first.detection.box,
            tuple(sorted((one.run, one.index) for one in (first, *nearest.values()))),
            float(np.mean(ious)) if ious else 0.0,
        )


def _same(a: _Seen, b: _Seen) -> bool:
    return a.detection.label == b.detection.label and _overlap(a, b) >= FOREGROUND


def _overlap(a: _Seen, b: _Seen) -> float:
    return box_iou(a.detection.box, b.detection.box)


def _confidence(seen: _Seen) -> float:
    said = seen.detection.confidence
    return 1.0 if said is None else said


def box_iou(a: Box, b: Box) -> float:
    """Compute the IoU of two boxes; 0 where both are empty."""
    ax0, ay0, ax1, ay1 = a.xyxy_px
    bx0, by0, bx1, by1 = b.xyxy_px
    width, height = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    shared = max(width, 0.0) * max(height, 0.0)
    union = a.width * a.height + b.width * b.height - shared
    return shared / union if union > 0 else 0.0
