"""Questions about a picture or a video, all in one request: each answer has a field of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..errors import UsageError
from ..parsing.answers import read_answers
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Answer,
    Ask,
    Frame,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
    Value,
)
from .task import EITHER
from .wording import MOST_TOGETHER, ask_schema, asked_lines, closing, object_schema


@dataclass(frozen=True, slots=True)
class Vqa:
    """Ask the questions of `Question.asks`."""

    name: ClassVar[str] = "vqa"
    about: ClassVar[frozenset[Medium]] = EITHER
    kind: ClassVar[Kind] = Kind.TEXT
    uses: ClassVar[frozenset[str]] = frozenset({"asks"})
    most_together: ClassVar[int] = MOST_TOGETHER
    reading: ReadRules = DEFAULT_RULES

    def names(self, question: Question) -> tuple[str, ...]:
        """Name the answers as the questions; raises `UsageError` where there are none."""
        return tuple(ask.name for ask in _asks(question))

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                (
                    f"Answer these questions about the {question.medium}, each as "
                    "briefly as it allows."
                ),
                "Output a JSON object with each answer, a text, under its key:",
                *asked_lines(_asks(question)),
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: one text for each question, or one of its choices."""
        return object_schema({ask.name: ask_schema(ask) for ask in _asks(question)})

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read the answers; see `parsing.answers.read_answers`."""
        return read_answers(text, question.asks, rules=self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write known answers as the object that is asked for."""
        said = {v.name: v.text for v in values if isinstance(v, Answer)}
        return json.dumps({ask.name: said.get(ask.name, "") for ask in question.asks})


def _asks(question: Question) -> tuple[Ask, ...]:
    if not question.asks:
        raise UsageError(
            "The task vqa needs a question, such as: --ask 'weather: What is the "
            "weather like?'"
        )
    return question.asks
