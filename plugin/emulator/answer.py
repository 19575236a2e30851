"""A sight, put in words as Gemini puts it: JSON text with boxes and masks."""

from __future__ import annotations

import json
import re

from ..values import JsonValue, MaskShape
from .asked import Asked
from .shapes import box_yxyx_1000, png_data_uri, ring_xy_1000
from .sight import Sight, Thing

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
    "picture, and this request does not hold exactly one."
)
CHATTER = (
    "The picture shows several everyday objects on a surface. Let me know if you want "
    "to hear more about any of them. (This is the fiftyone-gemini emulator, not Gemini.)"
)
_NUMBER_OR_MASK = re.compile(r"\d{2,}|[A-Za-z0-9+/]{40,}")


def write_answer(
    sight: Sight, asked: Asked, shape: MaskShape, *, wants_json: bool
) -> str:
    """Write all things asked for as JSON text, fenced unless JSON was demanded."""
    wanted = [
        t for t in sight.things if asked.labels is None or t.label in asked.labels
    ]
    items = ",\n  ".join(json.dumps(_entry(t, sight, asked, shape)) for t in wanted)
    text = f"[\n  {items}\n]" if items else "[]"
    by_default = "boxes" if asked.masks and shape is MaskShape.POLYGON else ""
    wrapper = by_default if asked.wrapper is None else asked.wrapper
    if wrapper:
        text = f"{{{json.dumps(wrapper)}: {text}}}"
    return text if wants_json else f"```json\n{text}\n```"


def cut_inside(text: str) -> str:
    """Cut a text after about 60 %, inside a number or a mask if there is one."""
    start = int(len(text) * 0.6)
    found = _NUMBER_OR_MASK.search(text, start)
    return text[: found.start() + 1] if found else text[: max(1, start)]


def _entry(
    thing: Thing, sight: Sight, asked: Asked, shape: MaskShape
) -> dict[str, JsonValue]:
    """Describe one thing with the keys asked for."""
    box = box_yxyx_1000(thing.box, sight.frame)
    entry: dict[str, JsonValue] = {"box_2d": [*box]}
    if asked.masks and thing.mask is not None:
        if shape is MaskShape.PNG:
            entry["mask"] = png_data_uri(thing.mask, box, sight.frame)
        elif ring := ring_xy_1000(thing.mask, sight.frame):
            entry["mask"] = [[*point] for point in ring]
    entry["label"] = asked.labels[thing.label] if asked.labels else thing.label
    if asked.confidence:
        entry["confidence"] = round(thing.confidence, 2)
    return entry
