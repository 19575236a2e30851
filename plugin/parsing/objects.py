"""Read the labelled objects of a reply: JSON items to detections and issues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..values import Box, Detection, Frame, Issue, JsonValue, Mask, Reading
from .boxes import Box1000, read_box
from .fields import read_confidence, read_label
from .json_text import find_items
from .masks import read_mask
from .shape import JsonItem

MAX_OBJECTS = 1000
"""Objects read of one reply; more is a model that runs in a loop."""
_BOX_NUMBERS = 4


def read_objects(text: str, frame: Frame, *, masks: bool) -> Reading:
    """Read every object of a reply; never raises.

    Without `masks`, boxes keep their fractions of a pixel and masks are passed over.
    With them, an object with a mask has a box snapped to whole pixels.
    """
    found = find_items(text)
    reader = _Reader(frame, masks=masks, issues=list(found.issues))
    if _in_fractions(found.items):
        reader.full = 1.0
        message = "every box is in 0..1 and was read so, not in 0..1000"
        reader.issues.append(Issue("", "box_scale", message))
    for item in found.items[:MAX_OBJECTS]:
        reader.read(item.path, item.value)
    if len(found.items) > MAX_OBJECTS:
        message = f"{len(found.items)} objects; the first {MAX_OBJECTS} were read"
        reader.issues.append(Issue("", "runaway", message))
    return Reading(
        detections=tuple(reader.detections),
        issues=tuple(reader.issues),
        items_seen=found.seen,
        cut=found.cut,
        readable=found.readable,
    )


def _as_object(value: JsonValue) -> dict[str, JsonValue] | None:
    """Take an item as an object; a bare box is one without a label."""
    if isinstance(value, list) and len(value) == _BOX_NUMBERS:
        return {"box_2d": value}
    if not isinstance(value, dict):
        return None
    # A Markdown converter writes `box\_2d`.
    return {key.replace("\\", ""): inner for key, inner in value.items()}


def _in_fractions(items: Iterable[JsonItem]) -> bool:
    """Say whether every box of a reply lies in 0..1: the whole reply decides.

    One such box among others is a sliver in the corner, as it says.
    """
    fractions = False
    for item in items:
        value = _as_object(item.value)
        box = read_box(value, "", []) if value else None
        if box is not None and max(box.ymax, box.xmax) > 1:
            return False
        fractions = fractions or box is not None
    return fractions


@dataclass(slots=True)
class _Reader:
    """What was read so far of one reply."""

    frame: Frame
    masks: bool
    issues: list[Issue]
    detections: list[Detection] = field(default_factory=list)
    known: set[tuple[str, Box1000, str]] = field(default_factory=set)
    full: float = 1000.0

    def read(self, path: str, value: JsonValue) -> None:
        """Read one item, or say why it was dropped."""
        item = _as_object(value)
        if item is None:
            message = "not an object with a box and a label"
            self.issues.append(Issue(path, "item_kind", message))
            return
        box = read_box(item, path, self.issues, full=self.full)
        if box is None:
            return
        label = read_label(item, path, self.issues)
        if not self.is_new(path, label, box, item.get("mask")):
            return
        mask = self.mask(path, item, box) if self.masks else None
        place = box.in_pixels(self.frame)
        if mask is not None:
            height, width = mask.crop.shape
            place = Box(mask.x, mask.y, width, height)
        confidence = read_confidence(item, path, self.issues)
        self.detections.append(Detection(label, place, mask, confidence))

    def mask(self, path: str, item: dict[str, JsonValue], box: Box1000) -> Mask | None:
        here = f"{path}.mask".lstrip(".")
        return read_mask(item.get("mask"), box, self.frame, here, self.issues)

    def is_new(self, path: str, label: str, box: Box1000, mask: JsonValue) -> bool:
        """Say whether this object was not said before, and remember it."""
        key = (label, box, repr(mask) if self.masks else "")
        if key in self.known:
            self.issues.append(Issue(path, "duplicate", "said before, word for word"))
            return False
        self.known.add(key)
        return True
