"""The SDK's client as all of `gemini` needs it, and its many exceptions as `CallError`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .endpoint import Endpoint
from .failures import UNREACHABLE, CallError, Cause, read_cause

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from google.genai import Client as SdkClient


def connect(endpoint: Endpoint, session: ClientSession | None = None) -> SdkClient:
    """Make the SDK's client: finite timeout, no retries of its own.

    `attempts=1` is not the SDK's default: without it a broken connection is asked again
    after 1 to 10 seconds, which could pay for one request twice. Without a `session` the
    SDK opens one.
    """
    from google.genai import Client as SdkClient
    from google.genai import types

    options = types.HttpOptions(
        timeout=max(1, round(endpoint.timeout_seconds * 1000)),
        retry_options=types.HttpRetryOptions(attempts=1),
        base_url=endpoint.base_url or None,
        api_version=endpoint.api_version or None,
        aiohttp_client=session,
    )
    return SdkClient(
        enterprise=endpoint.kind == "enterprise",
        api_key=endpoint.api_key or None,
        project=endpoint.project or None,
        location=endpoint.location or None,
        http_options=options,
    )


@contextmanager
def call_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn what a call of the SDK may raise in the block into a `CallError`.

    The SDK's own exception is not chained: it can hold the headers of the request, and
    with them the key.
    """
    import aiohttp
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai import errors

    try:
        yield
    except errors.APIError as error:
        message = endpoint.redact(str(error.message or ""))
        cause = read_cause(error.code, str(error.status or ""), message, error.details)
    except TimeoutError:
        seconds = endpoint.timeout_seconds
        cause = Cause(UNREACHABLE, message=f"no answer within {seconds:g} seconds")
    except (aiohttp.ClientError, OSError, TransportError) as error:
        text = endpoint.redact(str(error)) or type(error).__name__
        cause = Cause(UNREACHABLE, message=text)
    except UnicodeDecodeError:
        cause = Cause(UNREACHABLE, message="the reply was not UTF-8 text")
    except GoogleAuthError as error:
        cause = Cause(401, "UNAUTHENTICATED", endpoint.redact(str(error)))
    else:
        return
    raise CallError(cause) from None
