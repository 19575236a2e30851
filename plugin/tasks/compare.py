"""Several pictures in one question: what differs, or whatever is asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.answers import read_answers
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..values import (
    Ask,
    JsonValue,
    Kind,
    MaskShape,
    Media,
    Medium,
    Question,
    Reading,
)
from .task import PICTURES
from .wording import ask_schema, asked_lines, closing, object_schema

_DIFFERENCES = (
    Ask("difference", "What differs between the images, in one sentence"),
    Ask("only_first", "What is only in the first image, with commas between"),
    Ask("only_others", "What is only in the other images, with commas between"),
)


@dataclass(frozen=True, slots=True)
class Compare:
    """Ask about the picture of a sample and those of `Item.others`, in this order."""

    name: ClassVar[str] = "compare"
    about: ClassVar[frozenset[Medium]] = PICTURES
    kind: ClassVar[Kind] = Kind.TEXT
    uses: ClassVar[frozenset[str]] = frozenset({"asks"})
    least_pictures: ClassVar[int] = 2
    reading: ReadRules = DEFAULT_RULES

    def names(self, question: Question) -> tuple[str, ...]:
        """Name the answers: of the questions, or of the differences."""
        return tuple(ask.name for ask in _asks(question))

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        return "\n".join(
            [
                "Compare the images, which are given in order.",
                "Output a JSON object with each answer, a text, under its key:",
                *asked_lines(_asks(question)),
                'Where there is nothing to name, answer "none".',
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: one text for each question."""
        return object_schema({ask.name: ask_schema(ask) for ask in _asks(question)})

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read the answers; see `parsing.answers.read_answers`."""
        return read_answers(text, _asks(question), rules=self.reading)


def _asks(question: Question) -> tuple[Ask, ...]:
    return question.asks or _DIFFERENCES
