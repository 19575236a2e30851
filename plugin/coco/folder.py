"""A folder of pictures as source and a COCO file as sink: labelling without FiftyOne."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import UsageError
from ..records import coco_info, run_record, spent
from ..storage import join, walk
from ..values import Frame, ImageLabels, Item, Medium, Parsed, Run
from .read import CocoDataset
from .write import Category, write_coco

_SUFFIXES = {
    Medium.IMAGE: frozenset({".png", ".jpg", ".jpeg", ".webp", ".heic", ".heif"}),
    Medium.VIDEO: frozenset(
        {
            *(".mp4", ".m4v", ".mov", ".mpg", ".mpeg", ".avi", ".flv", ".webm"),
            *(".wmv", ".3gp", ".3gpp"),
        }
    ),
}
PICTURES = frozenset({Medium.IMAGE})


class FolderSource:
    """The pictures or videos of a folder and of all folders inside, or of a COCO file.

    The sample id is the path relative to the folder, or the image id. `about` is what is
    looked for. Raises UsageError when there is no such folder, or both are found in it.
    """

    def __init__(
        self,
        files: Path | CocoDataset | Sequence[Item],
        about: Collection[Medium] = PICTURES,
    ) -> None:
        self.medium: Medium | None = Medium.IMAGE
        if isinstance(files, CocoDataset):
            self._items = [Item(i.image_id, i.path) for i in files.images]
            return
        if not isinstance(files, Path):
            self.medium = None  # whatever the question is about
            self._items = list(files)
            return
        if not files.is_dir():
            raise UsageError(f"there is no folder {files}")
        found = {medium: _files(files, _SUFFIXES[medium]) for medium in sorted(about)}
        some = [medium for medium, paths in found.items() if paths]
        if len(some) > 1:
            raise UsageError(
                f"{files} holds pictures and videos. Put them into folders of their own."
            )
        self.medium = (some or sorted(found))[0]
        self._items = [
            Item(path.relative_to(files).as_posix(), str(path))
            for path in found[self.medium]
        ]

    @classmethod
    def of(cls, images: Sequence[ImageLabels]) -> FolderSource:
        """Give the pictures of labels, such as those of a truth."""
        return cls([Item(image.image_id, image.path) for image in images])

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self._items)

    def items(self) -> Iterator[Item]:
        """Give one item a picture, in order."""
        return iter(self._items)


class UrlSource:
    """The pictures below a URL that fsspec reaches, such as `gs://bucket/photos`.

    The sample id is the path below it. Raises UsageError when there are none.
    """

    def __init__(self, url: str) -> None:
        self._items = [
            Item(name, join(url, name))
            for name in walk(url)
            if PurePosixPath(name).suffix.lower() in _SUFFIXES[Medium.IMAGE]
        ]
        if not self._items:
            raise UsageError(f"There are no pictures below {url}.")

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self._items)

    def items(self) -> Iterator[Item]:
        """Give one item a picture, in order."""
        return iter(self._items)


def _files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Find the files that are called so, in order."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes and path.is_file()
    ]


class CocoSink:
    """Collects objects and writes them as one COCO file when the run ends.

    Every picture keeps its status in the file, those without labels too. One that could
    not be opened has the size 0 x 0. What was asked again has a file of its own, such as
    `labels_ask2.json`. Labels that COCO cannot hold have `lines.LinesSink`.
    """

    def __init__(
        self, path: Path, categories: Sequence[Category] | None = None
    ) -> None:
        self.path = path
        self._categories = categories
        self._parsed: dict[int, list[Parsed]] = {}

    def write(self, parsed: Parsed) -> None:
        """Take what one item came to."""
        self._parsed.setdefault(parsed.item.attempt, []).append(parsed)

    def finish(self, run: Run) -> None:
        """Write the file, in the order of the sample ids, with the record of the run."""
        for attempt in sorted({0, *self._parsed}):
            found = self._parsed.get(attempt, [])
            self._write(attempt_path(self.path, attempt), found, run)

    def _write(self, path: Path, found: list[Parsed], run: Run) -> None:
        images = [
            ImageLabels(
                parsed.item.sample_id,
                parsed.item.path,
                parsed.frame or Frame(0, 0),
                parsed.detections,
                parsed.status,
                spent(parsed),
            )
            for parsed in sorted(found, key=order)
        ]
        write_coco(path, images, self._categories, coco_info(run_record(run)))


def attempt_path(path: Path, attempt: int) -> Path:
    """Name the file of an attempt: the second of `a.json` is `a_ask2.json`."""
    return path.with_stem(f"{path.stem}_ask{attempt + 1}") if attempt else path


def order(parsed: Parsed) -> tuple[int, str, int]:
    """Sort sample ids, whole numbers by their size: they are shorter, then smaller."""
    text = parsed.item.sample_id
    return (len(text) if text.isdigit() else 0, text, parsed.item.attempt)
