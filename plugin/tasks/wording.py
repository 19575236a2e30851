"""Sentences that the prompts of several tasks share.

Prompts are part of the key under which a reply is stored: the same question always
gives the same text.
"""

from __future__ import annotations

from ..values import JsonValue, Question

BOX = (
    'the 2D bounding box in the key "box_2d" as [ymin, xmin, ymax, xmax], '
    "integers normalized to 0-1000 over the whole image"
)
LABEL = 'the text label in the key "label"'
CONFIDENCE = (
    'your confidence in this object in the key "confidence", '
    "a number from 0 (a guess) to 1 (certain)"
)
BOX_SCHEMA: JsonValue = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 1000},
    "minItems": 4,
    "maxItems": 4,
    "description": "[ymin, xmin, ymax, xmax], normalized to 0-1000",
}
CONFIDENCE_SCHEMA: JsonValue = {"type": "number", "minimum": 0, "maximum": 1}


def rules(question: Question, *, nothing: str) -> list[str]:
    """Write the sentences that close a prompt: no duplicates, classes, instruction."""
    lines = [
        "Give every object an entry of its own, and none twice.",
        f"If there is nothing to name, answer {nothing}.",
    ]
    if question.classes:
        classes = ", ".join(question.classes)
        lines.append(f"Only these classes, spelled exactly so: {classes}.")
    if question.instruction.strip():
        lines.append(question.instruction.strip())
    return lines


def label_schema(question: Question) -> JsonValue:
    """Describe a label: any text, or one of the classes."""
    if not question.classes:
        return {"type": "string"}
    return {"type": "string", "enum": list(question.classes)}
