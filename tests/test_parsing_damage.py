"""Replies damaged at random, and hostile texts of a megabyte: nothing raises or hangs."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from fiftyone_gemini.parsing.objects import read_objects
from fiftyone_gemini.values import Frame
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_checks import NESTS, SPLICES, check_cut, check_text, edited

MEGABYTE = 1_000_000
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "replies"
WRITTEN = (
    '```json\n[{"box_2d": [1, 2, 300, 400], "label": "cup"},\n{"box_2d": [50, 60, 700,'
    ' 800], "label": "14\\" tv {a} ]", "mask": [[60, 50], [800, 50], [800, 700]]}]\n```'
)


@cache
def replies() -> tuple[str, ...]:
    """Give a written reply, and the real ones where they are."""
    kinds = ("detect", "segment", "point", "ocr-boxes", "code-exec")
    files = [file for kind in kinds for file in sorted((FOLDER / kind).glob("*.json"))]
    return (WRITTEN, *(json.loads(file.read_text())["raw_text"] for file in files))


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(SPLICES)), max_size=6
)


@given(st.integers(0, 99), st.sampled_from(["{}", *NESTS]), edits)
@settings(max_examples=200)
def test_damage_invents_nothing(
    number: int, nest: str, changes: list[tuple[float, int, str]]
) -> None:
    """Cut, flipped, nested: what is read stands in the text and lies in the picture."""
    text = replies()[number % len(replies())]
    check_text(edited(nest.replace("{}", text), changes))


@given(st.integers(0, 99), st.floats(0, 1))
@settings(max_examples=300)
def test_a_real_reply_cut_anywhere_keeps_what_is_complete(
    number: int, place: float
) -> None:
    """Every object that ends before the cut is read, and none after it."""
    sound = [text for text in replies() if '"box_2d"' in text]
    text = sound[number % len(sound)]
    check_cut(text, int(place * len(text)))


def many(text: str) -> str:
    """Repeat a text up to a megabyte."""
    return (text * (MEGABYTE // len(text) + 1))[:MEGABYTE]


def items(count: int, mask: str) -> str:
    """Write objects that all differ, with boxes as large as the picture."""
    box = '"box_2d": [%d, 2, 990, 990], "label": "x%d"'
    return ",".join(f'{{{box % (i % 99, i)}, "mask": {mask}}}' for i in range(count))


def large_png(side: int = 4000) -> str:
    """Write a picture of one colour: few bytes, many pixels."""
    data = cv2.imencode(".png", np.zeros((side, side), np.uint8))[1].tobytes()
    return f'"{base64.b64encode(data).decode()}"'


HOSTILE = {
    "lists": "[" * MEGABYTE,
    "objects": "{" * MEGABYTE,
    "nested objects": many('{"a":'),
    "nested lists": many('{"a":['),
    "nested boxes": many('{"box_2d":'),
    "nested wrappers": many('{"boxes":['),
    "sound nested lists": "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "sound nested wrappers": '{"boxes":' * 90_000 + "1" + "}" * 90_000,
    "open strings": many('{"label": "x'),
    "open single strings": many("{'label': 'x"),
    "backslashes": '{"label":"' + "\\" * MEGABYTE,
    "quotes": '"' * MEGABYTE,
    "digits": '[{"box_2d": [1, 2, 3, ' + "4" * MEGABYTE + "]}]",
    "minus": '[{"box_2d":[' + "-" * MEGABYTE,
    "base64 loop": '[{"mask": "' + many("Pj4+"),
    "boats": many('{"box_2d": [1, 2, 3, 4], "label": "boat"},'),
    "damaged boats": many('{"box_2d": [1, 2, 3, 4], "label": "boat",},'),
    "inner quotes": many('{"box_2d": [1,2,3,4], "label": "a" b"},'),
    "escaped keys": many('{"box\\_2d": [1,2,3,4], "label": "a"},'),
    "single quotes": many("{'box_2d': [1,2,3,4], 'label': 'a'},"),
    "bare keys": '{"label": ' + many("a:b,") + "}",
    "many keys": "{" + ",".join(f'"k{i}":[]' for i in range(90_000)) + "}",
    "fences": many("```json\n"),
    "code fences": many("```python\n{```"),
    "colons": many("\n: "),
    "spaces": many("[ ") + "]",
    "lines": "\n" * MEGABYTE,
    "open heads": many("{" + "a" * 199),
    "closers": '[{"label": "a" b' + many('"}]') + "x",
    "not numbers": many('{"box_2d":[NaN,1,2,3]},'),
    "infinite": '[{"box_2d":[1e400,1,2,3]}]' * 30_000,
    "numbers": "[" + many("1,")[:-1] + "]",
    "bare boxes": "[" + many("[1,2,3,4],")[:-11] + "]",
    "long polygon": f"[{items(1, '[' + many('[1,2],')[:-7] + ']')}]",
    "long text polygon": f"[{items(1, chr(34) + many('1,2,') + chr(34))}]",
    "large polygons": f"[{items(13_000, '[[1,3],[3,9],[900,900]]')}]",
    "zigzag": f"[{items(50, json.dumps([[999 * (i % 2), i % 999] for i in range(2000)]))}]",
    "zigzag rings": f"[{items(1, json.dumps([[[1, 2], [999, i], [0, 5]] for i in range(2000)]))}]",
    "many small outlines": f"[{items(13_000, '[[1,3],[3,9],[2,2]]')}]",
    "other outlines, same box": "["
    + ",".join(
        f'{{"box_2d":[1,2,990,990],"label":"x","mask":[[1,1],[9,1],[9,{i}]]}}'
        for i in range(14_000)
    )
    + "]",
    "tokens": f"[{items(1, chr(34) + many('<seg_3>') + chr(34))}]",
    "large pictures": f"[{items(60, large_png())}]",
    "points": many('{"point": [1, 2], "label": "x"},'),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.slow
def test_no_megabyte_takes_a_second(kind: str) -> None:
    """A megabyte of hostile text costs less than a second of one processor."""
    seconds = 1 if sys.gettrace() is None else 5  # measuring coverage takes longer
    begun = time.process_time()
    reading = read_objects(HOSTILE[kind], Frame(4000, 3000), masks=True)
    assert time.process_time() - begun < seconds
    assert reading.items_seen == len(reading.detections) + sum(reading.dropped.values())


def test_the_script_for_longer_runs_works(root: Path) -> None:
    """The script that damages replies for as long as one likes runs and ends."""
    script = root / "tests" / "fuzz" / "replies.py"
    ran = subprocess.run(
        [sys.executable, script, "1", "7"], capture_output=True, text=True, check=True
    )
    assert "nothing found" in ran.stdout
