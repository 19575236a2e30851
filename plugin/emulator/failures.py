"""Errors as Google words and shapes them.

The wordings are those quoted in public issue threads of Gemini clients.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..values import JsonValue

GOOGLE_TYPE = "type.googleapis.com/google.rpc."
UNREGISTERED = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
INTERNAL = "An internal error has occurred. Please retry or report in "
OVERLOADED = "The model is overloaded. Please try again later."
QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. "
    "(This is the fiftyone-gemini emulator, not Gemini.)"
)


_RPC_CODES = {
    "CANCELLED": 1,
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}


class GoogleError(Exception):
    """An answer of the API that is an error: HTTP code, status word, message, details."""

    def __init__(
        self, code: int, status: str, message: str, *details: dict[str, JsonValue]
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.details = details

    def body(self) -> bytes:
        """Write the JSON that Google's servers send for such an error."""
        error: dict[str, JsonValue] = {
            "code": self.code,
            "message": str(self),
            "status": self.status,
        }
        if self.details:
            error["details"] = list(self.details)
        return json.dumps({"error": error}, indent=2).encode()

    def as_status(self) -> dict[str, JsonValue]:
        """Write the error as it stands in the results of a batch (google.rpc.Status)."""
        return {"code": _RPC_CODES[self.status], "message": str(self)}


def invalid(message: str, field: str = "") -> GoogleError:
    """Build a 400; with `field`, Google adds which one was violated."""
    if not field:
        return GoogleError(400, "INVALID_ARGUMENT", message)
    violation: dict[str, JsonValue] = {"field": field, "description": message}
    detail: dict[str, JsonValue] = {
        "@type": f"{GOOGLE_TYPE}BadRequest",
        "fieldViolations": [violation],
    }
    return GoogleError(400, "INVALID_ARGUMENT", message, detail)


def unknown_model(name: str, version: str) -> GoogleError:
    """Build the 404 for a model that is not served."""
    return GoogleError(
        404,
        "NOT_FOUND",
        f"models/{name} is not found for API version {version}, or is not supported for "
        "generateContent. Call ModelService.ListModels to see the list of available "
        "models and their supported methods.",
    )


def bad_key() -> GoogleError:
    """Build the 400 that a wrong key gets."""
    return GoogleError(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        {
            "@type": f"{GOOGLE_TYPE}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
    )


def no_file(name: str) -> GoogleError:
    """Build the 403 for a file that is unknown, deleted, expired, or somebody else's."""
    return GoogleError(
        403,
        "PERMISSION_DENIED",
        f"You do not have permission to access the File {name} or it may not exist.",
    )


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit that a request went over, by the names Google gives it."""

    metric: str
    name: str
    value: int
    model: str = ""

    def as_failure(self) -> dict[str, JsonValue]:
        """Write the QuotaFailure of an error's details."""
        violation: dict[str, JsonValue] = {
            "quotaMetric": f"generativelanguage.googleapis.com/{self.metric}",
            "quotaId": self.name,
            "quotaValue": str(self.value),
        }
        if self.model:
            violation["quotaDimensions"] = {"location": "global", "model": self.model}
        return {"@type": f"{GOOGLE_TYPE}QuotaFailure", "violations": [violation]}


def requests_quota(model: str, value: int, *, daily: bool) -> Quota:
    """Name the quota of requests of the minute, or of the day."""
    span = "PerDay" if daily else "PerMinute"
    name = f"GenerateRequests{span}PerProjectPerModel"
    return Quota("generate_content_requests", name, value, model)


def over_quota(quota: Quota, retry_delay: float | None) -> GoogleError:
    """Build a 429; without a delay, waiting does not help."""
    if retry_delay is None:
        return GoogleError(429, "RESOURCE_EXHAUSTED", QUOTA, quota.as_failure())
    return GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        f"{QUOTA} Please retry in {retry_delay:g}s.",
        quota.as_failure(),
        {"@type": f"{GOOGLE_TYPE}RetryInfo", "retryDelay": f"{retry_delay:g}s"},
    )
