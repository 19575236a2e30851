"""`fiftyone-gemini emulator`: serve the offline emulator until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..emulator import Settings, serve
from .show import console


def serve_emulator(
    *,
    port: Annotated[int, typer.Option(help="The port on this machine.")] = 8765,
    truth: Annotated[
        Path | None,
        typer.Option(help="Answer from this COCO file instead of looking."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="The folder of its pictures (with --truth).")
    ] = None,
    noise: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="How wrong to answer (with --truth); 0: exact."
        ),
    ] = 0.0,
    faults: Annotated[
        str,
        typer.Option(help="Faults to inject, such as 503:0.1,429:0.2,blocked:0.02."),
    ] = "",
    latency: Annotated[
        float, typer.Option(min=0, help="Seconds to wait before each answer.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of noise and faults.")] = 0,
) -> None:
    """Serve the Gemini REST API on this machine, offline. It is not Gemini.

    Point any client at it by GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8765; any key does.
    """
    settings = Settings(
        truth=str(truth or ""),
        images=str(images or ""),
        noise=noise,
        faults=faults,
        latency=latency,
        seed=seed,
    )
    serve(settings, port=port, on_ready=_welcome)


def _welcome(url: str) -> None:
    """Say what runs where, and how to use it."""
    console.print(f"The emulator (not Gemini) listens on {url}; Ctrl-C ends it.")
    console.print(f"  export GOOGLE_GEMINI_BASE_URL={url}")
