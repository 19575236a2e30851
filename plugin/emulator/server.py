"""The emulator over HTTP: paths -> `Service`, and the loop that serves them."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..values import JsonValue
from .failures import UNREGISTERED, GoogleError, unknown_model
from .faults import FaultDesk, read_plan
from .log import RequestLog
from .models import MODELS, EmulatedModel
from .page import front_page
from .service import Service, Trace, log_entry, read_body
from .settings import EmulatorError, Settings
from .viewers import find_index, find_viewer

_VERSION = re.compile(r"v\d+((alpha|beta)\d*)?")
_PREFIXES = (
    "/{version}/models",
    "/{version}/publishers/google/models",
    "/{version}/projects/{project}/locations/{location}/publishers/google/models",
)
_PAGE_SIZE = 50


class Site:
    """The handlers of all paths."""

    def __init__(self, settings: Settings) -> None:
        desk = FaultDesk(settings, read_plan(settings.faults))
        viewer = find_viewer(settings)
        index = find_index(settings, viewer)
        self.settings = settings
        self.service = Service(settings, viewer, index, desk)
        self.log = RequestLog()

    async def front(self, request: Request) -> Response:
        """Show the page that says what this is."""
        del request
        return HTMLResponse(front_page(self.settings))

    async def show_log(self, request: Request) -> Response:
        """Give the request log as JSON."""
        del request
        return JSONResponse(self.log.as_json())

    async def list_models(self, request: Request) -> Response:
        """List the models, in pages."""
        try:
            _admit(request)
            start = _number(request, "pageToken", 0)
            end = start + (_number(request, "pageSize", 0) or _PAGE_SIZE)
        except GoogleError as failure:
            return _refuse(failure)
        cards = [_card(model, request) for model in MODELS.values()]
        key = "publisherModels" if _is_publisher(request) else "models"
        page: dict[str, JsonValue] = {key: [*cards[start:end]]}
        if end < len(cards):
            page["nextPageToken"] = str(end)
        return JSONResponse(page)

    async def get_model(self, request: Request) -> Response:
        """Describe one model."""
        try:
            _admit(request)
            model = _find_model(request.path_params["name"], request)
        except GoogleError as failure:
            return _refuse(failure)
        return JSONResponse(_card(model, request))

    async def call_model(self, request: Request) -> Response:
        """Answer a method of a model, and note it in the log."""
        name, _, method = request.path_params["name"].partition(":")
        trace = Trace()
        try:
            body = await read_body(request)
            _admit(request)
            response = await self._dispatch(request, body, name, method, trace)
        except GoogleError as failure:
            response = _refuse(failure)
        path = request.url.path
        self.log.add(log_entry(path, name, response.status_code, trace))
        return response

    async def _dispatch(
        self, request: Request, body: bytes, name: str, method: str, trace: Trace
    ) -> Response:
        """Call the method by its name; raise GoogleError."""
        model = _find_model(name, request)
        if method == "countTokens":
            return JSONResponse(self.service.count(body, model))
        if method not in {"generateContent", "streamGenerateContent"}:
            raise GoogleError(404, "NOT_FOUND", f"The emulator has no method {method}.")
        stream = method == "streamGenerateContent"
        return await self.service.generate(request, body, model, trace, stream=stream)


def create_app(settings: Settings) -> Starlette:
    """Build the web application; raise EmulatorError when the settings do not fit."""
    site = Site(settings)
    routes = [
        Route("/", site.front),
        Route("/emulator", site.front),
        Route("/emulator/log", site.show_log),
    ]
    for prefix in _PREFIXES:
        routes += [
            Route(prefix, site.list_models),
            Route(prefix + "/{name}", site.get_model, methods=["GET"]),
            Route(prefix + "/{name}", site.call_model, methods=["POST"]),
        ]
    return Starlette(routes=routes)


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8765,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until interrupted; `on_ready` gets the URL once connections are taken.

    Port 0 takes any free one. Raises EmulatorError when the port is taken.
    """
    app = create_app(settings)
    listener = _listen(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # Hypercorn's from here on
    config.loglevel = "WARNING"
    config.graceful_timeout = 0.5
    config.keep_alive_timeout = 60
    if on_ready is not None:
        on_ready(url)
    asyncio.run(hypercorn_serve(app, config))  # type: ignore[arg-type]


def _listen(host: str, port: int) -> socket.socket:
    """Take the port; raise EmulatorError."""
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise EmulatorError(
            f"The emulator cannot listen on {host} port {port}: {why}."
        ) from error


def _admit(request: Request) -> None:
    """Refuse an unknown version or a caller without any key; keys are not looked at."""
    if not _VERSION.fullmatch(request.path_params["version"]):
        raise GoogleError(404, "NOT_FOUND", "Requested entity was not found.")
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not key and not bearer:
        raise GoogleError(403, "PERMISSION_DENIED", UNREGISTERED)


def _find_model(name: str, request: Request) -> EmulatedModel:
    """Find a model by name; raise GoogleError (404)."""
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


def _number(request: Request, name: str, default: int) -> int:
    """Read a whole number of the query; raise GoogleError (400)."""
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        message = f"Invalid value at '{name}': {text!r}"
        raise GoogleError(400, "INVALID_ARGUMENT", message)
    return int(text)


def _refuse(failure: GoogleError) -> Response:
    """Send an error as Google does."""
    return Response(failure.body(), failure.code, media_type="application/json")
