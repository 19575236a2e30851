"""A closed list of classes is held to: what is said outside of it never goes unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..values import Detection, Issue, Point, Reading, Sighting, Span, Value
from .rules import DEFAULT_RULES, ReadRules


def spelled(
    said: str,
    classes: Sequence[str],
    path: str,
    issues: list[Issue],
    *,
    keep: bool | None,
) -> str | None:
    """Give a class as it is spelled in the list, whatever its case.

    One outside of the list leaves an issue, and is dropped (None) unless `keep`.
    """
    known = {name.casefold(): name for name in classes}
    found = known.get(said.casefold())
    if found is not None:
        return found
    what = "kept" if keep else "left out"
    message = f"{said[:80]!r} is not among the classes; it was {what}"
    issues.append(Issue(path, "class_unlisted", message))
    return said if keep else None


def hold_to_classes(
    reading: Reading, classes: Sequence[str], rules: ReadRules = DEFAULT_RULES
) -> Reading:
    """Spell the labels of objects, points and stretches of time as in a list of classes.

    What has another label is kept, with one issue for each such label, unless `rules`
    drop it: a box is worth more than its name, which can be mapped afterwards.
    """
    if not classes:
        return reading
    known = {name.casefold(): name for name in classes}
    strangers: Counter[str] = Counter()
    values: list[Value] = []
    keep = rules.keep_unlisted is not False
    for value in reading.values:
        label = _label_of(value)
        if not label:
            values.append(value)
            continue
        name = known.get(label.casefold())
        if name is None:
            strangers[label] += 1
        if name is not None or keep:
            values.append(_named(value, name or label))
    what = "kept" if keep else "left out"
    issues = [
        Issue(
            "", "class_unlisted", f"{label[:80]!r} ({count} x) is not a class; {what}"
        )
        for label, count in strangers.items()
    ]
    dropped = dict(reading.dropped)
    if strangers and not keep:
        dropped["class_unlisted"] = strangers.total()
    return replace(
        reading,
        values=tuple(values),
        issues=(*reading.issues, *issues),
        dropped=dropped,
    )


def _label_of(value: Value) -> str:
    """Give the label of what has one to be held to."""
    if isinstance(value, Sighting):
        return value.detection.label
    return value.label if isinstance(value, Detection | Point | Span) else ""


def _named(value: Value, name: str) -> Value:
    """Give a value another label."""
    if isinstance(value, Sighting):
        return replace(value, detection=replace(value.detection, label=name))
    if isinstance(value, Detection | Point | Span):
        return replace(value, label=name)
    return value
