"""The body of a request -> `Call`, with the complaints the real API makes.

Keys are accepted in camelCase and snake_case at every level, as protobuf's JSON form
does and as the SDK mixes them; base64 in the standard and the URL-safe alphabet.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..values import JsonValue
from .failures import GoogleError, invalid
from .models import LEVELS, EmulatedModel

IMAGE_TYPES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "webp", "heic", "heif")
)
_TOP = frozenset(
    {
        *("model", "contents", "system_instruction", "generation_config", "tools"),
        *("tool_config", "safety_settings", "cached_content", "store", "labels"),
        *("service_tier", "continuation_token", "generate_content_request"),
    }
)
_SCHEMAS = frozenset({"response_schema", "response_json_schema"})
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_NO_FILE = (
    "You do not have permission to access the File {} or it may not exist. "
    "(The emulator keeps no files.)"
)
_TWO_THOUGHTS = "You can only set only one of thinking budget and thinking level."

Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Call:
    """What one request asks: words, pictures (encoded), and how to answer."""

    text: str
    pictures: tuple[bytes, ...] = ()
    schema: Fields | None = None
    wants_json: bool = False
    max_output_tokens: int | None = None
    media_resolution: str = ""


def read_call(body: bytes, model: EmulatedModel) -> Call:
    """Read the body of generateContent or countTokens; raise GoogleError (400, 403)."""
    fields = _load(body)
    for name in fields.keys() - _TOP:
        raise invalid(
            f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
        )
    inner = fields.get("generate_content_request")
    if isinstance(inner, dict):
        fields = {**fields, **{k: v for k, v in inner.items() if v}}
    parts = list(_parts(fields))
    if not parts:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    config = _object(fields.get("generation_config"), "generation_config")
    _check_thinking(config, model)
    schema = config.get("response_schema") or config.get("response_json_schema")
    limit = config.get("max_output_tokens")
    return Call(
        text="\n".join(_texts(fields, parts)),
        pictures=tuple(_pictures(parts)),
        schema=schema if isinstance(schema, dict) else None,
        wants_json=config.get("response_mime_type") == "application/json",
        max_output_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        media_resolution=_resolution(config, parts),
    )


def _load(body: bytes) -> Fields:
    """Parse the outermost object, keys in snake_case."""
    try:
        fields = _snake(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(fields, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    return fields


def _snake(value: JsonValue) -> JsonValue:
    """Bring every key to snake_case; a schema's own names are left alone."""
    if isinstance(value, list):
        return [_snake(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    renamed = {_CAMEL.sub(r"_\1", k).lower(): v for k, v in value.items()}
    return {k: v if k in _SCHEMAS else _snake(v) for k, v in renamed.items()}


def _object(value: JsonValue, path: str) -> Fields:
    """Return an optional object of a body."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{path}': an object is expected.", path)
    return value


def _parts(fields: Fields) -> Iterator[tuple[str, Fields]]:
    """Give the parts of the last turn of the conversation, each with its path."""
    contents = fields.get("contents")
    turns = contents if isinstance(contents, list) else [contents]
    last = len(turns) - 1
    if last < 0 or turns[last] is None:
        return
    turn = _object(turns[last], f"contents[{last}]")
    parts = turn.get("parts")
    for i, part in enumerate(parts if isinstance(parts, list) else [parts]):
        path = f"contents[{last}].parts[{i}]"
        if part is not None:
            yield path, _object(part, path)


def _texts(fields: Fields, parts: list[tuple[str, Fields]]) -> Iterator[str]:
    """Give the words of the system instruction and of the last turn."""
    system = _object(fields.get("system_instruction"), "system_instruction").get(
        "parts"
    )
    told = system if isinstance(system, list) else [system]
    for part in [*told, *(part for _, part in parts)]:
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text


def _pictures(parts: list[tuple[str, Fields]]) -> Iterator[bytes]:
    """Decode the pictures among the parts."""
    for path, part in parts:
        if "file_data" in part:
            uri = _object(part["file_data"], path).get("file_uri", "")
            raise GoogleError(403, "PERMISSION_DENIED", _NO_FILE.format(uri))
        if "inline_data" not in part:
            continue
        blob = _object(part["inline_data"], f"{path}.inline_data")
        mime_type = str(blob.get("mime_type", ""))
        if mime_type not in IMAGE_TYPES:
            raise invalid(f"Unsupported MIME type: {mime_type}")
        yield _base64(blob.get("data"), f"{path}.inline_data.data")


def _base64(value: JsonValue, path: str) -> bytes:
    """Decode either alphabet, with or without padding."""
    try:
        text = str(value).replace("-", "+").replace("_", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        message = f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for"
        raise invalid(f'{message} "{str(value)[:40]}"', path) from error


def _check_thinking(config: Fields, model: EmulatedModel) -> None:
    """Refuse what the model of that name refuses about thinking."""
    path = "generation_config.thinking_config"
    thinking = _object(config.get("thinking_config"), path)
    level = thinking.get("thinking_level")
    if level is None:
        return
    if "thinking_budget" in thinking:
        raise invalid(_TWO_THOUGHTS)
    level = str(level).upper()
    if level not in LEVELS:
        path = f"{path}.thinking_level"
        raise invalid(f"Invalid value at '{path}' (ThinkingLevel), \"{level}\"", path)
    if not model.thinking_levels:
        raise invalid("Thinking level is not supported for this model.")
    if level not in model.thinking_levels:
        raise invalid(f"Thinking level {level} is not supported for this model.")


def _resolution(config: Fields, parts: list[tuple[str, Fields]]) -> str:
    """Name the level (LOW, MEDIUM, HIGH) asked for the pictures, if any."""
    level = config.get("media_resolution")
    for _, part in parts:
        own = part.get("media_resolution")
        level = own.get("level") if isinstance(own, dict) else level
    return str(level or "").upper().removeprefix("MEDIA_RESOLUTION_")
