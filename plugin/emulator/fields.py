"""A JSON body -> its fields, with the complaints of the protobuf reader of the real API.

Keys are accepted in camelCase and snake_case at every level, as protobuf's JSON form
does and as the SDK mixes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ..values import JsonValue
from .failures import invalid

Fields = Mapping[str, JsonValue]
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_OPEN = frozenset({"response_schema", "response_json_schema", "metadata", "labels"})
"""What lies inside these is the caller's own, or a schema: no keys of ours."""


def message(text: str, **inner: object) -> dict[str, object]:
    """List the fields of a message; all but `inner` may hold anything."""
    return {**dict.fromkeys(text.split()), **inner}


_PART = message(
    "text thought thought_signature function_call function_response executable_code "
    "code_execution_result tool_call tool_response part_metadata media_processing "
    "audio_transcription speech_metadata document_metadata spreadsheet_metadata "
    "audio_metadata",
    inline_data=message("mime_type data display_name"),
    file_data=message("mime_type file_uri display_name"),
    video_metadata=message("start_offset end_offset fps content_layers"),
    media_resolution=message("level num_tokens"),
)
_CONTENT = message("role", parts=_PART)
_CONFIG = message(
    "response_schema response_json_schema response_mime_type response_modalities "
    "response_format response_logprobs logprobs candidate_count max_output_tokens "
    "temperature top_p top_k seed stop_sequences presence_penalty frequency_penalty "
    "media_resolution speech_config audio_timestamp routing_config image_config "
    "model_selection_config enable_affective_dialog enable_enhanced_civic_answers "
    "translation_config audio_transcription_config",
    thinking_config=message("include_thoughts thinking_budget thinking_level"),
)
GENERATE = message(
    "model tools tool_config safety_settings cached_content store labels "
    "service_tier continuation_token model_armor_config",
    contents=_CONTENT,
    system_instruction=_CONTENT,
    generation_config=_CONFIG,
)
COUNT = message("model", contents=_CONTENT, generate_content_request=GENERATE)
ENTERPRISE_COUNT = message(
    "model instances tools",
    contents=_CONTENT,
    system_instruction=_CONTENT,
    generation_config=_CONFIG,
)


def load_fields(body: bytes, known: Mapping[str, object]) -> Fields:
    """Parse an object, keys in snake_case; raise GoogleError (400).

    `known` is the tree of field names; a name outside of it is refused with its path.
    """
    try:
        raw = json.loads(body)
        fields = _snake(raw)
        strange = sorted(_strange(raw, known, ""))
    except (ValueError, RecursionError) as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(fields, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    if strange:
        raise invalid("\n".join(text for _, text in strange), strange[0][0])
    return fields


def as_object(value: JsonValue, path: str) -> Fields:
    """Return an optional object of a body; raise GoogleError (400)."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{path}': an object is expected.", path)
    return value


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a repeated field of a body; a single value counts as one of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _snake(value: JsonValue) -> JsonValue:
    """Bring every key to snake_case; names that are not ours are left alone."""
    if isinstance(value, list):
        return [_snake(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    renamed = {_key(k): v for k, v in value.items()}
    return {k: v if k in _OPEN else _snake(v) for k, v in renamed.items()}


def _key(name: str) -> str:
    """Write one key in snake_case."""
    return _CAMEL.sub(r"_\1", name).lower()


def _strange(value: JsonValue, known: object, path: str) -> Iterator[tuple[str, str]]:
    """Find the fields that a message does not have: path, and Google's complaint."""
    if isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _strange(entry, known, f"{path}[{i}]")
    if not isinstance(value, dict) or not isinstance(known, dict):
        return
    for name, inner in value.items():
        key = _key(name)
        if key in known:
            yield from _strange(inner, known[key], f"{path}.{key}".lstrip("."))
            continue
        where = f" at '{path}'" if path else ""
        complaint = f'Unknown name "{name}"{where}: Cannot find field.'
        yield path, f"Invalid JSON payload received. {complaint}"
