"""Known labels to the entries of an answer: what examples show to the model."""

from __future__ import annotations

from ..values import Answer, Detection, Frame, JsonValue, Question, Value

_FULL = 1000


def thousandths(value: float, side: int) -> int:
    """Write a place in pixels as 0..1000 over a side of the picture."""
    return min(max(round(value / side * _FULL), 0), _FULL)


def point_yx_1000(x: float, y: float, frame: Frame) -> list[JsonValue]:
    """Write a place as [y, x]."""
    return [thousandths(y, frame.height), thousandths(x, frame.width)]


def box_yxyx_1000(detection: Detection, frame: Frame) -> list[JsonValue]:
    """Write a box as [ymin, xmin, ymax, xmax]."""
    x0, y0, x1, y1 = detection.box.xyxy_px
    return [*point_yx_1000(x0, y0, frame), *point_yx_1000(x1, y1, frame)]


def object_entry(
    detection: Detection, question: Question, frame: Frame
) -> dict[str, JsonValue]:
    """Write one object with the keys that a question asks for."""
    entry: dict[str, JsonValue] = {
        "box_2d": box_yxyx_1000(detection, frame),
        "label": detection.label,
    }
    for ask in question.attributes:
        if ask.name in detection.attributes:
            entry[ask.name] = detection.attributes[ask.name]
    if question.confidence and detection.confidence is not None:
        entry["confidence"] = detection.confidence
    return entry


def first_text(values: tuple[Value, ...]) -> str:
    """Give the first answer in words; empty where there is none."""
    said = (value.text for value in values if isinstance(value, Answer))
    return next(said, "")
