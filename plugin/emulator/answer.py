"""A sight, put in words as Gemini puts it: JSON text with boxes and masks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..values import JsonValue, MaskShape
from .asked import Asked, Named
from .places import box_3d, path_yx_1000, point_yx_1000
from .shapes import box_yxyx_1000, png_data_uri, ring_xy_1000
from .sight import Sight, Thing
from .telling import View, caption, reply

REFUSAL = (
    "I am the fiftyone-gemini emulator, not Gemini: I only know rendered table-top "
    "scenes and cannot judge this picture."
)
NO_TRUTH = (
    "I am the fiftyone-gemini emulator, not Gemini: I answer from a truth file, and it "
    "does not hold this picture."
)
NO_PICTURE = (
    "I am the fiftyone-gemini emulator, not Gemini: I can only say what is in one "
    "picture or compare several by questions, and this request does neither."
)
CHATTER = (
    "The picture shows several everyday objects on a surface. Let me know if you want "
    "to hear more about any of them. (This is the fiftyone-gemini emulator, not Gemini.)"
)
_PLACES = frozenset({"box_2d", "box_3d", "point", "mask"})
_NUMBER_OR_MASK = re.compile(r"\d{2,}|[A-Za-z0-9+/]{40,}")


def write_answer(
    views: Sequence[View], asked: Asked, shape: MaskShape, *, wants_json: bool
) -> str:
    """Write what was asked for as JSON text, fenced unless JSON was demanded."""
    if asked.numbers:
        return _by_number(views, asked, shape)
    compares = bool(asked.questions) and not asked.keys & _PLACES
    if len(views) > 1 and not compares:
        return NO_PICTURE
    text = _text(views, asked, shape)
    return text if wants_json else f"```json\n{text}\n```"


def _by_number(views: Sequence[View], asked: Asked, shape: MaskShape) -> str:
    """Answer for each picture under the number that stands before it."""
    if len(views) != len(asked.numbers):
        return NO_PICTURE
    answers = [
        {"image": number, **json.loads(_text([view], asked, shape))}
        for number, view in zip(asked.numbers, views, strict=True)
    ]
    return json.dumps({"answers": answers})


def _text(views: Sequence[View], asked: Asked, shape: MaskShape) -> str:
    """Choose what is written by the keys of the schema."""
    view, keys = views[0], asked.keys
    if "caption" in keys:
        return json.dumps({"caption": caption(view)})
    if asked.text and "text" in keys:
        return json.dumps({"text": view.text})
    if "points" in keys:
        return json.dumps(_paths(view.sight, asked))
    if "right" in keys:
        return json.dumps(_verdict(view, asked))
    if keys & _PLACES or not keys:
        return _entries(view, asked, shape)
    if "label" in keys:
        return json.dumps(_tags(view.sight, asked))
    answers = ((q.name, reply(q.words, views, q.choices)) for q in asked.questions)
    return json.dumps({name: said for name, said in answers if said is not None})


def _verdict(view: View, asked: Asked) -> dict[str, JsonValue]:
    """Tell whether the picture shows what it is said to show, and where in its middle."""
    found = _wanted(view.sight, asked) if asked.labels else []
    if not found:
        return {"right": "no"}
    frame = view.sight.frame

    def off_middle(thing: Thing) -> float:
        x0, y0, x1, y1 = thing.box.xyxy_px
        return abs(x0 + x1 - frame.width) + abs(y0 + y1 - frame.height)

    thing = min(found, key=off_middle)
    return {"right": "yes", "box_2d": [*box_yxyx_1000(thing.box, view.sight.frame)]}


def _wanted(sight: Sight, asked: Asked) -> list[Thing]:
    """Give the things of the labels asked for, or those that bear writing."""
    if asked.text:
        return [thing for thing in sight.things if thing.text]
    return [t for t in sight.things if asked.labels is None or t.label in asked.labels]


def _tags(sight: Sight, asked: Asked) -> JsonValue:
    """Give the label of the largest thing, or all labels where a list is asked for."""
    size: Counter[str] = Counter()
    for thing in _wanted(sight, asked):
        name = asked.labels[thing.label] if asked.labels else thing.label
        size[name] += round(thing.box.width * thing.box.height)
    sure: dict[str, JsonValue] = {"confidence": 1.0} if asked.confidence else {}
    tags: list[JsonValue] = [{"label": name, **sure} for name, _ in size.most_common()]
    if asked.wrapper:
        return {asked.wrapper: tags} if asked.wrapper != "label" else _first(tags)
    return tags


def _first(tags: list[JsonValue]) -> JsonValue:
    return tags[0] if tags else {"label": ""}


def _paths(sight: Sight, asked: Asked) -> JsonValue:
    """Draw one path through all things asked for."""
    wanted = _wanted(sight, asked)
    points = path_yx_1000(wanted, sight.frame)
    return [{"points": points, "label": "left to right"}] if wanted[1:] else []


def _entries(view: View, asked: Asked, shape: MaskShape) -> str:
    """List the things, one line each."""
    wanted = _wanted(view.sight, asked)
    items = ",\n  ".join(json.dumps(_entry(t, view, asked, shape)) for t in wanted)
    text = f"[\n  {items}\n]" if items else "[]"
    by_default = "boxes" if asked.masks and shape is MaskShape.POLYGON else ""
    wrapper = by_default if asked.wrapper is None else asked.wrapper
    if wrapper:
        text = f"{{{json.dumps(wrapper)}: {text}}}"
    return text


def cut_inside(text: str) -> str:
    """Cut a text after about 60 %, inside a number or a mask if there is one."""
    start = int(len(text) * 0.6)
    found = _NUMBER_OR_MASK.search(text, start)
    return text[: found.start() + 1] if found else text[: max(1, start)]


def _entry(
    thing: Thing, view: View, asked: Asked, shape: MaskShape
) -> dict[str, JsonValue]:
    """Describe one thing with the keys asked for."""
    sight = view.sight
    entry = _place(thing, sight, asked, shape)
    entry["label"] = asked.labels[thing.label] if asked.labels else thing.label
    if asked.text:
        entry["label"] = thing.text
    for question in asked.questions:
        said = _about(thing, view, question)
        if said is not None:
            entry[question.name] = said
    if asked.confidence:
        entry["confidence"] = round(thing.confidence, 2)
    return entry


def _place(
    thing: Thing, sight: Sight, asked: Asked, shape: MaskShape
) -> dict[str, JsonValue]:
    """Say where a thing is, in the way asked for."""
    if "point" in asked.keys:
        return {"point": point_yx_1000(thing, sight.frame)}
    if "box_3d" in asked.keys:
        return {"box_3d": box_3d(thing, sight.frame)}
    box = box_yxyx_1000(thing.box, sight.frame)
    entry: dict[str, JsonValue] = {"box_2d": [*box]}
    if asked.masks and thing.mask is not None:
        if shape is MaskShape.PNG:
            entry["mask"] = png_data_uri(thing.mask, box, sight.frame)
        elif ring := ring_xy_1000(thing.mask, sight.frame):
            entry["mask"] = [[*point] for point in ring]
    return entry


def _about(thing: Thing, view: View, question: Named) -> str | None:
    """Tell an attribute of one thing; None where it cannot be told in a choice."""
    alone = replace(view, sight=replace(view.sight, things=(thing,)))
    return reply(question.words, [alone], question.choices)
