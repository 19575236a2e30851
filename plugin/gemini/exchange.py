"""Replies as lines of JSON: a journal written out, and lines taken in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ..errors import FormatError, UsageError
from ..values import JsonValue
from .store import Store
from .upkeep import Stored, replies

_KEY_DIGITS = 64
_NEWER = """INSERT INTO reply (key, emulated, model, received, body, sha256)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (
        SELECT 1 FROM reply WHERE key = ?1 AND emulated = ?2
        AND (received > ?4 OR sha256 = ?6)
    ) RETURNING id"""


def export(path: Path, out: Path) -> int:
    """Write every reply as one line of JSON, oldest first; give their number.

    `key`, `emulated`, `model`, `received`, and the `body` as text, or as `body_base64`
    where it is no UTF-8. The file appears at once or not at all. Raises `FormatError`.
    """
    if out.exists() and path.exists() and out.samefile(path):
        raise UsageError(
            "The journal cannot be written over itself: name another file."
        )
    with closing(Store(path, create=False)) as store:
        try:
            return _write_lines(out, (_as_json(reply) for reply in replies(store)))
        except OSError as error:
            raise FormatError(f"{out} cannot be written ({error}).") from error


def take_in(path: Path, found: Iterable[Stored]) -> int:
    """Add replies to a journal, which is made if there is none; give how many were new.

    One that is there already, or that is older than what is there, is left out: the
    newest reply to a request still is the one that counts. Raises `FormatError`.
    """
    added = 0
    with closing(Store(path)) as store:
        for reply in found:
            sums = hashlib.sha256(reply.body).digest()
            received = reply.received.astimezone(UTC).isoformat(timespec="seconds")
            values = (reply.key, reply.emulated, reply.model, received)
            added += len(store.run(_NEWER, (*values, reply.body, sums)))
    return added


def read_lines(lines: Iterable[bytes], where: str) -> Iterator[Stored]:
    """Read what `export` wrote, or the segments of a shard; lines without a reply pass.

    Raises `FormatError` with the number of the line.
    """
    for number, line in enumerate(lines, 1):
        try:
            found = _read_line(json.loads(line)) if line.strip() else None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise FormatError(
                f"{where}, line {number}: this is no reply of a journal."
            ) from error
        if found is not None:
            yield found


def _read_line(entry: JsonValue) -> Stored | None:
    """Read one line; None when there is no reply in it."""
    if not isinstance(entry, dict):
        raise TypeError
    body, coded = entry.get("body"), entry.get("body_base64")
    if body is None and coded is None:
        return None
    texts = [entry["key"], entry["model"], entry["received"]]
    key, model, received = (text if isinstance(text, str) else "" for text in texts)
    if len(key) != _KEY_DIGITS or not isinstance(body or coded, str):
        raise ValueError
    stored = join_body(
        None if body is None else str(body), None if coded is None else str(coded)
    )
    said = entry.get("sha256")
    sound = said is None or said == hashlib.sha256(stored).hexdigest()
    if not sound:
        raise ValueError
    moment = datetime.fromisoformat(received)
    return Stored(key, entry["emulated"] is True, model, moment, stored, sound)


def split_body(body: bytes) -> tuple[str | None, str | None]:
    """Write a body as text, or in base64 where it is no UTF-8."""
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(body).decode()


def join_body(text: str | None, coded: str | None) -> bytes:
    """Give the body back; raises `FormatError` for what is not base64."""
    if coded is None:
        return (text or "").encode()
    try:
        return base64.b64decode(coded, validate=True)
    except binascii.Error as error:
        raise FormatError(f"A body is not base64 ({error}).") from error


def _as_json(reply: Stored) -> dict[str, JsonValue]:
    """Write one reply as a JSON object."""
    text, coded = split_body(reply.body)
    return {
        "key": reply.key,
        "emulated": reply.emulated,
        "model": reply.model,
        "received": reply.received.isoformat(),
        **({"body": text} if coded is None else {"body_base64": coded}),
    }


def _write_lines(out: Path, lines: Iterator[dict[str, JsonValue]]) -> int:
    """Write lines of JSON to a file that appears when it is whole."""
    written = 0
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                written += 1
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    return written
