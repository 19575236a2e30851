"""Read the times of a reply: stamps, ranges and lists of numbers, to seconds.

Gemini counts minutes and seconds (`MM:SS`), and writes what else comes to mind. What can
be read in two ways is decided by the whole reply, never stamp by stamp, and says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..values import Issue, JsonValue
from .fields import read_number

_CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{1,3}(?:[.,]\d{1,6})?"
_UNITS = r"(?:\d+(?:\.\d+)?\s?(?:hours?|minutes?|seconds?|mins?|secs?|[hms])(?![a-z])\s?){1,3}"
_PLAIN = r"\d+(?:\.\d+)?"
_STAMP = re.compile(rf"{_CLOCK}|{_UNITS}|{_PLAIN}")
_TO = r"\s*(?:-->|->|-|\u2013|\u2014|~|to|until|\.\.+|,|;)\s*"
_STRETCH = re.compile(
    rf"[\[(\s*]*(?:from|at|between)?\s*({_STAMP.pattern})(?:{_TO}({_STAMP.pattern}))?[\])\s.*]*",
    re.IGNORECASE,
)
_LINE = re.compile(
    rf"[\s>#*•\d.)\-]*?(?:[*_\s]*(?:time|timestamp|from|at)\w*[*_:\s]*)?[\[(*_`]*"
    rf"({_CLOCK})(?:{_TO}({_CLOCK}))?[\])*_`:\s\u2013\u2014-]*",
    re.IGNORECASE,
)
_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s?([hms])", re.IGNORECASE)
_SIZE = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SIXTY = 60
LONGEST = 100
"""Characters of a range of times, at most."""
_START_KEYS = (
    *("start", "start_time", "starttime", "start_seconds", "start_timestamp", "begin"),
    *("from", "start_offset", "timestamp_start", "time_start", "t0"),
)
_END_KEYS = (
    *("end", "end_time", "endtime", "end_seconds", "end_timestamp", "finish", "to"),
    *("stop", "end_offset", "timestamp_end", "time_end", "t1"),
)
_BOTH_KEYS = (
    *("time", "timestamp", "time_stamp", "time_code", "timecode", "time_range"),
    *("timestamps", "times", "range", "interval", "segment", "stretch", "seconds"),
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it was written: the numbers between the colons, or one of seconds.

    `fine`: the last of three numbers has three digits, or is over 59.
    """

    numbers: tuple[float, ...]
    is_clock: bool = True

    @property
    def is_fine(self) -> bool:
        """Whether the last of three numbers cannot be one of seconds."""
        return len(self.numbers) > 2 and self.numbers[-1] >= _SIXTY  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one stamp to another; None: only one was written."""

    start: Stamp
    end: Stamp | None = None


def read_stretch(item: Mapping[str, JsonValue]) -> Stretch | None:
    """Find the times of an item of a reply; None where there are none.

    Under the keys of start and end, under one key for both, or as the key itself
    (`{"00:00": "a scene"}`).
    """
    fields = {re.sub(r"[\s\\-]", "_", key.strip().casefold()): key for key in item}
    start = _under(_START_KEYS, fields, item)
    end = _under(_END_KEYS, fields, item)
    if start is not None:
        return Stretch(start.start, end.start if end else start.end)
    both = _under(_BOTH_KEYS, fields, item)
    if both is not None:
        return Stretch(both.start, end.start if end else both.end)
    keyed = [found for key in item if ":" in key and (found := stretch_of(key))]
    return keyed[0] if len(keyed) == 1 else None


def is_time_key(key: str) -> bool:
    """Tell whether a key of an item names its times, or is one."""
    name = re.sub(r"[\s\\-]", "_", key.strip().casefold())
    known = name in {*_START_KEYS, *_END_KEYS, *_BOTH_KEYS}
    return known or (":" in key and stretch_of(key) is not None)


def stretch_of(value: JsonValue) -> Stretch | None:
    """Read a value that is all of it a time, or a range of times."""
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, str):
        found = _STRETCH.fullmatch(value[:LONGEST])
        return _ranged(found[1], found[2]) if found and len(value) <= LONGEST else None
    number = read_number(value)
    if number is None or number < 0:
        return None
    return Stretch(Stamp((number,), is_clock=False), None)


def stretch_in_line(line: str) -> tuple[Stretch, str] | None:
    """Read a line that begins with a time: `- **00:19 - 00:20**: The arm drops it.`."""
    found = _LINE.match(line[: 2 * LONGEST])
    if found is None:
        return None
    return _ranged(found[1], found[2]), line[found.end() :].strip()


def _ranged(start: str, end: str | None) -> Stretch:
    return Stretch(_stamp(start), _stamp(end) if end else None)


def _under(
    keys: Sequence[str], fields: Mapping[str, str], item: Mapping[str, JsonValue]
) -> Stretch | None:
    """Read what stands under the first of some keys that is there."""
    key = next((fields[name] for name in keys if name in fields), None)
    return None if key is None else stretch_of(item[key])


def _stamp(text: str) -> Stamp:
    """Read one stamp, as the patterns found it."""
    text = text.strip()
    if ":" in text:
        return Stamp(tuple(float(n.replace(",", ".")) for n in text.split(":")))
    units = _UNIT.findall(text)
    if units:
        seconds = sum(float(n) * _SIZE[unit.casefold()] for n, unit in units)
        return Stamp((seconds,))
    return Stamp((float(text),), is_clock=False)


def _listed(values: list[JsonValue]) -> Stretch | None:
    """Read a list: two times, or the numbers of one or two stamps."""
    if len(values) == 1 and isinstance(values[0], list):
        return _listed(values[0])
    if len(values) <= 2:  # noqa: PLR2004
        parts = [stretch_of(value) for value in values if not isinstance(value, list)]
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(values):
            return None
        return Stretch(found[0].start, found[-1].start if found[1:] else found[0].end)
    numbers = [read_number(v) for v in values if not isinstance(v, str)]
    whole = [number for number in numbers if number is not None and number >= 0]
    if len(whole) < len(values):
        return None
    match whole:
        case [_, _, _]:
            return Stretch(Stamp(tuple(whole)), None)
        case [a, b, c, d] if d < _SIXTY:
            return Stretch(Stamp((a, b)), Stamp((c, d)))
        case [a, b, c, d]:  # minutes and seconds, then seconds and thousandths
            return Stretch(Stamp((a, b)), Stamp((0.0, c, d)))
        case [a, b, c, d, e, f]:
            return Stretch(Stamp((a, b, c)), Stamp((d, e, f)))
    return None


@dataclass(frozen=True, slots=True)
class Clock:
    """How the stamps of one reply are to be read.

    `fine`: the last of three numbers is a fraction of a second, in thousandths where any
    of them is over 99, else in hundredths.
    """

    fine: bool = False
    parts: int = 1000

    def seconds(self, stamp: Stamp) -> float:
        """Give a stamp in seconds."""
        numbers = stamp.numbers
        if len(numbers) == 3 and self.fine:  # noqa: PLR2004
            return numbers[0] * 60 + numbers[1] + numbers[2] / self.parts
        total = 0.0
        for number in numbers:
            total = total * 60 + number
        return total if math.isfinite(total) else 0.0


def find_clock(
    stretches: Sequence[Stretch], longest: float | None, issues: list[Issue]
) -> Clock:
    """Decide by all times of a reply how they are to be read.

    `longest`: where the video ends, if that is known. Three numbers are hours, minutes
    and seconds, unless one of them cannot be, or all would lie behind the end and fit as
    minutes, seconds and fractions: both leave an issue. So do bare numbers, which are read
    as seconds.
    """
    stamps = [s for one in stretches for s in (one.start, one.end) if s is not None]
    if any(not stamp.is_clock for stamp in stamps):
        message = "bare numbers were read as seconds, not MM:SS"
        issues.append(Issue("", "time_number", message))
    three = [stamp for stamp in stamps if len(stamp.numbers) == 3]  # noqa: PLR2004
    clock = Clock()
    if three:
        parts = 1000 if max(stamp.numbers[2] for stamp in three) > 99 else 100  # noqa: PLR2004
        fine = Clock(fine=True, parts=parts)
        if any(stamp.is_fine for stamp in three) or _fits_better(fine, three, longest):
            clock = fine
            what = {1000: "thousandths", 100: "hundredths"}[parts]
            message = f"three numbers were read as minutes, seconds and {what}"
            issues.append(Issue("", "time_fraction", message))
    over = [s for s in stamps if s.is_clock and max((0.0, *s.numbers[1:2])) >= _SIXTY]
    if over:
        message = f"{len(over)} times have 60 or more where there are 60 at most"
        issues.append(Issue("", "time_over", message))
    return clock


def _fits_better(fine: Clock, stamps: Sequence[Stamp], longest: float | None) -> bool:
    """Tell whether stamps lie behind the end as hours, and within as minutes."""
    if longest is None:
        return False
    within = longest + 1
    by_hours = [Clock().seconds(stamp) for stamp in stamps if any(stamp.numbers)]
    by_minutes = [fine.seconds(stamp) for stamp in stamps]
    return bool(by_hours) and min(by_hours) > within >= max(by_minutes)
