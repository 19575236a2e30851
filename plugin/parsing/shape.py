"""Tell the items of a JSON answer from the lists and objects around them."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import JsonValue

WRAPPERS = (
    *("boxes", "detections", "objects", "items", "results", "annotations"),
    *("predictions", "bounding_boxes", "segmentations", "masks"),
    *("events", "chapters", "segments"),
)
WRAPPER = "|".join(WRAPPERS)
_ITEM_KEYS = frozenset(
    {
        *("box_2d", "box", "bbox", "bounding_box", "box_3d", "label", "mask"),
        *("confidence", "point", "points", "trajectory", "trajectory_points"),
        *("start", "end", "time", "timestamp"),
    }
)
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class JsonItem:
    """One item and its place in the reply: `[3]`, `boxes[3]`, or nothing for all."""

    path: str
    value: JsonValue


def items_of(
    value: JsonValue, path: str = "", depth: int = _DEPTH
) -> list[JsonItem] | None:
    """List the items of an answer; None when it is no answer of the asked form.

    An answer is a list, an object around a list (`{"boxes": [...]}`), a list in a list,
    one item alone, or one bare list of numbers.
    """
    if isinstance(value, list):
        return _items_of_list(value, path, depth)
    if isinstance(value, dict):
        return _items_of_object(value, path, depth)
    return None


def _items_of_list(
    values: list[JsonValue], path: str, depth: int
) -> list[JsonItem] | None:
    if values and all(isinstance(v, int | float) for v in values):
        return [JsonItem(path, values)]
    found: list[JsonItem] = []
    for index, value in enumerate(values):
        here = f"{path}[{index}]"
        inside = items_of(value, here, depth - 1) if depth else None
        found.extend([JsonItem(here, value)] if inside is None else inside)
    return found


def _items_of_object(
    value: dict[str, JsonValue], path: str, depth: int
) -> list[JsonItem] | None:
    for key in () if value.keys().isdisjoint(WRAPPERS) else WRAPPERS:
        if isinstance(value.get(key), list | dict) and depth:
            return items_of(value[key], f"{path}.{key}".lstrip("."), depth - 1)
    lists = [key for key, inner in value.items() if _is_list_of_objects(inner)]
    if _ITEM_KEYS & (value.keys() - lists):
        return [JsonItem(path, value)]
    if len(lists) == 1 and depth:
        return items_of(value[lists[0]], f"{path}.{lists[0]}".lstrip("."), depth - 1)
    inner = [key for key, inner in value.items() if isinstance(inner, dict)]
    if len(inner) == 1 and depth:
        return items_of(value[inner[0]], f"{path}.{inner[0]}".lstrip("."), depth - 1)
    return [] if list(value.values()) == [[]] else None


def _is_list_of_objects(value: JsonValue) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and all(isinstance(inner, dict) for inner in value)
    )
