"""WHAT to ask: one file a task (prompt, response schema, reader)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from ..errors import UsageError
from ..values import JsonValue, Kind, MaskShape, Media, Medium, Question, Reading
from .detect import Detect
from .segment import Segment


class Task(Protocol):
    """One kind of question: how it is put and how its answer is read."""

    @property
    def name(self) -> str:
        """The word by which users choose the task."""

    @property
    def medium(self) -> Medium:
        """What the task is asked about."""

    @property
    def kind(self) -> Kind:
        """The kind of labels that it gives."""

    def prompt(self, question: Question, shape: MaskShape | None) -> str:
        """Write the prompt, the same text for the same question."""

    def schema(
        self, question: Question, shape: MaskShape | None
    ) -> Mapping[str, JsonValue] | None:
        """Describe the answer as JSON schema; None: leave its form to the prompt."""

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read the text of the reply to a question about a medium; never raises."""


TASKS: Mapping[str, Task] = MappingProxyType(
    {task.name: task for task in (Detect(), Segment())}
)


def find_task(name: str) -> Task:
    """Find a task by its name; raises UsageError that lists the names."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}; there are: {', '.join(TASKS)}")
    return TASKS[name]
