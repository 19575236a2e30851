"""Large pictures asked about in tiles: cut before `asking`, put together after `parse`.

Tiles overlap, so that an object at a seam is whole in one of them, or can be recognised
in both: where two tiles show the same place, they must agree on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from .errors import MediaError
from .media.image import read_frame
from .seams import joined_in_time
from .values import (
    WHOLE,
    Box,
    Detection,
    Frame,
    Issue,
    Item,
    Mask,
    ObjectCounts,
    Parsed,
    Status,
    Usage,
)

OVERLAP = 0.2
"""Share of a tile that its neighbour shows too."""
_SAME = 0.5
_EDGE = 0.01
"""Share of a tile's side within which a box counts as cut by its edge."""


def tiles_of(frame: Frame, side: int) -> tuple[Box, ...]:
    """Cover a picture with tiles of one size; one that is no larger is its own tile."""
    across, down = _starts(frame.width, side), _starts(frame.height, side)
    width, height = min(side, frame.width), min(side, frame.height)
    return tuple(Box(x, y, width, height) for y in down for x in across)


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(i * (length - side) / (count - 1)) for i in range(count)]


def in_tiles(
    items: Iterable[Item], side: int | None, *, private: bool = False
) -> Iterator[Item]:
    """Give an item for every tile; of a picture that cannot be read, the item itself."""
    for item in items:
        try:
            tiles = _tiles(item, side, private=private)
        except MediaError:
            tiles = ()  # the request will say why
        if len(tiles) < 2:  # noqa: PLR2004
            yield item
        for tile in tiles if tiles[1:] else ():
            yield replace(item, region=tile, pieces=len(tiles))


def _tiles(item: Item, side: int | None, *, private: bool) -> tuple[Box, ...]:
    if side is None or item.region is not None:
        return ()
    return tiles_of(read_frame(item.path, private=private), side)


@dataclass(slots=True)
class Joiner:
    """Collects what the pieces of items came to; whole items pass through."""

    _open: dict[tuple[str, int], list[Parsed]] = field(default_factory=dict)

    def add(self, parsed: Parsed) -> Parsed | None:
        """Take one piece; give the whole when this was the last of its pieces."""
        if parsed.item.pieces == 1:
            return parsed
        key = (parsed.item.sample_id, parsed.item.attempt)
        pieces = self._open.setdefault(key, [])
        pieces.append(parsed)
        if len(pieces) < parsed.item.pieces:
            return None
        return joined(self._open.pop(key))

    def rest(self) -> Iterator[Parsed]:
        """Give what stayed in pieces as skipped; its tokens were paid all the same."""
        for pieces in self._open.values():
            usage = sum((piece.usage for piece in pieces), Usage())
            yield replace(pieces[0], status=Status.SKIPPED, values=(), usage=usage)
        self._open.clear()


def joined(pieces: Sequence[Parsed]) -> Parsed:
    """Put tiles of a picture, or parts of a video, together; nothing is kept twice."""
    pieces = sorted(pieces, key=lambda piece: _corner(piece.item))
    failed = [piece for piece in pieces if not _answers(piece)]
    status, error = _status(pieces, failed)
    first = pieces[0]
    return replace(
        first,
        item=replace(
            first.item, region=None, clip=WHOLE, moment_seconds=None, pieces=1
        ),
        status=status,
        error=error,
        frame=next((piece.frame for piece in pieces if piece.frame), None),
        footage=next((piece.footage for piece in pieces if piece.footage), None),
        values=tuple(_merged(pieces)) if first.item.region else joined_in_time(pieces),
        issues=tuple(_issues(pieces)),
        usage=sum((piece.usage for piece in pieces), Usage()),
        model_version=next((p.model_version for p in pieces if p.model_version), ""),
        from_journal=all(piece.from_journal for piece in pieces),
        cost_usd=_cost(pieces),
        objects=sum((piece.objects for piece in pieces), ObjectCounts()),
    )


def _answers(piece: Parsed) -> bool:
    return piece.status.answers(len(piece.values))


def _cost(pieces: Sequence[Parsed]) -> float | None:
    """Sum the costs; unknown where one of them is."""
    known = [piece.cost_usd for piece in pieces if piece.cost_usd is not None]
    return sum(known) if len(known) == len(pieces) else None


def _corner(item: Item) -> tuple[float, float]:
    if item.region:
        return item.region.y, item.region.x
    return item.moment_seconds or item.clip.start_seconds or 0.0, 0.0


def _status(pieces: Sequence[Parsed], failed: Sequence[Parsed]) -> tuple[Status, str]:
    """Say how the whole ended: with a part missing it is cut short, not whole."""
    if len(failed) == len(pieces):
        return failed[0].status, failed[0].error
    if failed:
        why = f"{len(failed)} of {len(pieces)} parts have no answer: {failed[0].error}"
        return Status.TRUNCATED, why
    for status in (Status.TRUNCATED, Status.OK):
        found = [piece for piece in pieces if piece.status is status]
        if found:
            return status, found[0].error
    return Status.EMPTY, ""


def _issues(pieces: Sequence[Parsed]) -> Iterator[Issue]:
    for number, piece in enumerate(pieces):
        for issue in piece.issues:
            yield replace(issue, path=f"part {number + 1}: {issue.path}")


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """An object as one tile shows it; `cut`: it reaches an edge inside the picture."""

    detection: Detection
    tile: Box
    cut: bool


def _merged(pieces: Sequence[Parsed]) -> Iterator[Detection]:
    """Give every object once."""
    seen = [
        _Seen(
            found, piece.item.region, _is_cut(found.box, piece.item.region, piece.frame)
        )
        for piece in pieces
        if piece.item.region is not None and piece.frame is not None
        for found in piece.detections
    ]
    groups = list(range(len(seen)))
    for i, j in combinations(range(len(seen)), 2):
        if _is_same(seen[i], seen[j]):
            old, new = groups[j], groups[i]
            groups = [new if group == old else group for group in groups]
    for group in dict.fromkeys(groups):
        members = [one for one, g in zip(seen, groups, strict=True) if g == group]
        yield _one_of(members)


def _is_cut(box: Box, tile: Box, frame: Frame) -> bool:
    x0, y0, x1, y1 = box.xyxy_px
    left, top, right, bottom = tile.xyxy_px
    near = _EDGE * max(tile.width, tile.height)
    return (
        (x0 - left <= near and left > 0)
        or (y0 - top <= near and top > 0)
        or (right - x1 <= near and right < frame.width)
        or (bottom - y1 <= near and bottom < frame.height)
    )


def _is_same(one: _Seen, other: _Seen) -> bool:
    """Tell whether two tiles show one object: they agree on what both of them see."""
    if one.tile == other.tile:
        return False
    if one.detection.label.casefold() != other.detection.label.casefold():
        return False
    both = _cross(one.tile, other.tile)
    here = both and _cross(one.detection.box, both)
    there = both and _cross(other.detection.box, both)
    shared = here and there and _cross(here, there)
    if here is None or there is None or shared is None:
        return False
    area = _area(here) + _area(there) - _area(shared)
    return _area(shared) > _SAME * area


def _cross(one: Box, other: Box) -> Box | None:
    """Give what two boxes share; None when that has no area."""
    ax0, ay0, ax1, ay1 = one.xyxy_px
    bx0, by0, bx1, by1 = other.xyxy_px
    x0, y0, x1, y1 = max(ax0, bx0), max(ay0, by0), min(ax1, bx1), min(ay1, by1)
    return Box.from_xyxy_px(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _area(box: Box) -> float:
    return box.width * box.height


def _one_of(members: Sequence[_Seen]) -> Detection:
    """Take the one that no edge cuts, the largest of them; else unite the parts."""
    whole = [one.detection for one in members if not one.cut]
    if whole:
        return max(whole, key=lambda detection: _area(detection.box))
    parts = [one.detection for one in members]
    best = max(parts, key=lambda detection: _area(detection.box))
    masks = [part.mask for part in parts]
    if any(mask is None for mask in masks):
        return replace(best, box=_around([part.box for part in parts]), mask=None)
    mask = _united([mask for mask in masks if mask is not None])
    height, width = mask.crop.shape
    return replace(best, box=Box(mask.x, mask.y, width, height), mask=mask)


def _around(boxes: Sequence[Box]) -> Box:
    edges = [box.xyxy_px for box in boxes]
    x0, y0 = min(e[0] for e in edges), min(e[1] for e in edges)
    x1, y1 = max(e[2] for e in edges), max(e[3] for e in edges)
    return Box.from_xyxy_px(x0, y0, x1, y1)


def _united(masks: Sequence[Mask]) -> Mask:
    x0, y0 = min(mask.x for mask in masks), min(mask.y for mask in masks)
    x1 = max(mask.x + mask.crop.shape[1] for mask in masks)
    y1 = max(mask.y + mask.crop.shape[0] for mask in masks)
    crop = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for mask in masks:
        rows, columns = mask.crop.shape
        top, left = mask.y - y0, mask.x - x0
        crop[top : top + rows, left : left + columns] |= mask.crop
    return Mask(x0, y0, crop)
