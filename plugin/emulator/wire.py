"""The body of a request -> `Call`, with the complaints the real API makes.

Base64 is read in the standard and the URL-safe alphabet, as the SDK mixes them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..values import JsonValue
from .failures import invalid
from .fields import Fields, as_list, as_object, load_fields
from .media import IMAGE_TYPES, VIDEO_TYPES, Clip, Library, Medium
from .models import LEVELS, EmulatedModel

MOST_PICTURES = 3600
MOST_FPS = 24
_TWO_THOUGHTS = "You can only set only one of thinking budget and thinking level."
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")

Part = tuple[str, Fields]
"""A part and its path in the body."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one request asks: the words and media of its last turn, and how to answer.

    `earlier_text` and `earlier_media` are those of the turns before: they are counted,
    not looked at.
    """

    text: str
    media: tuple[Medium, ...] = ()
    earlier_text: str = ""
    earlier_media: tuple[Medium, ...] = ()
    schema: Fields | None = None
    wants_json: bool = False
    max_output_tokens: int | None = None
    media_resolution: str = ""

    @property
    def pictures(self) -> tuple[Medium, ...]:
        """The still pictures of the last turn."""
        return tuple(medium for medium in self.media if medium.is_picture)


def read_call(
    body: bytes, model: EmulatedModel, library: Library, known: Mapping[str, object]
) -> Call:
    """Read the body of generateContent or countTokens; raise GoogleError (400, 403).

    `known` are the fields of that method; `library` knows what file URIs mean.
    """
    fields = load_fields(body, known)
    inner = fields.get("generate_content_request")
    if isinstance(inner, dict):
        fields = {**fields, **{k: v for k, v in inner.items() if v}}
    *before, parts = _turns(fields)
    earlier = [part for turn in before for part in turn]
    _check_amount([*earlier, *parts], model)
    config = as_object(fields.get("generation_config"), "generation_config")
    _check_thinking(config, model)
    schema = config.get("response_schema") or config.get("response_json_schema")
    limit = config.get("max_output_tokens")
    return Call(
        text="\n".join([*_system(fields), *_texts(parts)]),
        media=tuple(_media(parts, library)),
        earlier_text="\n".join(_texts(earlier)),
        earlier_media=tuple(_media(earlier, library)),
        schema=schema if isinstance(schema, dict) else None,
        wants_json=config.get("response_mime_type") == "application/json",
        max_output_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        media_resolution=_level(config.get("media_resolution")),
    )


def _turns(fields: Fields) -> list[list[Part]]:
    """Give the parts of each turn of the conversation; raise GoogleError (400)."""
    turns = [
        list(_parts(as_object(turn, f"contents[{i}]"), f"contents[{i}]"))
        for i, turn in enumerate(as_list(fields.get("contents")))
    ]
    if not turns or not turns[-1]:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    return turns


def _parts(turn: Fields, path: str) -> Iterator[Part]:
    """Give the parts of one turn."""
    for i, part in enumerate(as_list(turn.get("parts"))):
        if part is not None:
            yield f"{path}.parts[{i}]", as_object(part, f"{path}.parts[{i}]")


def _system(fields: Fields) -> Iterator[str]:
    """Give the words of the system instruction."""
    system = as_object(fields.get("system_instruction"), "system_instruction")
    return _texts(
        [("", p) for p in as_list(system.get("parts")) if isinstance(p, dict)]
    )


def _texts(parts: list[Part]) -> Iterator[str]:
    """Give the words of parts."""
    for _, part in parts:
        text = part.get("text")
        if isinstance(text, str):
            yield text


def _check_amount(parts: list[Part], model: EmulatedModel) -> None:
    """Refuse more media than a request may hold."""
    media = sum("inline_data" in part or "file_data" in part for _, part in parts)
    if media > MOST_PICTURES:
        raise invalid(
            f"Please use fewer than {MOST_PICTURES} images in your request to "
            f"models/{model.name}"
        )


def _media(parts: list[Part], library: Library) -> Iterator[Medium]:
    """Give the media among the parts, each with how it shall be looked at."""
    for path, part in parts:
        medium = _medium(part, path, library)
        if medium is None:
            continue
        level = part.get("media_resolution")
        own = level.get("level") if isinstance(level, dict) else None
        clip = _clip(part.get("video_metadata"), f"{path}.video_metadata")
        yield replace(medium, resolution=_level(own), clip=clip)


def _medium(part: Fields, path: str, library: Library) -> Medium | None:
    """Read the bytes of a part, or find its file; None when it is no medium."""
    if "file_data" in part:
        told = as_object(part["file_data"], f"{path}.file_data")
        mime_type = str(told.get("mime_type") or "")
        return library.find(str(told.get("file_uri") or ""), mime_type)
    if "inline_data" not in part:
        return None
    blob = as_object(part["inline_data"], f"{path}.inline_data")
    mime_type = str(blob.get("mime_type", ""))
    if mime_type not in IMAGE_TYPES | VIDEO_TYPES:
        raise invalid(f"Unsupported MIME type: {mime_type}")
    return Medium(_base64(blob.get("data"), f"{path}.inline_data.data"), mime_type)


def _clip(value: JsonValue, path: str) -> Clip | None:
    """Read which part of a video is meant; raise GoogleError (400)."""
    if value is None:
        return None
    told = as_object(value, path)
    fps = told.get("fps")
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps <= MOST_FPS):
        raise invalid(f"Invalid value at '{path}.fps': {fps} is not in (0, 24].", path)
    start, end = (
        _seconds(told.get(name), f"{path}.{name}")
        for name in ("start_offset", "end_offset")
    )
    if end is not None and end <= (start or 0):
        raise invalid(
            f"Invalid value at '{path}': end_offset is not after start_offset."
        )
    return Clip(start, end, None if fps is None else float(fps))


def _seconds(value: JsonValue, path: str) -> float | None:
    """Read a protobuf duration such as `10.5s`; raise GoogleError (400)."""
    if value is None:
        return None
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        message = f"Invalid value at '{path}' (type.googleapis.com/google.protobuf."
        raise invalid(f'{message}Duration), "{value}"', path)
    return float(value[:-1])


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
    thinking = as_object(config.get("thinking_config"), path)
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


def _level(value: JsonValue) -> str:
    """Name a media resolution (LOW, MEDIUM, HIGH ...), or give an empty string."""
    return str(value or "").upper().removeprefix("MEDIA_RESOLUTION_")
