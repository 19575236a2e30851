"""What was seen in a picture, before it is put in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..values import Box, Frame

Pixels: TypeAlias = NDArray[np.uint8]  # [height, width, 3], RGB
Soft: TypeAlias = NDArray[np.float32]  # [height, width], 0..1


@dataclass(frozen=True, slots=True, eq=False)
class SoftMask:
    """How surely each pixel of a region belongs to an object.

    `region` is the part of the picture, in pixels, that `probability` covers.
    """

    probability: Soft
    region: Box


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One object: its box in pixels of the frame, and its mask where there is one.

    `text` is the writing on it, where it bears any.
    """

    label: str
    box: Box
    mask: SoftMask | None
    confidence: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """All objects in one picture; `labels` are the words the viewer knows at all."""

    frame: Frame
    things: tuple[Thing, ...]
    labels: tuple[str, ...]


class Viewer(Protocol):
    """Something that looks at pictures."""

    @property
    def refusal(self) -> str:
        """Name what it is and what it cannot do, in one sentence."""

    def view(self, pixels: Pixels, long_side: int) -> Sight | None:
        """Say what is in a picture; None when it cannot judge it."""
