"""A narrow crop to run lengths by way of its columns alone, encoded in compiled code.

The columns of the crop, at the full height of the picture, have the runs of the whole
picture but for the pixels left and right of them: the first and the last run grow by
those. For small pictures this is three times as fast as finding the edges with NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..values import Frame, Mask

LIMIT = 200_000
"""Pixels of the columns up to which this is the faster way."""
_ZERO, _GOES_ON, _BITS, _SIGN = 48, 32, 5, 16
_UNFINISHED = bytes(range(_ZERO + _GOES_ON, 256))
"""Characters after which a number goes on."""


def strip_counts(mask: Mask, frame: Frame) -> str | None:
    """Pack the run lengths of the frame; None where this way is slow or not to be had.

    The crop must lie inside of the frame.
    """
    height, width = mask.crop.shape
    if not mask.crop.size or width * frame.height > LIMIT:
        return None
    columns = np.zeros((width, frame.height), np.uint8)
    columns[:, mask.y : mask.y + height] = mask.crop.T
    packed: bytes = _encoder()(columns.T)["counts"]
    after = (frame.width - mask.x - width) * frame.height
    if after:
        if len(packed.translate(None, _UNFINISHED)) % 2 == 0:
            return None  # ends in the object: a run more, told by its difference
        start = len(packed[:-1].rstrip(_UNFINISHED))
        packed = packed[:start] + _plus(packed[start:], after)
    end = len(packed) - len(packed.lstrip(_UNFINISHED)) + 1
    before = mask.x * frame.height
    whole = _plus(packed[:end], before) + packed[end:]
    return whole.decode("ascii")


@cache
def _encoder() -> Callable[[NDArray[np.uint8]], Any]:
    """Give the fastest encoder that is installed."""
    try:
        from hotcoco import mask as fast
    except ImportError:
        from pycocotools import mask as reference

        return reference.encode  # type: ignore[no-any-return]
    return fast.encode


def _plus(packed: bytes, more: int) -> bytes:
    """Add to one packed number: five bits a character, lowest first, then the sign."""
    value = 0
    for place, code in enumerate(packed):
        value |= (code - _ZERO & 31) << _BITS * place
    if packed[-1] - _ZERO & _SIGN:
        value -= 1 << _BITS * len(packed)
    value += more
    found = bytearray()
    while True:
        bits, value = value & 31, value >> _BITS
        done = value == (-1 if bits & _SIGN else 0)
        found.append(_ZERO + bits + (0 if done else _GOES_ON))
        if done:
            return bytes(found)
