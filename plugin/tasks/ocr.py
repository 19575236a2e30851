"""Writing in a picture: where it stands (`ocr`), or all of it as one text (`read`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from ..parsing.answers import read_text
from ..parsing.objects import read_objects
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Detection,
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
from .answers import first_text, object_entry
from .task import PICTURES
from .wording import (
    BOX,
    BOX_SCHEMA,
    ONCE,
    closing,
    list_schema,
    more_keys,
    more_properties,
    object_schema,
)

_KEY = "text"


@dataclass(frozen=True, slots=True)
class Ocr:
    """Ask for a box around each line of text; its label is the text."""

    name: ClassVar[str] = "ocr"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.OBJECTS
    uses: ClassVar[frozenset[str]] = frozenset({"confidence", "attributes"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        text = 'the text in the key "label", spelled exactly as in the image'
        listing = "; ".join([BOX, text, *more_keys(question)])
        return "\n".join(
            [
                "Read the text in the image, line by line.",
                f"Output a JSON list of lines where each entry contains {listing}.",
                ONCE,
                "If there is no text, answer an empty list [].",
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of boxes with their text."""
        text: JsonValue = {"type": "string"}
        properties: dict[str, JsonValue] = {"box_2d": BOX_SCHEMA, "label": text}
        return list_schema(properties | more_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read boxes; the text stands in the label, and whole in the attribute `text`."""
        found = read_objects(
            text,
            media.frame,
            masks=False,
            rules=self.reading,
            attributes=question.attributes,
        )
        whole = [
            replace(d, attributes={**d.attributes, _KEY: d.label})
            for d in found.detections
        ]
        return replace(found, values=tuple(whole))

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write boxes with their text as the list that is asked for."""
        return json.dumps(
            [object_entry(_read(d), question, frame) for d in detections_of(values)]
        )


def _read(detection: Detection) -> Detection:
    """Let the label be the text, where a dataset keeps that as an attribute."""
    return replace(
        detection, label=str(detection.attributes.get(_KEY, detection.label))
    )


@dataclass(frozen=True, slots=True)
class ReadText:
    """Ask for all the text of a picture, in reading order."""

    name: ClassVar[str] = "read"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.TEXT
    uses: ClassVar[frozenset[str]] = frozenset()
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                (
                    "Extract all text from this image, in reading order, spelled exactly "
                    "as it stands there."
                ),
                (
                    'Output a JSON object with the text in the key "text", with \\n between '
                    'lines. If there is no text, answer {"text": ""}.'
                ),
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: one text."""
        return object_schema({_KEY: {"type": "string"}})

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read the text; an empty one says that there is none in the picture."""
        return read_text(text, _KEY, may_be_empty=True, rules=self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write the text as the object that is asked for."""
        return json.dumps({_KEY: first_text(values)})
