"""The table of failure modes in docs/replies.md counts what the stored replies show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

BOX = re.compile(r"\[\s*(\d+),\s*(\d+),\s*(\d+),\s*(\d+)\s*\]")
LABEL = re.compile(r"""["']label["']: ["'](.*?)["']\s*[,}\n]""")
ROW = re.compile(r"^\| ([^|]+) \| (\d+) \| [^|]+ \|$", re.MULTILINE)


def is_body(text: str) -> bool:
    """Say whether a text is a whole body, not what a model said."""
    return text.startswith(('{"candidate', "data:")) or '"candidates"' in text


def boxes(text: str) -> list[tuple[int, ...]]:
    """List the boxes of a text of boxes."""
    if not re.search(r'box\\?_2d"|^\[\d', text):
        return []
    return [tuple(map(int, match)) for match in BOX.findall(text)]


def labels(text: str) -> list[str]:
    """List the labels of a text."""
    return LABEL.findall(text)


def overlap(text: str) -> bool:
    """Say whether two boxes of a text, not the same, overlap by over a half."""
    known = [b for b in dict.fromkeys(boxes(text)) if b[0] < b[2] and b[1] < b[3]]
    return any(iou(a, b) > 0.5 for i, a in enumerate(known) for b in known[:i])


def iou(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """Intersection over union of two boxes."""
    high = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    wide = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return high * wide / (area - high * wide)


def found(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    """Look for a pattern."""
    return lambda text: bool(re.search(pattern, text, flags))


SHOWS: dict[str, Callable[[str], bool]] = {
    "code fence": lambda t: "```" in t and not is_body(t),
    "prose before the JSON": found(r"\A\s*[A-Za-z][^`]*```json"),
    "prose after the JSON": found(r"```json.*?```\s*\S", re.DOTALL),
    "trailing comma in a cut list": found(r"\},\s*\Z"),
    "single quotes": found(r"\{'"),
    "keys escaped for Markdown (`box\\_2d`)": lambda t: "box\\_2d" in t,
    "an object instead of a list": lambda t: t.startswith("{") and not is_body(t)
    and '"error"' not in t and '"this"' not in t and '"promptFeedback"' not in t
    and '"totalTokens"' not in t,
    "a bare list of numbers": found(r"\A\s*\[[\d,\s]+\]\s*\Z"),
    "no JSON at all": lambda t: not is_body(t) and not re.search(r"[\[{]", t),
    "PNG masks": lambda t: "base64,iVBOR" in t,
    "segmentation tokens": lambda t: "<start_of_mask>" in t,
    "tokens and PNG in one reply": lambda t: "<start_of_mask>" in t and "iVBOR" in t,
    "text after the tokens": found(r"<seg_\d+> [^\"]"),
    "a quote missing before the tokens": found(r'"mask": <start'),
    "base64 that repeats itself": lambda t: "Pj4+Pj4+" in t,
    "placeholder instead of a mask": lambda t: "gimme_mask" in t,
    "polygon mask": found(r'"mask": \[\['),
    "a mask without `data:`": found(r'"mask": "iVBOR'),
    "edges in the wrong order": lambda t: any(
        b[0] > b[2] or b[1] > b[3] for b in boxes(t)
    ),
    "coordinates over 1000": lambda t: any(max(b) > 1000 for b in boxes(t)),
    "the same box twice": lambda t: len(set(boxes(t))) < len(boxes(t)),
    "boxes that overlap by more than half": overlap,
    "objects without a label": lambda t: bool(
        re.search(r'"box_2d"|"mask"', t) or boxes(t)
    ) and not labels(t),
    "the same label for all": lambda t: len(labels(t)) > 1 == len(set(labels(t))),
    "a label of several lines": lambda t: any("\\n" in x for x in labels(t)),
    "points": lambda t: '"point"' in t,
    "generated code": found(r"executableCode|--- Generated Code ---"),
    "thought parts": found(r'"thought": ?true'),
    "no parts: the limit went into thinking": found(
        r'\A(?!.*"parts")(?=.*"MAX_TOKENS")', re.DOTALL
    ),
    "ended or refused by a filter": lambda t: not t.startswith("data:") and bool(
        re.search(r'"blockReason|"finishReason": ?"SAFETY', t)
    ),
    "an error as the body": found(r'\A\s*\{\s*"error"'),
    "a stream as the body": lambda t: t.startswith("data:"),
}  # fmt: skip


@pytest.fixture(scope="module")
def texts(shared: Path) -> dict[str, str]:
    """Give the texts of all stored replies."""
    files = sorted((shared / "replies").glob("*/*.json"))
    return {
        f"{file.parent.name}/{file.stem}": json.loads(file.read_text())["raw_text"]
        for file in files
    }


def table(root: Path) -> dict[str, int]:
    """Read failure modes and counts out of the page."""
    page = (root / "docs" / "replies.md").read_text()
    return {mode.strip(): int(count) for mode, count in ROW.findall(page)}


@pytest.mark.parametrize("mode", SHOWS)
def test_the_page_counts_the_stored_replies(
    mode: str, texts: dict[str, str], root: Path
) -> None:
    """The page says how many of the stored replies show a failure mode."""
    shown = [name for name, text in texts.items() if SHOWS[mode](text)]
    assert table(root)[mode] == len(shown), shown


def test_the_page_and_the_test_know_the_same_modes(root: Path) -> None:
    """No row of the page is without a check."""
    assert table(root).keys() == SHOWS.keys()


def test_the_page_counts_all(texts: dict[str, str], root: Path) -> None:
    """The page says how many replies were looked at."""
    page = (root / "docs" / "replies.md").read_text()
    assert f"{len(texts)} stored replies" in page
