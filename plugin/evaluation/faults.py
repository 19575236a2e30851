"""What is wrong with each object, and what each kind of error costs: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class ErrorKind(StrEnum):
    """The six errors of TIDE, in the order in which they are looked for."""

    LOOSE = "loose box"
    """On an object of that name, but too far off."""
    WRONG_CLASS = "wrong class"
    """In place, on an object of another name."""
    DUPLICATE = "duplicate"
    """In place and rightly named, on an object that another prediction has."""
    INVENTED = "invented"
    """On no object at all (TIDE: background)."""
    BOTH = "class and box"
    """Neither in place nor rightly named."""
    MISSED = "missed"
    """A true object that no prediction is meant for, be it loose or misnamed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: a prediction that is wrong, or a true object that was missed.

    Indices count the detections of the image's `ImageLabels`. `truth_index` is the
    object a prediction was probably meant for, with their IoU; None for `invented`.
    `label` is what the prediction says, or what the missed object is. `confidence` is
    1 where none was given, and 0 for a missed object; `area` is that of the object in
    square pixels, by which the errors of one kind are told apart then.
    """

    image_id: str
    kind: ErrorKind
    prediction_index: int | None
    truth_index: int | None
    iou: float
    label: str
    confidence: float
    area: float


@dataclass(frozen=True, slots=True)
class KindCost:
    """How often one kind occurs, and the AP (0..1) gained were it mended alone."""

    kind: ErrorKind
    count: int
    ap_gain: float | None
    """None when the truth has no object."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """All errors by kind; `faults` lists the kinds in turn, the worst of each first.

    Worst: the most confident wrong prediction, then the largest object. `ap` is the AP
    at IoU `foreground`, over all images, that the gains add to.
    """

    shape: Literal["bbox", "segm"]
    foreground: float
    background: float
    ap: float | None
    kinds: tuple[KindCost, ...]
    faults: tuple[Fault, ...]

    def of(self, kind: ErrorKind) -> tuple[Fault, ...]:
        """Give the errors of one kind, the worst first."""
        return tuple(fault for fault in self.faults if fault.kind is kind)
