"""What is asked: items of a source, the question, and the request made of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from .footage import Footage
from .geometry import Box, Frame
from .plain import JsonValue


class MaskShape(StrEnum):
    """The form in which a model writes segmentation masks."""

    PNG = "png"
    """Base64 PNG of the inside of the box (Gemini 2.5)."""
    POLYGON = "polygon"
    """`[[x, y], ...]`, 0..1000 over the whole picture (3.6 and later)."""


class Medium(StrEnum):
    """What a task is asked about."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Clip:
    """The part of a video that is asked about, and how densely it is looked at.

    None: from the start, to the end, at Gemini's own rate (one frame a second).
    """

    start_seconds: float | None = None
    end_seconds: float | None = None
    fps: float | None = None


WHOLE = Clip()


@dataclass(frozen=True, slots=True)
class Item:
    """One question, so one request, about a sample; its id is FiftyOne's or COCO's.

    `path` is a file or a URI. `others` are further pictures of the same question, in
    order; `words` fill the `{names}` in the user's words. `attempt` counts from 0 where
    the same is asked several times. `target` is the id of the object it is about, if it is
    about one.

    With a `region` only that part of the upright picture is sent. Of a video only the
    `clip` is meant, or the frame at a `moment_seconds` as a picture. An item that is asked
    about in `pieces` is as many items, each with its region, clip or moment. Items that
    are `together` are asked about in one request.
    """

    sample_id: str
    path: str
    others: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    region: Box | None = None
    target: str = ""
    pieces: int = 1
    clip: Clip = WHOLE
    moment_seconds: float | None = None
    together: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a video ready to be sent: by its bytes, or by reference.

    One of `data` (encoded, upright pixels), `path` (a local file too large for a
    request, to be uploaded; `digest` is its SHA-256) and `uri` (what Gemini fetches
    itself) is set. Coordinates come back in `frame`, the upright original; `sent` may be
    smaller. A part of a picture has its own frame, and lies at `at_xy_px` in the `whole`.
    `seconds` is the length of a video, as far as it is known, and `footage` what a file
    tells of it; a picture cut out of one has its `moment_seconds`.
    """

    data: bytes
    mime_type: str
    frame: Frame
    sent: Frame
    path: str = ""
    uri: str = ""
    digest: str = ""
    clip: Clip = WHOLE
    seconds: float | None = None
    whole: Frame | None = None
    at_xy_px: tuple[int, int] = (0, 0)
    moment_seconds: float | None = None
    footage: Footage | None = field(default=None, compare=False)

    @property
    def is_video(self) -> bool:
        """Whether it moves."""
        return self.mime_type.startswith("video/")

    @property
    def content_sha256(self) -> str:
        """Name the content (hexadecimal): that of bytes or file, else that of the URI."""
        return self.digest or sha256(self.data or self.uri.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to be told, by name: about a whole picture, or about each object.

    Without `text` the name says it all; `choices` are the only answers allowed.
    """

    name: str
    text: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every sample: the task, and the user's words for it.

    No classes means: name everything you see. `instruction` is added to the prompt;
    `confidence` asks the model to score each object from 0 to 1; `attributes` are asked
    of each object, `asks` of the whole picture; `system` is the system instruction.
    `fov_degrees` is the horizontal field of view that boxes in space are drawn by; None:
    they are not drawn. `medium` is what the samples are, for a task that can be about
    either. `by_frames`: a video is asked about frame by frame, as pictures.
    """

    task: str
    classes: tuple[str, ...] = ()
    instruction: str = ""
    confidence: bool = False
    attributes: tuple[Ask, ...] = ()
    asks: tuple[Ask, ...] = ()
    system: str = ""
    fov_degrees: float | None = None
    medium: Medium = Medium.IMAGE
    by_frames: bool = False


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a model is to answer; None leaves it to the model's row of the model table.

    `thinking` is a level (`low`) or a number of tokens; `media_resolution` is `low`,
    `medium`, `high` or `ultra_high`: how many tokens a picture is turned into.
    """

    temperature: float | None = None
    thinking: str | None = None
    max_output_tokens: int | None = None
    media_resolution: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with its labels, as an example; not `good`: of what is to be avoided.

    `values` are `Value`s; said loosely, because manifests describe all but those.
    """

    item: Item
    values: tuple[object, ...]
    good: bool = True


Part: TypeAlias = str | Media
"""A piece of what is said to the model: words, a picture or a video."""


@dataclass(frozen=True, slots=True)
class Example:
    """What was asked once, and the answer that is wished for: a turn of each."""

    content: tuple[Part, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that decides a reply; `key` of the journal is a hash of this value.

    `attempt` tells apart what is asked several times; it is not sent.
    `without` names optional fields that the endpoint refused: they are not sent, and do
    not count for the key.
    """

    model: str
    content: tuple[Part, ...]
    schema: Mapping[str, JsonValue] | None = None
    parameters: Parameters = Parameters()
    system: str = ""
    examples: tuple[Example, ...] = ()
    attempt: int = 0
    without: frozenset[str] = frozenset()

    def parts(self) -> Iterator[Part]:
        """Give all that is sent but the system instruction: examples, then content."""
        for example in self.examples:
            yield from example.content
            yield example.answer
        yield from self.content

    @property
    def all_media(self) -> tuple[Media, ...]:
        """Every picture and video that is sent, those of the examples first."""
        return tuple(part for part in self.parts() if isinstance(part, Media))

    @property
    def media(self) -> Media:
        """The first picture or video that is asked about: places come back in it."""
        return next(part for part in self.content if isinstance(part, Media))
