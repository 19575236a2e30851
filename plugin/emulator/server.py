"""The emulator over HTTP: all paths in one application, and the loop that serves it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import weakref
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .admission import Door, number, refuse
from .batches_site import BatchesSite
from .call_faults import CallDesk
from .failures import GoogleError
from .faults import FaultDesk, read_plan
from .files_site import FilesSite
from .jobs import Runner
from .libraries import BucketLibrary, FilesLibrary
from .limits import Limiter
from .log import RequestLog
from .models_site import ModelsSite
from .page import front_page
from .predictions_site import PredictionsSite
from .service import Service
from .settings import EmulatorError, Settings
from .storage import Storage
from .viewers import find_films, find_index, find_viewer


def create_app(settings: Settings) -> Starlette:
    """Build the web application; raise EmulatorError when the settings do not fit.

    What is uploaded lies in a folder of its own, which goes with the application.
    """
    desk = FaultDesk(settings, read_plan(settings.faults))
    viewer = find_viewer(settings)
    index = find_index(settings, viewer)
    service = Service(
        settings, viewer, index, find_films(viewer), desk, Limiter(settings)
    )
    bucket = BucketLibrary(_gcs_folder(settings))
    log = RequestLog()
    door = Door(log, CallDesk(settings))
    folder = Path(mkdtemp(prefix="gemini-emulator-"))
    storage = Storage(settings, folder)
    files = FilesLibrary(storage)
    runner = Runner(service, log, folder)
    batches = BatchesSite(runner, files, door)
    models = ModelsSite(service, batches, bucket, door)
    app = Starlette(
        routes=[
            *_pages(settings, log),
            *models.routes,
            *FilesSite(storage, door).routes,
            *batches.routes,
            *PredictionsSite(runner, bucket, door).routes,
        ]
    )
    weakref.finalize(app, shutil.rmtree, folder, ignore_errors=True)
    return app


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


def _pages(settings: Settings, log: RequestLog) -> list[Route]:
    """Make the pages that are not Google's: what this is, and the request log."""

    async def front(request: Request) -> Response:
        del request
        return HTMLResponse(front_page(settings))

    async def show_log(request: Request) -> Response:
        try:
            return JSONResponse(log.as_json(number(request, "after", 0)))
        except GoogleError as failure:
            return refuse(failure)

    return [
        Route("/", front),
        Route("/emulator", front),
        Route("/emulator/log", show_log),
    ]


def _gcs_folder(settings: Settings) -> Path | None:
    """Give the folder of the buckets; raise EmulatorError when it is not there."""
    if not settings.gcs_folder:
        return None
    folder = Path(settings.gcs_folder)
    if not folder.is_dir():
        raise EmulatorError(f"There is no folder {folder}.")
    return folder


def _listen(host: str, port: int) -> socket.socket:
    """Take the port; raise EmulatorError."""
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise EmulatorError(
            f"The emulator cannot listen on {host} port {port}: {why}."
        ) from error
