"""Measure the labelling engine beside the plain ways to use the google-genai SDK.

Every row runs in a fresh process against a server in another one, that waits and
answers. `efficiency` is the ideal wall time, items x latency / concurrency, over the
measured one. Pictures are bytes in memory: loading them is not measured here. The engine
also hashes every picture, writes every reply to its journal, and reads its envelope;
the plain ways do nothing with a reply. `--write-docs` writes the tables into
`docs/engine.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from light_server import light_server

PAGE = Path(__file__).parents[1] / "docs" / "engine.md"
MARKED = re.compile(r"(<!-- measured -->\n).*(<!-- end -->)", re.DOTALL)
MODEL = "gemini-3.8-flash"
PROMPT = "Detect all objects. " * 20
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "box_2d": {"type": "array", "items": {"type": "integer"}},
            "label": {"type": "string"},
        },
    },
}
WAYS = {
    "engine": "this engine",
    "threads": "SDK in a ThreadPoolExecutor",
    "aio": "SDK's asyncio client",
}


@dataclass(frozen=True)
class Load:
    """What is asked for in one run."""

    way: str
    items: int
    latency: float
    concurrency: int
    picture: int = 150_000
    reply: int = 30_000


@dataclass(frozen=True)
class Cost:
    """What one run took: wall and CPU seconds, peak memory in MB."""

    wall: float
    cpu: float
    peak: float

    def efficiency(self, load: Load) -> float:
        """Compare the wall time with the ideal one."""
        return load.items * load.latency / load.concurrency / self.wall

    def cpu_ms(self, load: Load) -> float:
        """CPU time of one request, in milliseconds."""
        return 1000 * self.cpu / load.items


def picture(number: int, size: int) -> bytes:
    """Make bytes of the size of a picture, different for each number."""
    return number.to_bytes(8) + NOISE[: size - 8]


NOISE = os.urandom(1_000_000)


def by_engine(load: Load, url: str) -> Callable[[], None]:
    """Ask by `ask_all`, with a journal."""
    from fiftyone_gemini.gemini.endpoint import Endpoint
    from fiftyone_gemini.gemini.journal import Journal
    from fiftyone_gemini.gemini.pool import Limits, ask_all
    from fiftyone_gemini.values import Frame, Item, Media, Request

    frame = Frame(1024, 768)

    def build(item: Item) -> Request:
        data = picture(int(item.path), load.picture)
        media = Media(data, "image/jpeg", frame, frame)
        return Request(MODEL, (media, PROMPT), SCHEMA)

    def run() -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            Journal(Path(folder) / "journal") as journal,
        ):
            items = (Item(str(n), str(n)) for n in range(load.items))
            answered = ask_all(
                items,
                build,
                endpoint=Endpoint("emulator", "key", url),
                journal=journal,
                limits=Limits(in_flight=load.concurrency),
            )
            assert all(a.reply.failure is None for a in answered)

    return run


def plain_arguments(number: int, size: int) -> dict[str, object]:
    """Ask as the SDK's documentation does, for the same answer."""
    from google.genai import types

    return {
        "model": MODEL,
        "contents": [
            types.Part.from_bytes(data=picture(number, size), mime_type="image/jpeg"),
            PROMPT,
        ],
        "config": types.GenerateContentConfig(
            max_output_tokens=16_384,
            response_mime_type="application/json",
            response_json_schema=SCHEMA,
            thinking_config=types.ThinkingConfig(
                thinking_level=types.ThinkingLevel.LOW
            ),
        ),
    }


def by_threads(load: Load, url: str) -> Callable[[], None]:
    """Ask by the synchronous client in threads."""
    from google import genai

    client = genai.Client(api_key="key", http_options={"base_url": url})

    def ask(number: int) -> None:
        arguments = plain_arguments(number, load.picture)
        assert client.models.generate_content(**arguments).text

    def run() -> None:
        with ThreadPoolExecutor(load.concurrency) as pool:
            list(pool.map(ask, range(load.items)))

    return run


def by_aio(load: Load, url: str) -> Callable[[], None]:
    """Ask by the asynchronous client, with aiohttp, which it finds by itself."""
    from google import genai

    async def ask(client: genai.Client, turn: asyncio.Semaphore, number: int) -> None:
        async with turn:
            arguments = plain_arguments(number, load.picture)
            reply = await client.aio.models.generate_content(**arguments)
            assert reply.text

    async def run() -> None:
        client = genai.Client(api_key="key", http_options={"base_url": url})
        turn = asyncio.Semaphore(load.concurrency)
        await asyncio.gather(*(ask(client, turn, n) for n in range(load.items)))
        await client.aio.aclose()

    return lambda: asyncio.run(run())


def measure_here(load: Load, url: str) -> Cost:
    """Run a load in this process; importing is not counted."""
    ways = {"engine": by_engine, "threads": by_threads, "aio": by_aio}
    import google.genai  # noqa: F401 - its 1.5 s of import are nobody's fault

    run = ways[load.way](load, url)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(wall, cpu, peak)


def measure(load: Load) -> Cost:
    """Run a load in a fresh process, against a fresh server."""
    with light_server(load.latency, load.reply) as url:
        done = subprocess.run(
            [sys.executable, __file__, "--load", json.dumps(asdict(load)), url],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def speed_table(
    latencies: dict[float, int], concurrency: int, rounds: int
) -> list[str]:
    """Measure all ways at all latencies, in turns; give the lines of a table."""
    lines = [
        "| way | latency | items | wall | efficiency | CPU per request | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for latency, items in latencies.items():
        loads = {way: Load(way, items, latency, concurrency) for way in WAYS}
        costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, load in loads.items():
                costs[way].append(measure(load))
        for way, load in loads.items():
            wall = statistics.median(c.wall for c in costs[way])
            share = statistics.median(c.efficiency(load) for c in costs[way])
            cpu = statistics.median(c.cpu_ms(load) for c in costs[way])
            peak = max(c.peak for c in costs[way])
            lines.append(
                f"| {WAYS[way]} | {latency:g} s | {items:,} | {wall:.1f} s | {share:.2f} "
                f"| {cpu:.1f} ms | {peak:.0f} MB |"
            )
            print(lines[-1], flush=True)
    return lines


def memory_table(counts: list[int], concurrency: int) -> list[str]:
    """Measure the peak memory of the engine over runs of different length."""
    lines = ["| items | wall | peak memory |", "|---|---|---|"]
    for items in counts:
        load = Load("engine", items, 0.05, concurrency, reply=2_000)
        cost = measure(load)
        lines.append(f"| {items:,} | {cost.wall:.0f} s | {cost.peak:.0f} MB |")
        print(lines[-1], flush=True)
    return lines


def surroundings() -> str:
    """Say where and when this was measured."""
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} shared cores "
        f"({platform.machine()}, load {os.getloadavg()[0]:.1f}), Python "
        f"{platform.python_version()}, google-genai {version('google-genai')}, aiohttp "
        f"{version('aiohttp')}."
    )


def report(arguments: argparse.Namespace) -> Iterator[str]:
    """Measure what was asked for; give the lines of the page."""
    yield surroundings()
    concurrency = arguments.concurrency
    if arguments.speed:
        latencies = {3.0: 4 * concurrency, 0.5: 8 * concurrency}
        yield ""
        yield from speed_table(latencies, concurrency, arguments.rounds)
    if arguments.memory:
        yield ""
        yield from memory_table([1_000, 20_000], concurrency)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--concurrency", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-speed", dest="speed", action="store_false")
    parser.add_argument("--no-memory", dest="memory", action="store_false")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        text, url = arguments.load
        print(json.dumps(asdict(measure_here(Load(**json.loads(text)), url))))
        return
    text = "\n".join(report(arguments))
    print(text)
    if arguments.write_docs:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(MARKED.sub(lambda m: f"{m[1]}{text}\n{m[2]}", page), "utf-8")


if __name__ == "__main__":
    main()
