"""Read objects with the time at which each is seen: detections in a video."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import orjson

from ..values import Ask, Issue, JsonValue, Media, Reading, Sighting
from .objects import read_items, read_objects
from .rules import DEFAULT_RULES, ReadRules
from .shape import WRAPPERS, JsonItem
from .timeline import Timeline, find_timeline
from .times import Stretch, read_stretch

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)


def read_sightings(
    text: str,
    media: Media,
    *,
    rules: ReadRules = DEFAULT_RULES,
    attributes: Sequence[Ask] = (),
) -> Reading:
    """Read every object of a reply about a video, or about a frame cut out of one.

    Objects listed under a time (`{"time": ..., "objects": [...]}`) have that time; one
    without any is dropped. In a frame all are seen at its moment. Never raises.
    """
    if media.moment_seconds is not None:
        still = read_objects(
            text, media.frame, masks=False, rules=rules, attributes=attributes
        )
        seen = [Sighting(media.moment_seconds, found) for found in still.detections]
        return replace(still, values=tuple(seen))
    found, items = read_items(
        _flat(text),
        media.frame,
        masks=False,
        rules=rules,
        attributes=attributes,
        apart=read_stretch,
    )
    return _timed(found, items, media)


def _timed(found: Reading, items: Sequence[JsonItem], media: Media) -> Reading:
    """Give each object the time of its item; drop those that have none."""
    stretches = [_stretch(item) for item in items]
    issues, lost = list(found.issues), Counter(found.dropped)
    timeline = find_timeline([s for s in stretches if s], media, issues)
    values: list[Sighting] = []
    for item, stretch, detection in zip(
        items, stretches, found.detections, strict=True
    ):
        place = _place(stretch, timeline, item.path, issues)
        if place is None:
            lost[issues[-1].code] += 1
        else:
            values.append(Sighting(place, detection))
    values.sort(key=lambda sighting: sighting.seconds)
    return replace(
        found, values=tuple(values), issues=tuple(issues), dropped=dict(lost)
    )


def _stretch(item: JsonItem) -> Stretch | None:
    return read_stretch(item.value) if isinstance(item.value, dict) else None


def _place(
    stretch: Stretch | None, timeline: Timeline, path: str, issues: list[Issue]
) -> float | None:
    """Give the time of an object; None where there is none: the last issue says why."""
    if stretch is None:
        message = "there is no time at which it is seen"
        issues.append(Issue(path, "time_missing", message))
        return None
    place = timeline.place(replace(stretch, end=None), path, issues)
    return None if place is None else place[0]


def _flat(text: str) -> str:
    """Give each object the time of the list it stands in, where that is written so."""
    fences = _FENCE.findall(text)
    for candidate in (text, *(fences if len(fences) == 1 else ())):
        try:
            value = orjson.loads(candidate.strip())
        except orjson.JSONDecodeError:
            continue
        groups = next(iter(value.values()), None) if isinstance(value, dict) else value
        if isinstance(groups, list) and any(map(_inner, groups)):
            flat = [entry for group in groups for entry in _with_time(group)]
            return orjson.dumps(flat).decode()
    return text


def _inner(group: JsonValue) -> list[JsonValue]:
    """Give the objects of an entry that has a time and a list of them."""
    if not isinstance(group, dict) or read_stretch(group) is None:
        return []
    lists = (group.get(key) for key in WRAPPERS)
    return next((found for found in lists if isinstance(found, list)), [])


def _with_time(group: JsonValue) -> list[JsonValue]:
    """Give the objects of an entry, each with its time."""
    inner = _inner(group)
    if not inner or not isinstance(group, dict):
        return [group]
    told = {k: v for k, v in group.items() if k not in WRAPPERS}
    return [{**told, **obj} if isinstance(obj, dict) else obj for obj in inner]
