"""Which media of a request do not travel in it; pure, but for counting what comes again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from ..errors import MediaError, UsageError
from ..values import Media, Request
from .endpoint import Endpoint

REQUEST_LIMIT = 20_000_000
"""Bytes of a whole request that every page of Google allows (newer ones say 100 MB)."""
EXAMPLE_BYTES = 20_000
"""An example smaller than this is sent along each time: an upload is three calls."""
AGAIN_BYTES = 1_000_000
"""A medium of this size is uploaded when it is asked about a second time in a run."""
_GROWTH = 4 / 3
"""Base64 makes four bytes of three."""
_ROOM = 100_000
"""Of a request, left for the words."""


class Upload(StrEnum):
    """Which media are uploaded before they are asked about."""

    AUTO = "auto"
    """What is too large for a request, and what is asked about again and again."""
    ALWAYS = "always"
    NEVER = "never"


Content = tuple[str, str]
"""SHA-256 and MIME type: what makes a file the same."""


def can_upload(upload: Upload, endpoint: Endpoint) -> bool:
    """Tell whether anything may be uploaded; raise `UsageError` where it must but cannot.

    The enterprise platform has no Files API.
    """
    if endpoint.kind == "enterprise" and upload is Upload.ALWAYS:
        raise UsageError(
            "The enterprise platform takes no uploads: put the files into a Cloud "
            "Storage bucket and give their gs:// addresses, or leave out --upload always."
        )
    return endpoint.kind != "enterprise" and upload is not Upload.NEVER


def content_of(media: Media) -> Content:
    """Name what is uploaded only once."""
    return media.content_sha256, media.mime_type


@dataclass(slots=True)
class Choice:
    """Chooses, for the requests of one run."""

    upload: Upload
    endpoint: Endpoint
    _asked: Counter[Content] = field(default_factory=Counter)

    @property
    def _forbidden(self) -> bool:
        return not can_upload(self.upload, self.endpoint)

    def needed(self, request: Request) -> list[Media]:
        """Choose what cannot be sent along: local files, and what is too much together.

        Raises `MediaError` where nothing may be uploaded.
        """
        buckets = [m for m in request.all_media if m.uri.startswith("gs://")]
        if buckets and self.endpoint.kind != "enterprise":
            raise MediaError(
                f"{buckets[0].uri} can only be read on the enterprise platform. Set "
                "GOOGLE_GENAI_USE_ENTERPRISE=true, or give a file of this machine."
            )
        files = [m for m in request.all_media if m.path]
        if self._forbidden:
            if files:
                raise MediaError(_too_large(files[0], self.endpoint))
            return []
        inline = sorted(
            (m for m in request.all_media if m.data), key=lambda m: len(m.data)
        )
        total = sum(len(m.data) for m in inline)
        while inline and total * _GROWTH > REQUEST_LIMIT - _ROOM:
            files.append(inline.pop())
            total -= len(files[-1].data)
        return files

    def wished(self, request: Request) -> list[Media]:
        """Choose what could be sent along but is better uploaded."""
        if self._forbidden:
            return []
        if self.upload is Upload.ALWAYS:
            return [m for m in request.all_media if m.data]
        examples = [
            media
            for example in request.examples
            for media in example.content
            if isinstance(media, Media) and len(media.data) >= EXAMPLE_BYTES
        ]
        asked = [m for m in request.content if isinstance(m, Media)]
        return examples + [m for m in asked if self._comes_again(m)]

    def _comes_again(self, media: Media) -> bool:
        """Count a large medium; tell whether it was asked about before in this run."""
        if len(media.data) < AGAIN_BYTES:
            return False
        self._asked[content_of(media)] += 1
        return self._asked[content_of(media)] > 1


def _too_large(media: Media, endpoint: Endpoint) -> str:
    """Say what to do with a file that does not fit into a request."""
    why = f"{media.path} is too large to be sent in a request"
    if endpoint.kind == "enterprise":
        return (
            f"{why}, and the enterprise platform takes no uploads. Put it into a Cloud "
            "Storage bucket and give its gs:// address instead."
        )
    return f"{why}, and uploads are switched off. Allow them: --upload auto."
