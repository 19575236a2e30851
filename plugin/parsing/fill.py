"""Fill outlines to masks, all those of a reply at once.

A pixel is inside when its centre (column + 0.5, row + 0.5) is, by the even-odd rule, so
that outlines drawn along the edges of objects, as people and models draw them, keep the
area. Measured on 150 COCO polygons rounded to 0..1000: IoU 0.983, as pycocotools
(0.983); `cv2.fillPoly` also paints every pixel that the outline touches (0.939). Only
outlines through the centres of border pixels, as `cv2.findContours` gives them, come
back smaller (0.93, fillPoly 0.9999): add the half pixel before writing those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import BoolArray

Ring: TypeAlias = NDArray[np.float64]  # [N, 2], x and y
_Whole: TypeAlias = NDArray[np.int64]

_AT_ONCE = 1 << 15
"""Crossings that are worked on together: few enough for the processor's cache."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Rings of [x, y] in pixels of the crop that they are to be filled in."""

    rings: list[Ring]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The edges of some outlines, each with its left end first.

    An edge crosses the centres of `counts` columns, from the column `first` on.
    """

    outlines: Sequence[Outline]
    owner: _Whole
    """Which outline an edge belongs to."""
    left: Ring
    right: Ring
    first: _Whole
    counts: _Whole

    @classmethod
    def of(cls, outlines: Sequence[Outline]) -> Drawing:
        """Take the edges of outlines; every ring is closed."""
        rings = [ring for outline in outlines for ring in outline.rings]
        starts = np.maximum(np.minimum(np.concatenate(rings), 1e6), -1e6)
        after = np.cumsum([len(ring) for ring in rings])
        ends = np.concatenate([starts[1:], starts[:1]])
        ends[after - 1] = starts[np.concatenate([[0], after[:-1]])]
        points = [sum(map(len, outline.rings)) for outline in outlines]
        owner = np.repeat(np.arange(len(outlines)), points)
        leftward = starts[:, :1] > ends[:, :1]
        left, right = np.where(leftward, ends, starts), np.where(leftward, starts, ends)
        spans = np.ceil(np.stack([left[:, 0], right[:, 0]]) - 0.5)
        width = np.array([outline.width for outline in outlines])[owner]
        first, last = np.maximum(np.minimum(spans, width), 0).astype(np.int64)
        return cls(outlines, owner, left, right, first, last - first)

    @property
    def crossings(self) -> list[int]:
        """How often each outline crosses the centre of a column: the work it makes."""
        found = np.bincount(self.owner, self.counts, len(self.outlines))
        return [int(count) for count in found]

    def fill(self, crops: Sequence[BoolArray | None]) -> None:
        """Fill each outline into its crop, [height, width]; None: leave it out."""
        # Bits of words of 64 pixels: flips add up downwards, a word at a time, to
        # inside (1) or outside (0).
        stride = np.array([-(-outline.width // 64) * 8 for outline in self.outlines])
        rows = [
            0 if crop is None else outline.height + 1
            for outline, crop in zip(self.outlines, crops, strict=True)
        ]
        sizes: _Whole = stride * np.array(rows)
        after = np.cumsum(sizes)
        flips = np.zeros(after[-1], np.uint8)
        for edges in self._portions(sizes > 0):
            self._flip(edges, flips, after - sizes, stride)
        for crop, end, row in zip(crops, after.tolist(), stride.tolist(), strict=True):
            if crop is not None:
                words = flips[end - row * (len(crop) + 1) : end - row].view(np.uint64)
                inside = np.bitwise_xor.accumulate(words.reshape(len(crop), -1), axis=0)
                bits = np.unpackbits(
                    inside.view(np.uint8),
                    axis=1,
                    count=crop.shape[1],
                    bitorder="little",
                )
                crop[:] = bits.view(np.bool_)

    def _portions(self, wanted: NDArray[np.bool_]) -> Iterator[_Whole]:
        """Give the edges of the wanted outlines, not too many crossings at a time."""
        edges = np.flatnonzero((self.counts > 0) & wanted[self.owner])
        portion = np.cumsum(self.counts[edges]) // _AT_ONCE
        starts = np.flatnonzero(np.diff(portion, prepend=-1))
        yield from np.split(edges, starts[1:])

    def _flip(
        self, edges: _Whole, flips: NDArray[np.uint8], base: _Whole, stride: _Whole
    ) -> None:
        """Flip the first pixel below each crossing of a column's centre with an edge."""
        counts, owner = self.counts[edges], self.owner[edges]
        columns = np.arange(counts.sum())
        columns -= (np.cumsum(counts) - counts - self.first[edges]).repeat(counts)
        (xa, ya), (dx, dy) = self.left[edges].T, (self.right - self.left)[edges].T
        along = columns + 0.5 - xa.repeat(counts)
        down = ya.repeat(counts) + along * (dy / dx).repeat(counts)
        height = np.array([outline.height for outline in self.outlines])[owner]
        rows = np.minimum(np.ceil(down - 0.5), height.repeat(counts))
        place = np.maximum(rows, 0).astype(np.int64) * stride[owner].repeat(counts)
        place += base[owner].repeat(counts)
        place += columns >> 3
        np.bitwise_xor.at(flips, place, (1 << (columns & 7)).astype(np.uint8))
