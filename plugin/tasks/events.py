"""Events of a video, each with the time at which it begins and ends: also chapters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.classes import hold_to_classes
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
from .wording import (
    CONFIDENCE,
    FROM_TO,
    LABEL,
    TIME_SCHEMA,
    TIMES,
    closing,
    label_schema,
    list_schema,
    more_properties,
    stamp,
)


@dataclass(frozen=True, slots=True)
class Events:
    """Ask for all events, of the classes if there are any."""

    name: ClassVar[str] = "events"
    about: ClassVar[frozenset[Medium]] = VIDEOS
    kind: ClassVar[Kind] = Kind.SPANS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence"})
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        score = [CONFIDENCE.replace("object", "event")] if question.confidence else []
        return "\n".join(
            [
                "Find the events in the video.",
                (
                    "Output a JSON list of events, in their order, where each entry "
                    f"contains {'; '.join([FROM_TO, LABEL, *score])}."
                ),
                TIMES,
                "Give every event an entry of its own, also where it happens again.",
                "If there is none, answer an empty list [].",
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of events."""
        times = {"start": TIME_SCHEMA, "end": TIME_SCHEMA}
        label = {"label": label_schema(question)}
        return list_schema(times | label | more_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read events; see `parsing.spans.read_spans`."""
        found = read_spans(text, media)
        return hold_to_classes(found, question.classes, self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write events as the list that is asked for."""
        return json.dumps(
            [
                {
                    "start": stamp(span.start_seconds),
                    "end": stamp(span.end_seconds),
                    "label": span.label,
                }
                for span in values
                if isinstance(span, Span)
            ]
        )
