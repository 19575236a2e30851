"""Options for videos: which part of each, how often and how it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from ..asking import Manner
from ..coco.folder import FolderSource
from ..errors import UsageError
from ..filming import Filming
from ..parsing.times import Clock, stretch_of
from ..tasks import find_task
from ..values import Clip, Question


@dataclass(frozen=True, slots=True)
class Film:
    """How videos are asked about."""

    clip_start: Annotated[
        str, typer.Option(help="Ask from here on: seconds, MM:SS or H:MM:SS.")
    ] = ""
    clip_end: Annotated[str, typer.Option(help="Ask up to here.")] = ""
    fps: Annotated[
        float | None,
        typer.Option(help="Frames of a video to look at in a second, up to 24."),
    ] = None
    sound: Annotated[
        bool,
        typer.Option("--sound/--no-sound", help="Send videos with their sound."),
    ] = True
    part: Annotated[
        float | None,
        typer.Option(help="Ask about long videos in parts of so many seconds."),
    ] = None
    by_frames: Annotated[
        bool,
        typer.Option("--by-frames", help="Task track: ask about frames as pictures."),
    ] = False

    def put(self, question: Question, manner: Manner) -> tuple[Question, Manner]:
        """Add what the options say to a question, and to how it is put."""
        clip = Clip(
            read_time(self.clip_start, "--clip-start"),
            read_time(self.clip_end, "--clip-end"),
            self.fps,
        )
        filming = Filming(clip, self.sound, self.part)
        asked = replace(question, by_frames=self.by_frames)
        return asked, replace(manner, filming=filming)


def read_time(text: str, option: str) -> float | None:
    """Read a time that a user wrote; raises `UsageError`."""
    if not text.strip():
        return None
    found = stretch_of(text.strip())
    if found is None or found.end is not None:
        raise UsageError(f"{option} {text!r} is no time; write 90, 1:30 or 0:01:30.")
    return Clock().seconds(found.start)


def open_folder(folder: Path, question: Question) -> FolderSource:
    """Open a folder for what the task can be about: pictures, videos or either."""
    return FolderSource(folder, find_task(question.task).about)
