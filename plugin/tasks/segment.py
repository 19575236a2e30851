"""Instance segmentation: a box, a label and a mask for every object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..errors import UsageError
from ..parsing.classes import hold_to_classes
from ..parsing.objects import read_objects
from ..parsing.outlines import outline_xy_1000
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Frame,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
    Value,
    detections_of,
)
from .answers import object_entry
from .task import PICTURES
from .wording import (
    BOX,
    BOX_SCHEMA,
    LABEL,
    label_schema,
    list_schema,
    more_keys,
    more_properties,
    object_schema,
    rules,
)

_POLYGON_SCHEMA: JsonValue = {
    "type": "array",
    "items": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 1000},
        "minItems": 2,
        "maxItems": 2,
    },
    "minItems": 3,
    "description": "[x, y] points, normalized to 0-1000 over the whole image",
}
_POLYGON = (
    'the outline of the object in the key "mask" as a polygon: a list of [x, y] points, '
    "x first, integers normalized to 0-1000 over the whole image "
    "(not relative to the box)"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """Ask for masks in the shape that the model writes."""

    name: ClassVar[str] = "segment"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.OBJECTS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence", "attributes"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:
        """Write the prompt; raises UsageError for a model that writes no masks."""
        if _known(shape) is MaskShape.PNG:
            return _png_prompt(question)
        return _polygon_prompt(question)

    def schema(
        self, question: Question, shape: MaskShape | None
    ) -> Mapping[str, JsonValue] | None:
        """Describe polygons as JSON schema; None for PNG masks.

        JSON mode makes Gemini 2.5 write placeholders instead of masks. Raises
        UsageError for a model that writes no masks.
        """
        if _known(shape) is MaskShape.PNG:
            return None
        properties: dict[str, JsonValue] = {
            "box_2d": BOX_SCHEMA,
            "label": label_schema(question),
            "mask": _POLYGON_SCHEMA,
        }
        entries = list_schema(properties | more_properties(question))
        return object_schema({"boxes": entries})

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read boxes, labels and masks; see `parsing.objects.read_objects`."""
        found = read_objects(
            text,
            media.frame,
            masks=True,
            rules=self.reading,
            attributes=question.attributes,
        )
        return hold_to_classes(found, question.classes, self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,
        shape: MaskShape | None,
    ) -> str:
        """Write boxes and outlines as the object that is asked for.

        Raises `UsageError` for a model that writes masks as pictures.
        """
        if _known(shape) is MaskShape.PNG:
            raise UsageError(
                "This model writes masks as pictures, which examples cannot show; choose "
                "one that writes polygons, such as gemini-3.8-flash."
            )
        entries = []
        for found in detections_of(values):
            entry = object_entry(found, question, frame)
            if found.mask is not None:
                outline = outline_xy_1000(found.mask, frame)
                entry["mask"] = [list[JsonValue](point) for point in outline]
            entries.append(entry)
        return json.dumps({"boxes": entries})


def _known(shape: MaskShape | None) -> MaskShape:
    if shape is None:
        raise UsageError(
            "this model writes no masks; choose one that does, such as "
            "gemini-3.8-flash, or ask for boxes with the task detect"
        )
    return shape


def _png_prompt(question: Question) -> str:
    """Ask as Google's documentation of Gemini 2.5 does."""
    entries = [BOX, 'the segmentation mask in key "mask"', LABEL, *more_keys(question)]
    return "\n".join(
        [
            "Give the segmentation masks for the objects in the image.",
            (
                "Output a JSON list of segmentation masks where each entry contains "
                f"{'; '.join(entries)}."
            ),
            *rules(question, nothing="an empty list []"),
        ]
    )


def _polygon_prompt(question: Question) -> str:
    entries = [BOX, LABEL, _POLYGON, *more_keys(question)]
    return "\n".join(
        [
            "Segment the objects in the image.",
            (
                'Output JSON of the form {"boxes": [...]} where each entry contains '
                f"{'; '.join(entries)}."
            ),
            *rules(question, nothing='{"boxes": []}'),
        ]
    )
