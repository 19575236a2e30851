"""`fiftyone-gemini emulator`: serve the offline emulator until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..emulator import Settings, serve
from .show import console

Port = Annotated[int, typer.Option(help="The port on this machine.")]
Truth = Annotated[
    Path | None, typer.Option(help="Answer from this COCO file instead of looking.")
]
Images = Annotated[
    Path | None, typer.Option(help="The folder of its pictures (with --truth).")
]
Noise = Annotated[
    float,
    typer.Option(min=0, max=1, help="How wrong to answer (with --truth); 0: exact."),
]
Faults = Annotated[
    str, typer.Option(help="Faults to inject, such as 503:0.1,429:0.2,blocked:0.02.")
]
CallFaults = Annotated[
    str,
    typer.Option(help="Faults of single calls, such as upload:503,create-batch:cut."),
]
Latency = Annotated[
    float, typer.Option(min=0, help="Seconds to wait before each answer.")
]
Seed = Annotated[int, typer.Option(help="Seed of noise and faults.")]
GcsFolder = Annotated[
    Path | None,
    typer.Option(help="gs://bucket/name is bucket/name in this folder (enterprise)."),
]
Processing = Annotated[
    float, typer.Option(min=0, help="Seconds that an uploaded file is PROCESSING.")
]
BatchSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds that a batch is RUNNING at least.")
]
Rpm = Annotated[
    int, typer.Option(min=0, help="Requests a minute that a model answers; 0: any.")
]
Tpm = Annotated[
    int, typer.Option(min=0, help="Tokens of prompts a minute and model; 0: any.")
]
Rpd = Annotated[
    int, typer.Option(min=0, help="Requests until the day's quota is used up; 0: any.")
]


def serve_emulator(
    *,
    port: Port = 8765,
    truth: Truth = None,
    images: Images = None,
    noise: Noise = 0.0,
    faults: Faults = "",
    call_faults: CallFaults = "",
    latency: Latency = 0.0,
    gcs_folder: GcsFolder = None,
    processing: Processing = 0.0,
    batch_seconds: BatchSeconds = 0.0,
    rpm: Rpm = 0,
    tpm: Tpm = 0,
    rpd: Rpd = 0,
    seed: Seed = 0,
) -> None:
    """Serve the Gemini REST API on this machine, offline. It is not Gemini.

    Point any client at it by GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8765; any key does.
    """
    settings = Settings(
        truth=str(truth or ""),
        images=str(images or ""),
        noise=noise,
        faults=faults,
        call_faults=call_faults,
        latency=latency,
        gcs_folder=str(gcs_folder or ""),
        processing_seconds=processing,
        batch_seconds=batch_seconds,
        rpm=rpm,
        tpm=tpm,
        rpd=rpd,
        seed=seed,
    )
    serve(settings, port=port, on_ready=_welcome)


def _welcome(url: str) -> None:
    """Say what runs where, and how to use it."""
    console.print(f"The emulator (not Gemini) listens on {url}; Ctrl-C ends it.")
    console.print(f"  export GOOGLE_GEMINI_BASE_URL={url}")
