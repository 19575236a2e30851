"""Objects in the frames of a video: asked about the video, or frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..parsing.classes import hold_to_classes
from ..parsing.rules import DEFAULT_RULES, ReadRules
from ..parsing.sightings import read_sightings
from ..values import JsonValue, Kind, MaskShape, Media, Medium, Question, Reading
from .detect import Detect
from .task import VIDEOS
from .wording import (
    BOX,
    BOX_SCHEMA,
    LABEL,
    TIME_SCHEMA,
    TIMES,
    closing,
    label_schema,
    list_schema,
    more_keys,
    more_properties,
)

_TIME = 'the time of the frame in the key "time"'


@dataclass(frozen=True, slots=True)
class Track:
    """Ask for boxes in every frame that is looked at.

    With `Question.by_frames` each frame is a picture, asked about as `detect` does.
    """

    name: ClassVar[str] = "track"
    about: ClassVar[frozenset[Medium]] = VIDEOS
    kind: ClassVar[Kind] = Kind.SIGHTINGS
    uses: ClassVar[frozenset[str]] = frozenset(
        {"classes", "confidence", "attributes", "by_frames"}
    )
    reading: ReadRules = DEFAULT_RULES

    def prompt(self, question: Question, shape: MaskShape | None) -> str:
        """Write the prompt, the same for every model."""
        if question.by_frames:
            return Detect().prompt(question, shape)
        listing = "; ".join([_TIME, BOX, LABEL, *more_keys(question)])
        return "\n".join(
            [
                "Detect the objects in every frame of the video that you see.",
                f"Output a JSON list of objects where each entry contains {listing}.",
                TIMES,
                "Give every object an entry of its own in each frame that shows it.",
                "If there is nothing to name, answer an empty list [].",
                *closing(question),
            ]
        )

    def schema(
        self, question: Question, shape: MaskShape | None
    ) -> Mapping[str, JsonValue]:
        """Describe the answer: a list of objects, each with its time."""
        if question.by_frames:
            return Detect().schema(question, shape)
        properties: dict[str, JsonValue] = {
            "time": TIME_SCHEMA,
            "box_2d": BOX_SCHEMA,
            "label": label_schema(question),
        }
        return list_schema(properties | more_properties(question))

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Read objects with their times; see `parsing.sightings.read_sightings`."""
        found = read_sightings(
            text, media, rules=self.reading, attributes=question.attributes
        )
        return hold_to_classes(found, question.classes, self.reading)
