"""The Files API over HTTP: resumable upload, get, list, delete, download."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ..values import JsonValue
from .admission import Door, admit, page_of, read_body
from .failures import invalid
from .fields import as_object, load_fields, message
from .log import Trace
from .storage import Storage
from .uploads import GRANULARITY, Upload, Uploads

_START = message("", file=None)
_METADATA_LIMIT = 2**20
_FILES_A_PAGE = 10


class FilesSite:
    """The handlers of `/upload/{version}/files` and `/{version}/files`."""

    def __init__(self, storage: Storage, door: Door) -> None:
        self.storage = storage
        self.uploads = Uploads(storage)
        self.routes = [
            Route(
                "/upload/{version}/files", door(self.upload, "upload"), methods=["POST"]
            ),
            Route("/{version}/files", door(self.list_files)),
            Route("/{version}/files/{file}", door(self.get_file, "get-file")),
            Route(
                "/{version}/files/{file}",
                door(self.delete_file),
                methods=["DELETE"],
            ),
        ]

    async def upload(self, request: Request, trace: Trace) -> Response:
        """Begin an upload, or go on with one; the URL it got is its only pass."""
        token = request.query_params.get("upload_id")
        command = request.headers.get("x-goog-upload-command", "")
        words = {word.strip() for word in command.split(",")}
        if token is None:
            return await self._start(request, words)
        upload = self.uploads.find(token)
        if words == {"query"}:
            return _progress(upload)
        if words == {"cancel"}:
            self.uploads.cancel(upload)
            return Response(headers={"x-goog-upload-status": "cancelled"})
        if not words or not words <= {"upload", "finalize"}:
            raise invalid(f"Invalid value for X-Goog-Upload-Command: {command!r}")
        if "upload" in words:
            offset = _whole(request, "x-goog-upload-offset")
            last = "finalize" in words
            await self.uploads.take(upload, offset, request.stream(), last=last)
        if "finalize" not in words:
            return _progress(upload)
        return await self._finish(request, upload, trace)

    async def _start(self, request: Request, words: set[str]) -> Response:
        """Begin an upload; raise GoogleError."""
        body = await read_body(request, _METADATA_LIMIT)
        admit(request)
        protocol = request.headers.get("x-goog-upload-protocol")
        if protocol != "resumable" or words != {"start"}:
            raise invalid("The emulator takes resumable uploads only, by `start`.")
        told = as_object(load_fields(body or b"{}", _START).get("file"), "file")
        headers = request.headers
        announced = headers.get("x-goog-upload-header-content-type")
        upload = self.uploads.start(
            str(told.get("name") or ""),
            _whole(request, "x-goog-upload-header-content-length"),
            str(told.get("mime_type") or announced or "application/octet-stream"),
            str(told.get("display_name") or ""),
        )
        url = request.url.include_query_params(
            upload_id=upload.id, upload_protocol="resumable"
        ).remove_query_params("key")
        answer = {
            "x-goog-upload-status": "active",
            "x-goog-upload-url": str(url),
            "x-goog-upload-chunk-granularity": str(GRANULARITY),
        }
        return JSONResponse({}, headers=answer)

    async def _finish(self, request: Request, upload: Upload, trace: Trace) -> Response:
        """End an upload and describe its file; raise GoogleError."""
        file = await self.uploads.finish(upload)
        trace.picture = file.sha256[:16]
        told: dict[str, JsonValue] = {"file": file.as_json(_origin(request))}
        return JSONResponse(told, headers={"x-goog-upload-status": "final"})

    async def list_files(self, request: Request, trace: Trace) -> Response:
        """List the files, newest first, in pages."""
        del trace
        admit(request)
        files, following = page_of(request, self.storage.newest_first(), _FILES_A_PAGE)
        origin = _origin(request)
        page: dict[str, JsonValue] = {}
        if files:
            page["files"] = [file.as_json(origin) for file in files]
        if following:
            page["nextPageToken"] = following
        return JSONResponse(page)

    async def get_file(self, request: Request, trace: Trace) -> Response:
        """Describe a file, or send the bytes of one that the emulator made."""
        del trace
        admit(request)
        name, _, method = request.path_params["file"].partition(":")
        file = self.storage.find(name)
        if not method:
            return JSONResponse(file.as_json(_origin(request)))
        if method != "download" or request.query_params.get("alt") != "media":
            raise invalid("Files are downloaded by `:download?alt=media`.")
        if not file.generated:
            raise invalid(f"File files/{name} cannot be downloaded: it was uploaded.")
        return FileResponse(file.path, media_type=file.mime_type)

    async def delete_file(self, request: Request, trace: Trace) -> Response:
        """Delete a file."""
        del trace
        admit(request)
        self.storage.delete(request.path_params["file"])
        return JSONResponse({})


def _progress(upload: Upload) -> Response:
    """Tell how much of an upload has come."""
    state = "active" if upload.file is None else "final"
    received = str(upload.received)
    headers = {"x-goog-upload-status": state, "x-goog-upload-size-received": received}
    return Response(headers=headers)


def _whole(request: Request, name: str) -> int:
    """Read a header that is a whole number; raise GoogleError (400)."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal()):
        raise invalid(f"Invalid value for {name}: {text!r}")
    return int(text)


def _origin(request: Request) -> str:
    """Give scheme, host and port under which a client sees the emulator."""
    return str(request.base_url).rstrip("/")
