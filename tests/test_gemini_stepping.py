"""A field that an endpoint does not know: left out by a written rule, once, and said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fiftyone_gemini.gemini.journal import Journal
from fiftyone_gemini.gemini.pool import Answered, Limits, ask_all
from fiftyone_gemini.values import Clip, Item, Request, Status
from gemini_server import Say, Server, items, refusal, request_about, serving

SCHEMA = {"type": "array", "items": {"type": "string"}}


def unknown(name: str, where: str = "generation_config") -> str:
    """Complain as Google does about a field."""
    return (
        f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': "
        "Cannot find field."
    )


def holds(value: object, name: str) -> bool:
    """Tell whether a body has a field anywhere."""
    if isinstance(value, list):
        return any(holds(entry, name) for entry in value)
    if not isinstance(value, dict):
        return False
    return name in value or any(holds(entry, name) for entry in value.values())


def ask(
    tmp_path: Path, request: Request, *names: str, count: int = 3
) -> tuple[list[Answered], Server]:
    """Ask a server that does not know some fields, one question after the other."""

    def script(number: int) -> Say:
        body = server.seen[number].body
        found = [name for name in names if holds(body, name)]
        if not found:
            return Say()
        return refusal(400, "\n".join(unknown(name) for name in found))

    def build(item: Item) -> Request:
        return replace(request, system=item.path)

    with serving(script) as server, Journal(tmp_path / "run.sqlite") as book:
        answered = ask_all(
            items(count),
            build,
            endpoint=server.endpoint(),
            journal=book,
            limits=Limits(in_flight=1),
        )
        return list(answered), server


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        pytest.param("mediaResolution", {"media_resolution": "low"}, id="for all"),
        pytest.param(
            "mediaResolution", {"media_resolution": "ultra_high"}, id="a part"
        ),
        pytest.param("thinkingConfig", {}, id="thinking"),
        pytest.param("thinking_level", {}, id="thinking level"),
        pytest.param("store", {}, id="store"),
        pytest.param("responseMimeType", {}, id="JSON type"),
    ],
)
def test_an_unknown_optional_field_is_left_out(
    tmp_path: Path, name: str, parameters: dict
) -> None:
    """One refusal, then every request goes without the field; the run is told once."""
    request = request_about(schema=SCHEMA, **parameters)
    answered, server = ask(tmp_path, request, name)
    assert [a.reply.failure for a in answered] == [None] * 3
    assert [holds(seen.body, name) for seen in server.seen] == [True] + [False] * 3
    notes = [note for a in answered for note in a.notes]
    assert len(notes) == 1
    assert "does not know the field" in notes[0]


def test_a_schema_is_written_the_older_way_then_left_out(tmp_path: Path) -> None:
    """JSON Schema, then OpenAPI's, then none: each step once, each said."""
    request = request_about(schema=SCHEMA)
    answered, server = ask(tmp_path, request, "responseJsonSchema", "responseSchema")
    assert [a.reply.failure for a in answered] == [None] * 3
    configs = [seen.body["generationConfig"] for seen in server.seen]
    assert configs[0]["responseJsonSchema"] == SCHEMA
    assert configs[1]["responseSchema"]["type"] == "ARRAY"
    assert configs[1]["responseMimeType"] == "application/json"
    assert not any("responseMimeType" in config for config in configs[2:])
    assert len(configs) == 5
    assert len([note for a in answered for note in a.notes]) == 2


def test_several_unknown_fields_are_left_out_together(tmp_path: Path) -> None:
    """One complaint may name more than one field."""
    request = request_about(media_resolution="low")
    answered, server = ask(tmp_path, request, "mediaResolution", "store")
    assert len(server.seen) == 4
    assert len([note for a in answered for note in a.notes]) == 2


@pytest.mark.parametrize(
    "name", ["inlineData", "videoMetadata", "systemInstruction", "maxOutputTokens"]
)
def test_what_is_asked_is_never_left_out(tmp_path: Path, name: str) -> None:
    """Pictures, clips, words and the output limit stay: the item fails, with advice."""
    request = request_about(media_resolution="low")
    media = replace(request.media, clip=Clip(1, 2))
    request = replace(request, content=(media, *request.content[1:]))
    answered, server = ask(tmp_path, request, name, "mediaResolution", count=1)
    assert [a.reply.failure for a in answered] == [Status.API_ERROR]
    assert "--api-version v1beta" in answered[0].reply.error
    assert len(server.seen) == 1
    assert holds(server.seen[0].body, "mediaResolution")
