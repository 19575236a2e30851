"""Several pictures asked about in one request: put together before `asking`, told apart after.

Each picture is announced by its number, and its answer is found by that number alone. What
a reply does not answer for sure is put aside, to be asked about alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from .errors import MediaError, UsageError
from .gemini.answered import Answered, Picked
from .gemini.journal import request_key
from .parsing.entries import IMAGE, read_entries
from .progress import Tally
from .reading import parse
from .tasks import Task, Together
from .values import (
    Box,
    Item,
    JsonValue,
    Media,
    Parsed,
    Part,
    Question,
    Reply,
    Request,
    Status,
    Usage,
)

ANSWERS = "answers"
_EACH = (
    "Each image above is announced by its number. For every one of them, on its own and as "
    "if it were the only one, do this:"
)
_TOGETHER = (
    f'Output one JSON object of the form {{"{ANSWERS}": [...]}} with one entry for each '
    "image: the JSON object described above, which also has the number of its image in "
    f'the key "{IMAGE}".'
)


def check_chunk(task: Task, size: int, names: tuple[str, ...], *, alone: str) -> None:
    """Raise `UsageError` where a task cannot be asked about so many pictures at once.

    `names` are those of the words of each sample; `alone` names what else needs a
    request for each picture.
    """
    if size == 1:
        return
    if not isinstance(task, Together):
        raise UsageError(
            f"The task {task.name} is asked about one picture at a time; leave out the "
            "chunk."
        )
    if size > task.most_together:
        raise UsageError(
            f"The task {task.name} is asked about {task.most_together} pictures at once "
            f"at most, not {size}."
        )
    if names:
        alone = f"the words {{{names[0]}}} of each sample"
    if alone:
        raise UsageError(f"Chunks do not go with {alone}: leave out one of them.")


def in_chunks(items: Iterable[Item], size: int) -> Iterator[Item]:
    """Put neighbours together, so many in one item; 1: give the items as they are."""
    left = iter(items)
    if size == 1:
        yield from left
        return
    while members := tuple(islice(left, size)):
        yield replace(members[0], together=members)


def announced(item: Item, load: Callable[[str, Box | None], Media]) -> list[Part]:
    """Load the pictures that are together, each behind its number.

    Those that cannot be sent are left out, to be asked about alone. Raises `MediaError`
    when that is all of them.
    """
    parts: list[Part] = []
    for number, member in enumerate(item.together, 1):
        with suppress(MediaError):
            parts += [f"Image {number}:", load(member.path, member.region)]
    if not parts:
        raise MediaError(f"{item.path} and its neighbours cannot be sent.")
    return parts


def words_for_all(prompt: str) -> str:
    """Turn the words about one picture into those about each of several."""
    return f"{_EACH}\n{prompt}\n{_TOGETHER}"


def schema_for_all(
    schema: Mapping[str, JsonValue] | None,
) -> dict[str, JsonValue] | None:
    """Describe a list of the answers that a schema describes; raises `UsageError`."""
    if schema is None:
        return None
    properties, required = schema.get("properties"), schema.get("required")
    known = properties if isinstance(properties, dict) else {}
    if IMAGE in known:
        raise UsageError(
            f"A question named {IMAGE!r} does not go with chunks: name it otherwise."
        )
    entry: dict[str, JsonValue] = {
        **schema,
        "properties": {IMAGE: {"type": "integer"}, **known},
        "required": [IMAGE, *(required if isinstance(required, list) else [])],
    }
    return {
        "type": "object",
        "properties": {ANSWERS: {"type": "array", "items": entry}},
        "required": [ANSWERS],
    }


def shared(usage: Usage, count: int) -> Iterator[Usage]:
    """Share tokens out, whole ones, so that the shares add up to them."""
    every = (usage.prompt, usage.output, usage.thoughts, usage.cached)
    for place in range(count):
        yield Usage(*(n // count + (place < n % count) for n in every))


@dataclass(slots=True)
class Chunks:
    """Reads replies about several pictures; others pass through.

    `aside` are the pictures to be asked about alone, each with the part of it that its
    share of the first reply took.
    """

    task: Task
    question: Question
    aside: dict[tuple[str, str, int], Parsed] = field(default_factory=dict)
    why: Counter[str] = field(default_factory=Counter)

    def read(
        self, answered: Answered, tally: Tally
    ) -> Iterator[tuple[Answered, Parsed]]:
        """Give what is answered for sure, with its share of the tokens.

        The share of what is put aside is counted at once.
        """
        if not answered.item.together:
            yield answered, parse(answered, self.task, self.question)
            return
        said = self._said(answered)
        for number, one in _members(answered):
            text = said.get(number)
            whole = (
                one if text is None else replace(one, reply=_saying(text, one.reply))
            )
            parsed = parse(whole, self.task, self.question)
            answers = text is not None and parsed.status.answers(len(parsed.values))
            later = parsed.status is Status.API_ERROR and not one.reply.refused
            if answers or later:  # by the next run, which finds the chunk unanswered
                yield whole, parsed
            else:
                self._put_aside(parsed, tally)

    def with_share(self, parsed: Parsed) -> Parsed:
        """Add what a picture that was asked about alone had taken before."""
        before = self.aside.get(_key(parsed.item))
        if before is None:
            return parsed
        costs = (parsed.cost_usd, before.cost_usd)
        cost = None if None in costs else sum(c for c in costs if c is not None)
        return replace(parsed, usage=parsed.usage + before.usage, cost_usd=cost)

    def alone(self, tally: Tally) -> list[Item]:
        """List what is to be asked about alone, and note that and why."""
        why = ", ".join(f"{n} {word}" for word, n in sorted(self.why.items()))
        if self.why and not self.aside:
            tally.notes.append(f"Replies about several pictures held more: {why}.")
        if self.aside:
            tally.notes.append(
                f"{len(self.aside)} pictures had no answer of their own in a reply about "
                f"several{f' (entries: {why})' if why else ''}; they are asked about alone."
            )
        return [parsed.item for parsed in self.aside.values()]

    def _put_aside(self, parsed: Parsed, tally: Tally) -> None:
        cost = tally.price_of(parsed)
        self.aside[_key(parsed.item)] = replace(parsed, cost_usd=cost)
        if not parsed.from_journal:
            tally.pay(parsed.usage, parsed.model_version, batched=parsed.batched)

    def _said(self, answered: Answered) -> dict[int, str]:
        """Give what was said just once, of a picture that was sent, by its number."""
        if answered.request is None or answered.reply.failure is not None:
            return {}
        entries = read_entries(answered.reply.text)
        sent = {number for number, one in _members(answered) if one.picked is not None}
        times = Counter(entry.number for entry in entries)
        self.why["missing"] += sum(number not in times for number in sent)
        self.why["doubled"] += sum(times[number] > 1 for number in sent)
        self.why["of no picture sent"] += sum(e.number not in sent for e in entries)
        self.why = +self.why
        return {
            e.number: e.text
            for e in entries
            if e.number is not None and e.number in sent and times[e.number] == 1
        }


def _key(item: Item) -> tuple[str, str, int]:
    return item.sample_id, item.target, item.attempt


def _saying(text: str, reply: Reply) -> Reply:
    """Take what was said of one picture as a whole reply."""
    return replace(reply, text=text, cut=False)


def _members(answered: Answered) -> Iterator[tuple[int, Answered]]:
    """Give each picture of a request by its number, with its share of the tokens.

    One that could not be sent has no part in it, and none of the tokens.
    """
    request, reply = answered.request, answered.reply
    key = "" if request is None else request_key(request)
    sent = {} if request is None else _sent(request)
    shares = shared(reply.usage, len(sent))
    for number, item in enumerate(answered.item.together, 1):
        if number in sent:
            share = replace(reply, usage=next(shares))
            picked = Picked(sent[number], key)
            yield number, replace(answered, item=item, reply=share, picked=picked)
        else:
            lost = Reply(failure=Status.MEDIA_ERROR, error=reply.error)
            yield number, Answered(item, None, lost)


def _sent(request: Request) -> dict[int, Media]:
    """Find the pictures of a request by their numbers."""
    found: dict[int, Media] = {}
    before = ""
    for part in request.content:
        if isinstance(part, str):
            before = part
        else:
            found[int(before.removeprefix("Image ").removesuffix(":"))] = part
    return found
