"""Place the times of a reply in the video: seconds from its start, within what was asked.

Google does not document whether times in a reply about a clip count from the start of
the clip or of the video. The prompts ask for the video's; the whole reply tells which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..values import Issue, Media
from .times import Clock, Stretch, find_clock

SECOND = 1.0
"""How exactly Gemini tells time: it sees a frame a second, and writes `MM:SS`."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a video that was asked about; None: to its end, wherever that is."""

    start: float
    end: float | None

    @classmethod
    def of(cls, media: Media) -> Window:
        """Give the part that a request shows."""
        ends = (media.seconds, media.clip.end_seconds)
        known = [end for end in ends if end is not None]
        return cls(media.clip.start_seconds or 0.0, min(known, default=None))

    def has(self, seconds: float) -> bool:
        """Tell whether a time lies in it, give or take a second."""
        if seconds < self.start - SECOND:
            return False
        return self.end is None or seconds <= self.end + SECOND


@dataclass(frozen=True, slots=True)
class Timeline:
    """How the times of one reply are placed; `offset` is added to each."""

    clock: Clock
    window: Window
    offset: float = 0.0

    def place(
        self, stretch: Stretch, path: str, issues: list[Issue]
    ) -> tuple[float, float | None] | None:
        """Give start and end in seconds; None, with an issue, for what lies outside.

        Times beyond the window are moved to its border, swapped ones put in order; both
        leave an issue, unless the border is less than a second away.
        """
        start = self.clock.seconds(stretch.start) + self.offset
        if stretch.end is None:
            return self._kept(start, None, path, issues)
        end = self.clock.seconds(stretch.end) + self.offset
        if end < start:
            message = f"it ends at {end:g} s and starts at {start:g} s"
            issues.append(Issue(f"{path}.start".lstrip("."), "time_order", message))
            start, end = end, start
        return self._kept(start, end, path, issues)

    def _kept(
        self, start: float, end: float | None, path: str, issues: list[Issue]
    ) -> tuple[float, float | None] | None:
        """Keep a stretch within the window."""
        low, high = self.window.start, self.window.end
        last = start if end is None else end
        here = f"{path}.start".lstrip(".")
        if last < low - SECOND or (high is not None and start > high + SECOND):
            asked = f"{low:g} to {'the end' if high is None else f'{high:g} s'}"
            message = f"{start:g} s lies outside of what was asked about, {asked}"
            issues.append(Issue(here, "time_outside", message))
            return None
        if not (self.window.has(start) and self.window.has(last)):
            message = f"{start:g} to {last:g} s was cut to what was asked about"
            issues.append(Issue(here, "time_range", message))
        return self._inside(start), None if end is None else self._inside(end)

    def _inside(self, seconds: float) -> float:
        high = seconds if self.window.end is None else self.window.end
        return max(self.window.start, min(seconds, high))


def find_timeline(
    stretches: Sequence[Stretch], media: Media, issues: list[Issue]
) -> Timeline:
    """Decide by all times of a reply where they lie; what is unclear leaves an issue."""
    window = Window.of(media)
    clock = find_clock(stretches, media.seconds or window.end, issues)
    if window.start == 0:
        return Timeline(clock, window)
    times = [
        clock.seconds(stamp)
        for one in stretches
        for stamp in (one.start, one.end)
        if stamp is not None
    ]
    length = None if window.end is None else window.end - window.start
    in_clip = Window(0.0, length)
    by_video = sum(map(window.has, times))
    by_clip = sum(map(in_clip.has, times))
    if by_video == len(times) > by_clip or not times:
        return Timeline(clock, window)
    if by_clip == len(times) > by_video:
        message = (
            f"times count from the start of the clip; {window.start:g} s was added"
        )
        issues.append(Issue("", "clip_times", message))
        return Timeline(clock, window, window.start)
    message = "times may count from the start of the clip; read from that of the video"
    if by_clip > by_video:
        message = f"most times fit the clip alone; {window.start:g} s was added to all"
    issues.append(Issue("", "clip_times_unclear", message))
    return Timeline(clock, window, window.start if by_clip > by_video else 0.0)
