"""What a video shows: things that move, events that begin and end, words that are said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import ImageDraw

Pen = ImageDraw.ImageDraw
FINE = 2
"""Pictures are drawn so many times as large, and then made smaller."""


@dataclass(frozen=True)
class Thing:
    """Something in a picture; `box_xywh` in pixels is exact, `draw` gets it enlarged."""

    label: str
    box_xywh: tuple[float, float, float, float]
    draw: Callable[[Pen, tuple[float, float, float, float]], None]


@dataclass(frozen=True)
class Event:
    """Something that happens: in seconds, the end does not belong to it."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Line:
    """Something that is said. In the sound it is a tone: there is no speech in it."""

    speaker: str
    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Story:
    """A video that can be drawn at any time of it.

    `times` are those of its frames. `turned`: it is stored lying on its side, with a note
    for the player to turn it, as telephones do.
    """

    name: str
    width: int
    height: int
    times: tuple[float, ...]
    seconds: float
    caption: str
    backdrop: Callable[[Pen, float], None]
    things: Callable[[float], list[Thing]]
    events: tuple[Event, ...]
    lines: tuple[Line, ...] = ()
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    turned: bool = False

    def happening(self, label: str, seconds: float) -> bool:
        """Tell whether an event of that name goes on."""
        return any(e.label == label and e.start <= seconds < e.end for e in self.events)
