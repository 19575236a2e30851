"""Why a call failed, and what follows: pure decisions over facts read from an error.

`client` turns the SDK's many exceptions into a `CallError`; `retry` asks `decide` what
to do next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from ..values import JsonValue

UNREACHABLE = 0
"""`CallError.code` when there was no answer at all."""
RETRYABLE = {UNREACHABLE, 408, 429, 500, 502, 503, 504}
_EXCERPT = 300
_V1BETA = "--api-version v1beta (or GOOGLE_GENAI_API_VERSION=v1beta)"
_KEY_TROUBLE = re.compile(r"api.?key|billing|location is not supported", re.IGNORECASE)
# Known wording: "The specified schema produces a constraint that has too many states for
# serving".
_UNKNOWN_FIELD = re.compile(r'Unknown name "\w+".*Cannot find field', re.DOTALL)
_VERSION_TROUBLE = re.compile(
    r"API version|v1(alpha|beta)?\b|cannot find field", re.IGNORECASE
)
_SCHEMA_TROUBLE = re.compile(r"schema|too many states", re.IGNORECASE)


# "You do not have permission to access the File abc or it may not exist.", "The File abc
# is not in an ACTIVE state and usage is not allowed."
_FILE_TROUBLE = re.compile(
    r"\bthe File \S+ (or it may|is not in an ACTIVE)", re.IGNORECASE
)
# A bucket's object, or a video behind a link: nothing that other requests depend on.
_MEDIUM_TROUBLE = re.compile(
    r"gs://|no such object|storage\.objects|youtube|cannot fetch|file uri",
    re.IGNORECASE,
)


class Next(StrEnum):
    """What to do after a failed call."""

    RETRY = "retry"
    STEP_UP = "step_up"
    """Ask again with the next thinking setting."""
    DROP_FIELD = "drop_field"
    """Ask again without a field that the endpoint does not know, if it is optional."""
    DROP_SCHEMA = "drop_schema"
    """Ask again without a schema; the prompt describes the form of the answer too."""
    PLACE_ANEW = "place_anew"
    """A file that was uploaded is gone: upload it again and ask again."""
    GIVE_UP = "give_up"
    """Nothing helps this request; others may succeed."""
    STOP = "stop"
    """No request can succeed now: end the run."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What is known about a failed call.

    `code` is the HTTP status, or `UNREACHABLE`. `retry_seconds` is how long Gemini asks
    to wait (`RetryInfo`); `quota_ids` name the quotas that ran out.
    """

    code: int
    status: str = ""
    message: str = ""
    retry_seconds: float | None = None
    quota_ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what happened, in one line."""
        text = " ".join(re.sub(r"<[^>]*>", " ", self.message).split())[:_EXCERPT]
        if self.code == UNREACHABLE:
            return text
        return " ".join(part for part in (str(self.code), self.status, text) if part)


class CallError(Exception):
    """One call failed; never leaves `gemini`."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


def decide(cause: Cause) -> Next:
    """Choose what follows a failed call."""
    if cause.code == HTTPStatus.TOO_MANY_REQUESTS and any(
        "perday" in q.lower() for q in cause.quota_ids
    ):
        return Next.STOP
    if cause.code in RETRYABLE:
        return Next.RETRY
    if _FILE_TROUBLE.search(cause.message):
        return Next.PLACE_ANEW
    if _MEDIUM_TROUBLE.search(cause.message):
        return Next.GIVE_UP
    if cause.code in {401, 403, 404}:
        return Next.STOP
    if cause.code == HTTPStatus.BAD_REQUEST and _KEY_TROUBLE.search(cause.message):
        return Next.STOP
    if cause.code == HTTPStatus.BAD_REQUEST and _UNKNOWN_FIELD.search(cause.message):
        return Next.DROP_FIELD
    if cause.code == HTTPStatus.BAD_REQUEST and "thinking" in cause.message.lower():
        return Next.STEP_UP
    if cause.code == HTTPStatus.BAD_REQUEST and _SCHEMA_TROUBLE.search(cause.message):
        return Next.DROP_SCHEMA
    return Next.GIVE_UP


def advise(cause: Cause, model: str) -> str:
    """Say what happened and what to do next."""
    return f"{happened(cause)} {_remedy(cause, model)}"


def happened(cause: Cause) -> str:
    """Say what happened."""
    if cause.code == UNREACHABLE:
        return f"Gemini could not be reached: {cause}."
    return f"Gemini refused the request ({cause})."


def _remedy(cause: Cause, model: str) -> str:
    """Say what the user can do."""
    if cause.code == HTTPStatus.TOO_MANY_REQUESTS and decide(cause) is Next.STOP:
        return "The quota of the day is used up: run the same command again tomorrow."
    if cause.code == HTTPStatus.TOO_MANY_REQUESTS:
        return "Ask fewer at one time, or run the same command again later."
    if cause.code in RETRYABLE:
        return "Run the same command again to ask what is missing."
    if decide(cause) is Next.PLACE_ANEW:
        return "Check the address of the file: uploaded files are gone after 48 hours."
    if decide(cause) is Next.GIVE_UP and _MEDIUM_TROUBLE.search(cause.message):
        return "Check the address of the sample, and who may read what is there."
    if cause.code == HTTPStatus.NOT_FOUND:
        return (
            f"Check the model name {model!r}; preview models and -latest names may need "
            f"{_V1BETA}."
        )
    if cause.code == HTTPStatus.BAD_REQUEST and _VERSION_TROUBLE.search(cause.message):
        return f"The version of the API may not know it yet: try {_V1BETA}."
    if decide(cause) is Next.STOP:
        return (
            "Check the key, its project, and that the Gemini API is enabled there; for "
            "the enterprise platform run `gcloud auth application-default login`."
        )
    return "Other samples are not affected; check this one and the prompt."


def read_cause(code: int, status: str, message: str, body: JsonValue) -> Cause:
    """Read `RetryInfo` and the quotas out of an error body.

    Shape: `{"error": {"details": [{"@type": ".../google.rpc.RetryInfo", "retryDelay":
    "37.9s"}, {"@type": ".../google.rpc.QuotaFailure", "violations": [{"quotaId": ..}]}]}}`.
    """
    retry_seconds = None
    quota_ids: list[str] = []
    for detail in _details(body):
        if isinstance(delay := detail.get("retryDelay"), str):
            retry_seconds = _seconds(delay)
        violations = detail.get("violations")
        quota_ids += [
            str(violation.get("quotaId", ""))
            for violation in (violations if isinstance(violations, list) else [])
            if isinstance(violation, dict)
        ]
    return Cause(code, status, message, retry_seconds, tuple(quota_ids))


def _details(body: JsonValue) -> list[dict[str, JsonValue]]:
    """Find the typed details of an error body, wherever it stops being one."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if not isinstance(details, list):
        return []
    return [detail for detail in details if isinstance(detail, dict)]


def _seconds(delay: str) -> float | None:
    """Read a protobuf duration: decimal seconds and an `s`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s", delay.strip())
    return float(match[1]) if match else None
