"""Models over HTTP: list, get, and the calls of their methods, on both APIs' paths."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..values import JsonValue
from .admission import Door, admit, not_found, page_of, read_body, refuse
from .batches_site import BatchesSite
from .failures import GoogleError, unknown_model
from .faults import HEADER
from .fields import COUNT, ENTERPRISE_COUNT
from .libraries import BucketLibrary
from .log import Trace
from .models import MODELS, EmulatedModel
from .service import Question, Service

_PREFIXES = (
    "/{version}/models",
    "/{version}/publishers/google/models",
    "/{version}/projects/{project}/locations/{location}/publishers/google/models",
)


class ModelsSite:
    """The handlers of all paths that name models."""

    def __init__(
        self,
        service: Service,
        batches: BatchesSite,
        bucket: BucketLibrary,
        door: Door,
    ) -> None:
        self.service = service
        self.batches = batches
        self.bucket = bucket
        self.door = door
        self.routes = []
        for prefix in _PREFIXES:
            path = prefix + "/{model}"
            self.routes += [
                Route(prefix, self.list_models),
                Route(path, self.get_model, methods=["GET"]),
                Route(path, door(self.call_model), methods=["POST"]),
            ]

    async def list_models(self, request: Request) -> Response:
        """List the models, in pages."""
        try:
            admit(request)
            models, following = page_of(request, list(MODELS.values()))
        except GoogleError as failure:
            return refuse(failure)
        key = "publisherModels" if _is_publisher(request) else "models"
        page: dict[str, JsonValue] = {key: [_card(model, request) for model in models]}
        if following:
            page["nextPageToken"] = following
        return JSONResponse(page)

    async def get_model(self, request: Request) -> Response:
        """Describe one model."""
        try:
            admit(request)
            return JSONResponse(_card(_model(request), request))
        except GoogleError as failure:
            return refuse(failure)

    async def call_model(self, request: Request, trace: Trace) -> Response:
        """Call a method of a model by its name; raise GoogleError."""
        body = await read_body(request, self.service.settings.inline_limit)
        admit(request)
        model = _model(request)
        enterprise = _is_publisher(request)
        library = self.bucket if enterprise else self.batches.files
        wish = request.headers.get(HEADER, "")
        question = Question(body, model, library, wish)
        method = request.path_params["model"].partition(":")[2]
        if method == "countTokens":
            known = ENTERPRISE_COUNT if enterprise else COUNT
            return JSONResponse(await self.service.count(question, trace, known))
        if method == "batchGenerateContent" and not enterprise:
            return await self.door.desk.lead(
                "create-batch", trace, lambda: self.batches.create(body, model)
            )
        if method not in {"generateContent", "streamGenerateContent"}:
            raise not_found(f"The emulator has no method {method}.")
        stream = method == "streamGenerateContent"
        sse = request.query_params.get("alt") == "sse"
        return await self.service.generate(question, trace, stream=stream, sse=sse)


def _model(request: Request) -> EmulatedModel:
    """Find the model of a path; raise GoogleError (404)."""
    name = request.path_params["model"].partition(":")[0]
    if name not in MODELS:
        raise unknown_model(name, request.path_params["version"])
    return MODELS[name]


def _is_publisher(request: Request) -> bool:
    """Tell whether the path is one of the enterprise API."""
    return "/publishers/" in request.url.path


def _card(model: EmulatedModel, request: Request) -> dict[str, JsonValue]:
    """Describe a model under the name that its API gives it."""
    prefix = "publishers/google/" if _is_publisher(request) else ""
    return {**model.card(), "name": f"{prefix}models/{model.name}"}
