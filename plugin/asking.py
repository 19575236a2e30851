"""From a question and an item to a request: the first arrow of `pipeline.py`.

What is the same for every request of a run is worked out once, in `Asking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from .errors import MediaError, UsageError
from .gemini.encode import check
from .gemini.endpoint import Endpoint
from .gemini.models import facts
from .gemini.upload_rule import Upload, can_upload
from .media.image import fit, load_image, read_frame
from .media.reference import by_reference
from .parsing.rules import DEFAULT_RULES, ReadRules
from .tasks import Several, Task, find_task, form_of
from .values import Item, JsonValue, Media, Medium, Parameters, Question, Request

MODEL_CHOOSES = Parameters()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, beside its words; the defaults fit most pictures.

    Pictures are shrunk to `max_side` pixels before they are sent; None: as they are.
    Everything is asked `times` over, each time for a reply of its own. `reading`: how
    replies are read, no part of the question: other rules read stored replies anew.
    `upload`: which are uploaded once instead of sent along (`docs/files.md`).
    """

    parameters: Parameters = MODEL_CHOOSES
    max_side: int | None = None
    times: int = 1
    reading: ReadRules = DEFAULT_RULES
    upload: Upload = Upload.AUTO

    def __post_init__(self) -> None:
        """Refuse to ask less than once; raises `UsageError`."""
        if self.times < 1:
            raise UsageError(f"{self.times} times cannot be asked; ask once or more.")

    def record(self) -> dict[str, JsonValue]:
        """Say what was chosen, for the record of a run."""
        chosen: dict[str, JsonValue] = {**asdict(self.parameters)}
        chosen["max_side"] = self.max_side
        chosen |= self.reading.parameters
        chosen["upload"] = self.upload.value
        chosen["times"] = self.times if self.times > 1 else None
        return {name: value for name, value in chosen.items() if value is not None}

    def at(self, endpoint: Endpoint) -> Manner:
        """Fit the manner to who is asked: the enterprise platform takes no uploads.

        Raises `UsageError` where it cannot be kept there.
        """
        if can_upload(self.upload, endpoint):
            return self
        return replace(self, upload=Upload.NEVER)


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

        Raises `UsageError` for a task that does not exist or that the model cannot do,
        and for settings that it does not take.
        """
        form_of(question)  # names that cannot be kept are refused before asking
        check(model, manner.parameters)
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
        return self._about(item, [self._load(path) for path in self._paths(item)])

    def sketch(self, item: Item) -> Request:
        """Put the sizes of the pictures of an item, without their bytes, into a request.

        For what is foreseen: only the heads of the files are read. Raises as `request`.
        """
        return self._about(item, [self._size(path) for path in self._paths(item)])

    def _load(self, path: str) -> Media:
        """Load a picture, or pass on the address of a video."""
        upload = self.manner.upload is not Upload.NEVER
        found = self._elsewhere(path)
        return found or load_image(path, self.manner.max_side, upload=upload)

    def _size(self, path: str) -> Media:
        """Stand in for a picture of this size."""
        if found := self._elsewhere(path):
            return found
        frame = read_frame(path)
        return Media(b"", "image/jpeg", frame, fit(frame, self.manner.max_side))

    def _elsewhere(self, path: str) -> Media | None:
        """Find a video that Gemini opens itself, where the task is about videos."""
        found = by_reference(path)
        if found is not None and self.task.medium is not Medium.VIDEO:
            raise MediaError(
                f"{path} is a video, and the task {self.task.name} is about pictures."
            )
        return found

    def _about(self, item: Item, pictures: Sequence[Media]) -> Request:
        """Put the question about some pictures."""
        return Request(
            self.model,
            (*pictures, self.prompt),
            self.schema,
            self.manner.parameters,
            system=self.question.system,
            attempt=item.attempt,
        )

    def _paths(self, item: Item) -> list[str]:
        """Name the picture of an item, and the others where the task takes several."""
        paths = [item.path]
        if isinstance(self.task, Several):
            paths += item.others
            if len(paths) < self.task.least_pictures:
                raise MediaError(
                    f"{item.path} stands alone, and the task {self.task.name} needs "
                    f"{self.task.least_pictures} pictures. Say where the others are."
                )
        return paths
