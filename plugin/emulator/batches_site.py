"""Batches of the developer API over HTTP: create, get, list, cancel, delete."""

from __future__ import annotations

import json
import secrets

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..values import JsonValue
from .admission import Door, admit, not_found, page_of
from .batch_lines import InlineLines, KeyedLines, join_files, write_lines
from .failures import invalid
from .fields import GENERATE, Fields, as_list, as_object, load_fields, message
from .jobs import Job, JobState, Runner
from .libraries import FilesLibrary
from .log import Trace
from .models import EmulatedModel
from .storage import StoredFile, zulu
from .uploads import file_sha256

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"
_INLINE = message("", requests=message("metadata", request=GENERATE))
_INPUT = message("file_name", requests=_INLINE)
_BATCH = message("display_name model name priority", input_config=_INPUT)
_CREATE = message("model", batch=_BATCH)
_JSONL = frozenset({"application/jsonl", "jsonl", "application/json", "text/plain"})


class BatchesSite:
    """The handlers of `models/M:batchGenerateContent` and `/{version}/batches`."""

    def __init__(self, runner: Runner, files: FilesLibrary, door: Door) -> None:
        self.runner = runner
        self.files = files
        self._jobs: dict[str, Job] = {}
        path = "/{version}/batches/{batch}"
        self.routes = [
            Route("/{version}/batches", door(self.list_jobs)),
            Route(path, door(self.get_job, "get-batch")),
            Route(path, door(self.cancel_job), methods=["POST"]),
            Route(path, door(self.delete_job), methods=["DELETE"]),
        ]

    async def create(self, body: bytes, model: EmulatedModel) -> Response:
        """Begin a batch; raise GoogleError."""
        batch = as_object(load_fields(body, _CREATE).get("batch"), "batch")
        told = as_object(batch.get("input_config"), "batch.input_config")
        name = str(told.get("file_name") or "")
        source = self.runner.new_file()
        if name:
            file = self._input_file(name)
            await anyio.to_thread.run_sync(join_files, source, [file.path])
        else:
            limit = self.runner.service.settings.batch_inline_limit
            if len(body) > limit:
                raise invalid(f"Request payload size exceeds the limit: {limit} bytes.")
            write_lines(source, _inline_requests(told))
        job = Job(
            name=f"batches/{secrets.token_hex(8)}",
            model=model,
            display_name=str(batch.get("display_name") or ""),
            source=source,
            result=self.runner.new_file(),
            dialect=KeyedLines() if name else InlineLines(),
            library=self.files,
            told={"fileName": name} if name else {"requests": {}},
        )
        self._jobs[job.name] = job
        await self.runner.start(job, self._publish)
        return JSONResponse(_as_json(job, whole=False))

    async def list_jobs(self, request: Request, trace: Trace) -> Response:
        """List the batches, newest first, in pages, without inline results."""
        del trace
        admit(request)
        jobs, following = page_of(request, list(reversed(self._jobs.values())))
        page: dict[str, JsonValue] = {}
        if jobs:
            page["operations"] = [_as_json(job, whole=False) for job in jobs]
        if following:
            page["nextPageToken"] = following
        return JSONResponse(page)

    async def get_job(self, request: Request, trace: Trace) -> Response:
        """Describe a batch, with its results when it is done."""
        del trace
        job = self._find(request)
        told = await anyio.to_thread.run_sync(lambda: _as_json(job, whole=True))
        return JSONResponse(told)

    async def cancel_job(self, request: Request, trace: Trace) -> Response:
        """Stop a batch."""
        del trace
        if not request.path_params["batch"].endswith(":cancel"):
            raise not_found()
        self.runner.cancel(self._find(request))
        return JSONResponse({})

    async def delete_job(self, request: Request, trace: Trace) -> Response:
        """Forget a batch; its file of responses stays."""
        del trace
        job = self._find(request)
        self.runner.delete(job)
        if not job.dialect.shuffled:
            job.result.unlink(missing_ok=True)
        del self._jobs[job.name]
        return JSONResponse({})

    def _find(self, request: Request) -> Job:
        """Find the batch of a path; raise GoogleError."""
        admit(request)
        name = f"batches/{request.path_params['batch'].partition(':')[0]}"
        if name not in self._jobs:
            raise not_found()
        return self._jobs[name]

    def _input_file(self, name: str) -> StoredFile:
        """Find the file of requests; raise GoogleError."""
        found = self.files.active(name.removeprefix("files/"))
        if found.mime_type not in _JSONL:
            raise invalid(f"Unsupported MIME type of the input file: {found.mime_type}")
        return found

    def _publish(self, job: Job) -> None:
        """Make the results of a batch out of a file a file that can be downloaded."""
        if not job.dialect.shuffled:
            return
        created, _, expires = self.files.storage.dates()
        self.files.storage.add(
            StoredFile(
                name=_responses_name(job),
                path=job.result,
                mime_type="application/jsonl",
                size=job.result.stat().st_size,
                sha256=file_sha256(job.result),
                created=created,
                ready=created,
                expires=expires,
                generated=True,
            )
        )


def _inline_requests(told: Fields) -> list[JsonValue]:
    """Give the requests of an inline batch; raise GoogleError."""
    path = "batch.input_config.requests"
    requests = as_list(as_object(told.get("requests"), path).get("requests"))
    if not requests:
        raise invalid("* BatchGenerateContentRequest.batch.input_config: is empty\n")
    return requests


def _responses_name(job: Job) -> str:
    """Name the file of results of a batch."""
    return job.name.replace("batches/", "batch-")


def _as_json(job: Job, *, whole: bool) -> dict[str, JsonValue]:
    """Describe a batch as an operation; `whole` with results that are inline."""
    waiting = job.total - job.succeeded - job.failed
    counts = {
        "requestCount": job.total,
        "pendingRequestCount": waiting,
        "successfulRequestCount": job.succeeded,
        "failedRequestCount": job.failed,
    }
    metadata: dict[str, JsonValue] = {
        "@type": _TYPE,
        "model": f"models/{job.model.name}",
        "displayName": job.display_name,
        "inputConfig": dict(job.told),
        "createTime": zulu(job.created),
        "updateTime": zulu(job.updated),
        "batchStats": {key: str(count) for key, count in counts.items() if count},
        "state": f"BATCH_STATE_{job.state}",
        "name": job.name,
    }
    told: dict[str, JsonValue] = {"name": job.name, "metadata": metadata}
    if job.ended is not None:
        metadata["endTime"] = zulu(job.ended)
        told["done"] = True
    if job.problem:
        told["error"] = job.problem
    if job.state is JobState.SUCCEEDED and (job.dialect.shuffled or whole):
        output = _output(job)
        metadata["output"] = output
        told["response"] = {"@type": f"{_TYPE}Output", **output}
    return told


def _output(job: Job) -> dict[str, JsonValue]:
    """Name the file of results, or give them inline."""
    if job.dialect.shuffled:
        return {"responsesFile": f"files/{_responses_name(job)}"}
    with job.result.open() as file:
        lines: list[JsonValue] = [json.loads(line) for line in file]
    return {"inlinedResponses": {"inlinedResponses": lines}}
