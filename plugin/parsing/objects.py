"""Read the labelled objects of a reply: JSON items to detections and issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from ..values import Ask, Box, Detection, Frame, Issue, JsonValue, Mask, Reading
from .attributes import read_attributes
from .boxes import SIDES, Box1000, RawBox, box_key, find_box
from .fields import read_confidence, read_label
from .json_text import find_items
from .masks import MASK_KEYS, Wanted, mask_key, read_masks, rings_in
from .polygons import extent
from .rules import DEFAULT_RULES, ReadRules
from .scale import Scale, find_scale
from .shape import JsonItem

MAX_OBJECTS = 1000
"""Objects read of one reply; more is a model that runs in a loop."""
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
    reading, _ = read_items(
        text, frame, masks=masks, rules=rules, attributes=attributes
    )
    return reading


def read_items(
    text: str,
    frame: Frame,
    *,
    masks: bool,
    rules: ReadRules = DEFAULT_RULES,
    attributes: Sequence[Ask] = (),
    apart: Callable[[Mapping[str, JsonValue]], object] = lambda _: None,
) -> tuple[Reading, list[JsonItem]]:
    """Read as `read_objects` does; give also the item that each object was read from.

    Objects that `apart` tells apart are never repeats of each other.
    """
    found = find_items(text)
    issues = list(found.issues)
    taken = [_begin(item) for item in found.items[:MAX_OBJECTS]]
    raw = (one.raw for one in taken)
    places = [box.numbers for box in raw if box is not None and box.has_area]
    scale = find_scale(places, frame, issues)
    settled = [one.settled(scale, rules) for one in taken]
    objects = list(_without_repeats(list(filter(None, settled)), apart, masks=masks))
    crops = _crops(objects, frame, scale, rules) if masks else repeat(None)
    detections = tuple(
        one.detection(mask, frame, rules, attributes)
        for one, mask in zip(objects, crops)  # noqa: B905 - crops may have no end
    )
    lost = Counter(one.lost for one in taken if one.lost)
    lost["runaway"] = len(found.items) - len(taken)
    last = [_runaway(len(found.items))] if lost["runaway"] else []
    reading = Reading(
        values=detections,
        issues=tuple(chain(issues, *(one.issues for one in taken), last)),
        items_seen=found.seen,
        cut=found.cut,
        readable=found.readable,
        repaired=found.repaired,
        dropped=dict(lost + Counter(found.dropped)),
    )
    return reading, [JsonItem(one.begun.path, one.begun.item) for one in objects]


@dataclass(slots=True)
class _Begun:
    """An item of which the box was found; `lost` is the code of why it was dropped."""

    path: str
    item: dict[str, JsonValue]
    issues: list[Issue] = field(default_factory=list)
    raw: RawBox | None = None
    lost: str = ""

    def settled(self, scale: Scale, rules: ReadRules) -> _Object | None:
        """Place the box and read the label; None when the object is dropped."""
        box = None if self.raw is None else self.raw.placed(scale, self.issues)
        if box is None:
            self.lost = self.issues[-1].code
            return None
        label = read_label(self.item, self.path, self.issues)
        if not label and not rules.keep_unlabelled:
            self.lost = "label_missing"
            return None
        return _Object(self, box, label)


@dataclass(frozen=True, slots=True)
class _Object:
    """An object that has a place: what is left to be read is its mask and confidence."""

    begun: _Begun
    box: Box1000
    label: str

    @property
    def mask(self) -> JsonValue:
        """What stands for the mask."""
        return self.begun.item.get(mask_key(self.begun.item))

    def wanted_mask(self, frame: Frame) -> Wanted:
        """Say what mask is to be read."""
        begun, key = self.begun, mask_key(self.begun.item) or MASK_KEYS[0]
        path = f"{begun.path}.{key}".lstrip(".")
        if key != MASK_KEYS[0]:
            message = f"{key} was read as {MASK_KEYS[0]}"
            begun.issues.append(Issue(path, "mask_key", message))
        place = self.box.snapped(frame)
        return Wanted(self.mask, self.box, place, path, begun.issues)

    def detection(
        self,
        mask: Mask | None,
        frame: Frame,
        rules: ReadRules,
        attributes: Sequence[Ask],
    ) -> Detection:
        """Read what is left to be read, and put all together."""
        item, path, issues = self.begun.item, self.begun.path, self.begun.issues
        confidence = read_confidence(item, path, issues)
        place = self.box.in_pixels(frame) if mask is None else _box_of(mask)
        said = read_attributes(item, attributes, path, issues, rules)
        return Detection(self.label, place, mask, confidence, attributes=said)


def _begin(found: JsonItem) -> _Begun:
    """Find the box of an item, or draw it around the polygon of one that has none."""
    item = _as_object(found.value)
    one = _Begun(found.path, item or {})
    if item is None:
        message = "not an object with a box and a label"
        one.issues.append(Issue(found.path, "item_kind", message))
        return one
    key = mask_key(item)
    rings = rings_in(item[key]) if key and box_key(item) is None else None
    if rings is not None:
        item = {**item, "box_2d": list[JsonValue](extent(rings))}
        message = "there is no box; it was drawn around the polygon"
        here = f"{found.path}.box_2d".lstrip(".")
        one.issues.append(Issue(here, "box_from_polygon", message))
    one.raw = find_box(item, found.path, one.issues)
    return one


def _runaway(count: int) -> Issue:
    message = f"{count} objects; the first {MAX_OBJECTS} were read"
    return Issue("", "runaway", message)


def _as_object(value: JsonValue) -> dict[str, JsonValue] | None:
    """Take an item as an object; a bare box is one without a label."""
    if isinstance(value, list) and len(value) == _BOX_NUMBERS:
        return {"box_2d": value}
    if not isinstance(value, dict):
        return None
    # A Markdown converter writes `box\_2d`.
    plain = {key.replace("\\", ""): inner for key, inner in value.items()}
    item = {**{key.lower(): inner for key, inner in plain.items()}, **plain}
    if box_key(item) is None and all(side in item for side in SIDES):
        item["box_2d"] = {side: item[side] for side in SIDES}
    return item


def _without_repeats(
    objects: Sequence[_Object],
    apart: Callable[[Mapping[str, JsonValue]], object],
    *,
    masks: bool,
) -> Iterator[_Object]:
    """Leave out what was said before, word for word."""
    places = Counter((one.label, one.box) for one in objects)
    known = set()
    for one in objects:
        again = masks and places[one.label, one.box] > 1
        key = (
            one.label,
            one.box,
            repr(one.mask) if again else "",
            apart(one.begun.item),
        )
        if key in known:
            message = "said before, word for word"
            one.begun.issues.append(Issue(one.begun.path, "duplicate", message))
            one.begun.lost = "duplicate"
            continue
        known.add(key)
        yield one


def _crops(
    objects: Sequence[_Object], frame: Frame, scale: Scale, rules: ReadRules
) -> list[Mask | None]:
    """Read the masks of all objects together."""
    wanted = [one.wanted_mask(frame) for one in objects]
    return read_masks(wanted, frame, rules=rules, scale=scale)


def _box_of(mask: Mask) -> Box:
    height, width = mask.crop.shape
    return Box(mask.x, mask.y, width, height)
