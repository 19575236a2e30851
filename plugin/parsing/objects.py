"""Read the labelled objects of a reply: JSON items to detections and issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..values import Ask, Box, Detection, Frame, Issue, JsonValue, Mask, Reading
from .attributes import read_attributes
from .boxes import Box1000, box_key, raw_box, read_box
from .fields import read_confidence, read_label
from .json_text import find_items
from .masks import Budget, read_mask, rings_in
from .polygons import extent
from .rules import DEFAULT_RULES, ReadRules
from .scale import Scale, find_scale
from .shape import JsonItem

MAX_OBJECTS = 1000
"""Objects read of one reply; more is a model that runs in a loop."""
MAX_MASK_PIXELS = 150_000_000
"""Pixels of the masks of one reply; four whole pictures where those are more."""
_BOX_NUMBERS = 4


def read_objects(
    text: str,
    frame: Frame,
    *,
    masks: bool,
    rules: ReadRules = DEFAULT_RULES,
    attributes: Sequence[Ask] = (),
) -> Reading:
    """Read every object of a reply; never raises, unless a plugged-in decoder does.

    Without `masks`, boxes keep their fractions of a pixel and masks are passed over.
    With them, an object with a mask has a box snapped to whole pixels. Of all other
    keys only the `attributes` are read, as texts.
    """
    found = find_items(text)
    issues = list(found.issues)
    taken = found.items[:MAX_OBJECTS]
    scale = find_scale(_raw_boxes(taken), frame, issues)
    budget = Budget(max(MAX_MASK_PIXELS, 4 * frame.width * frame.height))
    reader = _Reader(frame, rules, scale, issues, attributes, masks, budget)
    reader.dropped.update(found.dropped)
    for item in taken:
        reader.read(item.path, item.value)
    if runaway := len(found.items) - len(taken):
        message = f"{len(found.items)} objects; the first {MAX_OBJECTS} were read"
        issues.append(Issue("", "runaway", message))
        reader.dropped["runaway"] = runaway
    return Reading(
        values=tuple(reader.detections),
        issues=tuple(issues),
        items_seen=found.seen,
        cut=found.cut,
        readable=found.readable,
        repaired=found.repaired,
        dropped=dict(reader.dropped),
    )


def _as_object(value: JsonValue) -> dict[str, JsonValue] | None:
    """Take an item as an object; a bare box is one without a label."""
    if isinstance(value, list) and len(value) == _BOX_NUMBERS:
        return {"box_2d": value}
    if not isinstance(value, dict):
        return None
    # A Markdown converter writes `box\_2d`.
    return {key.replace("\\", ""): inner for key, inner in value.items()}


def _raw_boxes(items: Iterable[JsonItem]) -> list[list[float]]:
    objects = (_as_object(item.value) for item in items)
    boxes = (raw_box(_outlined(value) or value) for value in objects if value)
    return [box for box in boxes if box is not None]


def _outlined(item: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Give an item without a box the one around its polygon, if it has one."""
    rings = rings_in(item.get("mask")) if box_key(item) is None else None
    return {**item, "box_2d": list[JsonValue](extent(rings))} if rings else None


@dataclass(slots=True)
class _Reader:
    """What was read so far of one reply."""

    frame: Frame
    rules: ReadRules
    scale: Scale
    issues: list[Issue]
    attributes: Sequence[Ask]
    masks: bool
    budget: Budget
    detections: list[Detection] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    known: set[tuple[str, Box1000, str]] = field(default_factory=set)

    def read(self, path: str, value: JsonValue) -> None:
        """Read one item, or say why it was dropped."""
        item = _as_object(value)
        if item is None:
            message = "not an object with a box and a label"
            self.issues.append(Issue(path, "item_kind", message))
            self.dropped["item_kind"] += 1
            return
        box = self.box(path, item)
        if box is None:
            self.dropped[self.issues[-1].code] += 1
            return
        label = read_label(item, path, self.issues)
        if not label and not self.rules.keep_unlabelled:
            self.dropped["label_missing"] += 1
            return
        if not self.is_new(path, label, box, item.get("mask")):
            self.dropped["duplicate"] += 1
            return
        mask = self.mask(path, item, box) if self.masks else None
        confidence = read_confidence(item, path, self.issues)
        place = box.in_pixels(self.frame) if mask is None else _box_of(mask)
        said = read_attributes(item, self.attributes, path, self.issues, self.rules)
        found = Detection(label, place, mask, confidence, attributes=said)
        self.detections.append(found)

    def box(self, path: str, item: dict[str, JsonValue]) -> Box1000 | None:
        """Read the box, or draw it around the polygon of an item that has none."""
        outlined = _outlined(item)
        if outlined is not None:
            message = "there is no box; it was drawn around the polygon"
            here = f"{path}.box_2d".lstrip(".")
            self.issues.append(Issue(here, "box_from_polygon", message))
        return read_box(outlined or item, path, self.issues, scale=self.scale)

    def mask(self, path: str, item: dict[str, JsonValue], box: Box1000) -> Mask | None:
        """Read the mask of an item, as far as the pixels of this reply last."""
        return read_mask(
            item.get("mask"),
            box,
            self.frame,
            f"{path}.mask".lstrip("."),
            self.issues,
            rules=self.rules,
            scale=self.scale,
            budget=self.budget,
        )

    def is_new(self, path: str, label: str, box: Box1000, mask: JsonValue) -> bool:
        """Say whether this object was not said before, and remember it."""
        key = (label, box, repr(mask) if self.masks else "")
        if key in self.known:
            self.issues.append(Issue(path, "duplicate", "said before, word for word"))
            return False
        self.known.add(key)
        return True


def _box_of(mask: Mask) -> Box:
    height, width = mask.crop.shape
    return Box(mask.x, mask.y, width, height)
