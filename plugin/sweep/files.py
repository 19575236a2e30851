"""Where the labels of a run go without FiftyOne: the form of file that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..coco.folder import CocoSink
from ..coco.lines import LinesSink
from ..coco.write import Category
from ..pipeline import Sink
from ..tasks import form_of
from ..values import Kind, Question


def sink_for(
    question: Question, path: Path, categories: Sequence[Category] | None
) -> Sink:
    """Choose a COCO file, or lines for what it cannot hold."""
    if form_of(question).kind is Kind.OBJECTS:
        return CocoSink(path, categories)
    return LinesSink(path)
