"""Places in a picture: frames, boxes and masks, in pixels of the upright picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Frame:
    """Size in pixels of an upright picture, or of the pictures of a video."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel box in pixels, kept as COCO keeps it: left, top, width, height.

    A prediction with a mask is snapped to whole pixels; all others keep their numbers.
    """

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def from_xyxy_px(cls, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Build a box from its left, top, right and bottom edges."""
        return cls(x0, y0, x1 - x0, y1 - y0)

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edges."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    @property
    def xywh_px(self) -> tuple[float, float, float, float]:
        """Left, top, width, height: the order of a COCO `bbox`."""
        return self.x, self.y, self.width, self.height

    def xywh_rel(self, frame: Frame) -> tuple[float, float, float, float]:
        """Left, top, width, height as fractions of the frame: FiftyOne's order."""
        w, h = frame.width, frame.height
        return self.x / w, self.y / h, self.width / w, self.height / h


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The pixels of one object: a crop and the place of its top left corner.

    `crop` is boolean, C-contiguous, shape [height, width]; pixels outside of it are
    background. For predictions the crop covers exactly the object's box.
    """

    x: int
    y: int
    crop: BoolArray

    @property
    def area(self) -> int:
        """Number of pixels of the object."""
        return int(np.count_nonzero(self.crop))
