"""From a question and an item to a request: the first arrow of `pipeline.py`.

What is the same for every request of a run is worked out once, in `Asking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from .errors import MediaError, UsageError
from .gemini.models import facts
from .media.image import load_image
from .parsing.rules import DEFAULT_RULES, ReadRules
from .tasks import Several, Task, find_task, form_of
from .values import Item, JsonValue, Media, Parameters, Question, Request

MODEL_CHOOSES = Parameters()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, beside its words; the defaults fit most pictures.

    Pictures are shrunk to `max_side` pixels before they are sent; None: as they are.
    Everything is asked `times` over, each time for a reply of its own. `reading`: how
    replies are read, no part of the question: other rules read stored replies anew.
    """

    parameters: Parameters = MODEL_CHOOSES
    max_side: int | None = None
    times: int = 1
    reading: ReadRules = DEFAULT_RULES

    def __post_init__(self) -> None:
        """Refuse to ask less than once; raises `UsageError`."""
        if self.times < 1:
            raise UsageError(f"{self.times} times cannot be asked; ask once or more.")

    def record(self) -> dict[str, JsonValue]:
        """Say what was chosen, for the record of a run."""
        chosen: dict[str, JsonValue] = {**asdict(self.parameters)}
        chosen["max_side"] = self.max_side
        chosen |= self.reading.parameters
        chosen["times"] = self.times if self.times > 1 else None
        return {name: value for name, value in chosen.items() if value is not None}


PLAIN = Manner()


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same for every request of a run."""

    question: Question
    task: Task
    model: str
    prompt: str
    schema: dict[str, JsonValue] | None
    manner: Manner

    @classmethod
    def about(cls, question: Question, model: str, manner: Manner = PLAIN) -> Asking:
        """Put a question into the words and the schema that fit a model.

        Raises `UsageError` for a task that does not exist or that the model cannot do.
        """
        form_of(question)  # names that cannot be kept are refused before asking
        task = find_task(question.task, manner.reading)
        shape = facts(model).mask_shape
        schema = task.schema(question, shape)
        return cls(
            question=question,
            task=task,
            model=model,
            prompt=task.prompt(question, shape),
            schema=None if schema is None else dict(schema),
            manner=manner,
        )

    def repeated(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give every item as often as it is asked about; once: as it is."""
        if self.manner.times == 1:
            yield from items
            return
        for item in items:
            for attempt in range(self.manner.times):
                yield replace(item, attempt=attempt)

    def request(self, item: Item) -> Request:
        """Load the pictures of an item and put them into a request.

        Raises `MediaError` for a picture that cannot be sent, or too few of them.
        """
        return Request(
            self.model,
            (*self._pictures(item), self.prompt),
            self.schema,
            self.manner.parameters,
            system=self.question.system,
            attempt=item.attempt,
        )

    def _pictures(self, item: Item) -> list[Media]:
        """Load the picture of an item, and the others where the task takes several."""
        paths = [item.path]
        if isinstance(self.task, Several):
            paths += item.others
            if len(paths) < self.task.least_pictures:
                raise MediaError(
                    f"{item.path} stands alone, and the task {self.task.name} needs "
                    f"{self.task.least_pictures} pictures. Say where the others are."
                )
        return [load_image(path, self.manner.max_side) for path in paths]
