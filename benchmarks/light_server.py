"""A server that answers every request with the same body after a set time, cheaply."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Answering(asyncio.Protocol):
    """One connection: reads requests with a Content-Length, answers each in turn."""

    def __init__(self, reply: bytes, latency: float) -> None:
        self.reply, self.latency = reply, latency
        self.head = bytearray()
        self.missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count the bytes of the body; nothing of it is kept."""
        if not self.missing:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = bytes(self.head[:end]).lower().split(b"\r\n")
            length = next(x for x in lines if x.startswith(b"content-length:"))
            self.missing = int(length.split(b":")[1]) - (len(self.head) - end - 4)
            self.head.clear()
        else:
            self.missing -= len(data)
        if not self.missing:
            asyncio.get_running_loop().call_later(self.latency, self.answer)

    def answer(self) -> None:
        """Send the reply, if anybody still wants it."""
        if not self.transport.is_closing():
            self.transport.write(self.reply)


def reply_of(size: int) -> bytes:
    """Write a reply of about so many bytes in the shape of generateContent."""
    thing = '{"box_2d": [10, 20, 300, 400], "label": "cup"}, '
    text = "[" + (thing * (size // len(thing)))[:-2] + "]"
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 1200, "candidatesTokenCount": 900}
    body = json.dumps(
        {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "light"}
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def serve(latency: float, size: int) -> None:
    """Serve until killed; the first line says where."""
    reply = reply_of(size)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Answering(reply, latency), "127.0.0.1", 0, backlog=1024
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@contextmanager
def light_server(latency: float, size: int) -> Iterator[str]:
    """Run the server in a process of its own; give its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(latency), str(size)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
