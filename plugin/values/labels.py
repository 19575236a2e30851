"""What can be said of a picture or a video: one small value for each kind of label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from .geometry import Box, Frame, Mask
from .plain import JsonValue
from .statuses import Status


class Kind(StrEnum):
    """The kind of labels a task gives; decides the type of the FiftyOne field."""

    OBJECTS = "objects"
    """`Detection`: boxes, with masks or without."""
    POINTS = "points"
    PATHS = "paths"
    """`Trajectory`: points in order."""
    SOLIDS = "solids"
    """`Box3d`: boxes in space."""
    TAG = "tag"
    """One `Tag` for a picture."""
    TAGS = "tags"
    TEXT = "text"
    """`Answer`: words, one text for each question asked."""
    SPANS = "spans"
    """`Span`: stretches of time of a video."""
    SIGHTINGS = "sightings"
    """`Sighting`: objects at moments of a video."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a run writes: the kind of its labels, and what its fields are called.

    `names` tell the texts of one sample apart (`Kind.TEXT`; an empty name is the field
    itself); `attributes` are those that objects may have.
    """

    kind: Kind = Kind.OBJECTS
    names: tuple[str, ...] = ("",)
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detection:
    """One labelled object, said by Gemini or by a person.

    `confidence` is None unless asked for: Gemini gives none by itself; where it comes from
    is said in `confidence_source`, "" being the model's own word, here and in all kinds of
    labels. `area` is what a COCO file states; None means: count the mask, or the box.
    `attributes` are what else was asked about the object.
    """

    label: str
    box: Box
    mask: Mask | None = None
    confidence: float | None = None
    is_crowd: bool = False
    area: float | None = None
    id: str = ""
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
    confidence_source: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled place in the picture, in pixels."""

    label: str
    x: float
    y: float
    confidence: float | None = None
    confidence_source: str = ""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A labelled path through the picture: `[x, y]` in pixels, in order."""

    label: str
    points_xy_px: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Box3d:
    """A labelled box in space, seen by the camera: metres and degrees, as written.

    x points right, y away from the camera, z up. `edges_xy_px` are lines in the picture;
    none where no field of view was assumed.
    """

    label: str
    centre_xyz: tuple[float, float, float]
    size_xyz: tuple[float, float, float]
    roll_pitch_yaw: tuple[float, float, float]
    edges_xy_px: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A class that a whole picture or video belongs to."""

    label: str
    confidence: float | None = None
    confidence_source: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words about a picture or a video; `name` tells the questions of one request apart."""

    text: str
    name: str = ""
    confidence: float | None = None
    confidence_source: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of time, in seconds from the start of the whole video.

    `text` is what was said or done in it, where that was asked for.
    """

    label: str
    start_seconds: float
    end_seconds: float
    text: str = ""
    confidence: float | None = None
    confidence_source: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object at one moment of a video, in seconds from the start of the whole video."""

    seconds: float
    detection: Detection


Value: TypeAlias = (
    Detection | Point | Trajectory | Box3d | Tag | Answer | Span | Sighting
)
"""Anything that a task reads in a reply."""


def detections_of(values: tuple[Value, ...]) -> tuple[Detection, ...]:
    """Pick the detections."""
    return tuple(value for value in values if isinstance(value, Detection))


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """The labels of one image, true or predicted: what is evaluated and exported.

    `extra` are further keys of its entry in a file.
    """

    image_id: str
    path: str
    frame: Frame
    values: tuple[Value, ...] = ()
    status: Status = Status.OK
    extra: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def detections(self) -> tuple[Detection, ...]:
        """The objects among the labels."""
        return detections_of(self.values)
