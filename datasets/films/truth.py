"""Stories to truth: one file for the emulator, JSON Lines for whoever judges labels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

from .story import Story


def write_truth(stories: Iterable[Story], folder: Path) -> None:
    """Write `truth.json`, `events.jsonl`, `transcript.jsonl` and `objects.jsonl`."""
    stories = list(stories)
    told = {
        "info": {"description": "Drawn videos with exact events, objects and words"},
        "videos": [_video(story) for story in stories],
    }
    (folder / "truth.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")
    _lines(folder / "events.jsonl", stories, _spans)
    _lines(folder / "transcript.jsonl", stories, _said)
    _lines(folder / "objects.jsonl", stories, _sightings)


def _video(story: Story) -> dict[str, object]:
    return {
        "file_name": story.name,
        "width": story.width,
        "height": story.height,
        "seconds": story.seconds,
        "caption": story.caption,
        "events": [
            {"label": e.label, "start": e.start, "end": e.end} for e in story.events
        ],
        "transcript": [
            {"speaker": s.speaker, "text": s.text, "start": s.start, "end": s.end}
            for s in story.lines
        ],
        "frames": [
            {
                "seconds": _short(at),
                "objects": [
                    {"label": t.label, "bbox": [_short(n) for n in t.box_xywh]}
                    for t in story.things(at)
                ],
            }
            for at in story.times
        ],
    }


def _short(number: float) -> float:
    return round(number, 3)


def _spans(story: Story) -> list[dict[str, object]]:
    return [
        {"label": e.label, "start_seconds": e.start, "end_seconds": e.end}
        for e in story.events
    ]


def _said(story: Story) -> list[dict[str, object]]:
    return [
        {
            "label": line.speaker,
            "start_seconds": line.start,
            "end_seconds": line.end,
            "text": line.text,
        }
        for line in story.lines
    ]


def _sightings(story: Story) -> list[dict[str, object]]:
    """List what is in the frames shown at whole seconds."""
    found: list[dict[str, object]] = []
    seconds = range(math.ceil(story.seconds))
    for at in (max(t for t in story.times if t <= second + 1e-6) for second in seconds):
        for thing in story.things(at):
            x, y, w, h = (_short(n) for n in thing.box_xywh)
            box = {"x": x, "y": y, "width": w, "height": h}
            detection = {"label": thing.label, "box": box}
            found.append({"seconds": _short(at), "detection": detection})
    return found


def _lines(path: Path, stories: list[Story], values_of: object) -> None:
    assert callable(values_of)
    lines = [
        {
            "file": story.name,
            "sample_id": story.name,
            "width": story.width,
            "height": story.height,
            "values": values_of(story),
        }
        for story in sorted(stories, key=lambda story: story.name)
    ]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text)
