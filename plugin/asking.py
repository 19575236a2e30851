"""From a question and an item to a request: the first arrow of `pipeline.py`.

What is the same for every request of a run is worked out once, in `Asking`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import cast

from .errors import MediaError, UsageError
from .filming import Cutter, Filming
from .gemini.encode import check
from .gemini.endpoint import Endpoint
from .gemini.models import facts
from .gemini.upload_rule import Upload, can_upload
from .media.image import fit, load_image, read_frame
from .media.reference import by_reference
from .parsing.rules import DEFAULT_RULES, ReadRules
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
    Parameters,
    Question,
    Request,
    Shown,
    Value,
)

MODEL_CHOOSES = Parameters()
FILMING = Filming()
SMALLEST_TILE = 64
BAD = "Here, show an answer that is wrong, as an example of what to avoid."


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, beside its words; the defaults fit most pictures.

    Pictures are shrunk to `max_side` pixels before they are sent; None: as they are.
    Everything is asked `times` over, each time for a reply of its own. Pictures larger
    than `tile` pixels are asked about in overlapping tiles of that side (boxes only). The
    `examples` are shown before every question. `upload`: which are uploaded once instead of
    sent along (`docs/files.md`). URLs are fetched from the public internet,
    and from other networks with `private_urls`. `reading`: how replies
    are read, no part of the question: other rules read stored replies anew. `filming` is for
    videos.
    """

    parameters: Parameters = MODEL_CHOOSES
    max_side: int | None = None
    times: int = 1
    tile: int | None = None
    examples: tuple[Shown, ...] = ()
    private_urls: bool = False
    reading: ReadRules = DEFAULT_RULES
    upload: Upload = Upload.AUTO
    filming: Filming = FILMING

    def __post_init__(self) -> None:
        """Refuse to ask less than once, or in tiny tiles; raises `UsageError`."""
        if self.tile is not None and self.tile < SMALLEST_TILE:
            raise UsageError(
                f"Tiles of {self.tile} pixels are too small; take {SMALLEST_TILE} or more."
            )
        if self.times < 1:
            raise UsageError(f"{self.times} times cannot be asked; ask once or more.")

    def record(self) -> dict[str, JsonValue]:
        """Say what was chosen, for the record of a run."""
        chosen: dict[str, JsonValue] = {**asdict(self.parameters)}
        chosen["max_side"] = self.max_side
        chosen |= self.reading.parameters
        chosen["upload"] = self.upload.value
        chosen["tile"] = self.tile
        shown = [f"{'' if e.good else 'not '}{e.item.path}" for e in self.examples]
        chosen["examples"] = list[JsonValue](shown) if shown else None
        chosen |= self.filming.record()
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
        plain = question if names else filled(question, _NOBODY)
        prompt, schema = _put(task, plain, model)
        asking = cls(question, task, model, prompt, schema, manner, names)
        return replace(asking, examples=tuple(asking._shown()))

    def repeated(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give every item as often as it is asked about; once: as it is."""
        if self.manner.times == 1:
            yield from items
            return
        for item in items:
            for attempt in range(self.manner.times):
                yield replace(item, attempt=attempt)

    def pieces(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give every item as often as it is asked about, in parts where it is large."""
        how = self.manner
        if self.question.medium is Medium.VIDEO:
            yield from self.repeated(self._cutter.parts(items))
        else:
            tiles = in_tiles(items, how.tile, private=how.private_urls)
            yield from self.repeated(tiles)

    def request(self, item: Item) -> Request:
        """Load the pictures of an item and put them into a request.

        Raises `MediaError` for a picture that cannot be sent, or too few of them.
        """
        if self.question.medium is Medium.VIDEO:
            return self._about(item, [self._cutter.load(item)])
        pictures = [self._load(p, region) for p, region in self._places(item)]
        return self._about(item, pictures)

    def sketch(self, item: Item) -> Request:
        """Put the sizes of the pictures of an item, without their bytes, into a request.

        For what is foreseen: only the heads of the files are read. Raises as `request`.
        """
        if self.question.medium is Medium.VIDEO:
            return self._about(item, [self._cutter.sketch(item)])
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
