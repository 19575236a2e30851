"""A mask as FiftyOne keeps it, which stays packed until its pixels are looked at.

Most numbers need few pixels: a prediction of a class that its image does not have is
wrong whatever its shape. Packed, a mask takes some hundredth of the memory as well.
"""

from __future__ import annotations

import zlib

from ..errors import FormatError
from ..values import BoolArray, Box, Frame, Mask
from .convert import mask_in_box, snapped, unpack_mask


class StoredMask(Mask):
    """The pixels of a stored object in its box, snapped as by `mask_in_box`.

    `name` is the id by which an error names the object. Looking at `crop` raises FormatError when
    the stored bytes are damaged.
    """

    __slots__ = ("_box", "_frame", "_kept", "_name")
    _box: Box
    _frame: Frame
    _kept: bytes | BoolArray
    _name: object

    def __init__(self, packed: bytes, box: Box, frame: Frame, name: object) -> None:
        x, y, _, _ = snapped(box, frame)
        hold = object.__setattr__  # a frozen value is filled in this way
        hold(self, "x", x)
        hold(self, "y", y)
        hold(self, "_box", box)
        hold(self, "_frame", frame)
        hold(self, "_kept", packed)
        hold(self, "_name", name)

    @property
    def crop(self) -> BoolArray:
        """The pixels, unpacked when first asked for."""
        kept = self._kept
        if isinstance(kept, bytes):
            kept = self._unpack(kept)
            object.__setattr__(self, "_kept", kept)
        return kept

    def _unpack(self, packed: bytes) -> BoolArray:
        try:
            pixels = unpack_mask(packed)
            return mask_in_box(pixels, self._box, self._frame).crop
        except (zlib.error, ValueError, IndexError, EOFError) as error:
            raise FormatError(
                f"The stored mask of object {self._name} is damaged ({error}). Delete that "
                "object, or leave its sample out."
            ) from error
