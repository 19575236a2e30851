"""From a question and an item to a request: the first arrow of `pipeline.py`.

What is the same for every request of a run is worked out once, in `Asking`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from .chunking import (
    announced,
    check_chunk,
    in_chunks,
    schema_for_all,
    words_for_all,
)
from .errors import MediaError, UsageError
from .filming import Cutter
from .gemini.encode import check
from .gemini.models import facts
from .gemini.upload_rule import Upload
from .manner import PLAIN, Manner
from .media.image import fit, load_image, read_frame
from .media.reference import by_reference
from .tasks import Several, Showing, Task, find_task, fitted, form_of
from .templates import filled, names_in
from .tiling import in_tiles
from .values import (
    Box,
    Example,
    Frame,
    Item,
    JsonValue,
    Kind,
    Media,
    Medium,
    Question,
    Request,
    Value,
)

__all__ = ["PLAIN", "Asking", "Manner"]

BAD = "Here, show an answer that is wrong, as an example of what to avoid."


_NOBODY = Item("", "")


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same for every request of a run.

    `names` are those of the words that each item must bring along; without any, `prompt`
    and `schema` are those of every request. The pictures of `examples` are loaded.
    """

    question: Question
    task: Task
    model: str
    prompt: str
    schema: dict[str, JsonValue] | None
    manner: Manner
    names: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    @classmethod
    def about(
        cls,
        question: Question,
        model: str,
        manner: Manner = PLAIN,
        medium: Medium | None = None,
    ) -> Asking:
        """Put a question about samples of a medium into what fits a model.

        Raises `UsageError` for a task that does not exist, that the model cannot do, or
        that would ignore a part of the question.
        """
        question = fitted(question, medium)
        form_of(question)  # names that cannot be kept are refused before asking
        check(model, manner.parameters)
        task = find_task(question.task, manner.reading)
        if manner.tile is not None and task.kind is not Kind.OBJECTS:
            raise UsageError(
                f"The task {task.name} cannot be asked in tiles: only boxes and masks "
                "can be put together again."
            )
        manner.filming.check(question, task.kind, manner.max_side)
        names = names_in(question)
        alone = "videos" if question.medium is Medium.VIDEO else ""
        alone = "examples" if manner.examples else alone
        check_chunk(task, manner.chunk, names, alone=alone)
        plain = question if names else filled(question, _NOBODY)
        prompt, schema = _put(task, plain, model)
        if manner.chunk > 1:
            schema_for_all(schema)  # names that cannot be are refused before asking
        asking = cls(question, task, model, prompt, schema, manner, names)
        return replace(asking, examples=tuple(asking._shown()))

    def repeated(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give every item as often as it is asked about; once: as it is."""
        if self.manner.times == 1:
            yield from items
            return
        for item in items:
            for attempt in range(self.manner.times):
                members = tuple(replace(m, attempt=attempt) for m in item.together)
                yield replace(item, attempt=attempt, together=members)

    def pieces(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give every item as often as it is asked about, in parts where it is large."""
        how = self.manner
        if self.question.medium is Medium.VIDEO:
            yield from self.repeated(self._cutter.parts(items))
        else:
            tiles = in_tiles(items, how.tile, private=how.private_urls)
            yield from self.repeated(in_chunks(tiles, how.chunk))

    def request(self, item: Item) -> Request:
        """Load the pictures of an item and put them into a request.

        Raises `MediaError` for a picture that cannot be sent, or too few of them.
        """
        if self.question.medium is Medium.VIDEO:
            return self._about(item, [self._cutter.load(item)])
        if item.together:
            return self._about_all(item, self._load)
        pictures = [self._load(p, region) for p, region in self._places(item)]
        return self._about(item, pictures)

    def sketch(self, item: Item) -> Request:
        """Put the sizes of the pictures of an item, without their bytes, into a request.

        For what is foreseen: only the heads of the files are read. Raises as `request`.
        """
        if self.question.medium is Medium.VIDEO:
            return self._about(item, [self._cutter.sketch(item)])
        if item.together:
            return self._about_all(item, self._size)
        pictures = [self._size(p, region) for p, region in self._places(item)]
        return self._about(item, pictures)

    @property
    def _cutter(self) -> Cutter:
        """Whoever cuts and loads the videos."""
        return Cutter(
            self.manner.filming,
            self.model,
            self.task.kind,
            self.manner.parameters.media_resolution,
            self.question.by_frames,
            self.manner.max_side,
        )

    def _about_all(
        self, item: Item, load: Callable[[str, Box | None], Media]
    ) -> Request:
        """Put the question about each of several pictures."""
        return Request(
            self.model,
            (*announced(item, load), words_for_all(self.prompt)),
            schema_for_all(self.schema),
            self.manner.parameters,
            system=filled(self.question, _NOBODY).system,
            attempt=item.attempt,
        )

    def _about(self, item: Item, pictures: Sequence[Media]) -> Request:
        """Put the question about some pictures."""
        question = filled(self.question, item)
        prompt, schema = self.prompt, self.schema
        if self.names:
            prompt, schema = _put(self.task, question, self.model)
        return Request(
            self.model,
            (*pictures, prompt),
            schema,
            self.manner.parameters,
            system=question.system,
            examples=self.examples,
            attempt=item.attempt,
        )

    def _shown(self) -> Iterator[Example]:
        """Put the labels of each example as the answer that is wished for, or is not.

        Raises `UsageError` for an example that cannot be shown.
        """
        shape = facts(self.model).mask_shape
        for shown in self.manner.examples:
            if self.names:
                raise UsageError("A prompt with words of samples takes no examples.")
            if not isinstance(self.task, Showing):
                raise UsageError(f"The task {self.task.name} takes no examples.")
            try:
                media = self._example(shown.item)
            except MediaError as error:
                raise UsageError(f"An example cannot be shown: {error}") from error
            wish = self.prompt if shown.good else f"{self.prompt}\n{BAD}"
            values = cast("tuple[Value, ...]", shown.values)
            answer = self.task.answer(values, self.question, media.frame, shape)
            yield Example((media, wish), answer)

    def _example(self, item: Item) -> Media:
        if self.question.medium is Medium.VIDEO:
            return self._cutter.load(item)
        return self._load(item.path)

    def _places(self, item: Item) -> list[tuple[str, Box | None]]:
        """Name the picture of an item, and the others where the task takes several."""
        places: list[tuple[str, Box | None]] = [(item.path, item.region)]
        if isinstance(self.task, Several):
            places += [(path, None) for path in item.others]
            if len(places) < self.task.least_pictures:
                raise MediaError(
                    f"{item.path} stands alone, and the task {self.task.name} needs "
                    f"{self.task.least_pictures} pictures. Say where the others are."
                )
        return places

    def _load(self, path: str, region: Box | None = None) -> Media:
        """Load a picture."""
        self._check_picture(path)
        how = self.manner
        return load_image(
            path,
            how.max_side,
            region,
            upload=how.upload is not Upload.NEVER,
            private=how.private_urls,
        )

    def _size(self, path: str, region: Box | None) -> Media:
        """Stand in for a picture of this size."""
        self._check_picture(path)
        if region is not None:
            frame = Frame(math.ceil(region.width), math.ceil(region.height))
        else:
            frame = read_frame(path, private=self.manner.private_urls)
        return Media(b"", "image/jpeg", frame, fit(frame, self.manner.max_side))

    def _check_picture(self, path: str) -> None:
        """Refuse a video that Gemini opens itself."""
        if by_reference(path) is not None:
            raise MediaError(
                f"{path} is a video, and the task {self.task.name} was asked about "
                "pictures."
            )


def _put(
    task: Task, question: Question, model: str
) -> tuple[str, dict[str, JsonValue] | None]:
    """Write prompt and schema."""
    shape = facts(model).mask_shape
    schema = task.schema(question, shape)
    prompt = task.prompt(question, shape)
    return prompt, None if schema is None else dict(schema)
