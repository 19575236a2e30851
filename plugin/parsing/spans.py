"""Read stretches of time of a reply: events, chapters, or what is said when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import orjson

from ..values import Issue, JsonValue, Media, Reading, Span
from .fields import read_confidence, read_label
from .json_text import JsonItems, find_items
from .timeline import SECOND, Timeline, find_timeline
from .times import Stretch, is_time_key, read_stretch, stretch_in_line, stretch_of
from .words import text_of

MAX_SPANS = 2000
"""Stretches read of one reply; more is a model that runs in a loop."""
MAX_TEXT = 5000
"""Characters kept of what is said in a stretch."""
SPEECH = "speech"
"""The label of what is said where no speaker is named."""
_LABELS = (
    *("label", "event", "title", "chapter", "name", "scene", "action", "activity"),
    *("category", "class", "caption", "description", "summary", "text"),
)
_TEXTS = (
    *("text", "transcript", "words", "said", "quote", "utterance", "sentence"),
    *("caption", "description", "summary", "content"),
)
_SPEAKERS = ("speaker", "speaker_label", "who", "label", "name")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item with its times, if it has any; `fields` by their names in small letters."""

    path: str
    stretch: Stretch | None
    fields: Mapping[str, JsonValue]
    keyed: JsonValue = None
    """What stands under a key that is itself a time."""


def read_spans(text: str, media: Media, *, speech: bool = False) -> Reading:
    """Read every stretch of a reply; never raises.

    `speech`: what counts is the text, and the label is its speaker. A time without an end
    lasts to the next where no item has an end; where only some have none, for a second.
    """
    found, every = _find(text)
    entries = every[:MAX_SPANS]
    issues = list(found.issues)
    stretches = [entry.stretch for entry in entries if entry.stretch]
    timeline = find_timeline(stretches, media, issues)
    reader = _Reader(timeline, speech, issues)
    for entry in entries:
        reader.read(entry)
    if runaway := len(every) - len(entries):
        message = f"{len(every)} stretches; the first {MAX_SPANS} were read"
        issues.append(Issue("", "runaway", message))
        reader.dropped["runaway"] = runaway
    reader.dropped.update(found.dropped)
    return Reading(
        values=tuple(reader.closed()),
        issues=tuple(issues),
        items_seen=found.seen,
        cut=found.cut,
        readable=found.readable,
        repaired=found.repaired,
        dropped=dict(reader.dropped),
    )


def _find(text: str) -> tuple[JsonItems, list[_Entry]]:
    """Find the entries; where there is no JSON, the lines that begin with a time."""
    found = find_items(text)
    if found.readable:
        return found, [_entry(item.path, item.value) for item in found.items]
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        lines = list(_lines(text))
        issue = Issue("", "plain_text", "lines that begin with a time, not JSON")
        seen = JsonItems(issues=(issue,), seen=len(lines))
        return seen if lines else found, lines
    if not isinstance(whole, dict):
        return found, []
    parts = [{k: v} for k, v in whole.items() if ":" in k and stretch_of(k)]
    entries = [_entry("", part) for part in ([whole] if read_stretch(whole) else parts)]
    return JsonItems(seen=len(entries)) if entries else found, entries


def _lines(text: str) -> Iterator[_Entry]:
    """Give the lines that begin with a time, each with the words that follow it."""
    lines = [line.replace("**", "") for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        found = stretch_in_line(line)
        if found is None:
            continue
        stretch, words = found
        if not words and number < len(lines):
            words = lines[number].strip().lstrip("*- ")
        yield _Entry(f"line {number}", stretch, {"text": words})


def _entry(path: str, value: JsonValue) -> _Entry:
    fields = value if isinstance(value, dict) else {}
    stretch = read_stretch(fields)
    times = [key for key in fields if ":" in key and is_time_key(key)]
    keyed = fields[times[0]] if len(times) == 1 else None
    lowered = {key.strip().casefold(): inner for key, inner in fields.items()}
    return _Entry(path, stretch, lowered, keyed)


@dataclass(slots=True)
class _Reader:
    """The stretches that were read so far of one reply; None: without an end."""

    timeline: Timeline
    speech: bool
    issues: list[Issue]
    spans: list[Span] = field(default_factory=list)
    endless: list[int] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def read(self, entry: _Entry) -> None:
        """Keep an entry, or say why not."""
        span = self._span(entry)
        if span is not None and span in self.spans:
            self.issues.append(Issue(entry.path, "duplicate", "said before"))
            span = None
        if span is None:
            self.dropped[self.issues[-1].code] += 1
        else:
            self.spans.append(span)

    def _span(self, entry: _Entry) -> Span | None:
        if entry.stretch is None:
            self.issues.append(Issue(entry.path, "time_missing", "there is no time"))
            return None
        label, text = self._words(entry)
        if not label:
            return None
        place = self.timeline.place(entry.stretch, entry.path, self.issues)
        if place is None:
            return None
        start, end = place
        if end is None:
            self.endless.append(len(self.spans))
        score = read_confidence(entry.fields, entry.path, self.issues)
        return Span(label, start, start if end is None else end, text, score)

    def _words(self, entry: _Entry) -> tuple[str, str]:
        """Give label and text; without the one that counts there is no label."""
        fields = entry.fields
        if self.speech:
            text = text_of(entry.keyed) or _first(fields, _TEXTS)
            if not text:
                self.issues.append(Issue(entry.path, "text_missing", "nothing is said"))
                return "", ""
            return _first(fields, _SPEAKERS)[:MAX_TEXT] or SPEECH, text[:MAX_TEXT]
        key = next((k for k in _LABELS if text_of(fields.get(k))), "")
        said = entry.keyed if entry.keyed is not None else fields.get(key)
        label = read_label({"label": text_of(said)}, entry.path, self.issues)
        rest = {k: v for k, v in fields.items() if k != key}
        return label, _first(rest, _TEXTS)[:MAX_TEXT]

    def closed(self) -> Iterator[Span]:
        """Give the stretches in order, those without an end ended, none of no length."""
        marks = len(self.endless) == len(self.spans)
        if self.endless:
            until = "the next begins" if marks else "a second later"
            message = f"{len(self.endless)} have no end; they were ended when {until}"
            if not marks:
                message = f"{len(self.endless)} have no end; they were ended {until}"
            self.issues.append(Issue("", "end_missing", message))
        order = sorted(
            range(len(self.spans)), key=lambda i: self.spans[i].start_seconds
        )
        for place, number in enumerate(order):
            span = self.spans[number]
            if number in self.endless and marks:
                after = order[place + 1 :]
                starts = (self.spans[i].start_seconds for i in after)
                later = (start for start in starts if start > span.start_seconds)
                end = next(later, self.timeline.window.end)
                span = replace(span, end_seconds=end or span.start_seconds + SECOND)
            yield self._lasting(span)

    def _lasting(self, span: Span) -> Span:
        """Let a stretch last at least a moment: a second, as exactly as Gemini tells."""
        if span.end_seconds > span.start_seconds:
            return span
        high, end = self.timeline.window.end, span.start_seconds + SECOND
        end = end if high is None else min(end, high)
        return replace(
            span,
            start_seconds=min(span.start_seconds, end - SECOND / 2),
            end_seconds=end,
        )


def _first(fields: Mapping[str, JsonValue], keys: tuple[str, ...]) -> str:
    """Give the first of some texts that is there."""
    return next((text for key in keys if (text := text_of(fields.get(key)))), "")
