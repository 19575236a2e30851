"""The vocabulary: frozen values that travel along the arrows of `pipeline.py`.

Pixel coordinates are those of the upright picture (EXIF orientation applied), which
FiftyOne shows: x to the right, y down, origin at the top left corner of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]
JsonValue: TypeAlias = (
    "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
)


class Status(StrEnum):
    """How one item ended; exactly one of these, never blurred."""

    OK = "ok"
    EMPTY = "empty"
    """Gemini answered that there is nothing to label."""
    BLOCKED = "blocked"
    TRUNCATED = "truncated"
    """The reply was cut; what stands before the cut was kept."""
    MALFORMED = "malformed"
    MEDIA_ERROR = "media_error"
    API_ERROR = "api_error"
    SKIPPED = "skipped"

    @property
    def answered(self) -> bool:
        """Whether Gemini answered the question, be it with nothing."""
        return self in {Status.OK, Status.EMPTY, Status.TRUNCATED}


class MaskShape(StrEnum):
    """The form in which a model writes segmentation masks."""

    PNG = "png"
    """Base64 PNG of the inside of the box (Gemini 2.5)."""
    POLYGON = "polygon"
    """`[[x, y], ...]`, 0..1000 over the whole picture (3.6 and later)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Size in pixels of an upright picture."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel box in pixels, kept as COCO keeps it: left, top, width, height.

    A prediction with a mask is snapped to whole pixels; all others keep their numbers.
    """

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def from_xyxy_px(cls, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Build a box from its left, top, right and bottom edges."""
        return cls(x0, y0, x1 - x0, y1 - y0)

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edges."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    @property
    def xywh_px(self) -> tuple[float, float, float, float]:
        """Left, top, width, height: the order of a COCO `bbox`."""
        return self.x, self.y, self.width, self.height

    def xywh_rel(self, frame: Frame) -> tuple[float, float, float, float]:
        """Left, top, width, height as fractions of the frame: FiftyOne's order."""
        w, h = frame.width, frame.height
        return self.x / w, self.y / h, self.width / w, self.height / h


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The pixels of one object: a crop and the place of its top left corner.

    `crop` is boolean, C-contiguous, shape [height, width]; pixels outside of it are
    background. For predictions the crop covers exactly the object's box.
    """

    x: int
    y: int
    crop: BoolArray

    @property
    def area(self) -> int:
        """Number of pixels of the object."""
        return int(np.count_nonzero(self.crop))


@dataclass(frozen=True, slots=True)
class Detection:
    """One labelled object, said by Gemini or by a person.

    `confidence` is None unless asked for: Gemini gives none by itself. `area` is what a
    COCO file states; None means: count the mask, or the box.
    """

    label: str
    box: Box
    mask: Mask | None = None
    confidence: float | None = None
    is_crowd: bool = False
    area: float | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong inside a reply: where (`[3].box_2d[1]`), what kind, in words.

    `code` is a short stable word (`cut`, `box_order`) by which issues are counted.
    """

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question, so one request, about a sample; its id is FiftyOne's or COCO's."""

    sample_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Media:
    """A picture ready to be sent: encoded bytes with upright pixels.

    Coordinates come back in `frame`, the upright original; `sent` may be smaller.
    """

    data: bytes
    mime_type: str
    frame: Frame
    sent: Frame


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every sample: the task, and the user's words for it.

    No classes means: name everything you see. `instruction` is added to the prompt;
    `confidence` asks the model to score each object from 0 to 1.
    """

    task: str
    classes: tuple[str, ...] = ()
    instruction: str = ""
    confidence: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that decides a reply; `key` of the journal is a hash of this value.

    None leaves a parameter to the model's row of the model table.
    """

    model: str
    prompt: str
    media: Media
    schema: Mapping[str, JsonValue] | None = None
    temperature: float | None = None
    thinking: str | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as billed; output cost is that of `output` + `thoughts`."""

    prompt: int = 0
    output: int = 0
    thoughts: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Sum token counts."""
        return Usage(
            self.prompt + other.prompt,
            self.output + other.output,
            self.thoughts + other.thoughts,
            self.cached + other.cached,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: the body as it came, and what its envelope says.

    `failure` is None when there is text to read; otherwise one of `blocked`,
    `truncated` (nothing before the cut), `malformed` (not a Gemini reply),
    `media_error` or `api_error`, with `error` in words. `from_journal` is True when the
    reply was on disk already: nothing was paid for it now. `cut`: it may end anywhere.
    """

    body: bytes = b""
    text: str = ""
    cut: bool = False
    failure: Status | None = None
    error: str = ""
    usage: Usage = Usage()
    model_version: str = ""
    from_journal: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a task read in the text of one reply.

    `items_seen`, the objects in the text, are the `detections` and the `dropped`, these
    by the code of their issue. `repaired` were mended first; `cut`: it ended early.
    """

    detections: tuple[Detection, ...] = ()
    issues: tuple[Issue, ...] = ()
    items_seen: int = 0
    cut: bool = False
    readable: bool = True
    """False when no answer of the asked form was found in the text."""
    repaired: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one item came to: its status, labels and all that was wrong."""

    item: Item
    status: Status
    frame: Frame | None = None
    detections: tuple[Detection, ...] = ()
    issues: tuple[Issue, ...] = ()
    error: str = ""
    usage: Usage = Usage()
    model_version: str = ""
    request_key: str = ""
    from_journal: bool = False


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """The labels of one image, true or predicted: what is evaluated and exported."""

    image_id: str
    path: str
    frame: Frame
    detections: tuple[Detection, ...] = ()
    status: Status = Status.OK


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one labelling run; never holds a key.

    `endpoint` is `gemini`, `enterprise` or `emulator`. `cost_usd` is None when the price
    of a model that answered is unknown. `notes` say what was changed on the way.
    """

    name: str
    question: Question
    model: str
    endpoint: str
    prompt: str
    parameters: Mapping[str, JsonValue]
    started: datetime
    finished: datetime | None = None
    models_answered: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[Status, int] = field(default_factory=dict)
    usage: Usage = Usage()
    from_journal: int = 0
    cost_usd: float | None = None
    journal: str = ""
    code_version: str = ""
    notes: tuple[str, ...] = ()
