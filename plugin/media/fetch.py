"""Pictures by `http(s)` URL: fetched within limits, and never from a private network.

A URL in a dataset is untrusted: the address that its name resolves to is checked and then
connected to, so that it cannot change in between; each redirect is checked the same way.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit

from ..errors import MediaError
from ..version import __version__

MAX_BYTES = 64 * 2**20
MAX_SECONDS = 60.0
MAX_REDIRECTS = 5
_CHUNK = 2**16
_MOVED = frozenset({301, 302, 303, 307, 308})
_OK = 200
_KEPT_SECONDS = 60
_KEPT = 4
"""Pictures kept for as long: the tiles of one are all cut out of one download."""


def is_web_url(path: str) -> bool:
    """Tell a URL that can be fetched from the path of a file."""
    return path.lower().startswith(("http://", "https://"))


def shown_url(url: str) -> str:
    """Name a URL without what may be secret in it: user, query, fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def fetch(url: str, *, private: bool = False) -> bytes:
    """Fetch a picture; `private` allows addresses that are not of the public internet.

    Raises `MediaError` with a sentence: unreachable, refused, too large, too slow.
    """
    return _kept(url, private, int(time.monotonic() / _KEPT_SECONDS))


@lru_cache(_KEPT)
def _kept(url: str, private: bool, minute: int) -> bytes:
    del minute
    name, deadline = shown_url(url), time.monotonic() + MAX_SECONDS
    try:
        for _ in range(MAX_REDIRECTS + 1):
            found = _fetch_once(url, deadline, private=private)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
    except TimeoutError as error:
        raise MediaError(
            f"{name} did not arrive within {MAX_SECONDS:.0f} seconds. Copy the picture "
            "to a file."
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise MediaError(
            f"{name} cannot be fetched ({type(error).__name__}). Check the address."
        ) from error
    raise MediaError(f"{name} redirects more than {MAX_REDIRECTS} times.")


def _fetch_once(url: str, deadline: float, *, private: bool) -> bytes | str:
    """Ask for a URL; give its content, or where it moved to."""
    parts = urlsplit(url)
    if not is_web_url(url) or not parts.hostname:
        raise MediaError(f"{shown_url(url)} is not fetched: only http and https are.")
    connection = _connect(parts, deadline, private=private)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        agent = {"User-Agent": f"fiftyone-gemini/{__version__}", "Accept": "image/*"}
        connection.request("GET", target, headers=agent)
        reply = connection.getresponse()
        if reply.status in _MOVED and (moved := reply.getheader("Location")):
            return moved
        if reply.status != _OK:
            raise MediaError(
                f"{shown_url(url)} was refused by its server (HTTP {reply.status})."
            )
        return _body(reply, connection, url, deadline)
    finally:
        connection.close()


def _body(
    reply: http.client.HTTPResponse,
    connection: http.client.HTTPConnection,
    url: str,
    deadline: float,
) -> bytes:
    """Read a body piece by piece, within the limits of size and time."""
    found = bytearray()
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(deadline))
        chunk = reply.read1(_CHUNK)
        if not chunk:
            break
        found += chunk
        if len(found) > MAX_BYTES:
            raise MediaError(
                f"{shown_url(url)} is larger than {MAX_BYTES // 2**20} MiB, which is not "
                "fetched. Copy the picture to a file."
            )
        _left(deadline)
    if reply.length:
        raise http.client.IncompleteRead(bytes(found), reply.length)
    return bytes(found)


def _left(deadline: float) -> float:
    """Give the seconds that are left; raise `TimeoutError` when none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(
    parts: SplitResult, deadline: float, *, private: bool
) -> http.client.HTTPConnection:
    """Connect to a checked address of a host."""
    host, secure = parts.hostname or "", parts.scheme.lower() == "https"
    port = parts.port or (443 if secure else 80)
    address = _address(host, port, private=private)
    plain = socket.create_connection((address, port), timeout=_left(deadline))
    connection = http.client.HTTPConnection(host, port)
    if not secure:
        connection.sock = plain
        return connection
    try:
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
    return connection


def _address(host: str, port: int, *, private: bool) -> str:
    """Resolve a host; refuse it when any of its addresses is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not private and not _is_public(address):
            raise MediaError(
                f"{host} leads to {address}, which is not on the public internet; it is "
                "not fetched. Allow it (--private-urls), if you trust the dataset."
            )
    return addresses[0]


def _is_public(address: str) -> bool:
    """Tell public addresses from private, local and reserved ones, also inside IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is not None:
            return inner.is_global
        if found.teredo is not None or found in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return found.is_global and not found.is_multicast
