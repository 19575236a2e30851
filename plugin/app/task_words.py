"""Tasks in the words of the form; one of your own is shown by its name."""

from __future__ import annotations

from collections.abc import Mapping

import fiftyone as fo

from ..tasks import TASKS, Regional, Several
from ..values import Medium

WORDS: Mapping[str, tuple[str, str]] = {
    "detect": ("Boxes", "A box and a name for every object"),
    "segment": ("Boxes and masks", "A box, a name and the outline of every object"),
    "point": ("Points", "A place and a name for every object"),
    "path": ("Paths", "A line through the picture"),
    "box3d": ("Boxes in space", "Place, size and turn of every object"),
    "classify": ("One class", "The class of the whole picture"),
    "tag": ("Tags", "All classes that fit the picture"),
    "caption": ("Caption", "The picture in words"),
    "vqa": ("Questions", "Answers to your questions"),
    "ocr": ("Text with boxes", "Every text, and where it stands"),
    "events": ("Events", "Stretches of time, each with a name"),
    "transcript": ("Transcript", "What is said, and when"),
    "track": ("Objects over time", "Boxes at moments of the video"),
    "read": ("Text", "All text of the picture"),
}


def offered_tasks(dataset: fo.Dataset) -> dict[str, tuple[str, str]]:
    """Give the tasks that this dataset can be asked, with their labels and meaning."""
    video = dataset.media_type == fo.core.media.VIDEO
    medium = Medium.VIDEO if video else Medium.IMAGE
    return {
        name: WORDS.get(name, (name, ""))
        for name, task in TASKS.items()
        if medium in task.about and not isinstance(task, Several | Regional)
    }
