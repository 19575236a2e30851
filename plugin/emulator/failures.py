"""Errors as Google words and shapes them.

The wordings are those quoted in public issue threads of Gemini clients.
"""

from __future__ import annotations

import json

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


def over_quota(model: str, retry_delay: float, *, daily: bool) -> GoogleError:
    """Build a 429: of the minute, to be waited for, or of the day, which is the end."""
    span = "PerDay" if daily else "PerMinute"
    violation: dict[str, JsonValue] = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
        "quotaId": f"GenerateRequests{span}PerProjectPerModel",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": "10",
    }
    return GoogleError(
        429,
        "RESOURCE_EXHAUSTED",
        f"{QUOTA} Please retry in {retry_delay:g}s.",
        {"@type": f"{GOOGLE_TYPE}QuotaFailure", "violations": [violation]},
        {"@type": f"{GOOGLE_TYPE}RetryInfo", "retryDelay": f"{retry_delay:g}s"},
    )
