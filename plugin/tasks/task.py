"""What a task is: the protocol that every file of this folder fulfils."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

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

PICTURES = frozenset({Medium.IMAGE})
VIDEOS = frozenset({Medium.VIDEO})
EITHER = PICTURES | VIDEOS


class Task(Protocol):
    """One kind of question: how it is put and how its answer is read."""

    @property
    def name(self) -> str:
        """The word by which users choose the task."""

    @property
    def about(self) -> frozenset[Medium]:
        """What the task can be asked about; `Question.medium` says which it is."""

    @property
    def kind(self) -> Kind:
        """The kind of labels that it gives."""

    @property
    def uses(self) -> frozenset[str]:
        """Which fields of a question it heeds, beside `instruction` and `system`."""

    def prompt(self, question: Question, shape: MaskShape | None) -> str:
        """Write the prompt, the same text for the same question."""

    def schema(
        self, question: Question, shape: MaskShape | None
    ) -> Mapping[str, JsonValue] | None:
        """Describe the answer as JSON schema; None: leave its form to the prompt."""

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read the text of the reply to a question about a medium; never raises."""


@runtime_checkable
class Naming(Protocol):
    """A task of `Kind.TEXT` whose answers have names of their own.

    One of `Kind.SPANS` names a text that holds what all of the spans say.
    """

    def names(self, question: Question) -> tuple[str, ...]:
        """Name the answers; an empty name is the field itself."""


@runtime_checkable
class Showing(Protocol):
    """A task that can write known labels as the answer it wishes for: for examples."""

    def answer(
        self,
        values: tuple[Value, ...],
        question: Question,
        frame: Frame,
        shape: MaskShape | None,
    ) -> str:
        """Write labels as the reply that would be read as just these."""


@runtime_checkable
class Together(Protocol):
    """A task whose answer, one JSON object, needs no places: several pictures at once."""

    @property
    def most_together(self) -> int:
        """How many pictures one request may be about."""


@runtime_checkable
class Regional(Protocol):
    """A task about objects that are labelled already: its items have regions."""

    @property
    def of_regions(self) -> bool:
        """True."""


@runtime_checkable
class Several(Protocol):
    """A task that is asked about several pictures at once: those of `Item.others` too."""

    @property
    def least_pictures(self) -> int:
        """How many pictures a question needs."""
