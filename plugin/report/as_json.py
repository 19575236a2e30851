"""`Report` -> JSON, for programs: all numbers at full precision, None as null."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime

from ..evaluation import Anatomy, Counts, Scores
from ..values import JsonValue
from .compare import comparison_json
from .content import Belief, Chapter, Example, Report

FORMAT = "fiftyone-gemini report 1"


def to_json(report: Report) -> str:
    """Write the numbers and facts of a report; the pictures and objects stay out."""
    document = {
        "format": FORMAT,
        "title": report.title,
        "made": report.made.isoformat(),
        "notes": list(report.notes),
        "comparison": comparison_json(report.comparison) if report.comparison else None,
        "sections": [_chapter(chapter) for chapter in report.chapters],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _chapter(chapter: Chapter) -> JsonValue:
    return {
        "title": chapter.section.title,
        "banner": chapter.banner,
        "run": _plain(chapter.section.run),
        "scores": _scores(chapter.section.scores),
        **_belief(chapter.belief),
        "remarks": list(chapter.remarks),
        "worst_images": [_example(example) for example in chapter.examples],
    }


def _scores(scores: Scores) -> JsonValue:
    return {
        "all": _plain(scores.all),
        "answered": _plain(scores.answered),
        "compared_by": "boxes" if scores.all.masks is None else "masks",
        "statuses": _plain(scores.statuses),
        "classes": list(scores.classes),
        "engine": scores.engine,
        "confidence": scores.confidence,
        "iou": scores.iou,
        "unknown_images": scores.unknown_images,
        "any_class": _plain(scores.any_class),
        "names": _plain(scores.names),
        "anatomy": _anatomy(scores.anatomy),
    }


def _belief(belief: Belief) -> dict[str, JsonValue]:
    """Write intervals, thresholds and rules; of a curve only its best point."""
    found = belief.confidences
    return {
        "intervals": _plain(belief.intervals),
        "confidence": {
            "reason": found.reason,
            "best_thresholds": {c.label: _plain(c.best) for c in found.curves},
            "calibration": _plain(found.overall),
            "class_calibrations": _plain(found.calibrations),
        },
        "trust": {"target": belief.target, "classes": _plain(belief.trust)},
    }


def _anatomy(found: Anatomy | None) -> JsonValue:
    """Write the kinds and their costs; the single errors stay out."""
    if found is None:
        return None
    return {
        "foreground_iou": found.foreground,
        "background_iou": found.background,
        "ap": found.ap,
        "kinds": _plain(found.kinds),
    }


def _example(example: Example) -> JsonValue:
    return {
        "image_id": example.image_id,
        "name": example.name,
        "status": example.status.value,
        "right": example.right,
        "invented": example.invented,
        "missed": example.missed,
    }


def _plain(value: object) -> JsonValue:
    """Turn frozen values into plain JSON; counts bring the ratios they give."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.compare]
        names += ["precision", "recall", "f1"] if isinstance(value, Counts) else []
        return {name: _plain(getattr(value, name)) for name in names}
    assert value is None or isinstance(value, bool | int | float | str), value
    return value
