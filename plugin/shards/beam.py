"""All shards of a manifest on Apache Beam: DirectRunner here, Dataflow at Google.

    Create(1..n) | Reshuffle | work on a shard | counters

Beam repeats what fails and adds machines; that nothing is asked twice is the doing of
`work` and its segments. No key goes into the pipeline, which Beam stores and shows: each
worker finds its own, in its environment or by the project's service account.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ApiError, SetupError
from ..gemini.endpoint import endpoint_from_environment
from .manifest import read_manifest
from .work import Terms, work

_NO_SECRETS = (
    *("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI"),
    *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"),
    *("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
)
"""What says whom to ask; goes to the workers where they have none of it."""


_EXCERPT = 500


@dataclass(frozen=True, slots=True)
class ShardWork:
    """What a worker needs to know beside the number of its shard."""

    manifest: str
    out: str
    terms: Terms
    environ: Mapping[str, str]

    def __call__(self, shard: int) -> int:
        """Work on a shard; give the number of its items.

        Raises `ApiError` when items are left, so that Beam tries the shard again.
        """
        endpoint = endpoint_from_environment({**self.environ, **os.environ})
        manifest = read_manifest(self.manifest)
        done = work(manifest, shard, self.out, endpoint=endpoint, terms=self.terms)
        if done.run is not None:
            for status, number in done.run.statuses.items():
                _count(status.value, number)
        if done.success is None:
            raise ApiError(f"Shard {shard} of {self.manifest} is not whole yet.")
        return done.success.items


def step_of(manifest: str, out: str, terms: Terms) -> ShardWork:
    """Make the step of the pipeline; of the environment it takes what is no secret."""
    environ = {name: os.environ[name] for name in _NO_SECRETS if name in os.environ}
    return ShardWork(manifest, out, terms, environ)


def run_on_beam(manifest: str, out: str, terms: Terms, argv: Sequence[str]) -> None:
    """Work on all shards of a manifest and wait for the end.

    `argv` are Beam's own options; without any, DirectRunner works on one shard after the
    other. Raises `SetupError` without Beam, and `ApiError` when it gives up.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise SetupError(
            "Apache Beam is not installed: pip install 'fiftyone-gemini[beam]'."
        ) from error
    step = step_of(manifest, out, terms)
    shards = range(1, read_manifest(manifest).shards + 1)
    try:
        with beam.Pipeline(options=PipelineOptions(list(argv))) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards)
                | "Spread" >> beam.Reshuffle()
                | "Work" >> beam.Map(step)
            )
    except Exception as error:  # runners raise what they like
        reason = (str(error).strip().splitlines() or [""])[-1]
        raise ApiError(
            f"Apache Beam gave up ({type(error).__name__}: {reason[:_EXCERPT]}). The "
            "same command goes on where it stopped."
        ) from error


def _count(name: str, number: int) -> None:
    """Add to a counter that Beam's runners show."""
    from apache_beam.metrics import Metrics

    Metrics.counter("fiftyone_gemini", name).inc(number)
