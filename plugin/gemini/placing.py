"""Requests whose media do not travel in them: uploaded once, then named by their URI.

`engine` has a request placed here when its reply is not in the journal, before it is
paid. The key of the journal is made of contents, so it is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..errors import ApiError, MediaError
from ..values import Media, Part, Request
from .depot import Depot
from .files import RemoteFile
from .upload_rule import Choice, Content, content_of


@dataclass(slots=True)
class Placing:
    """Places the requests of one run; `note` is told, once, where uploading failed."""

    choice: Choice
    depot: Depot
    note: Callable[[str], None]
    _refused: bool = False
    """What need not be uploaded could not be: it is sent along from then on."""

    async def place(self, request: Request) -> Request:
        """Upload what is to be uploaded; give the request with URIs in its place.

        Raises what `Depot.file` raises, and `MediaError` where nothing may be uploaded.
        """
        uris: dict[Content, str] = {}
        for media in self.choice.needed(request):
            uris[content_of(media)] = (await self.depot.file(media)).uri
        for media in [] if self._refused else self.choice.wished(request):
            if content_of(media) not in uris:
                file = await self._file_if_possible(media)
                uris |= {} if file is None else {content_of(media): file.uri}
        return _with(request, uris) if uris else request

    async def place_anew(self, request: Request, placed: Request) -> Request:
        """Upload again what a request named that is gone; raise what `place` raises."""
        await self.depot.forget({media.uri for media in placed.all_media if media.uri})
        return await self.place(request)

    async def _file_if_possible(self, media: Media) -> RemoteFile | None:
        """Find or upload; None, said once, where that fails: then it is sent along."""
        try:
            return await self.depot.file(media)
        except (ApiError, MediaError) as error:
            if not self._refused:
                self.note(
                    "Pictures that could be uploaded were sent in the requests instead, "
                    f"because one failed: {error}"
                )
            self._refused = True
            return None


def _with(request: Request, uris: Mapping[Content, str]) -> Request:
    """Put URIs in the place of bytes and files."""

    def put(part: Part) -> Part:
        if isinstance(part, str) or part.uri or content_of(part) not in uris:
            return part
        content = content_of(part)
        uri, digest = uris[content], content[0]
        return replace(part, data=b"", path="", uri=uri, digest=digest)

    return replace(
        request,
        content=tuple(map(put, request.content)),
        examples=tuple(
            replace(example, content=tuple(map(put, example.content)))
            for example in request.examples
        ),
    )
