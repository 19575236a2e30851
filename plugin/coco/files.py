"""Files of labels of any kind: COCO for objects, JSON Lines for what COCO cannot hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..values import ImageLabels, Run
from .lines_read import is_lines, read_lines
from .read import read_coco
from .runs import read_run
from .write import Category


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The labels of a file, each ask by itself, and the run that made them.

    `categories` are the classes of a COCO file.
    """

    asks: tuple[tuple[ImageLabels, ...], ...]
    run: Run | None
    categories: tuple[Category, ...] | None = None

    @property
    def images(self) -> tuple[ImageLabels, ...]:
        """The labels of the first ask."""
        return self.asks[0]


def read_label_file(path: Path) -> LabelFile:
    """Read a file of either form; raises FormatError."""
    if is_lines(path):
        lines = read_lines(path)
        return LabelFile(lines.asks, lines.run)
    coco = read_coco(path)
    return LabelFile((coco.images,), read_run(path), coco.categories)
