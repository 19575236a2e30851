"""Videos asked about: cut into parts before `asking`, loaded there as what is sent.

A part is a clip of the same file, so one upload serves all parts; or a frame of it, sent
as a picture. `seams` puts together what the parts came to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from .errors import MediaError, UsageError
from .gemini.tokens import CONTEXT_TOKENS, FRAMES_PER_SECOND, media_tokens, video_tokens
from .media.probe import probe
from .media.reference import by_reference
from .media.stills import load_still, sketch_still
from .media.video import check_clip, clipped, load_video, sketch_video
from .values import WHOLE, Clip, Footage, Item, JsonValue, Kind, Media, Medium, Question

ROOM = 80_000
"""Of the tokens that a model reads, left for words and answer."""
OVERLAP = 0.1
"""Share of a part that the next one shows too ..."""
MOST_OVERLAP = 10.0
"""... up to so many seconds."""
SHORTEST = 5.0
_IN_PARTS = frozenset({Kind.SPANS, Kind.SIGHTINGS})
"""Labels that lie in time: those of parts can be put together."""
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Filming:
    """How videos are looked at, but for who is asked: see `Manner`.

    Without `sound` a copy without it is sent. Videos longer than `part_seconds` are asked
    about in overlapping parts; None: where they are too long for the model.
    """

    clip: Clip = WHOLE
    sound: bool = True
    part_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises `UsageError`."""
        check_clip(self.clip)
        if self.part_seconds is not None and self.part_seconds < SHORTEST:
            raise UsageError(
                f"Parts of {self.part_seconds:g} seconds are too short; take "
                f"{SHORTEST:g} or more."
            )

    def check(self, question: Question, kind: Kind, max_side: int | None) -> None:
        """Raise `UsageError` for what would be ignored."""
        if question.medium is Medium.IMAGE:
            if self != Filming():
                raise UsageError("A clip, fps, parts and sound are for videos alone.")
        elif question.by_frames and (self.part_seconds or not self.sound):
            raise UsageError(
                "Asked frame by frame, a video has neither parts nor sound."
            )
        elif self.part_seconds and kind not in _IN_PARTS:
            raise UsageError(
                f"The answers of the task {question.task} about parts of a video cannot be "
                "put together: leave out the parts, or choose a clip."
            )
        elif max_side and not question.by_frames:
            raise UsageError(
                "Videos are sent as they are: leave out the largest side, and choose a "
                "media resolution."
            )

    def record(self) -> dict[str, JsonValue]:
        """Say what was chosen, for the record of a run."""
        chosen: dict[str, JsonValue] = {**asdict(self.clip)}
        chosen["part_seconds"] = self.part_seconds
        if not self.sound:
            chosen["sound"] = False
        return chosen


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts the videos of a run into parts, and loads these."""

    filming: Filming
    model: str
    kind: Kind
    resolution: str | None = None
    by_frames: bool = False
    max_side: int | None = None

    def parts(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give the parts of each video; of one that cannot be read, the item itself."""
        for item in items:
            try:
                footage = None if by_reference(item.path) else probe(item.path).footage
                cuts = self._cuts(item, footage)
            except MediaError:
                yield replace(item, clip=self.filming.clip)  # the request will say why
                continue
            yield from (replace(cut, pieces=len(cuts)) for cut in cuts)

    def load(self, item: Item) -> Media:
        """Load a part as it is sent; raises `MediaError`, also for what is too long."""
        if item.moment_seconds is not None:
            return load_still(item.path, item.moment_seconds, self.max_side)
        if self.by_frames:  # it could not be cut: this says why
            probe(item.path)
        return self._checked(
            load_video(item.path, self._clip(item), sound=self.filming.sound), item
        )

    def sketch(self, item: Item) -> Media:
        """Give what `load` gives, without the bytes."""
        if item.moment_seconds is not None:
            return sketch_still(item.path, self.max_side)
        clip, sound = self._clip(item), self.filming.sound
        return self._checked(sketch_video(item.path, clip, sound=sound), item)

    def longest(self, *, sound: bool = True) -> float:
        """Tell how many seconds of a video fit into what the model reads."""
        minute = video_tokens(
            self.model, 60, self.filming.clip.fps, self.resolution, sound=sound
        )
        return (CONTEXT_TOKENS - ROOM) / minute * 60

    def _clip(self, item: Item) -> Clip:
        return self.filming.clip if item.clip == WHOLE else item.clip

    def _cuts(self, item: Item, footage: Footage | None) -> list[Item]:
        """Cut one video; one whose length is not known stays whole."""
        clip = self.filming.clip
        if footage is None:
            if self.kind is Kind.SIGHTINGS:
                raise MediaError(item.path)
            return [replace(item, clip=clip)]
        clip = clipped(clip, footage.seconds, item.path)
        start, end = clip.start_seconds or 0.0, clip.end_seconds or footage.seconds
        if self.by_frames:
            moments = footage.moments(clip.fps or FRAMES_PER_SECOND, start, end)
            return [replace(item, moment_seconds=moment) for moment in moments]
        sound = self.filming.sound and footage.has_sound
        longest = self.filming.part_seconds or self.longest(sound=sound)
        if end - start <= longest or self.kind not in _IN_PARTS:
            return [replace(item, clip=clip)]
        return [
            replace(
                item, clip=Clip(a or None, b if b < footage.seconds else None, clip.fps)
            )
            for a, b in cut(start, end, longest)
        ]

    def _checked(self, media: Media, item: Item) -> Media:
        """Refuse what has more tokens than the model reads, or no size for places."""
        if self.kind is Kind.SIGHTINGS and not media.frame.width:
            raise MediaError(
                f"{item.path}: places need the size of the video, which only a file "
                "tells. Download the video and give its file."
            )
        known = media.seconds is not None or media.clip.end_seconds is not None
        tokens = media_tokens(self.model, media, self.resolution)
        if known and tokens > CONTEXT_TOKENS - ROOM:
            raise MediaError(
                f"{item.path} has about {tokens:,} tokens, and {self.model} reads "
                f"{CONTEXT_TOKENS:,}: {self.longest() / 60:.0f} minutes. Ask about a part "
                "(--clip-start, --clip-end), look less often (--fps 0.5), or at less "
                "detail (--media-resolution low)."
            )
        return media


def cut(start: float, end: float, longest: float) -> list[tuple[float, float]]:
    """Cover a stretch of time with parts of one length, none longer, that overlap."""
    overlap = min(longest * OVERLAP, MOST_OVERLAP)
    step = longest - overlap
    count = max(1, -(-(end - start - overlap) // step))
    length = (end - start + (count - 1) * overlap) / count
    starts = [start + n * (length - overlap) for n in range(int(count))]
    return [(round(s, 3), round(min(s + length, end), 3)) for s in starts]
