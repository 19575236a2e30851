"""Boxes in space, experimental upstream: what they are worth is not documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ..errors import UsageError
from ..parsing.classes import hold_to_classes
from ..parsing.points import read_boxes_3d
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..parsing.solids import edges_xy_px
from ..values import (
    Box3d,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
)
from .task import PICTURES
from .wording import LABEL, label_schema, list_schema, rules

_WIDEST = 179.0
_BOX: JsonValue = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 9,
    "maxItems": 9,
    "description": "[x_center, y_center, z_center, x_size, y_size, z_size, "
    "roll, pitch, yaw]",
}


@dataclass(frozen=True, slots=True)
class Box3dTask:
    """Ask for boxes in space, as Google's cookbook does (`Spatial_understanding_3d`)."""

    name: ClassVar[str] = "box3d"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.SOLIDS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "fov_degrees"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt; raises `UsageError` for a field of view that cannot be."""
        fov = question.fov_degrees
        if fov is not None and not 1 <= fov <= _WIDEST:
            raise UsageError(f"A field of view of {fov:g} degrees is not in 1..179.")
        return "\n".join(
            [
                (
                    "Detect the 3D bounding boxes of the objects in the image, no more "
                    "than 10."
                ),
                (
                    "Output a JSON list where each entry contains the 3D bounding box in "
                    'the key "box_3d" as [x_center, y_center, z_center, x_size, y_size, '
                    "z_size, roll, pitch, yaw], in metres and degrees, as seen by the "
                    f"camera: x right, y away from it, z up; {LABEL}."
                ),
                *rules(question, nothing="an empty list []"),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of nine numbers each."""
        return list_schema({"label": label_schema(question), "box_3d": _BOX})

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read the boxes; their edges are drawn where a field of view was stated."""
        found = read_boxes_3d(text)
        fov = question.fov_degrees
        if fov is not None:
            drawn = [
                replace(box, edges_xy_px=edges_xy_px(box, media.frame, fov))
                for box in found.values
                if isinstance(box, Box3d)
            ]
            found = replace(found, values=tuple(drawn))
        return hold_to_classes(found, question.classes, self.reading)
