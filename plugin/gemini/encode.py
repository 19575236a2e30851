"""`Request` to the arguments of the SDK, shaped by the model's row of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..values import Clip, JsonValue, Media, Parameters, Part, Request
from .models import facts

if TYPE_CHECKING:
    from google.genai import types

MAX_OUTPUT_TOKENS = 16_384
"""Enough for about 80 polygons; a model caught in a loop stops here, not at 65,536."""
TEMPERATURE = 0.5
"""For Gemini 2, which loops at 0 (Google's spatial understanding cookbook)."""
HIGHEST_TEMPERATURE = 2.0
LEVELS = ("minimal", "low", "medium", "high", "xhigh")
MODEL_DEFAULT = "default"
"""As `Parameters.thinking`: say nothing about thinking."""
RESOLUTIONS = ("low", "medium", "high", "ultra_high")
JSON_SCHEMA, OPENAPI_SCHEMA = "response_json_schema", "response_schema"
"""The two ways to write a schema; the second is sent where the first was refused."""
_BY_PART = "ultra_high"
"""A resolution that can only be asked for a part, not for a whole request."""


def inline(request: Request) -> tuple[Media, ...]:
    """Give the pictures and videos whose bytes are in the request, in order."""
    return tuple(media for media in request.all_media if media.data)


def contents(request: Request, data: Sequence[bytes]) -> list[types.Content]:
    """Write examples and question as turns; `data` are the bytes of `inline`."""
    from google.genai import types

    left = iter(data)
    turns = []
    for example in request.examples:
        turns.append(_turn(request, example.content, left))
        answer = types.Part.from_text(text=example.answer)
        turns.append(types.Content(role="model", parts=[answer]))
    return [*turns, _turn(request, request.content, left)]


def contents_to_count(request: Request) -> list[types.Content]:
    """Write a request for `countTokens`, which takes contents alone on the Gemini API.

    So the system instruction stands among the words, and the media resolution at each
    part.
    """
    from google.genai import types

    turns = contents(request, [media.data for media in inline(request)])
    parts = [part for turn in turns for part in turn.parts or []]
    level = _level(request)
    if level is not None:
        for part in parts:
            if part.inline_data or part.file_data:
                part.media_resolution = _part_resolution(level)
    if request.system:
        system = types.Part.from_text(text=request.system)
        turns[0].parts = [system, *(turns[0].parts or [])]
    return turns


def config(request: Request, *, store: bool | None) -> types.GenerateContentConfig:
    """Shape the settings of a request; what its model does not accept is left out.

    `store` False asks Google not to keep the request; the enterprise platform has no
    such field and takes None.
    """
    from google.genai import types

    asked = request.parameters
    json_schema, openapi_schema = _schemas(request)
    is_json = json_schema is not None or openapi_schema is not None
    given = types.GenerateContentConfig(
        system_instruction=request.system or None,
        temperature=_temperature(request),
        max_output_tokens=asked.max_output_tokens or MAX_OUTPUT_TOKENS,
        response_mime_type="application/json" if is_json else None,
        response_json_schema=json_schema,
        response_schema=openapi_schema,
        media_resolution=_resolution(request),
        thinking_config=_thinking(thinking_of(request)),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        should_return_http_response=True,
        store=store,
    )
    for name in request.without & {"store", "temperature", "response_mime_type"}:
        setattr(given, name, None)
    return given


def check(model: str, parameters: Parameters) -> None:
    """Raise `UsageError` for settings that cannot be, or that a model does not take."""
    row = facts(model)
    if parameters.temperature is not None:
        if row.known and not row.sampling:
            raise UsageError(
                f"{model} takes no temperature: leave it out, or ask another model."
            )
        if not 0 <= parameters.temperature <= HIGHEST_TEMPERATURE:
            raise UsageError(
                f"The temperature is from 0 to {HIGHEST_TEMPERATURE:g}, not "
                f"{parameters.temperature:g}."
            )
    if parameters.max_output_tokens is not None and parameters.max_output_tokens < 1:
        raise UsageError("An answer needs at least 1 output token.")
    _thinking(parameters.thinking or MODEL_DEFAULT)
    resolution = parameters.media_resolution
    if resolution is not None and resolution not in RESOLUTIONS:
        raise UsageError(
            f"Unknown media resolution {resolution!r}: "
            f"give one of {', '.join(RESOLUTIONS)}."
        )


def thinking_of(request: Request) -> str:
    """Name the thinking setting that is sent: as asked, else the cheapest accepted."""
    if "thinking" in request.without:
        return MODEL_DEFAULT
    if request.parameters.thinking is not None:
        return request.parameters.thinking
    return next(iter(facts(request.model).thinking), MODEL_DEFAULT)


def _turn(
    request: Request, content: Iterable[Part], data: Iterator[bytes]
) -> types.Content:
    """Write one turn of the user."""
    from google.genai import types

    parts = [
        types.Part.from_text(text=part)
        if isinstance(part, str)
        else _media_part(part, data, _level(request))
        for part in content
    ]
    return types.Content(role="user", parts=parts)


def _media_part(
    media: Media, data: Iterator[bytes], resolution: str | None
) -> types.Part:
    """Write a picture or a video: the next bytes, or where it is to be found."""
    from google.genai import types

    if media.data:
        part = types.Part.from_bytes(data=next(data), mime_type=media.mime_type)
    else:
        file = types.FileData(file_uri=media.uri, mime_type=media.mime_type or None)
        part = types.Part(file_data=file)
    if resolution == _BY_PART:
        part.media_resolution = _part_resolution(resolution)
    if media.clip != Clip():
        part.video_metadata = _video_metadata(media.clip)
    return part


def _part_resolution(word: str) -> types.PartMediaResolution:
    """Write the resolution of one part."""
    from google.genai import types

    level = types.PartMediaResolutionLevel(f"MEDIA_RESOLUTION_{word.upper()}")
    return types.PartMediaResolution(level=level)


def _video_metadata(clip: Clip) -> types.VideoMetadata:
    from google.genai import types

    start, end = clip.start_seconds, clip.end_seconds
    return types.VideoMetadata(
        start_offset=None if start is None else f"{start:.9g}s",
        end_offset=None if end is None else f"{end:.9g}s",
        fps=clip.fps,
    )


def _level(request: Request) -> str | None:
    """Name the resolution that is asked for, if any."""
    if "media_resolution" in request.without:
        return None
    return request.parameters.media_resolution


def _resolution(request: Request) -> types.MediaResolution | None:
    """Write the resolution that holds for all parts."""
    from google.genai import types

    word = _level(request)
    if word is None or word == _BY_PART:
        return None
    return types.MediaResolution(f"MEDIA_RESOLUTION_{word.upper()}")


def _schemas(
    request: Request,
) -> tuple[dict[str, JsonValue] | None, types.Schema | None]:
    """Write the schema in the way that was not refused: one of them, or none."""
    from google.genai import types

    if request.schema is None:
        return None, None
    schema = dict(request.schema)
    if JSON_SCHEMA not in request.without:
        return schema, None
    if OPENAPI_SCHEMA in request.without:
        return None, None
    try:
        read = types.JSONSchema.model_validate(schema)
        return None, types.Schema.from_json_schema(json_schema=read)
    except ValueError:  # what only JSON Schema can say; the prompt says it too
        return None, None


def _thinking(setting: str) -> types.ThinkingConfig | None:
    """Write a thinking setting: a number is a token budget, a word a level."""
    from google.genai import types

    if setting == MODEL_DEFAULT:
        return None
    if setting.removeprefix("-").isdecimal():
        return types.ThinkingConfig(thinking_budget=int(setting))
    if setting not in LEVELS:
        raise UsageError(
            f"Unknown thinking setting {setting!r}: give a number of tokens, "
            f"{', '.join(LEVELS)} or {MODEL_DEFAULT}."
        )
    return types.ThinkingConfig(thinking_level=types.ThinkingLevel(setting.upper()))


def _temperature(request: Request) -> float | None:
    """Send a temperature only where it is accepted."""
    row, asked = facts(request.model), request.parameters.temperature
    if row.sampling and asked is None:
        return TEMPERATURE
    return asked if row.sampling or not row.known else None
