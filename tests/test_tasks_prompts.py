"""Tasks: the prompt says what the reader reads, the same way every time."""

from __future__ import annotations

import json

import pytest
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.parsing.rules import ReadRules
from fiftyone_gemini.tasks import TASKS, find_task
from fiftyone_gemini.tasks.detect import Detect
from fiftyone_gemini.tasks.segment import Segment
from fiftyone_gemini.values import Frame, MaskShape, Question
from reply_checks import read_as

FRAME = Frame(1000, 1000)
CUP = {"box_2d": [100, 200, 300, 400], "label": "cup"}
OUTLINE = [[200, 100], [400, 100], [400, 300], [200, 300]]
PNG, POLYGON = MaskShape.PNG, MaskShape.POLYGON
OBJECTS = ("detect", "segment")


@pytest.mark.parametrize("shape", [PNG, POLYGON])
@pytest.mark.parametrize("name", OBJECTS)
def test_prompts_state_the_convention(name: str, shape: MaskShape) -> None:
    """Every prompt names the keys, the order, the scale and the empty answer."""
    prompt = TASKS[name].prompt(Question(name), shape)
    for words in ('"box_2d"', "[ymin, xmin, ymax, xmax]", "0-1000", '"label"', "[]",
                  "and none twice"):  # fmt: skip
        assert words in prompt
    assert ('"mask"' in prompt) == (name == "segment")
    assert '"confidence"' not in prompt
    assert "classes" not in prompt


@pytest.mark.parametrize("shape", [PNG, POLYGON])
@pytest.mark.parametrize("name", OBJECTS)
def test_prompts_carry_the_question(name: str, shape: MaskShape) -> None:
    """Classes, instruction and the wish for a confidence reach the prompt, always alike."""
    question = Question(name, ("cup", "wine glass"), " Only the clean ones. ", True)
    prompt = TASKS[name].prompt(question, shape)
    assert "Only these classes, spelled exactly so: cup, wine glass." in prompt
    assert prompt.endswith("Only the clean ones.")
    assert '"confidence"' in prompt
    assert prompt == find_task(name).prompt(question, shape)


def test_polygons_are_asked_for_plainly() -> None:
    """The polygon prompt says [x, y], the whole image, and the wrapper."""
    prompt = find_task("segment").prompt(Question("segment"), POLYGON)
    for words in ("[x, y]", "not relative to the box", '{"boxes": [...]}'):
        assert words in prompt


@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize(
    ("name", "shape"), [("detect", None), ("detect", PNG), ("segment", POLYGON)]
)
def test_what_the_schema_allows_is_read(
    name: str, shape: MaskShape | None, confidence: bool
) -> None:
    """An answer that keeps to the schema is read whole and without an issue."""
    task, question = find_task(name), Question(name, ("cup",), confidence=confidence)
    entry = {
        **CUP,
        **({"mask": OUTLINE} if name == "segment" else {}),
        **({"confidence": 0.5} if confidence else {}),
    }
    answer = {"boxes": [entry]} if name == "segment" else [entry]
    schema = task.schema(question, shape)
    assert schema is not None
    listed = schema["properties"]["boxes"] if name == "segment" else schema
    assert (schema["type"], listed["type"]) == (
        ("object", "array") if name == "segment" else ("array", "array")
    )
    fields = listed["items"]
    assert list(fields["properties"]) == fields["required"] == list(entry)
    assert fields["properties"]["label"]["enum"] == ["cup"]
    box = fields["properties"]["box_2d"]
    assert (box["minItems"], box["maxItems"]) == (4, 4)
    assert (box["items"]["minimum"], box["items"]["maximum"]) == (0, 1000)
    json.dumps(schema)
    reading = read_as(task, json.dumps(answer), FRAME)
    assert not reading.issues
    (cup,) = reading.detections
    assert cup.confidence == (0.5 if confidence else None)
    assert (cup.mask is not None) == (name == "segment")
    assert cup.box.xyxy_px == (200, 100, 400, 300)


def test_png_masks_are_asked_for_without_schema() -> None:
    """JSON mode breaks PNG masks, so no schema goes with them."""
    assert find_task("segment").schema(Question("segment"), PNG) is None


def test_a_model_without_masks_is_refused() -> None:
    """Segmentation by a model that writes no masks is the caller's mistake."""
    task = find_task("segment")
    with pytest.raises(UsageError, match=r"writes no masks.*gemini-3\.8-flash"):
        task.prompt(Question("segment"), None)
    with pytest.raises(UsageError, match="writes no masks"):
        task.schema(Question("segment"), None)


def test_detection_passes_masks_over() -> None:
    """A mask that nobody asked for makes no detection mask and no issue."""
    reading = read_as(
        find_task("detect"), json.dumps([{**CUP, "mask": OUTLINE}]), FRAME
    )
    assert reading.detections[0].mask is None
    assert not reading.issues


@pytest.mark.parametrize("kind", [Detect, Segment])
def test_tasks_read_by_chosen_rules(kind: type[Detect | Segment]) -> None:
    """A task built with rules reads by them; the registered ones have the defaults."""
    text = json.dumps([{"box_2d": [100, 200, 300, 400], "mask": OUTLINE}, CUP])
    strict = kind(ReadRules(keep_unlabelled=False))
    assert [d.label for d in read_as(strict, text, FRAME).detections] == ["cup"]
    assert len(read_as(TASKS[strict.name], text, FRAME).detections) == 2


def test_an_unknown_task_lists_the_known_ones() -> None:
    """The error names the tasks there are."""
    with pytest.raises(UsageError, match="detect, segment"):
        find_task("paint")
