"""Find the JSON items of a reply, whatever surrounds or damages them.

Strict JSON, alone or in one code fence, is taken as it stands. Any other text is
scanned object by object (shown code only where nothing else is an answer): a complete
object is kept, one that the text ends inside of is dropped, and only a closed but
damaged one is handed to a repair library. So a number that was cut short never becomes
a coordinate, and one bad item costs no other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from json import JSONDecodeError, JSONDecoder

import orjson

from ..values import Issue, JsonValue
from .repair import MAX_REPAIRS, repair_item
from .shape import WRAPPER, JsonItem, items_of

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n")
# Code that the model shows; boxes in it are not its answer if there is another.
_CODE = re.compile(
    r"```(?:python|py|tool_code|tool_outputs|javascript|js)\s*\n.*?```", re.DOTALL
)
_WRAPPER_HEAD = re.compile(rf"\{{\s*[\"']?({WRAPPER})[\"']?\s*:\s*\[")
_START = re.compile(r"\{\s*[\"'“\w]")
_ITEM_HEAD = re.compile(
    r"\{(?=\s*[\"'“\w])[^{}]{0,200}?\b(?:box\\*_[23]d|box|bbox|bounding_box|label"
    r"|mask|confidence|point|points|trajectory|start|end"
    r"|time|timestamp)\\?[\"'”]?\s*:"
)
# A string, to the end of the text if need be, or one brace.
_BRACES = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}]', re.DOTALL)
_BRACES_SINGLE = re.compile(r"'(?:[^'\\]|\\.)*'?|[{}]", re.DOTALL)
_EMPTY_LIST = re.compile(
    r"(?:^|:)[ \t]*(?:\{\s*\"\w+\"\s*:\s*)?\[\s*\](?:\s*\})?[ \t.]*$", re.MULTILINE
)
_UNFINISHED = re.compile(r'(?:[\[{]\s*){1,4}(?:"[^"\]}]*"?\s*:?\s*)?$')
_NEXT_UNFINISHED = re.compile(r"\s*,\s*(?:[\[{]\s*){0,4}(?:\"[^\"\]}]*\"?\s*:?\s*)?")
"""What stands behind the last whole item when the next one is cut."""
_CLOSED = re.compile(r"([\"\]}\d])\s*\}(?=[\s\]}]*\][\s\]}]*$)")
_DECODER = JSONDecoder()


@dataclass(frozen=True, slots=True)
class JsonItems:
    """The items of one reply.

    `seen` counts the `dropped` as well, which are counted by the code of their issue;
    `repaired` of the items were mended. `readable` is False when the text holds no
    list, no object and no beginning of one.
    """

    items: tuple[JsonItem, ...] = ()
    issues: tuple[Issue, ...] = ()
    seen: int = 0
    cut: bool = False
    readable: bool = True
    repaired: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


def find_items(text: str) -> JsonItems:
    """Find every complete item in the text of a reply; never raises.

    Time is linear in the length of the text.
    """
    fences = list(islice(_fenced(text), 2))
    for candidate in (text, *(fences if len(fences) == 1 else ())):
        try:
            value = orjson.loads(candidate.strip())
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, str) and value.startswith(("[", "{")):
            written_twice = find_items(value)
            return written_twice if written_twice.seen else JsonItems(readable=False)
        items = items_of(value)
        if items is None:
            return JsonItems(readable=False)
        return JsonItems(tuple(items), seen=len(items))
    without_code = _CODE.sub("```", text)  # what stood around it stays apart
    if len(without_code) < len(text):
        found = _Scan(without_code).run()
        if found.readable:
            return found
    return _Scan(text).run()


def _fenced(text: str) -> Iterator[str]:
    """Give what stands in each code fence that is closed."""
    opened = _FENCE.search(text)
    while opened and (end := text.find("```", opened.end())) >= 0:
        yield text[opened.end() : end]
        opened = _FENCE.search(text, end + 3)


@dataclass(slots=True)
class _Scan:
    """One pass over a text that is not strict JSON."""

    text: str
    items: list[JsonItem] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    prefix: str = ""
    closers: str = ""
    """The brackets that must follow the last item."""
    after: int = 0
    """Where the last item ended."""
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    repairs: int = 0
    cut: bool = False
    heads: list[int] = field(default_factory=list)
    budget: int = 0
    """Characters that may still be read in vain."""

    def run(self) -> JsonItems:
        self.heads = [match.start() for match in _ITEM_HEAD.finditer(self.text)]
        self.budget = 4 * len(self.text) + 1000
        match = _START.search(self.text)
        while match:
            match = _START.search(self.text, self.step(match.start()))
            if self.budget < 0:
                self.issues.append(Issue("", "tangled", "the rest is no sane JSON"))
                self.cut = bool(self.seen)
                break
        self.judge_end()
        empty = not self.seen and bool(_EMPTY_LIST.search(self.text))
        return JsonItems(
            tuple(self.items),
            tuple(self.issues),
            self.seen,
            cut=self.cut,
            readable=bool(self.seen) or empty or self.cut,
            repaired=self.repaired,
            dropped=self.dropped,
        )

    @property
    def seen(self) -> int:
        return len(self.items) + self.dropped.total()

    def step(self, start: int) -> int:
        """Read the object at `start`; say where to go on."""
        try:
            value, end = _DECODER.raw_decode(self.text, start)
        except JSONDecodeError as error:
            # The error has counted the lines of the whole text.
            self.budget -= error.pos - start + len(self.text) // 500
        except (ValueError, RecursionError):
            # A number of thousands of digits, or thousands of nested lists.
            self.budget -= len(self.text) // 4
        else:
            self.take(value, start, end)
            return end
        wrapper = _WRAPPER_HEAD.match(self.text, start)
        if wrapper:
            self.prefix, self.closers = wrapper[1], "]}"
            self.after = wrapper.end()
            return wrapper.end()
        at = bisect_right(self.heads, start)
        if not at or self.heads[at - 1] != start:
            return start + 1
        following = self.heads[at] if at < len(self.heads) else len(self.text)
        return self.salvage(start, following)

    def take(self, value: JsonValue, start: int, end: int) -> None:
        """Keep a complete object: an item, or a wrapper with items inside."""
        inside = items_of(value)
        if inside is None and not value:
            return
        if inside is None or inside == [JsonItem("", value)]:
            inside = [JsonItem(self.next_path(), value)]
        self.open_list(start)
        self.items.extend(inside)
        self.after = end

    def salvage(self, start: int, following: int) -> int:
        """Repair the damaged object at `start`, or say that it is lost."""
        path, segment = self.next_path(), self.text[start:following]
        last = following == len(self.text)
        end = _closing_brace(segment, last=last)
        self.open_list(start)
        if end is not None:
            self.after = start + end
            self.mend(path, segment[:end])
            return self.after
        self.after = following
        if last:
            self.cut = True
            self.drop(Issue(path, "cut", "the reply ends inside this item"))
        else:
            self.drop(Issue(path, "damaged", "this item is not closed"))
        return following

    def mend(self, path: str, item: str) -> None:
        """Keep what a damaged but closed object says, if that can be trusted."""
        self.repairs += 1
        value = repair_item(item) if self.repairs <= MAX_REPAIRS else None
        if value is None:
            self.drop(Issue(path, "damaged", "this item is not valid JSON"))
            return
        self.repaired += 1
        self.items.append(JsonItem(path, value))
        self.issues.append(Issue(path, "repaired", "this item was not valid JSON"))

    def drop(self, why: Issue) -> None:
        self.issues.append(why)
        self.dropped[why.code] += 1

    def next_path(self) -> str:
        return f"{self.prefix}[{self.seen}]"

    def open_list(self, start: int) -> None:
        """Note that the first item stands in a list, which must be closed."""
        if not self.seen and not self.closers:
            before = self.text[max(0, start - 80) : start].rstrip()
            self.closers = "]" if before.endswith("[") else ""

    def judge_end(self) -> None:
        """Decide whether the text stops before its list is closed."""
        tail = self.text[self.after :]
        closing = re.sub(r"[^\]}]", "", tail)
        if not closing.startswith(self.closers) or _NEXT_UNFINISHED.fullmatch(tail):
            self.cut = True
        if not self.seen:
            self.cut = self.cut or bool(_UNFINISHED.search(self.text[-200:].rstrip()))


def _closing_brace(segment: str, *, last: bool) -> int | None:
    """Find the end of the object that starts a segment; None when it is not closed.

    Where quotes do not match, a brace before the next item is taken for it; at the end
    of the text it may be part of a label that was cut.
    """
    single = re.match(r"\{\s*'", segment)
    depth = 0
    for match in (_BRACES_SINGLE if single else _BRACES).finditer(segment):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if match[0] == "}" and not depth:
            return match.end()
    if last:
        return _closed_in_spite(segment)
    bare = segment.rstrip(" \t\r\n,")
    return len(bare) if bare.endswith("}") else None


def _closed_in_spite(segment: str) -> int | None:
    """Find the end of the last object where only its quotes hide that it is closed.

    Told safely: no cut makes a quote stand before a word (`"14" tv"}]`), so the text is
    broken before its end; and it ends with a value and the brackets of its list.
    """
    try:
        _DECODER.raw_decode(segment)
    except (ValueError, RecursionError) as error:
        if not isinstance(error, JSONDecodeError) or "delimiter" not in error.msg:
            return None
        body = segment.rsplit("```", 1)[0].rstrip() if "```" in segment else segment
        body = body.rstrip()
        start = max(error.pos, len(body) - 200)
        closing = _CLOSED.search(body, start)
        opened = closing and re.search(r"[:,\[{\\]\s*$", body[: closing.start()][-20:])
        return None if closing is None or opened else closing.end()
    return None
