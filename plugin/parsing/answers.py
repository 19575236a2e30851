"""Read answers in words: named texts and tags, out of one JSON object or plain words.

Strict JSON is taken as it stands; what surrounds it, damages it or cuts it off costs the
least possible: members of a cut object that are whole are kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from json import JSONDecodeError, JSONDecoder

import orjson

from ..values import Answer, Ask, Issue, JsonValue, Reading, Tag
from .classes import spelled
from .fields import read_confidence, read_label
from .repair import repair_item
from .rules import DEFAULT_RULES, ReadRules
from .words import text_of

MAX_TEXT = 100_000
"""Characters kept of one text; more is a model that runs in a loop."""
MAX_TAGS = 1000
PLAIN = ""
"""The name under which a text stands that is no JSON object."""
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_MEMBER = re.compile(
    r'("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*(?=\s*,)|true|false)'
)
_TAG_KEYS = ("labels", "label", "tags", "tag", "classes", "class", PLAIN)
_TRIES = 200
_DECODER = JSONDecoder()


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of the object that a reply is; `plain`: it is no JSON, but words."""

    members: Mapping[str, JsonValue] = field(default_factory=dict)
    cut: bool = False
    plain: bool = False
    repaired: int = 0


def find_fields(text: str) -> Fields:
    """Find the object of a reply; never raises."""
    fences = _FENCE.findall(text)
    for candidate in (text, *(fences if len(fences) == 1 else ())):
        try:
            return Fields(_as_members(orjson.loads(candidate.strip())))
        except orjson.JSONDecodeError:
            continue
    start = text.find("{")
    if start < 0:
        return Fields({PLAIN: text.strip()}, plain=True)
    for value in _objects(text):
        return Fields(_as_members(value))
    end = text.rfind("}")
    mended = repair_item(text[start : end + 1]) if end > start else None
    if mended is not None:
        return Fields(mended, repaired=1)
    members = _MEMBER.findall(text[start:])
    whole = {orjson.loads(key): _loaded(value) for key, value in members}
    return Fields(whole, cut=True)


def _objects(text: str) -> Iterator[JsonValue]:
    """Give the whole objects of a text, from the first on."""
    for tries, match in enumerate(re.finditer(r"\{", text)):
        if tries > _TRIES:
            return
        try:
            value, _ = _DECODER.raw_decode(text, match.start())
        except (JSONDecodeError, ValueError, RecursionError):
            return
        if value:
            yield value


def _loaded(value: str) -> JsonValue:
    try:
        found: JsonValue = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.strip('"')
    return found


def _as_members(value: JsonValue) -> Mapping[str, JsonValue]:
    """Take a value as an object: the only one of a list, or a nameless member."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    return value if isinstance(value, dict) else {PLAIN: value}


def read_answers(
    text: str,
    asks: Sequence[Ask],
    *,
    may_be_empty: bool = False,
    rules: ReadRules = DEFAULT_RULES,
) -> Reading:
    """Read one text for each of the asked; never raises.

    Where one thing was asked, plain words are its answer. With `may_be_empty` an empty
    text says that there is nothing; else it is no answer.
    """
    found = find_fields(text)
    issues: list[Issue] = []
    dropped: Counter[str] = Counter()
    values = []
    empty = 0
    members = _only(found, asks, issues)
    for ask in asks:
        said = text_of(members.get(ask.name))
        if said == "" and may_be_empty:
            empty += 1
            continue
        before = len(issues)
        kept = _checked(said, ask, found, issues, rules)
        if kept is not None:
            values.append(Answer(kept, ask.name))
        elif len(issues) > before:
            dropped[issues[-1].code] += 1
    return Reading(
        values=tuple(values),
        issues=tuple(issues),
        items_seen=len(values) + dropped.total(),
        cut=found.cut,
        readable=bool(values or dropped or empty or found.cut),
        repaired=found.repaired,
        dropped=dict(dropped),
    )


def _only(
    found: Fields, asks: Sequence[Ask], issues: list[Issue]
) -> Mapping[str, JsonValue]:
    """Give the members by the names asked; a lone answer may come without its name."""
    members = {key.strip().casefold(): value for key, value in found.members.items()}
    named = {ask.name: members.get(ask.name.casefold()) for ask in asks}
    if len(asks) != 1 or named[asks[0].name] is not None or len(members) != 1:
        return named
    if found.plain:
        issues.append(Issue("", "plain_text", "plain words, not JSON, were taken"))
    return {asks[0].name: next(iter(members.values()))}


def _checked(
    said: str | None,
    ask: Ask,
    found: Fields,
    issues: list[Issue],
    rules: ReadRules,
) -> str | None:
    """Keep a text that is an answer; else say why it is none."""
    if not said:
        if not (found.cut and said is None):
            issues.append(Issue(ask.name, "answer_missing", "there is no answer"))
        return None
    if len(said) > MAX_TEXT:
        message = f"{len(said)} characters; the first {MAX_TEXT} were kept"
        issues.append(Issue(ask.name, "answer_long", message))
    if ask.choices:
        return spelled(said, ask.choices, ask.name, issues, keep=rules.keep_unlisted)
    return said[:MAX_TEXT]


def read_tags(
    text: str,
    classes: Sequence[str],
    *,
    many: bool,
    rules: ReadRules = DEFAULT_RULES,
) -> Reading:
    """Read the tags of a reply, each once; never raises.

    Without `many` the first is kept. A tag that is not among the classes, where there
    are any, is dropped unless `rules` keep it.
    """
    found = find_fields(text)
    said = _said_tags(found, classes)
    reader = _Tags(classes, rules, many)
    for place, entry in enumerate((said or [])[:MAX_TAGS]):
        reader.read(f"[{place}]", entry)
    if said is not None and len(said) > MAX_TAGS:
        message = f"{len(said)} tags; the first {MAX_TAGS} were read"
        reader.issues.append(Issue("", "runaway", message))
        reader.dropped["runaway"] = len(said) - MAX_TAGS
    return Reading(
        values=tuple(reader.tags.values()),
        issues=tuple(reader.issues),
        items_seen=len(reader.tags) + reader.dropped.total(),
        cut=found.cut,
        readable=said is not None or found.cut,
        repaired=found.repaired,
        dropped=dict(reader.dropped),
    )


@dataclass(slots=True)
class _Tags:
    """The tags that were read so far of one reply."""

    classes: Sequence[str]
    rules: ReadRules
    many: bool
    tags: dict[str, Tag] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def read(self, path: str, entry: JsonValue) -> None:
        """Keep a tag, or say why not."""
        tag = _tag(entry, path, self.classes, self.issues, self.rules)
        if tag is None:
            self.dropped[self.issues[-1].code] += 1
        elif tag.label in self.tags or (self.tags and not self.many):
            code = "duplicate" if tag.label in self.tags else "tags_many"
            self.issues.append(Issue(path, code, f"{tag.label!r} was left out"))
            self.dropped[code] += 1
        else:
            self.tags[tag.label] = tag


def _said_tags(found: Fields, classes: Sequence[str]) -> list[JsonValue] | None:
    """List what is said as tags; None where nothing is.

    Plain words are a tag only where they are one of the classes.
    """
    members = {key.strip().casefold(): value for key, value in found.members.items()}
    key = next((key for key in _TAG_KEYS if key in members), None)
    if key is None:
        return None
    value = members[key]
    if found.plain:
        word = str(value).strip(" .\n*`\"'").casefold()
        return [word] if word in {name.casefold() for name in classes} else None
    if key == "label" and isinstance(value, str):
        return [dict(found.members)]
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _tag(
    entry: JsonValue,
    path: str,
    classes: Sequence[str],
    issues: list[Issue],
    rules: ReadRules,
) -> Tag | None:
    """Read one tag; None when there is none: the last issue says why."""
    item = entry if isinstance(entry, dict) else {"label": entry}
    label = read_label(item, path, issues)
    if not label:
        return None
    keep = rules.keep_unlisted
    kept = spelled(label, classes, path, issues, keep=keep) if classes else label
    if kept is None:
        return None
    return Tag(kept, read_confidence(item, path, issues))


def read_text(
    text: str, key: str, *, may_be_empty: bool = False, rules: ReadRules = DEFAULT_RULES
) -> Reading:
    """Read the one text of a reply, under a key or as plain words: a nameless answer."""
    reading = read_answers(text, [Ask(key)], may_be_empty=may_be_empty, rules=rules)
    said = [value.text for value in reading.values if isinstance(value, Answer)]
    return replace(reading, values=tuple(Answer(text) for text in said))
