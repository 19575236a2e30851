"""Classes of a whole picture or video: one (`classify`), or all that apply (`tag`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.answers import read_tags
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
    Tag,
    Value,
)
from .task import EITHER
from .wording import (
    MOST_TOGETHER,
    closing,
    label_schema,
    more_properties,
    object_schema,
)

_SURE = (
    'how sure you are in the key "confidence", a number from 0 (a guess) to 1 (certain)'
)


@dataclass(frozen=True, slots=True)
class Classify:
    """Ask for the one class that fits a picture best."""

    name: ClassVar[str] = "classify"
    about: ClassVar[frozenset[Medium]] = EITHER
    kind: ClassVar[Kind] = Kind.TAG
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence"})
    most_together: ClassVar[int] = MOST_TOGETHER
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        sure = f" and {_SURE}" if question.confidence else ""
        return "\n".join(
            [
                f"Classify the {question.medium}: name the one class that fits it best.",
                f'Output a JSON object with the class in the key "label"{sure}.',
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: one label."""
        return object_schema(_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read one tag; see `parsing.answers.read_tags`."""
        return read_tags(text, question.classes, many=False, rules=self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write the first tag as the object that is asked for."""
        tags = [value for value in values if isinstance(value, Tag)]
        return json.dumps(_entry(tags[0], question) if tags else {"label": ""})


@dataclass(frozen=True, slots=True)
class TagAll:
    """Ask for all classes that apply to a picture."""

    name: ClassVar[str] = "tag"
    about: ClassVar[frozenset[Medium]] = EITHER
    kind: ClassVar[Kind] = Kind.TAGS
    uses: ClassVar[frozenset[str]] = frozenset({"classes", "confidence"})
    most_together: ClassVar[int] = MOST_TOGETHER
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:  # noqa: ARG002
        """Write the prompt, the same for every model."""
        sure = f" and {_SURE}" if question.confidence else ""
        return "\n".join(
            [
                f"Name all tags that apply to the {question.medium}, each once.",
                (
                    'Output a JSON object of the form {"labels": [...]} where each '
                    f'entry contains the tag in the key "label"{sure}.'
                ),
                'If none applies, answer {"labels": []}.',
                *closing(question),
            ]
        )

    def schema(
        self,
        question: Question,
        shape: MaskShape | None,  # noqa: ARG002
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of labels."""
        entry = object_schema(_properties(question))
        return object_schema({"labels": {"type": "array", "items": entry}})

    def read(self, text: str, question: Question, media: Media) -> Reading:  # noqa: ARG002
        """Read all tags; see `parsing.answers.read_tags`."""
        return read_tags(text, question.classes, many=True, rules=self.reading)

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,  # noqa: ARG002
        shape: MaskShape | None,  # noqa: ARG002
    ) -> str:
        """Write tags as the object that is asked for."""
        tags = [_entry(value, question) for value in values if isinstance(value, Tag)]
        return json.dumps({"labels": tags})


def _properties(question: Question) -> dict[str, JsonValue]:
    return {"label": label_schema(question)} | more_properties(question)


def _entry(tag: Tag, question: Question) -> dict[str, JsonValue]:
    entry: dict[str, JsonValue] = {"label": tag.label}
    if question.confidence and tag.confidence is not None:
        entry["confidence"] = tag.confidence
    return entry
