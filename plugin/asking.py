"""From a question and an item to a request: the first arrow of `pipeline.py`.

What is the same for every request of a run is worked out once, in `Asking`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .gemini.models import facts
from .media.image import load_image
from .tasks import Task, find_task
from .values import Item, JsonValue, Parameters, Question, Request

MODEL_CHOOSES = Parameters()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, beside its words; the defaults fit most pictures.

    Pictures are shrunk to `max_side` pixels before they are sent; None: as they are.
    """

    parameters: Parameters = MODEL_CHOOSES
    max_side: int | None = None

    def record(self) -> dict[str, JsonValue]:
        """Say what was chosen, for the record of a run."""
        chosen: dict[str, JsonValue] = {**asdict(self.parameters)}
        chosen["max_side"] = self.max_side
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
        task = find_task(question.task)
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

    def request(self, item: Item) -> Request:
        """Load the picture of an item and put it into a request."""
        media = load_image(item.path, self.manner.max_side)
        content = (media, self.prompt)
        return Request(self.model, content, self.schema, self.manner.parameters)
