"""A COCO file to labels, every number checked: the file is not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import orjson

from ..errors import FormatError
from ..values import Box, Detection, Frame, ImageLabels, JsonValue, Mask, Status
from .fields import JsonObject, get_list, get_number, get_object, get_text, get_whole
from .rle import Rle, counts_to_mask, polygons_to_mask, rle_to_mask
from .write import SELF, Category

_MAX_SIDE = 100_000
_MAX_PIXELS = 2**31
SOURCE_LIMIT = 100
_FOLDERS = ("data", "images", ".")


@dataclass(frozen=True, slots=True)
class CocoDataset:
    """What a COCO file says, in its order."""

    images: tuple[ImageLabels, ...]
    categories: tuple[Category, ...]


def read_coco(path: Path, image_folder: Path | None = None) -> CocoDataset:
    """Read a COCO file of boxes and masks: polygons, compressed and plain RLE.

    Without `image_folder`, pictures are looked for in `data/`, in `images/` and beside
    the file; they need not be there. Raises FormatError, with the place in the file,
    for anything that is not as it should be, a file name that leads out of the folder
    included.
    """
    try:
        document = get_object(orjson.loads(path.read_bytes()), path.name)
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{path}: not JSON ({error})") from error
    categories = _read_categories(document)
    images = _read_images(document, path.parent, image_folder)
    found = _read_annotations(document, images, {c.id: c.name for c in categories})
    return CocoDataset(
        tuple(
            ImageLabels(i.image_id, i.path, i.frame, tuple(found[number]), i.status)
            for number, i in images.items()
        ),
        categories,
    )


def _read_categories(document: JsonObject) -> tuple[Category, ...]:
    found: dict[int, Category] = {}
    for index, value in enumerate(get_list(document, "categories", "")):
        where = f"categories[{index}]"
        entry = get_object(value, where)
        number = get_whole(entry, "id", where)
        if number in found:
            raise FormatError(f"{where}.id: {number} is there twice")
        found[number] = Category(number, get_text(entry, "name", where))
    return tuple(found.values())


def _read_images(
    document: JsonObject, beside: Path, image_folder: Path | None
) -> dict[int, ImageLabels]:
    entries = get_list(document, "images", "")
    folder = image_folder
    found: dict[int, ImageLabels] = {}
    for index, value in enumerate(entries):
        where = f"images[{index}]"
        entry = get_object(value, where)
        number = get_whole(entry, "id", where)
        if number in found:
            raise FormatError(f"{where}.id: {number} is there twice")
        name = get_text(entry, "file_name", where)
        path = name
        if not name.lower().startswith(("http://", "https://")):
            folder = folder or _find_folder(beside, _safe_name(name, where))
            path = str(folder / name)
        found[number] = ImageLabels(
            _sample_id(entry, number, where),
            path,
            _read_frame(entry, where),
            status=_read_status(entry, where),
        )
    return found


def _find_folder(beside: Path, name: str) -> Path:
    folders = [beside / folder for folder in _FOLDERS]
    return next((folder for folder in folders if (folder / name).is_file()), beside)


def _safe_name(name: str, where: str) -> str:
    """Refuse a file name that leads out of its folder."""
    depth = 0
    for part in name.replace("\\", "/").split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            break
    absolute = PurePosixPath(name.replace("\\", "/")).is_absolute() or name[1:2] == ":"
    if not name or depth < 1 or absolute or "\0" in name:
        raise FormatError(f"{where}.file_name: leads out of the folder: {name[:80]!r}")
    return name


def _sample_id(entry: JsonObject, number: int, where: str) -> str:
    return get_text(entry, "sample_id", where) if "sample_id" in entry else str(number)


def _read_frame(entry: JsonObject, where: str) -> Frame:
    """Read the size; 0 x 0 is that of a picture that could not be opened."""
    frame = Frame(get_whole(entry, "width", where), get_whole(entry, "height", where))
    large = max(frame.width, frame.height) > _MAX_SIDE
    if large or frame.width * frame.height > _MAX_PIXELS:
        raise FormatError(f"{where}: a picture of {frame.width} x {frame.height}")
    return frame


def _read_status(entry: JsonObject, where: str) -> Status:
    if "gemini_status" not in entry:
        return Status.OK
    try:
        return Status(get_text(entry, "gemini_status", where))
    except ValueError as error:
        raise FormatError(f"{where}.gemini_status: {error}") from error


def _read_annotations(
    document: JsonObject, images: Mapping[int, ImageLabels], labels: Mapping[int, str]
) -> dict[int, list[Detection]]:
    found: dict[int, list[Detection]] = {number: [] for number in images}
    for index, value in enumerate(get_list(document, "annotations", "")):
        where = f"annotations[{index}]"
        entry = get_object(value, where)
        image = get_whole(entry, "image_id", where)
        if image not in images:
            raise FormatError(f"{where}.image_id: there is no image {image}")
        category = get_whole(entry, "category_id", where)
        if category not in labels:
            raise FormatError(f"{where}.category_id: there is no category {category}")
        found[image].append(
            Detection(
                labels[category],
                _read_box(entry, where),
                _read_segmentation(entry, images[image].frame, where),
                _read_score(entry, where),
                is_crowd=bool(entry.get("iscrowd")),
                area=_optional(entry, "area", where),
                id=str(get_whole(entry, "id", where)) if "id" in entry else "",
                confidence_source=_read_source(entry),
            )
        )
    return found


def _read_box(entry: JsonObject, where: str) -> Box:
    values = get_list(entry, "bbox", where)
    if len(values) != 4:  # noqa: PLR2004
        raise FormatError(f"{where}.bbox: four numbers were expected")
    numbers = [get_number(v, f"{where}.bbox[{i}]") for i, v in enumerate(values)]
    if numbers[2] < 0 or numbers[3] < 0:
        raise FormatError(f"{where}.bbox: width and height cannot be negative")
    return Box(*numbers)


def _read_score(entry: JsonObject, where: str) -> float | None:
    if entry.get("score_source") == "none":
        return None
    return _optional(entry, "score", where)


def _read_source(entry: JsonObject) -> str:
    """Say where a score comes from; "": the model's own word, or nobody said."""
    source = entry.get("score_source")
    stated = isinstance(source, str) and source not in {"none", SELF}
    return str(source)[:SOURCE_LIMIT] if stated else ""


def _optional(entry: JsonObject, key: str, where: str) -> float | None:
    value = entry.get(key)
    return None if value is None else get_number(value, f"{where}.{key}")


def _read_segmentation(entry: JsonObject, frame: Frame, where: str) -> Mask | None:
    value, here = entry.get("segmentation"), f"{where}.segmentation"
    if not value:
        return None
    if not frame.width * frame.height:
        raise FormatError(f"{here}: its picture has no size")
    try:
        if isinstance(value, list):
            return polygons_to_mask(_read_polygons(value, frame, here), frame)
        return _read_rle(get_object(value, here), frame, here)
    except FormatError as error:
        text = str(error)
        raise FormatError(text if where in text else f"{here}: {text}") from error


def _read_polygons(
    values: list[JsonValue], frame: Frame, where: str
) -> list[list[float]]:
    polygons = []
    limit = 2 * max(frame.width, frame.height)
    for index, value in enumerate(values):
        here = f"{where}[{index}]"
        flat = value if isinstance(value, list) else []
        if len(flat) < 6 or len(flat) % 2:  # noqa: PLR2004
            raise FormatError(f"{here}: three points or more were expected")
        numbers = [get_number(v, f"{here}[{i}]") for i, v in enumerate(flat)]
        if max(map(abs, numbers)) > limit:
            raise FormatError(f"{here}: a point lies far outside of the picture")
        polygons.append(numbers)
    return polygons


def _read_rle(value: JsonObject, frame: Frame, where: str) -> Mask:
    if get_list(value, "size", where) != [frame.height, frame.width]:
        raise FormatError(f"{where}.size: not the size of the picture")
    counts = value.get("counts")
    if isinstance(counts, str):
        return rle_to_mask(Rle(frame.height, frame.width, counts))
    runs = get_list(value, "counts", where)
    numbers = [get_number(run, f"{where}.counts[{i}]") for i, run in enumerate(runs)]
    whole = np.array(numbers).clip(-1, _MAX_PIXELS + 1).astype(np.int64)
    if whole.tolist() != numbers:
        raise FormatError(f"{where}.counts: whole numbers were expected")
    return counts_to_mask(whole, frame)
