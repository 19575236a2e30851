"""What came back: a reply, what was read in it, and what its item came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .asking import Item
from .counts import ObjectCounts
from .footage import Footage
from .geometry import Frame
from .labels import Detection, Value, detections_of
from .statuses import Status


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong inside a reply: where (`[3].box_2d[1]`), what kind, in words.

    `code` is a short stable word (`cut`, `box_order`) by which issues are counted.
    """

    path: str
    code: str
    message: str


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
    reply was on disk already: nothing was paid for it now. `batched`: it was paid for at
    the price of batches. `cut`: it may end anywhere.
    `retries`: how often it was asked again, after a failure, before this came. `refused`:
    an `api_error` that the same request will always come to.
    """

    body: bytes = b""
    text: str = ""
    cut: bool = False
    failure: Status | None = None
    error: str = ""
    usage: Usage = Usage()
    model_version: str = ""
    from_journal: bool = False
    batched: bool = False
    seconds: float = 0.0
    retries: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a task read in the text of one reply.

    `items_seen`, what the text holds, are the `values` and the `dropped`, these by the
    code of their issue. `repaired` were mended first; `cut`: it ended early.
    """

    values: tuple[Value, ...] = ()
    issues: tuple[Issue, ...] = ()
    items_seen: int = 0
    cut: bool = False
    readable: bool = True
    """False when no answer of the asked form was found in the text."""
    repaired: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def detections(self) -> tuple[Detection, ...]:
        """The objects among the values."""
        return detections_of(self.values)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one item came to: its status, labels and all that was wrong.

    `cost_usd` is the price of its reply, whether that was paid now or in an earlier run
    (`from_journal`); None: unknown.
    """

    item: Item
    status: Status
    frame: Frame | None = None
    footage: Footage | None = field(default=None, compare=False, kw_only=True)
    values: tuple[Value, ...] = ()
    issues: tuple[Issue, ...] = ()
    error: str = ""
    usage: Usage = Usage()
    model_version: str = ""
    request_key: str = ""
    from_journal: bool = False
    batched: bool = False
    objects: ObjectCounts = field(default_factory=ObjectCounts)
    cost_usd: float | None = None

    @property
    def detections(self) -> tuple[Detection, ...]:
        """The objects among the values."""
        return detections_of(self.values)
