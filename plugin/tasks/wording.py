"""Sentences and schemas that several tasks share.

Prompts are part of the key under which a reply is stored: the same question always
gives the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..values import Ask, JsonValue, Question

BOX = (
    'the 2D bounding box in the key "box_2d" as [ymin, xmin, ymax, xmax], '
    "integers normalized to 0-1000 over the whole image"
)
LABEL = 'the text label in the key "label"'
CONFIDENCE = (
    'your confidence in this object in the key "confidence", '
    "a number from 0 (a guess) to 1 (certain)"
)
THOUSANDTH: JsonValue = {"type": "integer", "minimum": 0, "maximum": 1000}
BOX_SCHEMA: JsonValue = {
    "type": "array",
    "items": THOUSANDTH,
    "minItems": 4,
    "maxItems": 4,
    "description": "[ymin, xmin, ymax, xmax], normalized to 0-1000",
}
POINT_SCHEMA: JsonValue = {
    "type": "array",
    "items": THOUSANDTH,
    "minItems": 2,
    "maxItems": 2,
    "description": "[y, x], normalized to 0-1000",
}
CONFIDENCE_SCHEMA: JsonValue = {"type": "number", "minimum": 0, "maximum": 1}
TIME_SCHEMA: JsonValue = {"type": "string", "description": "MM:SS or MM:SS.mmm"}
FROM_TO = (
    'the time at which it begins in the key "start"; '
    'the time at which it ends in the key "end"'
)
TIMES = (
    "Write times as MM:SS, or MM:SS.mmm where you can tell, counted from the start of "
    "the whole video."
)
MOST_TOGETHER = 50
"""Pictures in one request, where their answers are short."""
ONCE = "Give every object an entry of its own, and none twice."


def rules(question: Question, *, nothing: str) -> list[str]:
    """Write the sentences that close a prompt: no duplicates, classes, instruction."""
    return [
        ONCE,
        f"If there is nothing to name, answer {nothing}.",
        *closing(question),
    ]


def closing(question: Question) -> list[str]:
    """Write the classes and the instruction."""
    lines = []
    if question.classes:
        classes = ", ".join(question.classes)
        lines.append(f"Only these classes, spelled exactly so: {classes}.")
    if question.instruction.strip():
        lines.append(question.instruction.strip())
    return lines


def stamp(seconds: float) -> str:
    """Write a time as `TIMES` says."""
    minutes, rest = divmod(round(seconds, 3), 60)
    text = f"{int(minutes):02}:{rest:06.3f}"
    return text.removesuffix(".000")


def label_schema(question: Question) -> JsonValue:
    """Describe a label: any text, or one of the classes."""
    if not question.classes:
        return {"type": "string"}
    return {"type": "string", "enum": list(question.classes)}


def more_keys(question: Question) -> list[str]:
    """Describe the keys that were asked for: attributes, then the confidence."""
    keys = [f'{_meaning(ask)} in the key "{ask.name}"' for ask in question.attributes]
    return [*keys, *([CONFIDENCE] if question.confidence else [])]


def more_properties(question: Question) -> dict[str, JsonValue]:
    """Describe what `more_keys` asks for as properties of a JSON schema."""
    found = {ask.name: ask_schema(ask) for ask in question.attributes}
    return found | ({"confidence": CONFIDENCE_SCHEMA} if question.confidence else {})


def ask_schema(ask: Ask) -> JsonValue:
    """Describe the answer to one ask: any text, or one of its choices."""
    schema: dict[str, JsonValue] = {"type": "string"}
    if ask.choices:
        schema["enum"] = list(ask.choices)
    return schema


def asked_lines(asks: Sequence[Ask]) -> list[str]:
    """Write questions as lines of a prompt, each with the key of its answer."""
    return [f'- "{ask.name}": {_worded(ask)}' for ask in asks]


def object_schema(properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Describe an object that has all of these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
    }


def list_schema(properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Describe a list of objects that have all of these properties."""
    return {"type": "array", "items": object_schema(properties)}


def _meaning(ask: Ask) -> str:
    meaning = ask.text.strip() or f"the {ask.name.replace('_', ' ')} of the object"
    return meaning + _choice_words(ask)


def _worded(ask: Ask) -> str:
    return (ask.text.strip() or ask.name.replace("_", " ")) + _choice_words(ask)


def _choice_words(ask: Ask) -> str:
    return f" (one of: {', '.join(ask.choices)})" if ask.choices else ""
