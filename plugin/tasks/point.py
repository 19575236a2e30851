"""Places: a point on each object (`point`), or paths through the picture (`path`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.classes import hold_to_classes
from ..parsing.points import read_points, read_trajectories
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Frame,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Point,
    Question,
    Reading,
    Trajectory,
    Value,
)
from .answers import point_yx_1000
from .task import PICTURES
from .wording import (
    CONFIDENCE,
    LABEL,
    POINT_SCHEMA,
    closing,
    label_schema,
    list_schema,
    more_properties,
    rules,
)

_CONVENTION = "The points are in [y, x] format normalized to 0-1000."


@dataclass(frozen=True, slots=True)
class PointTask:
    """Ask for one point on each object."""

    name: ClassVar[str] = "point"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.POINTS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        sure = f"; {CONFIDENCE}" if question.confidence else ""
        return "\n".join(
            [
                "Point to the objects in the image, each at its middle.",
                (
                    "Output a JSON list where each entry contains the point in the key "
                    f'"point"; {LABEL}{sure}.'
                ),
                _CONVENTION,
                *rules(question, nothing="an empty list []"),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of points."""
        properties = {"point": POINT_SCHEMA, "label": label_schema(question)}
        return list_schema(properties | more_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read points; see `parsing.points.read_points`."""
        found = read_points(text, media.frame)
        return hold_to_classes(found, question.classes, self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write points as the list that is asked for."""
        return json.dumps(
            [
                {"point": point_yx_1000(p.x, p.y, frame), "label": p.label}
                for p in values
                if isinstance(p, Point)
            ]
        )


@dataclass(frozen=True, slots=True)
class PathTask:
    """Ask for paths: points in order."""

    name: ClassVar[str] = "path"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.PATHS
    uses: ClassVar[frozenset[str]] = frozenset({"classes"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                "Draw the trajectories that are asked for on the image.",
                (
                    "Output a JSON list where each entry contains the points of one "
                    f'trajectory, in order, in the key "points"; {LABEL}.'
                ),
                _CONVENTION,
                "If there is none, answer an empty list [].",
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of lists of points."""
        points: JsonValue = {"type": "array", "items": POINT_SCHEMA, "minItems": 2}
        return list_schema({"points": points, "label": label_schema(question)})

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read trajectories; see `parsing.points.read_trajectories`."""
        found = read_trajectories(text, media.frame)
        return hold_to_classes(found, question.classes, self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write trajectories as the list that is asked for."""
        return json.dumps(
            [
                {
                    "points": [point_yx_1000(*p, frame) for p in path.points_xy_px],
                    "label": path.label,
                }
                for path in values
                if isinstance(path, Trajectory)
            ]
        )
