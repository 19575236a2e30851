"""`Report` -> JSON, for programs: all numbers at full precision, None as null."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime

from ..evaluation import Anatomy, Counts, Scores
from ..evaluation.kinds.compare import KindComparison
from ..values import JsonValue
from .compare import comparison_json
from .content import Belief, Chapter, Example, KindChapter, Report

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
        "kinds": [_kind_chapter(chapter) for chapter in report.kinds],
        "kind_comparison": _kind_comparison(report.kind_comparison),
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


def _kind_chapter(chapter: KindChapter) -> JsonValue:
    scores = chapter.section.scores
    return {
        "title": chapter.section.title,
        "banner": chapter.banner,
        "run": _plain(chapter.section.run),
        "kind": scores.kind.value,
        "items": scores.items,
        "answered": scores.answered,
        "statuses": _plain(scores.statuses),
        "unlabelled": scores.unlabelled,
        "unknown_items": scores.unknown_items,
        "numbers": {found.name: _plain(found) for found in scores.numbers},
        "tables": _plain(scores.sheets),
        "remarks": list(chapter.remarks),
        "worst_items": [_plain(example.verdict) for example in chapter.examples],
    }


def _kind_comparison(found: KindComparison | None) -> JsonValue:
    if found is None:
        return None
    return {
        "kind": found.kind.value,
        "items": found.items,
        "first": found.first,
        "runs": [
            {
                "name": s.name,
                "numbers": {n.name: n.all for n in s.scores.numbers},
                "right": s.right,
                "failures": s.failures,
                "model": s.run.model if s.run else None,
                "seconds": s.seconds,
                "cost_usd": s.run.cost_usd if s.run else None,
                "cost_per_right_usd": s.cost_per_right,
            }
            for s in found.standings
        ],
        "against_first": {
            against.name: {
                d.number: {
                    "difference": d.value,
                    "range": _plain(d.interval),
                    "verdict": d.verdict,
                }
                for d in against.differences
            }
            for against in found.against
        },
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
        "confidence_sources": list(scores.confidence_sources),
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
