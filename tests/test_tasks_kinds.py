"""Every task: what it asks stands in the prompt and the schema, and is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fiftyone_gemini import tasks
from fiftyone_gemini.asking import Asking
from fiftyone_gemini.errors import UsageError
from fiftyone_gemini.parsing.rules import ReadRules
from fiftyone_gemini.parsing.solids import edges_xy_px
from fiftyone_gemini.reading import judge
from fiftyone_gemini.tasks import TASKS, Showing, find_task, form_of
from fiftyone_gemini.tasks.classify import Classify
from fiftyone_gemini.values import (
    Answer,
    Ask,
    Box,
    Box3d,
    Detection,
    Form,
    Frame,
    Kind,
    MaskShape,
    Media,
    Medium,
    Point,
    Question,
    Reading,
    Reply,
    Status,
    Tag,
    Trajectory,
    Value,
)

FRAME = Frame(1000, 500)
MEDIA = Media(b"", "image/png", FRAME, FRAME)
ASKS = (Ask("cups", "How many cups are there?"), Ask("light", choices=("day", "night")))
FULL = {
    "classes": ("cup", "wine glass"),
    "confidence": True,
    "attributes": (Ask("colour"), Ask("state", "whole or broken", ("whole", "broken"))),
    "asks": ASKS,
    "fov_degrees": 60.0,
}
PICTURES = [name for name, task in TASKS.items() if Medium.IMAGE in task.about]


def plain(name: str) -> Question:
    """Make the least question of a task."""
    return Question(name, asks=ASKS if name == "vqa" else ())


def full(name: str) -> Question:
    """Make a question that uses all that a task heeds."""
    chosen = {key: FULL[key] for key in TASKS[name].uses}
    return replace(Question(name, instruction="Only clean ones."), **chosen)


def read(question: Question, text: object) -> tuple[Status, Reading]:
    """Read a text, or what is written as JSON, as the reply to a question."""
    said = text if isinstance(text, str) else json.dumps(text)
    reading = find_task(question.task).read(said, question, MEDIA)
    return judge(Reply(text=said), reading)[0], reading


@pytest.mark.parametrize("name", PICTURES)
def test_all_that_a_task_heeds_changes_what_is_asked(name: str) -> None:
    """Nothing offered is ignored: each field changes the prompt, the schema or reading."""
    asked = full(name)

    def sent(question: Question) -> tuple[str, object]:
        asking = Asking.about(question, "gemini-3.8-flash")
        return asking.prompt, asking.schema

    assert sent(asked)[0].endswith("Only clean ones.")
    for field in TASKS[name].uses - {"fov_degrees"}:
        if name == "vqa":
            other = replace(asked, asks=ASKS[:1])
        else:
            other = replace(asked, **{field: getattr(Question(name), field)})
        assert sent(other)[0] != sent(asked)[0]
        assert sent(other)[1] != sent(asked)[1]


@pytest.mark.parametrize("name", PICTURES)
def test_what_a_task_does_not_heed_is_refused(name: str) -> None:
    """A field that a task would ignore is an error before anything is asked."""
    for field in FULL.keys() - TASKS[name].uses:
        question = replace(plain(name), **{field: FULL[field]})
        with pytest.raises(UsageError, match=f"no use of {field}"):
            Asking.about(question, "gemini-3.8-flash")


@pytest.mark.parametrize("name", PICTURES)
def test_a_schema_is_closed_by_the_classes_and_choices(name: str) -> None:
    """Where classes or choices are given, the schema allows no others."""
    text = json.dumps(find_task(name).schema(full(name), MaskShape.POLYGON))
    if "classes" in TASKS[name].uses:
        assert '"enum": ["cup", "wine glass"]' in text
    if "asks" in TASKS[name].uses:
        assert '"enum": ["day", "night"]' in text
    if "attributes" in TASKS[name].uses:
        assert '"enum": ["whole", "broken"]' in text


SHOWN: list[tuple[str, tuple[Value, ...]]] = [
    ("detect", (Detection("cup", Box(100, 50, 300, 200)),)),
    ("ocr", (Detection("EXIT 4", Box(0, 0, 10, 5), attributes={"text": "EXIT 4"}),)),
    ("point", (Point("cup", 500, 250), Point("jar", 0, 500))),
    ("path", (Trajectory("rail", ((0.0, 0.0), (500.0, 250.0), (1000.0, 500.0))),)),
    ("classify", (Tag("kitchen"),)),
    ("tag", (Tag("kitchen"), Tag("night"))),
    ("caption", (Answer('A "cup", \\ and\na jar.'),)),
    ("read", (Answer("EXIT\n4"),)),
    ("vqa", (Answer("3", "cups"), Answer("night", "light"))),
]


@pytest.mark.parametrize(("name", "values"), SHOWN)
@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Here it is:\n{}\nBye."])
def test_what_is_shown_is_read_back(
    name: str, values: tuple[Value, ...], around: str
) -> None:
    """Known labels written as an answer are read as just these, whatever surrounds it."""
    task = find_task(name)
    assert isinstance(task, Showing)
    said = task.answer(values, plain(name), FRAME, None)
    status, reading = read(plain(name), around.replace("{}", said))
    assert (status, reading.values, reading.issues) == (Status.OK, values, ())
    assert reading.items_seen == len(values)


NOTHING: list[tuple[str, object, Status]] = [
    ("tag", {"labels": []}, Status.EMPTY),
    ("point", [], Status.EMPTY),
    ("ocr", [], Status.EMPTY),
    ("read", {"text": ""}, Status.EMPTY),
    ("caption", {"caption": " "}, Status.MALFORMED),
    ("caption", {}, Status.MALFORMED),
    ("vqa", {"cups": "", "light": None}, Status.MALFORMED),
    ("classify", {"label": ""}, Status.MALFORMED),
    ("classify", "I cannot tell.", Status.MALFORMED),
    ("tag", "None of them.", Status.MALFORMED),
    ("vqa", "There are three.", Status.MALFORMED),
    ("caption", '{"caption": "A cup on a ta', Status.TRUNCATED),
    ("vqa", '{"cups": "3", "light": "ni', Status.TRUNCATED),
]


@pytest.mark.parametrize(("name", "text", "status"), NOTHING)
def test_nothing_is_told_from_no_answer(
    name: str, text: object, status: Status
) -> None:
    """A picture without text is empty; a caption without words is no answer at all."""
    found, reading = read(plain(name), text)
    assert found is status
    assert len(reading.values) == (1 if "3" in str(text) else 0)
    assert reading.items_seen == len(reading.values) + sum(reading.dropped.values())


def test_plain_words_are_a_caption() -> None:
    """A caption without JSON is kept, and the issue says so."""
    status, reading = read(plain("caption"), "A cup on a table.")
    assert (status, reading.values) == (Status.OK, (Answer("A cup on a table."),))
    assert [issue.code for issue in reading.issues] == ["plain_text"]


def test_a_closed_list_holds_tags() -> None:
    """A tag outside of the list is left out with an issue; its spelling is the list's."""
    question = Question("tag", ("Kitchen", "Street"))
    status, reading = read(question, {"labels": ["kitchen", "sea", "KITCHEN"]})
    assert (status, reading.values) == (Status.OK, (Tag("Kitchen"),))
    codes = [(issue.path, issue.code) for issue in reading.issues]
    assert codes == [("[1]", "class_unlisted"), ("[2]", "duplicate")]
    status, reading = read(Question("classify", ("Kitchen",)), {"label": "sea"})
    assert (status, reading.values) == (Status.MALFORMED, ())
    lenient = Classify(ReadRules(keep_unlisted=True))
    kept = lenient.read('{"label": "sea"}', Question("classify", ("Kitchen",)), MEDIA)
    assert kept.values == (Tag("sea"),)
    assert [issue.code for issue in kept.issues] == ["class_unlisted"]


def test_a_closed_list_keeps_boxes() -> None:
    """A box of another class is kept, with an issue: its place is worth more."""
    entries = [{"box_2d": [0, 0, 9, n], "label": n} for n in (10, 20)]
    entries += [{"box_2d": [0, 0, 9, 30], "label": "CUP"}]
    status, reading = read(Question("detect", ("cup", "10")), entries)
    assert status is Status.OK
    assert [d.label for d in reading.detections] == ["10", "20", "cup"]
    assert [issue.code for issue in reading.issues] == ["class_unlisted"]
    assert "'20' (1 x)" in reading.issues[0].message


def test_attributes_are_read_as_texts() -> None:
    """Asked attributes are kept, one outside of its choices is not, and none is lost."""
    asked = FULL["attributes"]
    assert isinstance(asked, tuple)
    box = {"box_2d": [0, 0, 500, 500], "label": "cup"}
    entries = [
        {**box, "colour": "red", "state": "Whole", "price": 3},
        {**box, "box_2d": [1, 1, 9, 9], "colour": 7, "state": "bent"},
    ]
    _, reading = read(Question("detect", attributes=asked), entries)
    assert [dict(d.attributes) for d in reading.detections] == [
        {"colour": "red", "state": "whole"},
        {"colour": "7"},
    ]
    assert [(i.path, i.code) for i in reading.issues] == [
        ("[1].state", "class_unlisted")
    ]


def test_forms_say_what_is_written() -> None:
    """The form of a question names kind, texts and attributes; bad names are refused."""
    assert form_of(Question("vqa", asks=ASKS)) == Form(Kind.TEXT, ("cups", "light"))
    asked = (Ask("colour"),)
    assert form_of(Question("detect", attributes=asked)).attributes == ("colour",)
    for bad in ("mask", "a b", "", "status"):
        with pytest.raises(UsageError, match="cannot be the name"):
            form_of(Question("vqa", asks=(Ask(bad),)))
    with pytest.raises(UsageError, match="same name"):
        form_of(Question("vqa", asks=(Ask("a"), Ask("A"))))
    with pytest.raises(UsageError, match="needs a question"):
        form_of(Question("vqa"))


def test_boxes_in_space_are_drawn_by_a_stated_camera() -> None:
    """Edges are projected as the cookbook does: x right, y away, z up; none unasked."""
    entry = [{"label": "crate", "box_3d": [0, 10, 0, 2, 0, 2, 0, 0, 0]}]
    _, reading = read(Question("box3d"), entry)
    assert isinstance(reading.values[0], Box3d)
    assert reading.values[0].edges_xy_px == ()
    _, reading = read(Question("box3d", fov_degrees=90.0), entry)
    box = reading.values[0]
    assert isinstance(box, Box3d)
    assert len(box.edges_xy_px) == 12
    # Half the width over tan(45 degrees) is the focal length: 500 px; 1 m at 10 m is 50.
    corners = {point for edge in box.edges_xy_px for point in edge}
    assert corners == {(450.0, 300.0), (450.0, 200.0), (550.0, 300.0), (550.0, 200.0)}
    behind = replace(box, centre_xyz=(0.0, -1.0, 0.0))
    assert edges_xy_px(behind, FRAME, 90.0) == ()
    turned = replace(box, roll_pitch_yaw=(0.0, 90.0, 0.0), size_xyz=(4.0, 0.0, 2.0))
    spans = {abs(x - 500) for edge in edges_xy_px(turned, FRAME, 90.0) for x, _ in edge}
    assert {round(span, 6) for span in spans} == {50.0}


class Weather:
    """A task of a user's own: the least that is needed."""

    name = "weather"
    about = frozenset({Medium.IMAGE})
    kind = Kind.TAG
    uses: frozenset[str] = frozenset()

    def prompt(self, question: Question, shape: MaskShape | None) -> str:
        """Ask about the weather."""
        return f"What is the weather? {question.instruction}{shape and ''}"

    def schema(self, question: Question, shape: MaskShape | None) -> Mapping[str, str]:
        """Leave the form to the prompt."""
        return {}

    def read(self, text: str, question: Question, media: Media) -> Reading:
        """Take the text as it is."""
        return Reading((Tag(text),), items_seen=1)


def test_a_task_of_ones_own_is_found_by_name() -> None:
    """A registered task is asked like any other; the built-in ones stay what they are."""
    tasks.register(Weather())  # type: ignore[arg-type]
    asking = Asking.about(Question("weather"), "gemini-3.8-flash")
    assert asking.prompt == "What is the weather? "
    assert form_of(Question("weather")) == Form(Kind.TAG)

    class Mine(Weather):
        name = "detect"

    with pytest.raises(UsageError, match="already"):
        tasks.register(Mine())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="lacks about, kind"):
        tasks.register(SimpleNamespace(name="half"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"detect, segment, .*weather"):
        find_task("paint")
