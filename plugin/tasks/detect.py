"""Object detection: a box and a label for every object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..parsing.objects import read_objects
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import JsonValue, Kind, MaskShape, Media, Medium, Question, Reading
from .wording import (
    BOX,
    BOX_SCHEMA,
    CONFIDENCE,
    CONFIDENCE_SCHEMA,
    LABEL,
    label_schema,
    rules,
)


@dataclass(frozen=True, slots=True)
class Detect:
    """Ask for boxes; the mask shape of the model makes no difference."""

    reading: ReadRules = DEFAULT_RULES

    @property
    def name(self) -> str:
        """The word by which users choose the task."""
        return "detect"

    @property
    def medium(self) -> Medium:
        """What the task is asked about."""
        return Medium.IMAGE

    @property
    def kind(self) -> Kind:
        """The kind of labels that it gives."""
        return Kind.OBJECTS

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        what = [BOX, LABEL, *([CONFIDENCE] if question.confidence else [])]
        listing = "; ".join(what)
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
        if question.confidence:
            properties["confidence"] = CONFIDENCE_SCHEMA
        entry: JsonValue = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
        return {"type": "array", "items": entry}

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read boxes and labels; see `parsing.objects.read_objects`."""
        return read_objects(text, media.frame, masks=False, rules=self.reading)
