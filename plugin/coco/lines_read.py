"""JSON Lines as `lines.LinesSink` writes them, or as a person does: labels of any kind.

A line is an object with `sample_id` (or `file`) and `values`; the rest may be missing.
What a value is, is seen by its entries: `label` alone is a tag, `text` an answer. Every
value is checked: the file is not trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from ..errors import FormatError
from ..values import (
    Answer,
    Box,
    Box3d,
    Detection,
    Frame,
    ImageLabels,
    JsonValue,
    Point,
    Run,
    Sighting,
    Span,
    Status,
    Tag,
    Trajectory,
    Value,
)
from .fields import JsonObject, get_list, get_number, get_object, get_text
from .runs import parse_run

SNIFFED = 1_000_000


@dataclass(frozen=True, slots=True)
class LinesFile:
    """The labels of a file, those of each ask by themselves, and who made them."""

    asks: tuple[tuple[ImageLabels, ...], ...]
    run: Run | None

    @property
    def images(self) -> tuple[ImageLabels, ...]:
        """The labels of the first ask."""
        return self.asks[0]


def is_lines(path: Path) -> bool:
    """Tell by its first line whether a file is of this form, and not a COCO file."""
    try:
        with path.open("rb") as file:
            first = orjson.loads(file.readline(SNIFFED))
    except (OSError, orjson.JSONDecodeError):
        return False
    return isinstance(first, dict) and "values" in first


def read_lines(path: Path) -> LinesFile:
    """Read labels and, where it stands beside the file, the record of their run.

    Raises FormatError with line and entry for anything that is not as it should be.
    """
    found: dict[int, list[ImageLabels]] = {0: []}
    for number, line in enumerate(_lines(path), start=1):
        place = f"{path.name}, line {number}"
        entry = get_object(_json(line, place), place)
        attempt = entry.get("attempt", 0)
        if not isinstance(attempt, int) or attempt < 0:
            raise FormatError(f"{place}.attempt: a whole number was expected")
        image = _image(entry, place)
        found.setdefault(attempt, []).append(_beside(image, path))
    record = path.with_name(f"{path.name}.run.json")
    run = None
    if record.is_file():
        document = _json(record.read_bytes(), record.name)
        run = parse_run(get_object(document, record.name))
    return LinesFile(tuple(tuple(found[key]) for key in sorted(found)), run)


def _beside(image: ImageLabels, path: Path) -> ImageLabels:
    """Find a picture that is named relative to the file."""
    near = path.parent / image.path
    if not image.path or Path(image.path).exists() or not near.exists():
        return image
    return replace(image, path=str(near))


def _lines(path: Path) -> list[bytes]:
    try:
        return [line for line in path.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error


def _json(data: bytes, place: str) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{place}: not JSON ({error})") from error
    return value


def _image(entry: JsonObject, place: str) -> ImageLabels:
    file = get_text({"file": "", **entry}, "file", place)
    name = get_text({"sample_id": file, **entry}, "sample_id", place)
    if not name:
        raise FormatError(f"{place}: there is neither `sample_id` nor `file`")
    values = tuple(
        _value(get_object(value, f"{place}.values[{n}]"), f"{place}.values[{n}]")
        for n, value in enumerate(get_list(entry, "values", place))
    )
    width, height = (_size(entry, key, place) for key in ("width", "height"))
    return ImageLabels(
        name, file, Frame(width, height), values, _status(entry, values, place)
    )


def _size(entry: JsonObject, key: str, place: str) -> int:
    return max(0, int(get_number(entry.get(key, 0), f"{place}.{key}")))


def _status(entry: JsonObject, values: Sequence[Value], place: str) -> Status:
    if "status" not in entry:
        return Status.OK if values else Status.EMPTY
    try:
        return Status(get_text(entry, "status", place))
    except ValueError as error:
        raise FormatError(
            f"{place}.status: {entry['status']!r} is no status"
        ) from error


def _value(entry: JsonObject, place: str) -> Value:
    """Read one value of whichever kind."""
    if "text" in entry and "label" not in entry:
        name = get_text({"name": "", **entry}, "name", place)
        return Answer(get_text(entry, "text", place), name, *_score(entry, place))
    if "seconds" in entry:
        inner = get_object(entry.get("detection"), f"{place}.detection")
        seconds = get_number(entry["seconds"], f"{place}.seconds")
        return Sighting(seconds, _detection(inner, f"{place}.detection"))
    if "box" in entry:
        return _detection(entry, place)
    label = get_text(entry, "label", place)
    if "start_seconds" in entry:
        start, end = _numbers(entry, ("start_seconds", "end_seconds"), place)
        text = get_text({"text": "", **entry}, "text", place)
        return Span(label, start, end, text, *_score(entry, place))
    if "points_xy_px" in entry:
        return Trajectory(label, tuple(_corners(entry, place)))
    if "centre_xyz" in entry:
        centre, size = (_triple(entry, k, place) for k in ("centre_xyz", "size_xyz"))
        return Box3d(label, centre, size, _triple(entry, "roll_pitch_yaw", place))
    if "x" in entry:
        x, y = _numbers(entry, ("x", "y"), place)
        return Point(label, x, y, *_score(entry, place))
    return Tag(label, *_score(entry, place))


def _detection(entry: JsonObject, place: str) -> Detection:
    """Read an object by its box; its mask stays behind."""
    box = get_object(entry.get("box"), f"{place}.box")
    edges = _numbers(box, ("x", "y", "width", "height"), f"{place}.box")
    confidence, source = _score(entry, place)
    return Detection(
        get_text(entry, "label", place),
        Box(*edges),
        confidence=confidence,
        confidence_source=source,
    )


def _score(entry: JsonObject, place: str) -> tuple[float | None, str]:
    value = entry.get("confidence")
    confidence = None if value is None else get_number(value, f"{place}.confidence")
    source = get_text({"confidence_source": "", **entry}, "confidence_source", place)
    return confidence, source


def _numbers(entry: JsonObject, keys: Sequence[str], place: str) -> list[float]:
    return [get_number(entry.get(key), f"{place}.{key}") for key in keys]


def _triple(entry: JsonObject, key: str, place: str) -> tuple[float, float, float]:
    values = get_list(entry, key, place)
    if len(values) != 3:  # noqa: PLR2004
        raise FormatError(f"{place}.{key}: three numbers were expected")
    x, y, z = (get_number(value, f"{place}.{key}") for value in values)
    return x, y, z


def _corners(entry: JsonObject, place: str) -> Iterator[tuple[float, float]]:
    for value in get_list(entry, "points_xy_px", place):
        if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
            raise FormatError(f"{place}.points_xy_px: pairs of numbers were expected")
        x, y = (get_number(part, f"{place}.points_xy_px") for part in value)
        yield x, y
