"""Files near and far: the same functions for a path and for a URL of fsspec.

`local://` is fsspec's own way to this machine's disk: all goes through it as to a bucket.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fiftyone_gemini import storage
from fiftyone_gemini.errors import FormatError, SetupError
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(params=["path", "file URL", "fsspec"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the same folder as a path, as a file:// URL and as fsspec sees it."""
    start = {"path": "", "file URL": "file://", "fsspec": "local://"}
    return f"{start[request.param]}{tmp_path}"


def test_what_is_put_is_read(root: str, tmp_path: Path) -> None:
    """Bytes come back whole, in lines and as a first line; nothing else is left."""
    place = storage.join(root, "a", "b.jsonl")
    (tmp_path / "a").mkdir()
    assert not storage.exists(place)
    storage.put(place, b"one\ntwo\nthree\n")
    storage.put(place, b"one\ntwo\nthree\n")
    assert storage.exists(place)
    assert storage.read(place) == b"one\ntwo\nthree\n"
    assert storage.first_line(place) == b"one\n"
    assert list(storage.lines(place, 4, 10)) == [b"two", b"three"]
    assert storage.names(storage.join(root, "a")) == ["b.jsonl"]
    assert storage.names(storage.join(root, "none")) == []
    assert (tmp_path / "a" / "b.jsonl").read_bytes() == b"one\ntwo\nthree\n"


def test_a_file_appears_whole_or_not_at_all(root: str, tmp_path: Path) -> None:
    """When writing fails, neither the file nor a part of it is left."""
    place = storage.join(root, "x")

    def fail() -> None:
        with storage.writing(place) as path:
            path.write_bytes(b"half")
            assert not storage.exists(place)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with storage.writing(place) as path:
        path.write_bytes(b"whole")
    assert storage.read(place) == b"whole"


def test_what_is_not_there_is_a_sentence(root: str) -> None:
    """A missing file is named, and so is one that is shorter than it was said to be."""
    with pytest.raises(FormatError, match="none does not exist"):
        storage.read(storage.join(root, "none"))
    storage.put(storage.join(root, "short"), b"abc\n")
    with pytest.raises(FormatError, match="cut short"):
        list(storage.lines(storage.join(root, "short"), 0, 9))


def test_a_first_line_may_be_long(root: str) -> None:
    """It is read whole, also where it is longer than what is fetched at first."""
    place = storage.join(root, "long")
    storage.put(place, b"x" * 300_000 + b"\n" + b"y" * 10)
    assert storage.first_line(place) == b"x" * 300_000 + b"\n"
    storage.put(place, b"z" * 70_000)
    assert storage.first_line(place) == b"z" * 70_000


def test_a_missing_plug_in_is_said() -> None:
    """A scheme whose package is not installed, or that nobody knows."""
    with pytest.raises(SetupError, match=r"gs:// needs a plug-in.*gcsfs"):
        storage.read("gs://bucket/x")
    with pytest.raises(FormatError, match="cannot be read"):
        storage.read("nosuch://bucket/x")


def test_a_folder_without_rights_is_a_sentence() -> None:
    """A place where nothing can be written is named."""
    with pytest.raises(FormatError, match=r"/proc/nothing/x cannot be written"):
        storage.put("/proc/nothing/x", b"")


@settings(max_examples=40)
@given(parts=st.lists(st.binary(max_size=40), max_size=8), chunk=st.integers(1, 17))
def test_lines_are_the_same_whatever_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], chunk: int
) -> None:
    """Reading in pieces of any size splits the lines at the same places."""
    data = b"".join(part.replace(b"\n", b"") + b"\n" for part in parts)
    place = str(tmp_path_factory.mktemp("lines") / "f")
    storage.put(place, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_CHUNK_BYTES", chunk)
        found = list(storage.lines(place, 0, len(data)))
    assert found == data.split(b"\n")[:-1]
