"""Crops to COCO's run lengths and back, without ever making a full frame.

COCO counts pixels column by column (down first): runs of background and object in turn,
starting with background, packed into text six bits at a time.
Format: pycocotools, `common/maskApi.c`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError, UsageError
from ..values import BoolArray, Frame, Mask
from .strip import strip_counts

Counts: TypeAlias = NDArray[np.int64]

_MAX_CHARACTERS = 7
"""Characters of one packed number: 35 bits, more than any picture needs."""


@dataclass(frozen=True, slots=True)
class Rle:
    """The pixels of one object in a frame, as COCO's compressed run lengths."""

    height: int
    width: int
    counts: str


def mask_to_rle(mask: Mask, frame: Frame) -> Rle:
    """Write a crop as RLE of its frame, byte for byte as `pycocotools.mask.encode`.

    Raises UsageError when the crop does not lie inside of the frame.
    """
    from pycocotools import mask as coco_mask

    height, width = mask.crop.shape
    inside = 0 <= mask.x <= frame.width - width and 0 <= mask.y <= frame.height - height
    if not inside:
        raise UsageError("a mask reaches out of its picture")
    counts = strip_counts(mask, frame)
    if counts is not None:
        return Rle(frame.height, frame.width, counts)
    # An array goes in as it is; a list would be read number by number.
    runs = {"size": [frame.height, frame.width], "counts": _frame_counts(mask, frame)}
    packed = coco_mask.frPyObjects(runs, frame.height, frame.width)
    return Rle(frame.height, frame.width, packed["counts"].decode("ascii"))


def _frame_counts(mask: Mask, frame: Frame) -> Counts:
    """Run lengths of the whole frame; the last run is left out when it is empty."""
    row, column = _flips(mask.crop)
    # Where runs start and end, in turn; each column has its own. Small numbers are
    # sorted faster, and within a column the rows are in order already.
    order = np.argsort(
        column.astype(np.min_scalar_type(mask.crop.shape[1])), kind="stable"
    )
    edges = ((column + mask.x) * frame.height + row + mask.y)[order]
    # A run that fills its column to the bottom goes on at the top of the next: it ends
    # where that one starts, and neither is an edge.
    single = np.ones(len(edges) + 1, np.bool_)
    single[1:-1] = edges[1:] != edges[:-1]
    edges = edges[single[1:] & single[:-1]]
    bounds = np.concatenate([[0], edges, [frame.width * frame.height]])
    counts: Counts = bounds[1:] - bounds[:-1]
    return counts if counts[-1] or len(counts) == 1 else counts[:-1]


def _flips(crop: BoolArray) -> tuple[Counts, Counts]:
    """Rows and columns whose pixel differs from the one above; outside is background.

    There is one row more than in the crop: what is on in its last row ends there.
    """
    if not crop.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # Flips are rare: look for them eight pixels at a time first.
    packed = np.packbits(crop, axis=1, bitorder="little")
    flips = np.empty((len(packed) + 1, packed.shape[1]), np.uint8)
    flips[0], flips[-1] = packed[0], packed[-1]
    np.bitwise_xor(packed[1:], packed[:-1], out=flips[1:-1])
    eights = np.flatnonzero(flips.reshape(-1) != 0)
    bits = np.unpackbits(flips.reshape(-1)[eights], bitorder="little")
    found = np.flatnonzero(bits.view(np.bool_))
    row, eighth = np.divmod(eights, flips.shape[1])
    return row[found >> 3], eighth[found >> 3] * 8 + (found & 7)


def rle_to_mask(rle: Rle) -> Mask:
    """Read RLE as the smallest crop that holds every pixel of the object.

    An object without pixels has a crop of 0 x 0 at the origin. Raises FormatError when
    the counts are not run lengths of such a frame.
    """
    return counts_to_mask(unpack_counts(rle.counts), Frame(rle.width, rle.height))


def counts_to_mask(counts: Counts, frame: Frame) -> Mask:
    """Read uncompressed run lengths of a frame as the smallest crop."""
    if (counts < 0).any() or int(counts.sum()) != frame.width * frame.height:
        raise FormatError("the run lengths do not add up to the size of the picture")
    edges = np.cumsum(counts)
    starts, ends = edges[:-1:2], edges[1::2]
    starts, ends = starts[starts < ends], ends[starts < ends]
    if not len(starts):
        return Mask(0, 0, np.zeros((0, 0), np.bool_))
    first, top = np.divmod(starts, frame.height)
    last, bottom = np.divmod(ends - 1, frame.height)
    x, columns = int(first[0]), int(last[-1] - first[0]) + 1
    y, rows = int(top.min()), int(bottom.max() - top.min()) + 1
    if (first != last).any():
        y, rows = 0, frame.height
    begin = (first - x) * rows + top - y
    pairs = np.stack([begin, begin + ends - starts], axis=1).reshape(-1)
    lengths = np.diff(pairs, prepend=0, append=rows * columns)
    values = np.arange(len(lengths)) % 2 == 1
    crop = np.repeat(values, lengths).reshape(columns, rows).T
    return Mask(x, y, np.ascontiguousarray(crop))


def unpack_counts(packed: str) -> Counts:
    """Unpack compressed run lengths; raises FormatError when they are damaged.

    Each character holds five bits, lowest first, and whether more follow; from the
    fourth number on, a number is the difference to the one two before.
    """
    codes = np.frombuffer(packed.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:  # noqa: PLR2004
        raise FormatError("the run lengths are damaged")
    lasts = np.flatnonzero((codes & 32) == 0)
    lengths = np.diff(lasts, prepend=-1)
    if lengths.max() > _MAX_CHARACTERS:
        raise FormatError("the run lengths are damaged")
    firsts = lasts - lengths + 1
    place = np.arange(len(codes)) - np.repeat(firsts, lengths)
    numbers = np.add.reduceat((codes & 31) << (5 * place), firsts)
    numbers -= np.where(codes[lasts] & 16, np.int64(1) << (5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def polygons_to_mask(polygons: Sequence[Sequence[float]], frame: Frame) -> Mask:
    """Fill polygons, flat lists of x, y in pixels, to the pixels pycocotools gives.

    Several polygons are the parts of one object: their union is filled.
    """
    from pycocotools import mask as coco_mask

    parts = [list(map(float, polygon)) for polygon in polygons]
    whole = coco_mask.merge(coco_mask.frPyObjects(parts, frame.height, frame.width))
    return rle_to_mask(Rle(frame.height, frame.width, whole["counts"].decode("ascii")))
