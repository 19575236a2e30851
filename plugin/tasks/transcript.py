"""What is said in a video, and when: a text, and a stretch of time for each piece of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..parsing.spans import read_spans
from ..values import (
    Frame,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
    Span,
    Value,
)
from .task import VIDEOS
from .wording import FROM_TO, TIME_SCHEMA, TIMES, closing, list_schema, stamp


@dataclass(frozen=True, slots=True)
class Transcript:
    """Ask for all that is said, by whom and when."""

    name: ClassVar[str] = "transcript"
    about: ClassVar[frozenset[Medium]] = VIDEOS
    kind: ClassVar[Kind] = Kind.SPANS
    uses: ClassVar[frozenset[str]] = frozenset()
    reading: ReadRules = DEFAULT_RULES

    def names(self, question: Question) -> tuple[str, ...]:  # noqa: ARG002
        """Name the text of all that is said."""
        return ("text",)

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                "Transcribe what is said in the video, word for word.",
                (
                    "Output a JSON list of utterances, in their order, where each entry "
                    f"contains {FROM_TO}; who speaks in the key "
                    '"speaker" (a name, or speaker 1, speaker 2 ...); what is said in '
                    'the key "text".'
                ),
                TIMES,
                "If nothing is said, answer an empty list [].",
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of utterances."""
        text: JsonValue = {"type": "string"}
        return list_schema(
            {"start": TIME_SCHEMA, "end": TIME_SCHEMA, "speaker": text, "text": text}
        )

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read utterances; see `parsing.spans.read_spans`."""
        return read_spans(text, media, speech=True)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write utterances as the list that is asked for."""
        return json.dumps(
            [
                {
                    "start": stamp(span.start_seconds),
                    "end": stamp(span.end_seconds),
                    "speaker": span.label,
                    "text": span.text,
                }
                for span in values
                if isinstance(span, Span)
            ]
        )
