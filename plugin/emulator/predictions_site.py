"""Batches of the enterprise API over HTTP: jobs from bucket to bucket."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..values import JsonValue
from .admission import Door, admit, not_found, page_of, read_body
from .batch_lines import InstanceLines, join_files
from .failures import invalid
from .fields import Fields, as_list, as_object, load_fields, message
from .jobs import Job, JobState, Runner
from .libraries import BucketLibrary
from .log import Trace
from .models import MODELS, EmulatedModel
from .storage import zulu

_CREATE = message(
    "model display_name labels name model_parameters encryption_spec",
    input_config=message(
        "instances_format bigquery_source", gcs_source=message("uris")
    ),
    output_config=message(
        "predictions_format bigquery_destination",
        gcs_destination=message("output_uri_prefix"),
    ),
)
_BODY_LIMIT = 2**20


class PredictionsSite:
    """The handlers of `.../batchPredictionJobs`."""

    def __init__(self, runner: Runner, bucket: BucketLibrary, door: Door) -> None:
        self.runner = runner
        self.bucket = bucket
        self._jobs: dict[str, Job] = {}
        jobs = "/{version}/projects/{project}/locations/{location}/batchPredictionJobs"
        one = jobs + "/{job}"
        self.routes = [
            Route(jobs, door(self.list_jobs), methods=["GET"]),
            Route(jobs, door(self.create_job, "create-batch"), methods=["POST"]),
            Route(one, door(self.get_job, "get-batch"), methods=["GET"]),
            Route(one, door(self.cancel_job), methods=["POST"]),
            Route(one, door(self.delete_job), methods=["DELETE"]),
        ]

    async def create_job(self, request: Request, trace: Trace) -> Response:
        """Begin a job; raise GoogleError."""
        del trace
        body = await read_body(request, _BODY_LIMIT)
        admit(request)
        told = load_fields(body, _CREATE)
        uris, prefix = _ends(told)
        sources = [self.bucket.locate(uri) for uri in uris]
        for uri, source in zip(uris, sources, strict=True):
            if not source.is_file():
                raise not_found(f"No such object: {uri[5:]}")
        number = str(secrets.randbelow(9 * 10**18) + 10**18)
        made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        output = f"{prefix.rstrip('/')}/prediction-model-{made}"
        lines = self.runner.new_file()
        await anyio.to_thread.run_sync(join_files, lines, sources)
        where = request.path_params
        job = Job(
            name=f"projects/{where['project']}/locations/{where['location']}"
            f"/batchPredictionJobs/{number}",
            model=_model(told),
            display_name=str(told.get("display_name") or ""),
            source=lines,
            result=self.bucket.locate(f"{output}/predictions.jsonl"),
            dialect=InstanceLines(),
            library=self.bucket,
            told={"uris": [*uris], "prefix": prefix, "output": output},
        )
        self._jobs[job.name] = job
        await self.runner.start(job, _nothing)
        return JSONResponse(_as_json(job))

    async def list_jobs(self, request: Request, trace: Trace) -> Response:
        """List the jobs, newest first, in pages."""
        del trace
        admit(request)
        jobs, following = page_of(request, list(reversed(self._jobs.values())))
        page: dict[str, JsonValue] = {}
        if jobs:
            page["batchPredictionJobs"] = [_as_json(job) for job in jobs]
        if following:
            page["nextPageToken"] = following
        return JSONResponse(page)

    async def get_job(self, request: Request, trace: Trace) -> Response:
        """Describe a job."""
        del trace
        return JSONResponse(_as_json(self._find(request)))

    async def cancel_job(self, request: Request, trace: Trace) -> Response:
        """Stop a job."""
        del trace
        if not request.path_params["job"].endswith(":cancel"):
            raise not_found()
        self.runner.cancel(self._find(request))
        return JSONResponse({})

    async def delete_job(self, request: Request, trace: Trace) -> Response:
        """Forget a job; its results stay."""
        del trace
        job = self._find(request)
        self.runner.delete(job)
        del self._jobs[job.name]
        return JSONResponse({"name": f"{job.name}/operations/1", "done": True})

    def _find(self, request: Request) -> Job:
        """Find the job of a path; raise GoogleError."""
        admit(request)
        number = request.path_params["job"].partition(":")[0]
        for job in self._jobs.values():
            if job.name.endswith(f"/{number}"):
                return job
        raise not_found()


def _ends(told: Fields) -> tuple[list[str], str]:
    """Read where the input lies, and where the output goes; raise GoogleError."""
    source = as_object(told.get("input_config"), "input_config")
    target = as_object(told.get("output_config"), "output_config")
    uris = as_object(source.get("gcs_source"), "input_config.gcs_source").get("uris")
    path = "output_config.gcs_destination"
    prefix = as_object(target.get("gcs_destination"), path).get("output_uri_prefix")
    if not uris or not prefix:
        raise invalid("The emulator reads and writes JSONL in buckets (gs://) only.")
    return [str(uri) for uri in as_list(uris)], str(prefix)


def _model(told: Fields) -> EmulatedModel:
    """Find the model of a job; raise GoogleError."""
    name = str(told.get("model") or "").rpartition("/")[2]
    if name not in MODELS:
        raise not_found(f"Publisher Model `{told.get('model')}` was not found.")
    return MODELS[name]


def _nothing(job: Job) -> None:
    """Do nothing: the results already lie where they belong."""
    del job


def _as_json(job: Job) -> dict[str, JsonValue]:
    """Describe a job as the API does."""
    told: dict[str, JsonValue] = {
        "name": job.name,
        "displayName": job.display_name,
        "model": f"publishers/google/models/{job.model.name}",
        "inputConfig": {
            "instancesFormat": "jsonl",
            "gcsSource": {"uris": job.told["uris"]},
        },
        "outputConfig": {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": job.told["prefix"]},
        },
        "state": f"JOB_STATE_{job.state}",
        "createTime": zulu(job.created),
        "updateTime": zulu(job.updated),
    }
    if job.ended is not None:
        told["endTime"] = zulu(job.ended)
    if job.problem:
        told["error"] = job.problem
    if job.state is JobState.SUCCEEDED:
        told["outputInfo"] = {"gcsOutputDirectory": job.told["output"]}
        told["completionStats"] = {
            "successfulCount": str(job.succeeded),
            "failedCount": str(job.failed),
        }
    return told
