"""How a question is put, beside its words: read by `asking`, chosen by whoever runs it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from .errors import UsageError
from .filming import Filming
from .gemini.endpoint import Endpoint
from .gemini.upload_rule import Upload, can_upload
from .parsing.rules import DEFAULT_RULES, ReadRules
from .values import JsonValue, Parameters, Shown

MODEL_CHOOSES = Parameters()
FILMING = Filming()
SMALLEST_TILE = 64


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, beside its words; the defaults fit most pictures.

    Pictures are shrunk to `max_side` pixels before they are sent; None: as they are.
    Everything is asked `times` over, each time for a reply of its own. Pictures larger
    than `tile` pixels are asked about in overlapping tiles of that side (boxes only). One
    request is about `chunk` pictures, where the task can be asked so. The
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
    chunk: int = 1

    def __post_init__(self) -> None:
        """Refuse to ask less than once, or in tiny tiles; raises `UsageError`."""
        if self.tile is not None and self.tile < SMALLEST_TILE:
            raise UsageError(
                f"Tiles of {self.tile} pixels are too small; take {SMALLEST_TILE} or more."
            )
        if self.times < 1:
            raise UsageError(f"{self.times} times cannot be asked; ask once or more.")
        if self.chunk < 1:
            raise UsageError(f"{self.chunk} pictures at once cannot be asked about.")

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
        chosen["chunk"] = self.chunk if self.chunk > 1 else None
        return {name: value for name, value in chosen.items() if value is not None}

    def at(self, endpoint: Endpoint) -> Manner:
        """Fit the manner to who is asked: the enterprise platform takes no uploads.

        Raises `UsageError` where it cannot be kept there.
        """
        if can_upload(self.upload, endpoint):
            return self
        return replace(self, upload=Upload.NEVER)


PLAIN = Manner()
