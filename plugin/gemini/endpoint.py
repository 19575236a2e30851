"""Where Gemini is and by which key: read once from arguments and the environment.

The rules are those of the google-genai SDK; the key never shows in a repr or an error.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from ..errors import MissingKeyError, UsageError

Kind = Literal["gemini", "enterprise", "emulator"]
EMULATOR_KEY = "emulator"
TIMEOUT_SECONDS = 180.0
_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that answers requests, and what is needed to reach it.

    `emulator` is whatever answers on this very machine: it costs nothing.
    """

    kind: Kind
    api_key: str = field(default="", repr=False)
    base_url: str = ""
    project: str = ""
    location: str = ""
    api_version: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS

    def redact(self, text: str) -> str:
        """Take the key out of a text that comes from outside."""
        secret = self.api_key and self.api_key != EMULATOR_KEY
        return text.replace(self.api_key, "[key]") if secret else text


def endpoint_from_environment(
    environ: Mapping[str, str],
    *,
    api_key: str = "",
    base_url: str = "",
    api_version: str = "",
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Endpoint:
    """Find the endpoint; arguments win over the environment.

    Gemini API: `GOOGLE_API_KEY`, else `GEMINI_API_KEY`. Enterprise platform (Vertex):
    `GOOGLE_GENAI_USE_ENTERPRISE` or the older `GOOGLE_GENAI_USE_VERTEXAI` set to true,
    with `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION` (default `global`), or with a
    key and no project. `base_url`, else `GOOGLE_GEMINI_BASE_URL` (enterprise:
    `GOOGLE_VERTEX_BASE_URL`), names another server; on loopback one of the Gemini API is
    taken for the emulator, which needs no key. `api_version` is `v1`, `v1beta` or
    `v1alpha`, else what `GOOGLE_GENAI_API_VERSION` says, which the SDK reads itself.
    `timeout_seconds` is for one try.

    Raises `MissingKeyError`, and `UsageError` for a version or a timeout that cannot be.
    """
    if not timeout_seconds > 0:
        raise UsageError(f"The timeout must be more than 0, not {timeout_seconds:g}.")
    if api_version and not _VERSION.fullmatch(api_version):
        raise UsageError(f"{api_version!r} is no API version: write v1 or v1beta.")
    endpoint = _find(environ, api_key.strip(), base_url)
    return replace(endpoint, api_version=api_version, timeout_seconds=timeout_seconds)


def _find(environ: Mapping[str, str], given_key: str, given_url: str) -> Endpoint:
    """Find who answers, and by which key."""
    base_url = given_url or environ.get("GOOGLE_GEMINI_BASE_URL", "")
    env_key = environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY") or ""
    key = given_key or env_key.strip()
    if _is_loopback(base_url):
        return Endpoint("emulator", key or EMULATOR_KEY, base_url)
    if _wants_enterprise(environ):
        return _enterprise(environ, given_key, key, given_url)
    if not key:
        raise MissingKeyError(
            "There is no key to reach Gemini with. Set GEMINI_API_KEY (get one at "
            "https://aistudio.google.com/apikey), or for the enterprise platform set "
            "GOOGLE_GENAI_USE_ENTERPRISE=true and GOOGLE_CLOUD_PROJECT."
        )
    return Endpoint("gemini", key, base_url)


def _wants_enterprise(environ: Mapping[str, str]) -> bool:
    """Read the switch of the enterprise platform; the new name wins over the old."""
    new = environ.get("GOOGLE_GENAI_USE_ENTERPRISE")
    old = environ.get("GOOGLE_GENAI_USE_VERTEXAI", "")
    return (old if new is None else new).strip().lower() in _TRUE


def _enterprise(
    environ: Mapping[str, str], given_key: str, any_key: str, given_url: str
) -> Endpoint:
    """Reach the enterprise platform by a key that was given, a project, or any key."""
    base_url = given_url or environ.get("GOOGLE_VERTEX_BASE_URL", "")
    project = environ.get("GOOGLE_CLOUD_PROJECT", "")
    if project and not given_key:
        location = environ.get("GOOGLE_CLOUD_LOCATION") or "global"
        return Endpoint("enterprise", "", base_url, project, location)
    if not any_key:
        raise MissingKeyError(
            "The enterprise platform needs a project: set GOOGLE_CLOUD_PROJECT and sign "
            "in with `gcloud auth application-default login`."
        )
    return Endpoint("enterprise", any_key, base_url)


def _is_loopback(url: str) -> bool:
    """Tell whether a URL points to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
