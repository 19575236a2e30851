"""A video as a file: how large, how long, and when each of its frames is shown."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median

from .geometry import Frame

_STEADY = 0.1
"""By what share of a frame's time a steady video may be early or late."""
_HAIR = 1e-4
"""Seconds that rounding may cost: a time this close to a frame is that frame's."""


@dataclass(frozen=True, slots=True)
class Footage:
    """What is known of a video.

    `frame` is upright. `times` are those of all frames in seconds, in the order in which
    they are shown, from 0 on: they need not be evenly spaced. Frames are counted from 1, as in FiftyOne.
    """

    frame: Frame
    seconds: float
    times: tuple[float, ...]
    has_sound: bool = False
    codec: str = ""
    mime_type: str = ""
    bytes: int = 0

    @property
    def fps(self) -> float:
        """Frames a second, on average."""
        return len(self.times) / self.seconds

    @property
    def is_steady(self) -> bool:
        """Whether all frames are shown for the same time."""
        steps = [after - before for before, after in pairwise(self.times)]
        usual = median(steps) if steps else 0.0
        return all(abs(step - usual) <= _STEADY / self.fps for step in steps)

    def frame_at(self, seconds: float) -> int:
        """Give the number of the frame shown at a time; the first or last if none is."""
        shown = bisect_right(self.times, seconds + _HAIR)
        return min(max(shown, 1), len(self.times))

    def support(self, start_seconds: float, end_seconds: float) -> tuple[int, int]:
        """Give the first and last number of the frames shown in a stretch; at least one.

        The end does not belong to the stretch.
        """
        first = self.frame_at(start_seconds)
        last = bisect_left(self.times, end_seconds - _HAIR)
        return first, min(max(last, first), len(self.times))

    def moments(
        self, fps: float, start_seconds: float = 0.0, end_seconds: float | None = None
    ) -> tuple[float, ...]:
        """Choose the frames shown at an even rate, each once; give their times."""
        end = self.seconds if end_seconds is None else min(end_seconds, self.seconds)
        count = ceil(max(0.0, end - start_seconds) * fps - _HAIR)
        wanted = (start_seconds + number / fps for number in range(count))
        numbers = dict.fromkeys(map(self.frame_at, wanted))
        return tuple(self.times[number - 1] for number in numbers)
