"""Every stored real reply: what a person reads in its text is what comes out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from fiftyone_gemini.gemini.envelope import read_body
from fiftyone_gemini.parsing.json_text import find_items
from fiftyone_gemini.parsing.objects import read_objects
from fiftyone_gemini.parsing.points import read_points, read_trajectories
from fiftyone_gemini.reading import judge
from fiftyone_gemini.tasks import find_task
from fiftyone_gemini.values import Frame, Reading, Reply, Status
from reply_checks import read_as

FRAME = Frame(640, 480)
OK, TRUNCATED, MALFORMED = Status.OK, Status.TRUNCATED, Status.MALFORMED
BLOCKED = Status.BLOCKED


@dataclass(frozen=True)
class Expected:
    """What a person found in a text."""

    status: Status
    seen: int = 0
    """Objects that are written in it."""
    read: int = 0
    """Objects that should become detections."""
    png: int = 0
    polygons: int = 0
    tokens: int = 0
    first: str = ""
    last: str = ""
    issues: tuple[str, ...] = ()
    """Codes of issues, in the order of the alphabet."""


def boxes(count: int, first: str, last: str = "") -> Expected:
    """Expect sound boxes and nothing else."""
    return Expected(OK, count, count, first=first, last=last or first)


def masks(png: int, first: str, last: str = "") -> Expected:
    """Expect sound PNG masks and nothing else."""
    return Expected(OK, png, png, png, first=first, last=last or first)


NOTHING_TO_READ = Expected(MALFORMED)
UNLABELLED = ("label_missing", "label_missing")

# Written down from the raw texts, file by file, not from what the parser says.
DETECT = {
    "detect/001": boxes(13, "red sprinkles", "googly eyes"),
    "detect/002": boxes(2, "sock with face"),
    "detect/003": boxes(4, "pink cloth", "sugar container"),
    "detect/004": boxes(13, "red sprinkles", "white frosting with googly eyes"),
    "detect/006": boxes(
        2, "Wipe up this liquid spill.", "Use this cloth to wipe the spill."
    ),
    "detect/007": boxes(1, "dogs tail"),
    "detect/009": boxes(
        2,
        "light blue sock with cat face on left",
        "light blue and grey sock with cat face on right",
    ),
    # Six boats, ended by a comma; the 4th repeats the 2nd, the 5th too, the 6th the 3rd.
    "detect/011": Expected(
        TRUNCATED, 6, 3, first="boat", last="boat", issues=("duplicate",) * 3
    ),
    # One bare list, [65, 1000, 77, 998]: xmin is over xmax.
    "detect/012": Expected(OK, 1, 1, issues=("box_order", "label_missing")),
    "detect/013": boxes(2, "wing"),
    "detect/017": boxes(1, "b3"),
    "detect/019": boxes(
        13, "red sprinkle topping", "monster topping with eyes (bottom left)"
    ),
    "detect/023": boxes(12, "brown monkey head outline", "right pink monkey ear"),
    "detect/024": boxes(4, "left brown monkey ear", "right pink monkey ear"),
    "detect/026": boxes(8, "X", "I"),
    "detect/027": boxes(8, "pipe fitting"),
    "detect/028": boxes(14, "red sprinkles", "pink frosting"),
    "ocr-boxes/002": boxes(24, "10:50", "LGW"),
    # Every key is `box\_2d`, which is no valid JSON.
    "ocr-boxes/003": Expected(
        OK, 8, 8, first="text", last="text", issues=("repaired",) * 8
    ),
}
SEGMENT = {
    "segment/002": Expected(OK, 2, 2, png=2, issues=UNLABELLED),
    "segment/003": masks(20, "metal shaker", "wooden utensil"),
    "segment/004": masks(2, "peper", "salt"),
    # A mask alone, its opening quote missing: no object, no box.
    "segment/005": NOTHING_TO_READ,
    # A mask alone, cut in the middle of its base64.
    "segment/006": NOTHING_TO_READ,
    "segment/007": masks(15, "glass jar with sprinkles", "wooden spoon"),
    "segment/010": masks(2, "circle", "triangle"),
    "segment/012": masks(1, "triangle"),
    "segment/013": masks(1, "triangle"),
    "segment/014": masks(1, "circle"),
    "segment/015": masks(1, "triangle"),
    "segment/016": masks(1, "triangle"),
    "segment/018": Expected(
        OK, 1, 1, tokens=1, first="triangle", last="triangle", issues=("mask_tokens",)
    ),
    "segment/019": masks(1, "triangle"),
    "segment/020": masks(1, "triangle"),
    "segment/022": masks(
        1, "black node at the bottom left outside and on the left side of the red zone"
    ),
    "segment/025": Expected(
        OK, 3, 3, 2, tokens=1, first="square", last="triangle", issues=("mask_tokens",)
    ),
    "segment/026": masks(3, "square", "triangle"),
    "segment/027": masks(3, "right eye", "dog's face"),
    "segment/028": masks(2, "red circle", "brown circle"),
    "segment/029": masks(
        3,
        "node at the bottom left, under the red zone, not in it",
        "node in both the green and the blue zone",
    ),
    "segment/030": masks(1, "the bee's body"),
    # Python's way to write a list: single quotes.
    "segment/031": Expected(
        OK, 1, 1, tokens=1, first="the chimpanzee", last="the chimpanzee",
        issues=("mask_tokens", "repaired"),
    ),
    # A polygon with neither box nor label.
    "segment/034": Expected(
        OK, 1, 1, polygons=1, issues=("box_from_polygon", "label_missing")
    ),
    # "mask": "gimme_mask_for_this", alone.
    "segment/035": NOTHING_TO_READ,
    "segment/036": Expected(
        OK, 3, 3, tokens=3, first="the microwave", last="the cup",
        issues=("mask_tokens",) * 3,
    ),
    "segment/037": Expected(
        OK, 1, 1, tokens=1, first="the cow", last="the cow", issues=("mask_tokens",)
    ),
}  # fmt: skip
# Points, first and last label; the last number: points of the one trajectory.
POINT = {
    "point/001": (5, "banana", "plate", 5),
    "point/002": (6, "spiraling curls", "spiraling curls", 6),
    "point/003": (1, "", "", 1),
    "point/004": (0, "", "", 5),
    "point/005": (
        9,
        "Lid, which can be opened to fill the kettle with water.",
        "Electronic test equipment in the background.",
        9,
    ),
}
# Answers to other questions: items in the text; none of them is a box.
OTHER = {
    "classify/001": 0,
    "video/002": 14, "video/005": 0, "video/006": 16, "video/011": 23, "video/012": 0,
    "video/013": 0, "video/014": 0, "video/015": 0, "video/016": 0, "video/017": 22,
    "video/019": 0, "video/020": 0, "video/021": 0, "video/022": 8,
}  # fmt: skip
# What a notebook printed of replies whose model ran code: parts, in order.
CODE_EXEC = {
    # The chip was looked for on the way; the answer is what is printed on it.
    ("001", "002", "003"): "Based on the visual inspection of the ESMT chip",
    ("004", "005"): "Based on the data provided in the benchmark table",
    ("008",): "ESMT chip crop saved. Size: (370, 264)",
    # Nothing is said after this run: what it printed is all the answer there is.
    ("009",): '# [{box_2d: [460, 460, 610, 615], label: "expression pedals"}]',
}
# Bodies: the status, and how the text begins where there is one.
BODIES: dict[str, tuple[Status, str]] = {
    "envelope/001": (MALFORMED, ""),  # `candidate` instead of `candidates`
    "envelope/002": (MALFORMED, ""),  # an error, HTTP 400
    **{f"envelope/{n:03}": (MALFORMED, "") for n in range(3, 11)},  # a stream
    "envelope/011": (TRUNCATED, "Safety error incoming"),  # ended by a filter
    "envelope/012": (BLOCKED, ""),
    "envelope/013": (MALFORMED, ""),  # OTHER, without a word
    "envelope/014": (OK, "Google's headquarters"),
    "envelope/015": (OK, "The first 5 prime numbers are"),  # after code
    "envelope/016": (OK, "Mountain View"),  # after a thought
    **{f"envelope/{n:03}": (MALFORMED, "") for n in (17, 18, 19, 21, 22)},  # streams
    "envelope/020": (MALFORMED, ""),
    **{f"envelope/{n:03}": (MALFORMED, "") for n in range(23, 33)},  # streams
    "envelope/033": (MALFORMED, ""),  # content {}
    "envelope/034": (BLOCKED, ""),  # SAFETY, no content
    "envelope/035": (TRUNCATED, "<redacted>"),
    **{f"envelope/{n:03}": (MALFORMED, "") for n in range(36, 42)},  # errors, nonsense
    "envelope/042": (BLOCKED, ""),
    "envelope/043": (BLOCKED, ""),
    "envelope/044": (MALFORMED, ""),  # an error, HTTP 429
    "envelope/045": (OK, "Some text"),
    "envelope/046": (BLOCKED, ""),
    "envelope/047": (OK, "Mountain View, California"),
    "envelope/048": (OK, "Here is a description of the image"),
    "envelope/049": (OK, "The sum of the first 5 prime numbers (2, 3"),  # after code
    "envelope/050": (OK, "[\n  {"),
    "envelope/051": (MALFORMED, ""),  # a count of tokens
    "envelope/052": (OK, "I can certainly help you"),
    "envelope/053": (MALFORMED, ""),  # STOP with an empty text
    "envelope/054": (OK, "This is the generated content."),
    "envelope/055": (OK, "Mountain View, California, United States"),
    "envelope/056": (OK, "Google's mission is"),
    "envelope/057": (OK, "Mountain View"),
    "envelope/058": (OK, "Mountain View, California, United States"),
    "envelope/059": (Status.TRUNCATED, ""),  # all tokens went into thinking
    "envelope/060": (OK, "Crossing the street safely"),
    "envelope/061": (OK, "Crossing a river is"),
    "video/026": (OK, "Certainly! Based on the image you sent"),
    "video/027": (OK, "This video demonstrates using an AI agent"),
    "video/029": (OK, "The main content of the URL is"),
}


@pytest.fixture
def raw(shared: Path, name: str) -> str:
    """Give the text of the stored reply."""
    stored = json.loads((shared / f"replies/{name}.json").read_text())
    return stored["raw_text"]


def read(task: str, text: str) -> tuple[Status, Reading]:
    """Read a text as an answer to a task."""
    reading = read_as(find_task(task), text, FRAME)
    assert reading.items_seen == len(reading.detections) + reading_dropped(reading)
    return judge(Reply(text=text), reading)[0], reading


def reading_dropped(reading: Reading) -> int:
    """Count the dropped objects."""
    return sum(reading.dropped.values())


def kind_of(mask: object) -> str:
    """Name the form of a mask by a look at it."""
    if isinstance(mask, list):
        return "polygon"
    return "tokens" if "<start_of_mask>" in str(mask) else "png" if mask else "none"


@pytest.mark.parametrize("name", DETECT | SEGMENT)
def test_boxes_and_masks(name: str, raw: str) -> None:
    """Status, objects, kinds of masks, labels and issues are those of the text."""
    expected = (DETECT | SEGMENT)[name]
    status, reading = read("segment" if name in SEGMENT else "detect", raw)
    assert status is expected.status
    assert (reading.items_seen, len(reading.detections)) == (
        expected.seen,
        expected.read,
    )
    assert sorted(issue.code for issue in reading.issues) == list(expected.issues)
    labels = [d.label for d in reading.detections] or [""]
    assert (labels[0], labels[-1]) == (expected.first, expected.last)
    placed = sum(d.mask is not None for d in reading.detections)
    assert placed == expected.png + expected.polygons
    if name in SEGMENT:
        values = [item.value for item in find_items(raw).items]
        kinds = Counter(kind_of(v.get("mask")) for v in values if isinstance(v, dict))
        wanted = {"png": expected.png, "polygon": expected.polygons}
        assert kinds == Counter(wanted | {"tokens": expected.tokens})


@pytest.mark.parametrize("name", POINT)
def test_points(name: str, raw: str) -> None:
    """Points and their labels are those of the text; asked for boxes, it has none."""
    count, first, last, steps = POINT[name]
    found = read_points(raw, Frame(1920, 1080))
    assert len(found.values) == count
    assert found.readable
    assert not found.cut
    labels = [point.label for point in found.values] or [""]
    assert (labels[0], labels[-1]) == (first, last)
    (path,) = read_trajectories(raw, Frame(1920, 1080)).values
    assert len(path.points_xy_px) == steps
    assert read("detect", raw)[0] is MALFORMED


def test_a_bare_point_lies_where_the_icon_is(shared: Path) -> None:
    """point/003 is [y, x]: the icon stood at about (1128, 490) of 1920 x 1080."""
    stored = json.loads((shared / "replies/point/003.json").read_text())
    (point,) = read_points(stored["raw_text"], Frame(1920, 1080)).values
    assert (point.x, point.y) == pytest.approx((1128, 490), abs=25)


@pytest.mark.parametrize("name", OTHER)
def test_answers_to_other_questions_are_never_nothing(name: str, raw: str) -> None:
    """Text without boxes could not be read; it never says that nothing is there."""
    for task in ("detect", "segment"):
        status, reading = read(task, raw)
        assert status is MALFORMED
        assert reading.items_seen == OTHER[name]
        assert not reading.detections


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str, raw: str) -> None:
    """A body is text, or a reason why there is none."""
    status, start = BODIES[name]
    reply = read_body(raw.encode())
    assert reply.text.startswith(start)
    assert bool(reply.text) == bool(start)
    if start:
        assert reply.failure is None
        assert reply.cut == (status is TRUNCATED)
        # None of them is about boxes.
        reading = read_as(find_task("detect"), reply.text, FRAME)
        assert judge(reply, reading)[0] is (TRUNCATED if reply.cut else MALFORMED)
    else:
        assert reply.failure is status
        assert reply.error


def parts_of(text: str) -> list[dict[str, object]]:
    """Take what a notebook printed apart into the parts that it came from."""
    if "--- Generated Code ---" not in text:
        return [{"text": text}]
    code, printed = text.split("--- Execution Output ---\n")
    result = {"outcome": "OUTCOME_OK", "output": printed.strip("\n") + "\n"}
    return [
        {"executableCode": {"language": "PYTHON", "code": code.split("---")[-1]}},
        {"codeExecutionResult": result},
    ]


@pytest.mark.parametrize("numbers", CODE_EXEC)
def test_code_execution(shared: Path, numbers: tuple[str, ...]) -> None:
    """Boxes printed on the way are not the answer to what was asked."""
    files = [shared / f"replies/code-exec/{number}.json" for number in numbers]
    texts = [json.loads(file.read_text())["raw_text"] for file in files]
    parts = [part for text in texts for part in parts_of(text)]
    body = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    reply = read_body(json.dumps(body).encode())
    assert reply.text.startswith(CODE_EXEC[numbers])
    reading = read_objects(reply.text, FRAME, masks=False)
    found = [detection.label for detection in reading.detections]
    assert found == (["expression pedals"] if numbers == ("009",) else [])


def test_every_stored_reply_is_expected(shared: Path) -> None:
    """No stored reply is left out of the tables above."""
    files = (shared / "replies").glob("*/*.json")
    stored = {f"{file.parent.name}/{file.stem}" for file in files}
    runs = {f"code-exec/{number}" for numbers in CODE_EXEC for number in numbers}
    assert stored == {*DETECT, *SEGMENT, *POINT, *OTHER, *BODIES, *runs}
