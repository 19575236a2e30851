"""Answers about a video, in the words and the form that a request asks for.

Like Gemini it looks at some frames a second, so it tells time no better, and what is over
between two of them it does not see.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from random import Random

from ..values import JsonValue
from .asked import Asked, Named, named_labels
from .films import Film, Happening, seen_at
from .noise import DROP, JITTER, spoil
from .shapes import box_yxyx_1000
from .telling import CANNOT_TELL

NO_FILM = (
    "I am the fiftyone-gemini emulator, not Gemini: I only know the videos of a truth "
    "file, and cannot judge this one."
)
_COUNT = re.compile(r"\bhow (many|often)\b|\bnumber of\b|\bcount\b", re.IGNORECASE)
_WHEN = re.compile(r"\bwhen\b|\bat what time\b", re.IGNORECASE)
_PRESENT = re.compile(r"\b(is|are) there\b|\b(does|do|did)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Showing:
    """A film, and what of it is shown and heard; `zero` is where its times count from."""

    film: Film
    start: float
    end: float
    fps: float
    sound: bool
    zero: float = 0.0
    noise: float = 0.0
    seed: int = 0

    @property
    def moments(self) -> list[float]:
        """When the film is looked at."""
        return list(seen_at(self.start, self.end, self.fps))

    @property
    def events(self) -> list[Happening]:
        """The events that are seen, from the first look at each to after the last."""
        found = []
        for number, event in enumerate(self.film.events):
            seen = [at for at in self.moments if event.start <= at < event.end]
            dice = Random(f"{self.seed}/{self.film.name}/{number}")  # noqa: S311
            if not seen or dice.random() < self.noise * DROP:
                continue
            amount = self.noise * JITTER * (event.end - event.start)
            start = max(self.start, seen[0] + dice.uniform(-amount, amount))
            end = min(self.end, seen[-1] + 1 / self.fps + dice.uniform(-amount, amount))
            found.append(Happening(event.label, start, max(start, end)))
        return found

    @property
    def lines(self) -> list[Happening]:
        """What is heard, to the second."""
        if not self.sound:
            return []
        return [
            Happening(
                line.label,
                max(self.start, float(int(line.start))),
                min(self.end, float(-int(-line.end // 1))),
                line.text,
            )
            for line in self.film.lines
            if line.start < self.end and line.end > self.start
        ]

    def stamp(self, seconds: float) -> str:
        """Write a time as Gemini does, with tenths only where it looks more often."""
        tenths = round((seconds - self.zero) * 10)
        minutes, rest = divmod(max(0, tenths), 600)
        whole, tenth = divmod(rest, 10)
        return f"{minutes:02}:{whole:02}" + (f".{tenth}" if tenth else "")


def write_film_answer(shown: Showing, asked: Asked, *, wants_json: bool) -> str:
    """Write what was asked for as JSON text, fenced unless JSON was demanded."""
    text = json.dumps(_answer(shown, asked), indent=1)
    return text if wants_json else f"```json\n{text}\n```"


def _answer(shown: Showing, asked: Asked) -> JsonValue:
    """Choose what is written by the keys of the schema."""
    keys = asked.keys
    if "box_2d" in keys:
        return _sightings(shown, asked)
    if "start" in keys and "text" in keys:
        return [
            {**_times(shown, line), "speaker": line.label, "text": line.text}
            for line in shown.lines
        ]
    if "start" in keys:
        return _events(shown, asked)
    if "caption" in keys or not keys:
        return {"caption": shown.film.caption}
    if keys & {"label", "labels"}:
        return _tags(shown, asked)
    answers = {q.name: _reply(shown, q) for q in asked.questions}
    return {name: said for name, said in answers.items() if said is not None}


def _events(shown: Showing, asked: Asked) -> list[JsonValue]:
    found: list[JsonValue] = []
    for event in shown.events:
        if asked.labels is not None and event.label not in asked.labels:
            continue
        label = asked.labels[event.label] if asked.labels else event.label
        entry: dict[str, JsonValue] = {**_times(shown, event), "label": label}
        if asked.confidence:
            entry["confidence"] = round(1.0 - shown.noise / 2, 2)
        found.append(entry)
    return found


def _times(shown: Showing, event: Happening) -> dict[str, JsonValue]:
    return {"start": shown.stamp(event.start), "end": shown.stamp(event.end)}


def _sightings(shown: Showing, asked: Asked) -> list[JsonValue]:
    found: list[JsonValue] = []
    for moment in shown.moments:
        picture = shown.film.picture_at(moment)
        for thing in spoil(picture, _things(shown), shown.noise, shown.seed).things:
            if asked.labels is not None and thing.label not in asked.labels:
                continue
            label = asked.labels[thing.label] if asked.labels else thing.label
            entry: dict[str, JsonValue] = {
                "time": shown.stamp(moment),
                "box_2d": [*box_yxyx_1000(thing.box, picture.frame)],
                "label": label,
            }
            if asked.confidence:
                entry["confidence"] = round(thing.confidence, 2)
            found.append(entry)
    return found


def _things(shown: Showing) -> tuple[str, ...]:
    """Name all kinds of objects of a film."""
    pictures = shown.film.pictures
    return tuple(dict.fromkeys(o.label for p in pictures for o in p.objects))


def _tags(shown: Showing, asked: Asked) -> JsonValue:
    """Give the label seen most often, or all labels where a list is asked for."""
    seen: Counter[str] = Counter(event.label for event in shown.events)
    for moment in shown.moments:
        seen.update({o.label for o in shown.film.picture_at(moment).objects})
    names = [name for name, _ in seen.most_common()]
    if asked.labels is not None:
        names = [asked.labels[name] for name in names if name in asked.labels]
    tags: list[JsonValue] = [{"label": name} for name in names]
    if asked.wrapper and asked.wrapper != "label":
        return {asked.wrapper: tags}
    return tags[0] if tags else {"label": ""}


def _reply(shown: Showing, question: Named) -> str | None:
    """Answer one question in words; None where none of the choices can be meant."""
    said = _said(shown, question.words)
    if not question.choices:
        return said
    spelled = {choice.casefold(): choice for choice in question.choices}
    return spelled.get(said.casefold())


def _said(shown: Showing, words: str) -> str:
    kinds = {event.label for event in shown.film.events}
    named = named_labels(words, sorted(kinds))
    events = [event for event in shown.events if event.label in named]
    if _COUNT.search(words) and named:
        return str(len(events))
    if _WHEN.search(words) and named:
        return ", ".join(shown.stamp(event.start) for event in events) or "never"
    if named and _PRESENT.search(words):
        return "yes" if events else "no"
    things = named_labels(words, _things(shown))
    if things and _PRESENT.search(words):
        pictures = map(shown.film.picture_at, shown.moments)
        return (
            "yes"
            if any(o.label in things for p in pictures for o in p.objects)
            else "no"
        )
    return CANNOT_TELL
