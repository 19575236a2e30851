"""Truth about videos: what happens, is said and is seen when; and which video is which."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..values import Box, Frame
from .media import Link, Medium
from .pictures import ASPECT_TOLERANCE, TOLERANCE, thumbnail
from .reels import frames
from .settings import EmulatorError
from .truth_file import TruthImage, TruthObject, read_document

_LOOKS = 7
"""Moments of a video by which it is known again."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, or something said: then `text` is what, and `label` who says it."""

    label: str
    start: float
    end: float
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """All that is true of one video; `pictures` are its frames, at `times`."""

    name: str
    seconds: float
    caption: str
    events: tuple[Happening, ...]
    lines: tuple[Happening, ...]
    times: NDArray[np.float64]
    pictures: tuple[TruthImage, ...]

    @property
    def emptied(self) -> Film:
        """The same film, with nothing in it."""
        pictures = tuple(replace(picture, objects=()) for picture in self.pictures)
        return replace(self, events=(), lines=(), pictures=pictures)

    def picture_at(self, seconds: float) -> TruthImage:
        """Give what is seen at a time."""
        shown = int(np.searchsorted(self.times, seconds + 1e-3, side="right"))
        return self.pictures[max(shown, 1) - 1]


@dataclass(slots=True)
class Films:
    """The videos of a truth file; they are decoded when the first one is asked about."""

    films: tuple[Film, ...] = ()
    folder: Path = Path()
    _lock: Lock = field(default_factory=Lock)
    _rows: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """The thumbnails of all frames of each video."""
    _found: dict[str, Film | None] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """All words for events and objects, each once."""
        return tuple(dict.fromkeys(self._labels()))

    def _labels(self) -> Iterator[str]:
        for film in self.films:
            yield from (event.label for event in film.events)
            for picture in film.pictures:
                yield from (thing.label for thing in picture.objects)

    def find(self, medium: Medium) -> Film | None:
        """Find the film that a video shows, also without its sound or made smaller."""
        if isinstance(medium.source, Link):
            return None
        digest = medium.digest()
        if digest not in self._found:
            self._found[digest] = self._look(medium.source)
        return self._found[digest]

    def _look(self, source: bytes | Path) -> Film | None:
        """Compare a video with all that are known."""
        looks = _looks(_rows(source))
        known = {name: _looks(rows) for name, rows in self._known().items()}
        errors = {name: _error(looks, rows) for name, rows in known.items()}
        name = min(errors, key=lambda name: errors[name], default="")
        good = bool(name) and errors[name] <= TOLERANCE
        return next(f for f in self.films if f.name == name) if good else None

    def still(self, pixels: NDArray[np.uint8]) -> TruthImage | None:
        """Find the frame that a picture shows."""
        row = thumbnail(Image.fromarray(pixels))[None]
        best: tuple[float, TruthImage] | None = None
        for film in self.films:
            rows = self._known()[film.name]
            errors = [_error(row, one[None]) for one in rows]
            least = int(np.argmin(errors))
            if best is None or errors[least] < best[0]:
                best = errors[least], film.pictures[least]
        return best[1] if best and best[0] <= TOLERANCE else None

    def _known(self) -> dict[str, NDArray[np.float32]]:
        with self._lock:
            for film in self.films:
                if film.name not in self._rows:
                    self._rows[film.name] = _rows(self.folder / film.name)
        return self._rows


def read_films(path: Path, folder: Path) -> Films:
    """Read the videos of a truth file, which lie in a folder; raise EmulatorError."""
    document = read_document(path)
    try:
        films = tuple(_film(entry) for entry in document.get("videos") or [])
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise EmulatorError(f"{path} cannot be read: a video has {what}.") from error
    for film in films:
        if not (folder / film.name).is_file():
            raise EmulatorError(f"There is no video {folder / film.name}.")
    return Films(films, folder)


def _film(entry: dict[str, object]) -> Film:
    told: dict[str, list[dict[str, object]]] = {
        key: list(entry.get(key) or [])  # type: ignore[call-overload]
        for key in ("events", "transcript", "frames")
    }
    name, frame = (
        str(entry["file_name"]),
        Frame(_whole(entry, "width"), _whole(entry, "height")),
    )
    return Film(
        name=name,
        seconds=_number(entry, "seconds"),
        caption=str(entry.get("caption") or ""),
        events=tuple(
            _happening(event, str(event["label"])) for event in told["events"]
        ),
        lines=tuple(
            _happening(line, str(line.get("speaker") or "speaker 1"))
            for line in told["transcript"]
        ),
        times=np.array([_number(seen, "seconds") for seen in told["frames"]]),
        pictures=tuple(
            _picture(f"{name}/{number}", frame, seen["objects"])
            for number, seen in enumerate(told["frames"])
        ),
    )


def _picture(name: str, frame: Frame, objects: object) -> TruthImage:
    assert isinstance(objects, list)
    things = tuple(
        TruthObject(str(n), str(thing["label"]), Box(*map(float, thing["bbox"])), None)
        for n, thing in enumerate(objects)
    )
    return TruthImage(name, frame, things)


def _happening(entry: dict[str, object], label: str) -> Happening:
    start, end = _number(entry, "start"), _number(entry, "end")
    return Happening(label, start, end, str(entry.get("text") or ""))


def _number(entry: dict[str, object], key: str) -> float:
    return float(str(entry[key]))


def _whole(entry: dict[str, object], key: str) -> int:
    return int(str(entry[key]))


def _rows(source: bytes | Path) -> NDArray[np.float32]:
    """Make the thumbnails of all frames of a video."""
    rows = [thumbnail(Image.fromarray(picture)) for _, picture in frames(source)]
    return np.array(rows, np.float32)


def _looks(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Choose some of the frames, evenly."""
    places = np.linspace(0, len(rows) - 1, _LOOKS).round().astype(int)
    chosen: NDArray[np.float32] = rows[places]
    return chosen


def _error(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Give the root mean square difference of thumbnails; infinite for other shapes."""
    if np.abs(one[:, -1] - other[:, -1]).max() > ASPECT_TOLERANCE:
        return math.inf
    return float(np.sqrt(((one[:, :-1] - other[:, :-1]) ** 2).mean()))


def seen_at(start: float, end: float, fps: float) -> Sequence[float]:
    """Give the moments at which a model looks at a stretch of a video."""
    count = max(1, math.ceil((end - start) * fps - 1e-6))
    return [round(start + n / fps, 6) for n in range(count)]
