"""What a report says, as plain data: texts, tables and pictures, ready to be laid out.

`build` makes it, `as_html` and `as_markdown` lay it out, `as_json` writes the numbers. Texts
are as they came: escaping is the business of each layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..evaluation import Scores
from ..evaluation.compare import Comparison
from ..evaluation.curves import Confidences
from ..evaluation.intervals import Interval, Intervals
from ..evaluation.kinds import ItemVerdict, KindScores
from ..evaluation.kinds.compare import KindComparison
from ..evaluation.trust import ClassTrust
from ..values import ImageLabels, Run, Status
from .charts import Chart


@dataclass(frozen=True, slots=True)
class Section:
    """One evaluation to report on; `run` is None when nobody recorded one."""

    title: str
    run: Run | None
    scores: Scores
    truth: Sequence[ImageLabels]
    predicted: Sequence[ImageLabels]


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is to be said about it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Headline:
    """One large number: over all images, and over those that were answered."""

    name: str
    value: float | None
    answered: float | None
    meaning: str
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `share` (0..1) is drawn as a bar beside a number."""

    text: str
    share: float | None = None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column names; the first cell of a row names it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A part under a title of its own: paragraphs, then charts, then a table."""

    title: str
    texts: tuple[str, ...]
    table: Table | None = None
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, slots=True)
class Belief:
    """How sure the numbers of a section are; `target` is the precision asked for."""

    intervals: Intervals
    confidences: Confidences
    target: float
    trust: tuple[ClassTrust, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The truth and the prediction drawn on the same picture, both as JPEG."""

    width: int
    height: int
    truth_jpeg: bytes
    predicted_jpeg: bytes


@dataclass(frozen=True, slots=True)
class Example:
    """One image with its verdicts; `problem` says why there is no drawing."""

    image_id: str
    name: str
    status: Status
    right: int
    invented: int
    missed: int
    drawing: Drawing | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """All that is said about one section."""

    section: Section
    banner: str
    asked: tuple[Fact, ...]
    prompt: str
    statuses: tuple[Fact, ...]
    headlines: tuple[Headline, ...]
    compared_by: str
    """`masks` or `boxes`: what the headlines, classes and examples go by."""
    remarks: tuple[str, ...]
    coco: Table
    classes: Table
    examples: tuple[Example, ...]
    belief: Belief
    blocks: tuple[Block, ...]
    """What explains the numbers, and how sure they are; shown after the classes."""


@dataclass(frozen=True, slots=True)
class KindSection:
    """An evaluation of labels of another kind than objects."""

    title: str
    run: Run | None
    scores: KindScores


@dataclass(frozen=True, slots=True)
class KindExample:
    """One item that is wrong: what is true, what was said, and its picture."""

    name: str
    verdict: ItemVerdict
    jpeg: bytes | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class KindChapter:
    """All that is said about one such section."""

    section: KindSection
    banner: str
    asked: tuple[Fact, ...]
    prompt: str
    statuses: tuple[Fact, ...]
    headlines: tuple[Headline, ...]
    remarks: tuple[str, ...]
    blocks: tuple[Block, ...]
    examples: tuple[KindExample, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report; `notes` are the caller's own words (how to reproduce it).

    `kinds` are the chapters about labels of other kinds than objects.
    """

    title: str
    made: datetime
    notes: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    comparison: Comparison | None = None
    compared: tuple[Block, ...] = ()
    kinds: tuple[KindChapter, ...] = ()
    kind_comparison: KindComparison | None = None


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the three forms of a report were written."""

    html: Path
    markdown: Path
    json: Path
