"""What must hold of whatever is read out of whatever text: tests and fuzzing share it."""

from __future__ import annotations

import re
from json import JSONDecoder

from fiftyone_gemini.parsing.fields import MAX_LABEL
from fiftyone_gemini.parsing.json_text import find_items
from fiftyone_gemini.parsing.objects import read_objects
from fiftyone_gemini.parsing.points import (
    read_boxes_3d,
    read_points,
    read_trajectories,
)
from fiftyone_gemini.reading import judge
from fiftyone_gemini.tasks import Task
from fiftyone_gemini.values import (
    Detection,
    Frame,
    Media,
    Question,
    Reading,
    Reply,
    Status,
)

FRAME = Frame(640, 480)
NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
SPLICES = [
    *("", *"{}[]\"',:-9.\\`", "```", "\n```python\n", "NaN", "<seg_3>", "9" * 40),
    *('"box_2d"', "null", "\x00", "\ud800", "'", '", "label": "', "Here: []", "}]"),
]
NESTS = [
    *("[{}]", '{{"boxes": {}}}', '{{"a": {{"b": {}}}}}', "Here you are:\n{}\nBye."),
    *("```json\n{}\n```", "{}\n{}", '[{{"mask": {}}}]', "```python\nx = {}\n```\n[]"),
]


def read_as(task: Task, text: str, frame: Frame) -> Reading:
    """Read a text as the reply of a task about a picture of this size."""
    return task.read(text, Question(task.name), Media(b"", "image/png", frame, frame))


def check_text(text: str) -> Reading:
    """Read a text in every way; whatever comes out stands in the text."""
    read_points(text, FRAME)
    read_trajectories(text, FRAME)
    read_boxes_3d(text)
    check_reading(read_objects(text, FRAME, masks=False))
    reading = read_objects(text, FRAME, masks=True)
    check_reading(reading)
    if judge(Reply(text=text), reading)[0] is Status.EMPTY:
        assert re.search(r"\[\s*\]", text), "only an empty list says: nothing there"
    written = {float(number) for number in NUMBER.findall(text)}
    unescaped = re.sub(r"\\[bfnrt]", " ", text)
    words = set(re.findall(r"[a-z]{3,}", f"{text} {unescaped}"))
    for item in find_items(text).items:
        assert numbers_of(item.value) <= written
    labels = [d.label for d in reading.detections if len(d.label) < MAX_LABEL]
    assert set(re.findall(r"[a-z]{3,}", " ".join(labels))) <= words
    return reading


def check_reading(reading: Reading) -> None:
    """Every item seen is a detection or dropped for a reason; all lie in the picture."""
    read = len(reading.detections)
    assert reading.items_seen == read + sum(reading.dropped.values())
    assert reading.readable or not (reading.items_seen or reading.cut)
    codes = {issue.code for issue in reading.issues}
    assert set(reading.dropped) <= codes
    for detection in reading.detections:
        check_place(detection)


def check_place(detection: Detection) -> None:
    """Check that a box lies in the picture, and that a mask covers exactly its box."""
    x0, y0, x1, y1 = detection.box.xyxy_px
    assert 0 <= x0 < x1 <= FRAME.width + 1e-6
    assert 0 <= y0 < y1 <= FRAME.height + 1e-6
    if detection.mask is not None:
        assert detection.mask.crop.shape == (y1 - y0, x1 - x0)
        assert detection.mask.crop.any()


def check_cut(text: str, at: int) -> None:
    """Cut at any place, a text gives exactly its objects that end before the cut."""
    whole = [value for value, end in objects_of(text) if end <= at]
    found = [item.value for item in find_items(text[:at]).items]
    assert found == whole


def objects_of(text: str) -> list[tuple[object, int]]:
    """List the items of a sound text, and where each ends."""
    heads = re.finditer(r'\{\s*"(?:box_2d|label)"', text)
    read = JSONDecoder().raw_decode
    return [read(text, head.start()) for head in heads]


def numbers_of(value: object) -> set[float]:
    """Collect the numbers inside a JSON value, without their signs."""
    if isinstance(value, bool | str) or value is None:
        return set()
    if isinstance(value, int | float):
        return {abs(float(value))} if value == value else set()  # noqa: PLR0124
    inner = value.values() if isinstance(value, dict) else value
    return set().union(*map(numbers_of, inner))


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    """Cut out and put in: place (0 to 1), characters to leave out, text to put in."""
    for place, length, put in edits:
        at = int(place * len(text))
        text = text[:at] + put + text[at + length :]
    return text
