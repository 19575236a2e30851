"""`Request` to the arguments of the SDK, shaped by the model's row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from ..values import Request
from .models import ModelFacts, facts

if TYPE_CHECKING:
    from google.genai import types

MAX_OUTPUT_TOKENS = 16_384
"""Enough for about 80 polygons; a model caught in a loop stops here, not at 65,536."""
TEMPERATURE = 0.5
"""For Gemini 2, which loops at 0 (Google's spatial understanding cookbook)."""
LEVELS = ("minimal", "low", "medium", "high", "xhigh")
MODEL_DEFAULT = "default"
"""As `Request.thinking`: say nothing about thinking."""


def contents(request: Request, data: bytes) -> types.Content:
    """Put the picture (its `data`, or a stand-in), then the prompt, into one turn."""
    from google.genai import types

    picture = types.Part.from_bytes(data=data, mime_type=request.media.mime_type)
    return types.Content(
        role="user", parts=[picture, types.Part.from_text(text=request.prompt)]
    )


def config(request: Request, *, store: bool | None) -> types.GenerateContentConfig:
    """Shape the settings of a request; what its model does not accept is left out.

    `store` False asks Google not to keep the request; the enterprise platform has no
    such field and takes None.
    """
    from google.genai import types

    row = facts(request.model)
    schema = None if request.schema is None else dict(request.schema)
    return types.GenerateContentConfig(
        temperature=_temperature(request, row),
        max_output_tokens=request.max_output_tokens or MAX_OUTPUT_TOKENS,
        response_mime_type=None if schema is None else "application/json",
        response_json_schema=schema,
        thinking_config=_thinking(thinking_of(request)),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        should_return_http_response=True,
        store=store,
    )


def thinking_of(request: Request) -> str:
    """Name the thinking setting that is sent: as asked, else the cheapest accepted."""
    if request.thinking is not None:
        return request.thinking
    return next(iter(facts(request.model).thinking), MODEL_DEFAULT)


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
    return TEMPERATURE if request.temperature is None else request.temperature
