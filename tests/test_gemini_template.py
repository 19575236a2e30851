"""Requests after the first are what the SDK would have sent, to the last byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.gemini.endpoint import Endpoint
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Answered, Limits, ask_all
from fiftyone_gemini.gemini.template import STAND_IN, Template
from fiftyone_gemini.values import Item, Request
from gemini_server import FAST, KEY, Seen, Server, items, request_about, serving

SCHEMA = {"type": "array", "items": {"type": "string"}}
ALIKE = ("x-goog-api-key", "user-agent", "content-type", "x-server-timeout")


def build(item: Item) -> Request:
    """Ask two prompts in turn, with and without a schema."""
    number = int(item.path)
    request = request_about(number, schema=SCHEMA if number % 4 < 2 else None)
    return replace(request, prompt=f"Prompt {number % 2}: „detect“ \\ \u2028 all.")


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
        assert STAND_IN.hex() not in str([seen.body for seen in server.seen])
    assert len(pictures) == 6


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
    template = Template("http://x", headers, ssl=True, before=b"", after=b"")
    assert KEY not in shown(template)


def test_an_sdk_that_writes_pictures_otherwise_does_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the stand-in is not found again, requests are sent by the SDK as they are."""
    monkeypatch.setattr("fiftyone_gemini.gemini.template._WRITTEN", b"not there")
    with serving([]) as server:
        answered = ask(server, tmp_path, 4)
        pictures = {seen.picture for seen in server.seen}
    assert [a.reply.failure for a in answered] == [None] * 4
    assert len(pictures) == 4
