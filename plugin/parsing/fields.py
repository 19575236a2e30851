"""Read the plain fields of an item: numbers, label, confidence.

Readers append what is wrong to `issues` and go on: one bad field costs no other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..values import Issue, JsonValue

MAX_LABEL = 500
"""Characters kept of a label; real replies go up to about 170."""
_LABEL_KEYS = ("label", "text_content", "name", "class", "class_name", "category")
_CONFIDENCE_KEYS = ("confidence", "score")


def read_number(value: JsonValue) -> float | None:
    """Read a finite number, written as one or as a string; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_label(item: Mapping[str, JsonValue], path: str, issues: list[Issue]) -> str:
    """Read the label: trimmed and bounded, empty where there is none."""
    key = next((k for k in _LABEL_KEYS if item.get(k) is not None), "label")
    value = item.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        issues.append(
            Issue(f"{path}.label".lstrip("."), "label_missing", "there is no label")
        )
        return ""
    # A lone surrogate cannot be stored or sent anywhere.
    label = value.strip().encode("utf-8", "replace").decode("utf-8")
    if len(label) > MAX_LABEL:
        message = f"{len(label)} characters; the first {MAX_LABEL} were kept"
        issues.append(Issue(f"{path}.{key}".lstrip("."), "label_long", message))
    return label[:MAX_LABEL]


def read_confidence(
    item: Mapping[str, JsonValue], path: str, issues: list[Issue]
) -> float | None:
    """Read the confidence, 0 to 1; None where there is none or it is out of range."""
    key = next((k for k in _CONFIDENCE_KEYS if item.get(k) is not None), None)
    if key is None:
        return None
    number = read_number(item[key])
    if number is None or not 0 <= number <= 1:
        message = f"not a number from 0 to 1: {str(item[key])[:40]!r}"
        issues.append(Issue(f"{path}.{key}".lstrip("."), "confidence", message))
        return None
    return number
