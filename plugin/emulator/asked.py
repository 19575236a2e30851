"""Prompt and schema -> what is asked for, as far as a language model could tell.

This never looks at the project's tasks: it knows only what stands in the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..values import JsonValue
from .fields import Fields
from .wire import Call

_MASKS = re.compile(r"\bmasks?\b|\bsegment", re.IGNORECASE)
_NO_MASKS = re.compile(
    r"\b(never|not|no|without)\b(\s+\w+){0,3}?\s+masks?\b", re.IGNORECASE
)
_TEXT = re.compile(r"\b(read|extract)\b.{0,20}\btext\b|\bOCR\b", re.IGNORECASE)
_ANNOUNCED = re.compile(r"^Image (\d+):$", re.MULTILINE)
_KNOWN = frozenset(
    {
        *("box_2d", "box_3d", "label", "labels", "mask", "confidence", "point"),
        *("points", "boxes", "caption", "text", "images", "image", "answers"),
        *("start", "end", "time", "speaker", "right"),
    }
)
"""Keys that are words of Gemini's documentation, or plain."""
_CONFIDENCE = re.compile(r"\bconfidence\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer shall hold, and the shape around it.

    `wrapper` is the key that holds the list, or empty for a bare list; None leaves it to
    the model. `labels` are the only ones wanted and how to spell each; None for all.
    `keys` are those of an entry (none: no schema was given), `questions` what is asked
    under names of the asker's own, each with its choices. `text`: writing is wanted.
    `numbers` are those of the pictures, where each is to be answered for by its number.
    """

    masks: bool
    confidence: bool
    wrapper: str | None
    labels: Mapping[str, str] | None
    keys: frozenset[str] = frozenset()
    questions: tuple[Named, ...] = ()
    text: bool = False
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Something asked under a name: in words, and the only answers allowed, if any."""

    name: str
    words: str
    choices: tuple[str, ...] = ()


def understand(call: Call, known_labels: Iterable[str]) -> Asked:
    """Work out what a request asks for; `known_labels` are looked for in the prompt."""
    known_labels = tuple(known_labels)
    entry = _entry_of_each(call.schema)
    if entry is not None:
        each = understand(replace(call, schema=entry), known_labels)
        numbers = tuple(int(number) for number in _ANNOUNCED.findall(call.text))
        return replace(each, numbers=numbers)
    keys = set(_property_names(call.schema))
    words = _NO_MASKS.sub(" ", call.text)
    choices = {choice.casefold(): choice for choice in _label_choices(call.schema)}
    named = {label: label for label in named_labels(words, known_labels)}
    if choices:
        spelled = ((label, choices.get(label.casefold())) for label in known_labels)
        named = {label: choice for label, choice in spelled if choice is not None}
    return Asked(
        masks="mask" in keys if keys else bool(_MASKS.search(words)),
        confidence="confidence" in keys if keys else bool(_CONFIDENCE.search(words)),
        wrapper=_wrapper(call.schema),
        labels=named if named or choices else None,
        keys=frozenset(keys),
        questions=tuple(_questions(call)),
        text=bool(_TEXT.search(call.text)),
    )


def _entry_of_each(schema: Fields | None) -> Fields | None:
    """Find the form of the answer about each of several pictures, without its number."""
    for inner in _inner_schemas(schema):
        properties = inner.get("properties")
        if isinstance(properties, dict) and "image" in properties:
            rest = {name: s for name, s in properties.items() if name != "image"}
            return {**inner, "properties": rest}
    return None


def _questions(call: Call) -> Iterator[Named]:
    """Find what is asked under names that are not Gemini's own words."""
    for inner in _inner_schemas(call.schema):
        properties = inner.get("properties")
        if not isinstance(properties, dict):
            continue
        for name, schema in properties.items():
            if name not in _KNOWN and isinstance(schema, dict):
                choices = schema.get("enum")
                listed = choices if isinstance(choices, list) else []
                words = _line_about(name, call.text)
                yield Named(name, words, tuple(str(choice) for choice in listed))


def _line_about(name: str, text: str) -> str:
    """Find what the prompt says about a key; the name itself where it says nothing."""
    key = re.escape(name)
    listed = re.search(rf'"{key}"\s*:\s*(.+)', text)
    inline = re.search(rf'([^;.\n]+) in the key "{key}"', text)
    found = listed or inline
    return found[1] if found else name.replace("_", " ")


def named_labels(text: str, known_labels: Iterable[str]) -> frozenset[str]:
    """Find which labels a text names as whole words, singular or plural.

    A longer label hides the shorter ones inside it: "hot dog" does not name "dog".
    """
    found = set()
    for label in sorted(known_labels, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(label)}(s|es)?(?!\w)"
        text, times = re.subn(pattern, " | ", text, flags=re.IGNORECASE)
        if times:
            found.add(label)
    return frozenset(found)


def _wrapper(schema: Fields | None) -> str | None:
    """Name the property that holds the list, if the schema asks for an object."""
    if schema is None:
        return None
    if str(schema.get("type", "")).upper() == "ARRAY":
        return ""
    properties = schema.get("properties")
    return next(iter(properties), None) if isinstance(properties, dict) else None


def _inner_schemas(schema: JsonValue | Fields) -> Iterator[Fields]:
    """Walk through a schema and all schemas inside it."""
    if isinstance(schema, list):
        for entry in schema:
            yield from _inner_schemas(entry)
    elif schema is not None and not isinstance(schema, str | int | float):
        yield schema
        for value in schema.values():
            yield from _inner_schemas(value)


def _property_names(schema: Fields | None) -> Iterator[str]:
    """Name all properties at every depth of a schema."""
    for inner in _inner_schemas(schema):
        properties = inner.get("properties")
        if isinstance(properties, dict):
            yield from properties


def _label_choices(schema: Fields | None) -> Iterator[str]:
    """Give the values to which a schema limits the property `label`."""
    for inner in _inner_schemas(schema):
        properties = inner.get("properties")
        label = properties.get("label") if isinstance(properties, dict) else None
        choices = label.get("enum") if isinstance(label, dict) else None
        if isinstance(choices, list):
            yield from (str(choice) for choice in choices)
