"""Object detection: a box and a label for every object, and what else is asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.classes import hold_to_classes
from ..parsing.objects import read_objects
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
    rules,
)


@dataclass(frozen=True, slots=True)
class Detect:
    """Ask for boxes; the mask shape of the model makes no difference."""

    name: ClassVar[str] = "detect"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.OBJECTS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence", "attributes"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        listing = "; ".join([BOX, LABEL, *more_keys(question)])
        return "\n".join(
            [
                "Detect the objects in the image.",
                f"Output a JSON list of objects where each entry contains {listing}.",
                *rules(question, nothing="an empty list []"),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer as JSON schema: a list of objects."""
        properties: dict[str, JsonValue] = {
            "box_2d": BOX_SCHEMA,
            "label": label_schema(question),
        }
        return list_schema(properties | more_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read boxes and labels; see `parsing.objects.read_objects`."""
        found = read_objects(
            text,
            media.frame,
            masks=False,
            rules=self.reading,
            attributes=question.attributes,
        )
        return hold_to_classes(found, question.classes, self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write boxes as the list that is asked for."""
        found = detections_of(values)
        return json.dumps([object_entry(d, question, frame) for d in found])
