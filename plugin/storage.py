"""Files near and far: a local path, or a URL that fsspec reaches (`gs://`, `s3://`).

Beside the arrows: pictures are read and shards are written through it. A local path
never touches fsspec; `file://` is a local path.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from .errors import FormatError, SetupError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 22
_EXCERPT = 300


def is_url(place: str | Path) -> bool:
    """Tell whether a place has a scheme: not a path."""
    return isinstance(place, str) and _URL.match(place) is not None


def local_path(place: str | Path) -> Path | None:
    """Give the path of a local place; None for one that fsspec must reach."""
    if not is_url(place):
        return Path(place)
    parts = urlsplit(str(place))
    return Path(unquote(parts.path)) if parts.scheme.lower() == "file" else None


def join(folder: str, *names: str) -> str:
    """Name a place inside a folder."""
    return "/".join([folder.rstrip("/"), *names])


def read(place: str) -> bytes:
    """Read a whole file; raises `FormatError`, and `SetupError` without its plug-in."""
    path = local_path(place)
    with _explained(place, "read"):
        if path is not None:
            return path.read_bytes()
        remote, name = _remote(place)
        return cast("bytes", remote.cat_file(name))


def first_line(place: str) -> bytes:
    """Read a file's first line and no more than is needed; raises as `read` does."""
    path = local_path(place)
    with _explained(place, "read"):
        if path is not None:
            with path.open("rb") as file:
                return file.readline()
        remote, name = _remote(place)
        size = _HEAD_BYTES
        while True:
            data = cast("bytes", remote.cat_file(name, start=0, end=size))
            line, newline, _ = data.partition(b"\n")
            if newline or len(data) < size:
                return line + newline
            size *= 8


def lines(place: str, start: int, length: int) -> Iterator[bytes]:
    """Read the lines of one part of a file, a few megabytes at a time.

    The part begins at a line's start and ends at a line's end.
    """
    left = b""
    for at in range(start, start + length, _CHUNK_BYTES):
        size = min(_CHUNK_BYTES, start + length - at)
        *whole, left = (left + _read_part(place, at, size)).split(b"\n")
        yield from whole
    if left:
        yield left


def names(folder: str) -> list[str]:
    """List the names in a folder, sorted; what is no folder holds nothing."""
    path = local_path(folder)
    with _explained(folder, "listed"):
        try:
            if path is not None:
                return sorted(entry.name for entry in path.iterdir())
            remote, name = _remote(folder)
            remote.invalidate_cache(name)
            found = remote.ls(name, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
    return sorted(str(entry).rstrip("/").rpartition("/")[2] for entry in found)


def walk(folder: str) -> list[str]:
    """List all files below a folder far away, by their paths below it, sorted."""
    with _explained(folder, "listed"):
        remote, name = _remote(folder)
        remote.invalidate_cache(name)
        above = len(name.rstrip("/")) + 1
        return sorted(str(file)[above:] for file in remote.find(name))


def exists(place: str) -> bool:
    """Tell whether there is such a file."""
    path = local_path(place)
    with _explained(place, "looked for"):
        if path is not None:
            return path.is_file()
        remote, name = _remote(place)
        remote.invalidate_cache(name.rpartition("/")[0])
        return bool(remote.exists(name))


def put(place: str, data: bytes) -> None:
    """Write a file that appears at once or not at all, and is safe when this returns.

    Far away it is one object, sent in one piece.
    """
    if local_path(place) is None:
        with _explained(place, "written"):
            remote, name = _remote(place)
            remote.pipe_file(name, data)
        return
    with writing(place) as path:
        path.write_bytes(data)


@contextmanager
def writing(place: str) -> Iterator[Path]:
    """Give a local file to fill; it is put in its place when the block ends well."""
    path = local_path(place)
    with _explained(place, "written"):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=None if path is None else path.parent, prefix=".fiftyone-gemini-"
        )
        os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _explained(place, "written"):
            _publish(temporary, path, place)
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path | None, place: str) -> None:
    """Move a filled file to its place."""
    if path is None:
        remote, name = _remote(place)
        remote.put_file(str(temporary), name)
        return
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the new name itself may be lost with the power
    finally:
        os.close(folder)


def _read_part(place: str, start: int, size: int) -> bytes:
    path = local_path(place)
    with _explained(place, "read"):
        if path is not None:
            with path.open("rb") as file:
                file.seek(start)
                data = file.read(size)
        else:
            remote, name = _remote(place)
            data = cast("bytes", remote.cat_file(name, start=start, end=start + size))
    if len(data) != size:
        raise FormatError(f"{place} is cut short. Copy or write it again.")
    return data


def _remote(place: str) -> tuple[AbstractFileSystem, str]:
    """Find the file system of a URL, and the name there."""
    from fsspec.core import url_to_fs

    found = url_to_fs(place)
    return cast("tuple[AbstractFileSystem, str]", found)


@contextmanager
def _explained(place: str, done: str) -> Iterator[None]:
    """Turn what goes wrong with a place into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        said = (
            "cannot be written: there is no such folder"
            if done == "written"
            else "does not exist"
        )
        raise FormatError(f"{place} {said}.") from error
    except ImportError as error:
        scheme = place.partition("://")[0]
        raise SetupError(
            f"{scheme}:// needs a plug-in of fsspec ({str(error)[:_EXCERPT]})."
        ) from error
    except Exception as error:  # plug-ins raise what they like
        reason = f"{type(error).__name__}: {str(error)[:_EXCERPT]}"
        raise FormatError(f"{place} cannot be {done} ({reason}).") from error
