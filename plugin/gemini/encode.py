"""`Request` to the arguments of the SDK, shaped by the model's row of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..values import Clip, Media, Part, Request
from .models import ModelFacts, facts

if TYPE_CHECKING:
    from google.genai import types

MAX_OUTPUT_TOKENS = 16_384
"""Enough for about 80 polygons; a model caught in a loop stops here, not at 65,536."""
TEMPERATURE = 0.5
"""For Gemini 2, which loops at 0 (Google's spatial understanding cookbook)."""
LEVELS = ("minimal", "low", "medium", "high", "xhigh")
MODEL_DEFAULT = "default"
"""As `Parameters.thinking`: say nothing about thinking."""
RESOLUTIONS = ("low", "medium", "high", "ultra_high")
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


def config(request: Request, *, store: bool | None) -> types.GenerateContentConfig:
    """Shape the settings of a request; what its model does not accept is left out.

    `store` False asks Google not to keep the request; the enterprise platform has no
    such field and takes None.
    """
    from google.genai import types

    row = facts(request.model)
    asked = request.parameters
    schema = None if request.schema is None else dict(request.schema)
    return types.GenerateContentConfig(
        system_instruction=request.system or None,
        temperature=_temperature(request, row),
        max_output_tokens=asked.max_output_tokens or MAX_OUTPUT_TOKENS,
        response_mime_type=None if schema is None else "application/json",
        response_json_schema=schema,
        media_resolution=_resolution(asked.media_resolution),
        thinking_config=_thinking(thinking_of(request)),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        should_return_http_response=True,
        store=store,
    )


def thinking_of(request: Request) -> str:
    """Name the thinking setting that is sent: as asked, else the cheapest accepted."""
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
        else _media_part(part, data, request.parameters.media_resolution)
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
        level = types.PartMediaResolutionLevel.MEDIA_RESOLUTION_ULTRA_HIGH
        part.media_resolution = types.PartMediaResolution(level=level)
    if media.clip != Clip():
        part.video_metadata = _video_metadata(media.clip)
    return part


def _video_metadata(clip: Clip) -> types.VideoMetadata:
    from google.genai import types

    start, end = clip.start_seconds, clip.end_seconds
    return types.VideoMetadata(
        start_offset=None if start is None else f"{start:.9g}s",
        end_offset=None if end is None else f"{end:.9g}s",
        fps=clip.fps,
    )


def _resolution(word: str | None) -> types.MediaResolution | None:
    """Write the resolution that holds for all parts."""
    from google.genai import types

    if word is None or word == _BY_PART:
        return None
    if word not in RESOLUTIONS:
        raise UsageError(
            f"Unknown media resolution {word!r}: give one of {', '.join(RESOLUTIONS)}."
        )
    return types.MediaResolution(f"MEDIA_RESOLUTION_{word.upper()}")


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


def _temperature(request: Request, row: ModelFacts) -> float | None:
    """Send a temperature only where it is accepted."""
    if not row.sampling:
        return None
    asked = request.parameters.temperature
    return TEMPERATURE if asked is None else asked
