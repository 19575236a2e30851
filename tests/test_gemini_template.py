"""Requests after the first are what the SDK would have sent, to the last byte."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Answered, Limits, ask_all
from fiftyone_gemini.gemini.template import StandInLostError, Template, stand_ins
from fiftyone_gemini.values import Example, Item, Request
from gemini_server import (
    FAST,
    KEY,
    Seen,
    Server,
    items,
    picture,
    request_about,
    serving,
)

SCHEMA = {"type": "array", "items": {"type": "string"}}
ALIKE = ("x-goog-api-key", "user-agent", "content-type", "x-server-timeout")


def build(item: Item) -> Request:
    """Ask two prompts in turn, with and without a schema."""
    number = int(item.path)
    return request_about(
        number,
        prompt=f"Prompt {number % 2}: „detect“ \\ \u2028 all.",
        schema=SCHEMA if number % 4 < 2 else None,
    )


def ask(
    server: Server, folder: Path, count: int, endpoint: Endpoint | None = None
) -> list[Answered]:
    """Ask about some items, one after the other, anew."""
    limits = Limits(**FAST, in_flight=1)
    with Journal(folder / f"journal{len(server.seen)}") as journal:
        return list(
            ask_all(
                items(count),
                build,
                endpoint=endpoint or server.endpoint(),
                journal=journal,
                limits=limits,
            )
        )


def told(seen: Seen) -> tuple[object, ...]:
    """Give all of a request that a server can tell apart."""
    headers = {name.lower(): value for name, value in seen.headers.items()}
    return seen.path, seen.body, *(headers.get(name) for name in ALIKE)


def test_repeated_requests_are_those_of_the_sdk(tmp_path: Path) -> None:
    """Eight requests in one run are what eight runs of one request each send."""
    with serving([]) as server:
        ask(server, tmp_path, 8)
        together = [told(seen) for seen in server.seen]
        server.seen.clear()
        for number in range(8):
            folder = tmp_path / str(number)
            folder.mkdir()
            with Journal(folder / "journal") as journal:
                item = Item(str(number), str(number))
                endpoint = server.endpoint()
                list(ask_all([item], build, endpoint=endpoint, journal=journal))
        alone = [told(seen) for seen in server.seen]
    assert sorted(together, key=str) == sorted(alone, key=str)
    assert len({str(body) for _, body, *_ in together}) == 8


def test_no_stand_in_is_ever_sent(tmp_path: Path) -> None:
    """The server sees the pictures, all of them different."""
    with serving([]) as server:
        ask(server, tmp_path, 6)
        pictures = {seen.picture for seen in server.seen}
        stand_in = base64.urlsafe_b64encode(stand_ins(1)[0]).decode()
        assert stand_in not in str([seen.body for seen in server.seen])
    assert len(pictures) == 6


def test_every_picture_of_a_request_has_its_place(tmp_path: Path) -> None:
    """Examples and several pictures are sent in order, also by a repeated request."""

    def several(item: Item) -> Request:
        number = int(item.path)
        one, two = request_about(number).media, request_about(number + 50).media
        shown = Example((one, "What is this?"), "a square")
        asked = replace(request_about(number), content=("First:", one, "Second:", two))
        return replace(asked, system="Be brief.", examples=(shown,))

    with serving([]) as server, Journal(tmp_path / "j") as journal:
        endpoint, limits = server.endpoint(), Limits(**FAST, in_flight=1)
        list(
            ask_all(
                items(3), several, endpoint=endpoint, journal=journal, limits=limits
            )
        )
    numbers = []
    for seen in server.seen:  # what is loaded first is asked first
        turns = seen.body["contents"]
        assert [turn["role"] for turn in turns] == ["user", "model", "user"]
        assert turns[1]["parts"] == [{"text": "a square"}]
        sent = [
            base64.urlsafe_b64decode(part["inlineData"]["data"])
            for part in [*turns[0]["parts"], *turns[2]["parts"]]
            if "inlineData" in part
        ]
        numbers.append([picture(n) for n in range(3)].index(sent[0]))
        assert sent == [sent[0], sent[0], picture(numbers[-1] + 50)]
        assert seen.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert sorted(numbers) == [0, 1, 2]


def test_the_gemini_api_is_asked_like_the_emulator(tmp_path: Path) -> None:
    """The way to Google is the way that is tested here, but for its address."""
    with serving([]) as server:
        endpoint = Endpoint("gemini", KEY, server.url, timeout_seconds=10)
        answered = ask(server, tmp_path, 5, endpoint)
        assert [a.reply.failure for a in answered] == [None] * 5
        assert {seen.body["store"] for seen in server.seen} == {False}


@pytest.mark.parametrize("shown", [repr, str])
def test_a_template_does_not_show_its_key(shown: object) -> None:
    """The headers hold the key and are left out."""
    headers = {"x-goog-api-key": KEY}
    template = Template("http://x", headers, ssl=True, pieces=[b""])
    assert KEY not in shown(template)


def test_an_sdk_that_writes_pictures_otherwise_does_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the stand-in is not found again, requests are sent by the SDK as they are."""

    def lost(body: bytes, count: int) -> list[bytes]:
        raise StandInLostError

    monkeypatch.setattr("fiftyone_gemini.gemini.template._cut", lost)
    with serving([]) as server:
        answered = ask(server, tmp_path, 4)
        pictures = {seen.picture for seen in server.seen}
    assert [a.reply.failure for a in answered] == [None] * 4
    assert len(pictures) == 4
