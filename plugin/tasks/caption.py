"""Captions: a picture or a video in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.answers import read_text
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
)
from .answers import first_text
from .task import EITHER
from .wording import MOST_TOGETHER, closing, object_schema

_KEY = "caption"


@dataclass(frozen=True, slots=True)
class Caption:
    """Ask for one caption."""

    name: ClassVar[str] = "caption"
    about: ClassVar[frozenset[Medium]] = EITHER
    kind: ClassVar[Kind] = Kind.TEXT
    uses: ClassVar[frozenset[str]] = frozenset()
    most_together: ClassVar[int] = MOST_TOGETHER
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                f"Caption this {question.medium} in one sentence.",
                'Output a JSON object with the caption in the key "caption".',
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
        """Read the caption; an empty one is no answer."""
        return read_text(text, _KEY, rules=self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write the text as the object that is asked for."""
        return json.dumps({_KEY: first_text(values)})
