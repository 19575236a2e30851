"""Everything that can stand on the table, by name, and the COCO category ids of what is labelled."""

from collections.abc import Callable

import numpy as np

from .balls import sports_ball
from .base import Shape
from .fruit import apple, banana, orange
from .paper import book, napkin, pencil, plate
from .table import bottle, cup, donut

# The category ids of the COCO dataset (cocodataset.org), not consecutive there either.
COCO_CATEGORIES: dict[str, int] = {
    "apple": 53,
    "banana": 52,
    "book": 84,
    "bottle": 44,
    "cup": 47,
    "donut": 60,
    "orange": 55,
    "sports ball": 37,
}
LABELS: tuple[str, ...] = tuple(COCO_CATEGORIES)
DISTRACTORS: tuple[str, ...] = ("plate", "napkin", "pencil")

_MAKERS: dict[str, Callable[[np.random.Generator], Shape]] = {
    "apple": apple,
    "banana": banana,
    "book": book,
    "bottle": bottle,
    "cup": cup,
    "donut": donut,
    "orange": orange,
    "sports ball": sports_ball,
    "plate": plate,
    "napkin": napkin,
    "pencil": pencil,
}


def make_shape(name: str, rng: np.random.Generator) -> Shape:
    """Draw one shape of that name; every call differs in size and colour."""
    return _MAKERS[name](rng)


__all__ = ["COCO_CATEGORIES", "DISTRACTORS", "LABELS", "Shape", "make_shape"]
