"""Pieces that belong together: a network decides for each pair of neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .network import Floats, Network
from .pixel_stage import EDGE
from .regions import Bools, Labels, Scenery

_SHORTEST_BORDER = 3
_MERGE = 0.5


@dataclass(frozen=True, slots=True)
class Pieces:
    """Averages over numbered pieces, row i for piece i: pixel counts, classes, colours."""

    numbers: Labels
    counts: Floats  # [N]
    classes: Floats  # [N, 10]
    colours: Floats  # [N, 3]

    @classmethod
    def of(cls, numbers: Labels, scenery: Scenery) -> Pieces:
        """Measure the pieces of a numbered map."""
        flat = numbers.ravel()
        counts = np.bincount(flat).astype(np.float32)

        def means(maps: Floats) -> Floats:
            sums = [np.bincount(flat, m.ravel()) for m in np.moveaxis(maps, 2, 0)]
            return (np.stack(sums, 1) / np.maximum(counts, 1)[:, None]).astype(
                np.float32
            )

        return cls(numbers, counts, means(scenery.classes), means(scenery.colours))


@dataclass(frozen=True, slots=True)
class Border:
    """Where pieces `a` < `b` touch: its length, mean edge and mean background there."""

    a: int
    b: int
    length: int
    edge: float
    background: float


def borders(numbers: Labels, scenery: Scenery) -> list[Border]:
    """Return every border between two pieces that is long enough to matter."""
    sides = []
    maps = scenery.classes[..., [EDGE, 0]]
    for first, second in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        one, two = numbers[first], numbers[second]
        touch = (one != two) & (one > 0) & (two > 0)
        low, high = np.minimum(one, two)[touch], np.maximum(one, two)[touch]
        values = np.maximum(maps[first], maps[second])[touch]
        sides.append((low, high, values))
    low, high, values = (np.concatenate(part) for part in zip(*sides, strict=True))
    key, pair = np.unique(np.stack([low, high], 1), axis=0, return_inverse=True)
    pair = pair.ravel()
    lengths = np.bincount(pair, minlength=len(key))
    edge, background = (
        np.bincount(pair, values[:, k], len(key)) / np.maximum(lengths, 1)
        for k in (0, 1)
    )
    return [
        Border(int(a), int(b), int(n), float(e), float(g))
        for (a, b), n, e, g in zip(key, lengths, edge, background, strict=True)
        if n >= _SHORTEST_BORDER
    ]


def merge(numbers: Labels, scenery: Scenery, network: Network) -> Pieces:
    """Join neighbours, surest first, until the network wants no more."""
    while True:
        pieces = Pieces.of(numbers, scenery)
        meeting = borders(numbers, scenery)
        if not meeting:
            return pieces
        rows = np.stack([pair_features(border, pieces) for border in meeting])
        wish = network(rows)[:, 1]
        if wish.max() < _MERGE:
            return pieces
        numbers = _joined(numbers, meeting, wish)


def _joined(numbers: Labels, meeting: list[Border], wish: Floats) -> Labels:
    joined, used = numbers.copy(), set[int]()
    for k in np.argsort(-wish, kind="stable"):
        border = meeting[k]
        if wish[k] < _MERGE:
            break
        if border.a not in used and border.b not in used:
            used |= {border.a, border.b}
            joined[joined == border.b] = border.a
    return joined


def pair_features(border: Border, pieces: Pieces) -> Floats:
    """Return the 24 features of a pair: its border, sizes, classes, colours, outlines."""
    pair = (border.a, border.b)
    small, large = sorted(pair, key=lambda i: (float(pieces.counts[i]), -i))
    area_s, area_l = float(pieces.counts[small]), float(pieces.counts[large])
    class_s, class_l = (_shares(pieces.classes[i]) for i in (small, large))
    in_small, in_large = pieces.numbers == small, pieces.numbers == large
    both = in_small | in_large
    window = window_of(both)
    colour = float(np.abs(pieces.colours[small] - pieces.colours[large]).sum())
    values = [
        *(border.edge, border.background),
        *(border.length / np.sqrt(area_s), border.length / np.sqrt(area_l)),
        *(np.log(area_s), np.log(area_l), area_s / area_l),
        *(float(class_s @ class_l), class_s.max(), class_l.max()),
        *(float(class_s.argmax() == class_l.argmax()), colour),
        *(solidity(m[window]) for m in (both, in_small, in_large)),
        class_l[0] + class_l[6] + class_l[7],
        *(class_l[k] for k in (2, 3, 4, 1, 5)),
        *(class_s[k] for k in (2, 3, 4)),
    ]
    return np.array(values, np.float32)


def _shares(classes: Floats) -> Floats:
    of_labels = classes[1:EDGE]
    total = of_labels.sum() + np.float32(1e-6)
    return np.asarray(of_labels / total, np.float32)


def solidity(mask: Bools) -> float:
    """Return the share of its convex hull that a mask fills, about 0..1."""
    spots = mask.astype(np.uint8)
    outlines, _ = cv2.findContours(spots, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return 1.0
    hull = cv2.convexHull(np.concatenate(outlines))
    rim = 0.5 * cv2.arcLength(hull, closed=True)  # contours run through pixel centres
    return float(mask.sum()) / max(cv2.contourArea(hull) + rim, 1.0)


def window_of(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the tight box of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )
